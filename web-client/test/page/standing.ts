// What stands above the stage: one notice at a time, told once, over nobody, its answers reached in order.
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { until, visit } from './bench.ts';
import type { Test } from './bench.ts';
import { dropsPictures, stands, struggle } from './states.ts';

const SHOWN = '.standing';
/** Notices come one after the other: the longest, a stream of bad readings, takes ten seconds. */
const LONG_MS = 40_000;

/** Every text of the polite region from now on. */
async function listen(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const region = document.querySelector('[aria-live=polite]');
    const told: string[] = [];
    (window as unknown as { told: string[] }).told = told;
    if (region) new MutationObserver(() => told.push(region.textContent ?? '')).observe(region, { childList: true, characterData: true, subtree: true });
  });
  return () => page.evaluate(() => (window as unknown as { told: string[] }).told);
}

const STAGES = ['people=7', 'people=2', 'people=12&screen=1', 'webinar=air&role=listener&people=4&crowd=128', 'webinar=questions&role=host&place=stage&people=12&stage=3&crowd=290&hands=9'];

export const standingTests: Test[] = [
  ...STAGES.flatMap((link) => [[360, 640], [1366, 768]].map(([width = 0, height = 0]): Test => ({
    name: `a notice above the stage covers nobody: ${link}, ${width} px`,
    async run(bench) {
      const v = await visit(bench, { link: `${link}&unled=1`, width, height });
      await stands('unled')(v.page);
      await until('pictures', () => v.page.evaluate('document.querySelectorAll("[data-testid^=tile-]").length > 0') as Promise<boolean>);
      const covered = await v.page.evaluate((one) => {
        const notice = document.querySelector(one)?.getBoundingClientRect();
        if (!notice) return ['no notice'];
        const above = [...document.querySelectorAll('.class > header, .staff')].filter((e) => e.getBoundingClientRect().bottom > notice.top + 1);
        const below = [...document.querySelectorAll('[data-testid^=tile-], footer')].filter((e) => e.getBoundingClientRect().top < notice.bottom);
        return [...above, ...below].map((e) => e.outerHTML.slice(0, 80));
      }, SHOWN);
      assert.deepEqual(covered, []);
      await v.done();
    },
  }))),
  {
    name: 'of several notices the most important stands, and each is told once',
    async run(bench) {
      const v = await visit(bench, { link: 'people=4&role=host', prefs: { ease: true } });
      const told = await listen(v.page);
      const which = (): Promise<string[]> => v.page.locator(SHOWN).evaluateAll((all) => all.map((e) => `${(e as HTMLElement).dataset['testid']} ${(e as HTMLElement).dataset['step'] ?? ''}`.trim()));
      const shows = (id: string): Promise<void> => until(id, async () => JSON.stringify(await which()) === JSON.stringify([id]), LONG_MS);
      await struggle(v.page);
      await shows('strain 1');
      v.world().say({ t: 'load', step: 1 });
      await shows('server-busy fewer');
      v.world().say({ t: 'load', step: 4 });
      await shows('server-busy shut');
      v.world().say({ t: 'load', step: 0 });
      await until('strain again', async () => (await which()).join().startsWith('strain'));
      await v.page.getByTestId('strain-all').click();
      await until('nothing stands', async () => (await which()).length === 0);
      await until('all is told', async () => (await told()).some((text) => text.includes('suit de nouveau')));
      const all = (await told()).join(' ');
      for (const words of ['Votre appareil peine', 'moins d’images à la fois', 'ne laisse plus entrer', 'n’est plus surchargé', 'suit de nouveau']) {
        assert.equal(all.split(words).length - 1, 1, `${words}: ${all}`);
      }
      await v.done();
    },
  },
  {
    name: 'the answers to a notice are reached by Tab in the order they are read, before the stage',
    async run(bench) {
      const v = await visit(bench, { link: 'people=4', width: 360, height: 740, prefs: { ease: true } });
      await struggle(v.page);
      await stands('strain')(v.page);
      await v.page.getByTestId('top-settings').focus();
      const reached: string[] = [];
      for (let i = 0; i < 2; i++) {
        await v.page.keyboard.press('Tab');
        reached.push(await v.page.evaluate('document.activeElement.dataset.testid ?? ""') as string);
      }
      assert.deepEqual(reached, ['strain-fewer', 'strain-all']);
      for (const id of reached) {
        const box = await v.page.getByTestId(id).boundingBox();
        assert.ok(box && box.height >= 44 && box.x >= 0 && box.x + box.width <= 360, `${id} ${JSON.stringify(box)}`);
      }
      await v.page.keyboard.press('Enter');
      await v.page.getByTestId('strain').waitFor({ state: 'detached' });
      await v.done();
    },
  },
  ...[360, 1366].map((width): Test => ({
    name: `the card of a latecomer leaves the notice free, ${width} px`,
    async run(bench) {
      const v = await visit(bench, { link: 'people=4&chat=1&unled=1', width, height: 740 });
      await stands('unled')(v.page);
      const notice = await v.page.locator(SHOWN).boundingBox();
      const card = await v.page.getByTestId('digest').boundingBox();
      assert.ok(notice && card && card.y >= notice.y + notice.height, JSON.stringify([notice, card]));
      await v.done();
    },
  })),
  {
    name: 'on a phone the words of a notice have the row, its one answer stands below',
    async run(bench) {
      const v = await visit(bench, { link: 'people=4', width: 360, height: 740, prefs: { ease: true } });
      await struggle(v.page);
      await stands('strain')(v.page);
      await v.page.getByTestId('strain-fewer').click();
      await v.page.getByTestId('strain-fewer').waitFor({ state: 'detached' });
      const words = await v.page.locator(`${SHOWN} p`).boundingBox();
      const answer = await v.page.getByTestId('strain-all').boundingBox();
      const sign = await v.page.locator(`${SHOWN} svg`).boundingBox();
      assert.ok(words && answer && sign && words.width > 280 && answer.y >= words.y + words.height, JSON.stringify([words, answer]));
      assert.ok(sign.y >= words.y && sign.y + sign.height <= words.y + words.height, 'the sign stands beside the words');
      await v.done();
    },
  },
  {
    name: 'a notice says so when pictures come and are not shown, and smaller ones are asked for',
    async run(bench) {
      const v = await visit(bench, { link: 'people=4&nocam=9', prefs: { ease: true } });
      const large = (): number => (v.world().want as [number, string, string, number][]).filter(([, , , height]) => height > 180).length;
      await until('large pictures are asked for', () => large() > 1);
      await dropsPictures(v.page);
      await stands('strain')(v.page);
      await until('smaller ones are', () => large() <= 1);
      assert.equal(await v.page.getByTestId('saver-propose').count(), 0, 'the connection is not blamed');
      await v.done();
    },
  },
];
