// Pictures that are told to be there and are not seen, and pictures that are told not to come.
import assert from 'node:assert/strict';
import { until, visit } from './bench.ts';
import type { Test } from './bench.ts';
import { unreadablePictures } from './states.ts';

type Row = [slot: number, device: string, source: string, height: number];

export const pictureTests: Test[] = [
  {
    name: 'a picture that comes and cannot be made out is asked for anew, and only that',
    async run(bench) {
      const v = await visit(bench, { link: 'people=4&nocam=9' });
      const asked = (): Row[][] => v.world().views as Row[][];
      await until('pictures are asked for', () => (asked().at(-1)?.length ?? 0) === 3);
      const before = asked().length;
      await unreadablePictures(v.page);
      await until('asked for anew', () => asked().length >= before + 2);
      const [rests, again] = asked().slice(before);
      assert.deepEqual(rests?.filter(([, , , height]) => height === 0).map(([slot]) => slot), [0]);
      assert.deepEqual(again, asked()[before - 1], 'and wished for as it was');
      await v.done();
    },
  },
  {
    name: 'a tile whose source sends nothing says so',
    async run(bench) {
      const v = await visit(bench, { link: 'people=2&pictures=silent' });
      const why = v.page.locator('[data-testid=reason][data-reason=source]');
      await why.waitFor();
      assert.notEqual((await why.getAttribute('title')) ?? '', '');
      assert.equal(await v.page.locator('[data-testid^=tile-] video[data-slot="0"]').count(), 0, 'no empty picture');
      await v.done();
    },
  },
  {
    name: 'an element no frame reaches is given its stream again',
    async run(bench) {
      const v = await visit(bench, { link: 'people=2' });
      const tile = v.page.locator('[data-testid^=tile-] video[data-slot="0"]');
      await until('the picture shows', () => tile.evaluate((e) => (e as HTMLVideoElement).videoWidth > 0));
      // As a browser that shows nothing: what it does with the element is counted, and it stays blank.
      await v.page.evaluate(() => {
        const counts = { given: 0 };
        Object.assign(window, { counts });
        const own = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'srcObject');
        Object.defineProperty(HTMLMediaElement.prototype, 'srcObject', {
          ...own,
          set(value: MediaProvider | null) {
            if (value) counts.given += 1;
            own?.set?.call(this, value);
          },
        });
        Object.defineProperty(HTMLMediaElement.prototype, 'readyState', { get: () => 0 });
      });
      const [device] = v.world().want.map((row) => (row as Row)[1]);
      v.world().say({ t: 'slots', audio: ['', '', '', '', ''], video: [[0, device ?? '', 'cam', 'waiting', 'full', 0]] });
      await tile.waitFor({ state: 'detached' });
      v.world().say({ t: 'slots', audio: ['', '', '', '', ''], video: [[0, device ?? '', 'cam', 'live', 'full', 360]] });
      await tile.waitFor({ state: 'attached' });
      const given = (): Promise<number> => v.page.evaluate(() => (window as unknown as { counts: { given: number } }).counts.given);
      await until('it is given again', async () => (await given()) >= 3);
      assert.ok(await tile.evaluate((e) => (e as HTMLVideoElement).srcObject !== null));
      await v.done();
    },
  },
];
