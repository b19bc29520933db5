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
  assert.deepEqual([32_000, 34_000, 36_000, 38_000, 40_000, 42_000, 44_000].map(at), [100, 80, 60, 40, 20, null, null]);
});

/** Pictures after `n` intervals, each with so many packets that came, were asked for, and freezes. */
const video = (n: number, packets: number, asked: number, freezes = 0): PlayReading[] =>
  [{ ...none, kind: 'video', packets: packets * n, asked: asked * n, freezes: freezes * n }];
const seen = (packets: number, asked: number, rttMs = 50, readings = 12): number | null => {
  const playout = new Playout();
  let wait: number | null = null;
  for (let n = 1; n <= readings; n += 1) wait = playout.see(video(n, packets, asked), video(n + 1, packets, asked), rttMs, 2000 * n);
  return wait;
};

test('pictures wait for their repairs before the first of them froze, the longer the more is missing', () => {
  assert.equal(seen(200, 0), null);
  assert.equal(seen(200, 1, 50, 1), 120, 'a single one is repaired in time, too');
  const waits = [2, 10, 22, 50, 86].map((asked) => seen(200, asked) ?? 0);
  assert.deepEqual(waits, [140, 210, 350, 420, 490]);
  assert.equal(seen(200, 86, 300), 600, 'there is an end');
  assert.equal(new Playout().hear(video(1, 200, 50), video(2, 200, 50), 50, 0), null, 'sound has its own');
});

test('a path that loses much is waited for at once, one that loses little in steps that nobody sees', () => {
  const first = [2, 10, 22, 50, 86].map((asked) => seen(200, asked, 50, 1) ?? 0);
  assert.deepEqual(first, [120, 120, 120, 420, 420]);
  const lossy = [1, 2, 3, 4].map((readings) => seen(200, 22, 50, readings));
  assert.deepEqual(lossy, [120, 200, 280, 350]);
});

test('chance loses more for two seconds, the path does not', () => {
  const playout = new Playout();
  const asked = [2, 3, 2, 3, 2, 3, 2, 9, 2, 3]; // of 150: 2 %, 1.3 % and once 6 %
  let total = 0;
  let wait: number | null = null;
  asked.forEach((each, n) => {
    const before = [{ ...none, kind: 'video' as const, packets: 150 * n, asked: total }];
    total += each;
    wait = playout.see(before, [{ ...none, kind: 'video', packets: 150 * (n + 1), asked: total }], 50, 2000 * n);
    assert.ok((wait ?? 0) <= 210, `${String(wait)} ms after ${String(n)}`);
  });
  assert.equal(wait, 210);
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
  const changes: [wait: number | null, at: number][] = [];
  for (let at = 6; at <= 300; at += 2) {
    const wait = playout.see(video(3, 200, 0), video(4, 200, 0), 50, 1000 * at);
    if (wait !== (changes.at(-1)?.[0] ?? 420)) changes.push([wait, at]);
    if (wait === null) break;
  }
  // No picture is thrown away for it: none comes twenty milliseconds after the one before.
  assert.deepEqual(changes.map(([wait]) => wait), [...Array.from({ length: 20 }, (_, i) => 400 - 20 * i), null]);
  const [first, last] = [changes[0]?.[1] ?? 0, changes.at(-1)?.[1] ?? 0];
  assert.ok(first >= 34 && first <= 50 && last <= first + 42, `from ${String(first)} to ${String(last)} s`);
});

test('what went into a dead path is not waited for, however late the slots come again', () => {
  const playout = new Playout();
  playout.broken(video(1, 100, 0)); // the page was away
  const still = video(1, 100, 0);
  assert.equal(playout.see(still, still, 50, 0), null, 'back, but he who is seen is not');
  const back = [{ ...none, kind: 'video' as const, packets: 130, asked: 40, freezes: 1 }];
  assert.equal(playout.see(still, back, 50, 2000), null, 'this is the gap');
  const lossy = [{ ...none, kind: 'video' as const, packets: 330, asked: 62, freezes: 1 }];
  assert.equal(playout.see(back, lossy, 50, 4000), 120, 'this is the new path');
  const sound = new Playout();
  sound.broken(after(1, {}));
  assert.equal(sound.hear(after(1, { lost: 50 }), after(2, { lost: 50, concealed: 9000 }), 100, 0), null);
  assert.equal(sound.hear(after(2, { lost: 50, concealed: 9000 }), after(3, { lost: 50, concealed: 9000 }), 100, 2000), 80);
});
