// axe on every state of the page, both themes, both languages, small and large.
import assert from 'node:assert/strict';
import { AxeBuilder } from '@axe-core/playwright';
import { visit } from './bench.ts';
import type { Test } from './bench.ts';
import { STATES } from './states.ts';

// Each state in both themes and both languages; which goes with which size alternates.
const LOOKS = [
  [{ theme: 'light', lang: 'fr', width: 1366, height: 768 }, { theme: 'dark', lang: 'en', width: 360, height: 740 }],
  [{ theme: 'dark', lang: 'en', width: 1366, height: 768 }, { theme: 'light', lang: 'fr', width: 360, height: 740 }],
] as const;

export const a11yTests: Test[] = STATES.flatMap((state, i) =>
  (LOOKS[i % 2] ?? LOOKS[0]).map((look) => ({
    name: `axe: ${state.name}, ${look.theme}, ${look.lang}, ${look.width} px`,
    async run(bench) {
      const v = await visit(bench, {
        ...look, prefs: state.prefs ?? {}, join: !state.door,
        ...(state.link === undefined ? { path: state.path ?? '/' } : { link: state.link }),
      });
      await state.then?.(v.page, bench.mock);
      await v.page.waitForTimeout(150);
      const { violations } = await new AxeBuilder({ page: v.page }).analyze();
      assert.deepEqual(
        violations.map((f) => `${f.id}: ${f.nodes.map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? ''}`).join(' | ')}`), [],
      );
      assert.equal(await v.page.evaluate('document.documentElement.lang'), look.lang);
      const overflow = await v.page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      assert.equal(overflow, 0, 'no sideways scrolling');
      await v.done();
    },
  })));
