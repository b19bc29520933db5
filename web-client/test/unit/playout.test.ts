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

/** Pictures after `n` intervals, each with so many packets that came, were asked for, and freezes. */
const video = (n: number, packets: number, asked: number, freezes = 0): PlayReading[] =>
  [{ ...none, kind: 'video', packets: packets * n, asked: asked * n, freezes: freezes * n }];
const seen = (packets: number, asked: number, rttMs = 50): number | null =>
  new Playout().see(video(1, packets, asked), video(2, packets, asked), rttMs, 0);

test('pictures wait for their repairs before the first of them froze, the longer the more is missing', () => {
  assert.equal(seen(200, 0), null);
  assert.equal(seen(200, 1), null, 'one packet may always be lost');
  const waits = [2, 10, 22, 50, 86].map((asked) => seen(200, asked) ?? 0);
  assert.deepEqual(waits, [140, 210, 350, 420, 490]);
  assert.equal(seen(200, 86, 300), 600, 'there is an end');
  assert.equal(new Playout().hear(video(1, 200, 50), video(2, 200, 50), 50, 0), null, 'sound has its own');
});

test('a picture that froze with packets missing waits longer; one its sender froze does not', () => {
  const playout = new Playout();
  assert.equal(playout.see(video(1, 100, 0, 1), video(2, 100, 0, 1), 100, 0), null, 'frozen by its sender');
  const targets = [1, 2, 3].map((n) => playout.see(video(n, 1000, 1, 1), video(n + 1, 1000, 1, 1), 100, 2000 * n));
  assert.deepEqual(targets, [120, 200, 280]);
});

test('the wait of pictures is given back step by step when nothing is missing any more', () => {
  const playout = new Playout();
  const bad = (n: number): number | null => playout.see(video(n, 200, 50), video(n + 1, 200, 50), 50, 2000 * n);
  assert.deepEqual([bad(1), bad(2)], [420, 420]);
  const calm = (now: number): number | null => playout.see(video(3, 200, 0), video(4, 200, 0), 50, now);
  assert.equal(calm(33_000), 420);
  assert.deepEqual([34_000, 64_000, 94_000, 124_000, 154_000].map(calm), [340, 260, 180, 120, null]);
});

test('what went into a dead path is not waited for, however late the slots come again', () => {
  const playout = new Playout();
  playout.broken(video(1, 100, 0)); // the page was away
  const still = video(1, 100, 0);
  assert.equal(playout.see(still, still, 50, 0), null, 'back, but he who is seen is not');
  const back = [{ ...none, kind: 'video' as const, packets: 130, asked: 40, freezes: 1 }];
  assert.equal(playout.see(still, back, 50, 2000), null, 'this is the gap');
  const lossy = [{ ...none, kind: 'video' as const, packets: 330, asked: 62, freezes: 1 }];
  assert.equal(playout.see(back, lossy, 50, 4000), 350, 'this is the new path');
  const sound = new Playout();
  sound.broken(after(1, {}));
  assert.equal(sound.hear(after(1, { lost: 50 }), after(2, { lost: 50, concealed: 9000 }), 100, 0), null);
  assert.equal(sound.hear(after(2, { lost: 50, concealed: 9000 }), after(3, { lost: 50, concealed: 9000 }), 100, 2000), 80);
});
