import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Playout } from '../../src/core/playout.ts';
import type { PlayReading } from '../../src/core/playout.ts';

const none: PlayReading = {
  kind: 'audio', slot: 0, packets: 0, lost: 0, late: 0, bytes: 0, width: 0, height: 0, framesDecoded: 0,
  bufferedS: 0, emitted: 0, jitterMs: 0, concealed: 0, silentConcealed: 0, samples: 0, freezes: 0, asked: 0,
};
/** A slot after `n` intervals of two seconds, each with these figures. */
const after = (n: number, each: Partial<PlayReading>): PlayReading[] => {
  const grown = { ...none, packets: 100 * n, samples: 96_000 * n };
  for (const [key, value] of Object.entries(each)) if (typeof value === 'number') Object.assign(grown, { [key]: n * value });
  return [grown];
};

test('sound waits for its repair while that is missed, at most a round trip and a bit', () => {
  const playout = new Playout();
  const targets = [0, 1, 2, 3].map((n) => playout.hear(after(n, { lost: 5, concealed: 4000 }), after(n + 1, { lost: 5, concealed: 4000 }), 100, 2000 * n));
  assert.deepEqual(targets, [80, 120, 160, 160]);
});

test('what is invented without a loss is not the path, and what is silent is no word', () => {
  const playout = new Playout();
  assert.equal(playout.hear(after(1, { concealed: 9000 }), after(2, { concealed: 9000 }), 100, 0), null);
  assert.equal(playout.hear(after(1, { lost: 9, concealed: 9000, silentConcealed: 8800 }), after(2, { lost: 9, concealed: 9000, silentConcealed: 8800 }), 100, 0), null);
  assert.equal(playout.hear([], [{ ...none, kind: 'video', lost: 50, concealed: 9000, samples: 9000 }], 100, 0), null);
});

test('copies that come too late count as missing; the wait is given back when all is well', () => {
  const playout = new Playout();
  const bad = { late: 3, concealed: 4000 };
  playout.hear(after(0, bad), after(1, bad), 200, 0);
  assert.equal(playout.hear(after(1, bad), after(2, bad), 200, 2000), 120);
  const at = (now: number): number | null => playout.hear(after(2, {}), after(3, {}), 200, now);
  assert.equal(at(31_000), 120);
  assert.equal(at(32_000), 80);
  assert.equal(at(61_000), 80);
  assert.equal(at(62_000), null);
  assert.equal(at(63_000), null);
});

test('pictures wait for two repairs when one froze and something was missing', () => {
  const playout = new Playout();
  const video = (n: number, freezes: number, asked: number): PlayReading[] => [{ ...none, kind: 'video', packets: 100 * n, freezes: freezes * n, asked: asked * n }];
  assert.equal(playout.see(video(1, 1, 0), video(2, 1, 0), 100, 0), null, 'frozen by its sender');
  assert.equal(playout.see(video(1, 0, 9), video(2, 0, 9), 100, 0), null, 'repaired in time');
  const targets = [1, 2, 3, 4].map((n) => playout.see(video(n, 1, 9), video(n + 1, 1, 9), 100, 2000 * n));
  assert.deepEqual(targets, [120, 200, 260, 260]);
  assert.equal(playout.hear(video(1, 1, 9), video(2, 1, 9), 100, 9000), null, 'sound has its own');
  assert.equal(playout.see(video(5, 0, 0), video(6, 0, 0), 100, 40_000), 180);
});
