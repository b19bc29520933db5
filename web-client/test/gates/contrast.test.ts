// The tokens keep their promise: text >= 4.5:1, large signs and controls >= 3:1, in both themes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const css = readFileSync(new URL('../../src/ui/tokens.css', import.meta.url), 'utf8');

function tokens(block: string): Map<string, string> {
  return new Map([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((m) => [m[1] ?? '', m[2] ?? '']));
}
const light = tokens(css.slice(css.indexOf(':root {'), css.indexOf('@media (prefers-color-scheme')));
const dark = new Map([...light, ...tokens(css.slice(css.indexOf(":root[data-theme='dark']")))]);

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
}

function ratio(set: Map<string, string>, a: string, b: string): number {
  const [x, y] = [a, b].map((name) => luminance(set.get(name) ?? assert.fail(`no token ${name}`)));
  return (Math.max(x ?? 0, y ?? 0) + 0.05) / (Math.min(x ?? 0, y ?? 0) + 0.05);
}

const TEXT: [string, string][] = [
  ['ink', 'paper'], ['ink', 'raised'], ['ink', 'pine-wash'], ['ink', 'amber-wash'], ['ink-soft', 'paper'], ['ink-soft', 'raised'],
  ['pine', 'paper'], ['pine', 'raised'], ['on-pine', 'pine'], ['amber', 'paper'], ['amber', 'amber-wash'], ['paper', 'amber'],
  ['brick', 'paper'], ['brick', 'raised'], ['brick', 'brick-wash'], ['sky', 'paper'], ['sky', 'raised'],
  ['text', 'night'], ['text', 'surface'], ['text-soft', 'night'], ['text-soft', 'surface'], ['stage-amber', 'surface'],
  ['stage-brick', 'surface'], ['stage-pine', 'surface'],
];
const SIGNS: [string, string][] = [['field-line', 'paper'], ['field-line', 'raised'], ['stage-sky', 'night'], ['sky', 'frame']];

for (const [name, set] of [['light', light], ['dark', dark]] as const) {
  test(`contrast of the ${name} theme`, () => {
    const weak = [
      ...TEXT.filter(([a, b]) => ratio(set, a, b) < 4.5), ...SIGNS.filter(([a, b]) => ratio(set, a, b) < 3),
    ].map(([a, b]) => `${a} on ${b}: ${ratio(set, a, b).toFixed(2)}`);
    assert.deepEqual(weak, []);
  });
}

test('the two ways into the dark theme are the same', () => {
  const media = tokens(css.slice(css.indexOf("not([data-theme='light'])"), css.indexOf(":root[data-theme='dark']")));
  const chosen = tokens(css.slice(css.indexOf(":root[data-theme='dark']")));
  assert.deepEqual([...media].sort(), [...chosen].sort());
});
