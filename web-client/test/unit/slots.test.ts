import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstWishes, assignSlots, heightFor, sameWants } from '../../src/core/slots.ts';
import type { Wish } from '../../src/core/slots.ts';
import { ActiveSpeaker, MutedSpeech } from '../../src/core/speaker.ts';
import { SteadyQuality, judgeQuality } from '../../src/core/quality.ts';
import type { Speaking, Want } from '../../src/wire/messages.ts';

const wish = (device: string, height = 180): Wish => ({ device, source: 'cam', height });
const owners = (wants: readonly Want[]): string => wants.map(([slot, device]) => `${slot}${device}`).join(' ');

test('a source keeps its slot whatever the order of wishes', () => {
  const first = assignSlots([], ['a', 'b', 'c'].map((d) => wish(d)), 4);
  assert.equal(owners(first), '0a 1b 2c');
  const second = assignSlots(first, ['c', 'a', 'd'].map((d) => wish(d)), 4);
  assert.equal(owners(second), '0a 1d 2c');
});

test('one who comes back takes a free slot; nobody sits twice', () => {
  const now: Want[] = [[0, 'a', 'cam', 90], [3, 'b', 'cam', 90]];
  assert.equal(owners(assignSlots(now, ['b', 'x', 'y', 'z'].map((d) => wish(d)), 4)), '0x 1y 2z 3b');
});

test('the less important go without when slots run out; a slot is never out of range', () => {
  const wants = assignSlots([[9, 'a', 'cam', 90]], ['a', 'b', 'c'].map((d) => wish(d)), 2);
  assert.equal(owners(wants), '0a 1b');
});

test('camera and screen of one device are two sources', () => {
  const wants = assignSlots([], [{ device: 'a', source: 'screen', height: 1080 }, wish('a')], 4);
  assert.deepEqual(wants, [[0, 'a', 'screen', 1080], [1, 'a', 'cam', 180]]);
  assert.ok(sameWants(wants, structuredClone(wants)));
  assert.ok(!sameWants(wants, [[0, 'a', 'screen', 720], [1, 'a', 'cam', 180]]));
});

test('random wishes: every slot once, every wish at most once, kept ones unmoved', () => {
  let seed = 7;
  const next = (n: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
  let before: Want[] = [];
  for (let round = 0; round < 500; round++) {
    const names = [...new Set(Array.from({ length: next(20) }, () => `d${next(25)}`))];
    const after = assignSlots(before, names.map((d) => wish(d)), 16);
    assert.equal(new Set(after.map((w) => w[0])).size, after.length);
    assert.equal(after.length, Math.min(16, names.length));
    for (const [slot, device] of before) {
      const now = after.find((w) => w[1] === device);
      if (now) assert.equal(now[0], slot);
    }
    before = after;
  }
});

test('asked height follows the tile, in steps', () => {
  assert.deepEqual([70, 150, 300, 620, 2000].map((h) => heightFor(h, 1)), [90, 180, 360, 720, 1080]);
  assert.equal(heightFor(150, 3), 360);
});

test('the speaker changes only for somebody who goes on', () => {
  const active = new ActiveSpeaker();
  const list = (...names: string[]): Speaking[] => names.map((n) => [n, 30]);
  assert.equal(active.update(list('a'), 0, 'me'), 'a');
  assert.equal(active.update(list('b'), 100, 'me'), 'a');
  assert.equal(active.update([], 400, 'me'), 'a');
  assert.equal(active.update(list('b'), 600, 'me'), 'a');
  assert.equal(active.update(list('b'), 1700, 'me'), 'a');
  assert.equal(active.update(list('b'), 1900, 'me'), 'b');
  assert.equal(active.update(list('me'), 9000, 'me'), 'b', 'one does not see oneself large');
  active.gone('b');
  assert.equal(active.current, '');
});

test('speaking while muted is told after a second of speech, then not for a while', () => {
  const speech = new MutedSpeech();
  const told: number[] = [];
  for (let ms = 0; ms < 20_000; ms += 80) if (speech.sample(0.4, true, ms)) told.push(ms);
  assert.equal(told.length, 2);
  assert.ok((told[0] ?? 0) >= 800 && (told[0] ?? 0) <= 1100, String(told));
  const quiet = new MutedSpeech();
  for (let ms = 0; ms < 20_000; ms += 80) {
    assert.equal(quiet.sample(ms % 2000 < 300 ? 0.5 : 0.02, true, ms), false, 'a cough or a key');
    assert.equal(new MutedSpeech().sample(0.9, false, ms), false);
  }
});

test('quality gets worse at once and better slowly', () => {
  const good = { rttMs: 40, lossPercent: 0, frozenPercent: 0 };
  assert.deepEqual([
    judgeQuality(true, good), judgeQuality(true, { ...good, rttMs: 250 }), judgeQuality(true, { ...good, lossPercent: 12 }), judgeQuality(false, good),
  ], [3, 2, 1, 0]);
  const steady = new SteadyQuality();
  assert.deepEqual([1, 3, 3, 3].map((q) => steady.push(q as 1 | 3)), [1, 1, 1, 3]);
});

test('the first wish: screens before cameras, nothing of one\'s own, small when many', () => {
  const device = (id: string, cam: boolean, screen = false) => ({ id, mic: 'on' as const, cam, screen, sound: false });
  const person = (n: number, ...devices: ReturnType<typeof device>[]) =>
    ({ id: `p_${n}`, name: `${n}`, role: 'participant' as const, joined: 0, away: false, devices });
  const few = [person(1, device('d_1', true)), person(2, device('d_2', false)), person(3, device('d_3', true))];
  assert.deepEqual(firstWishes(few, 'd_3'), [{ device: 'd_1', source: 'cam', height: 360 }]);
  const shared = [...few, person(4, device('d_4', false, true))];
  assert.deepEqual(firstWishes(shared, 'd_1').map((w) => [w.device, w.source, w.height]),
    [['d_4', 'screen', 720], ['d_3', 'cam', 180]]);
});
