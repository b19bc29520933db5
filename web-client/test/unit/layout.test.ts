import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitInside, gridCapacity, gridLayout, ringLayout, speakerLayout } from '../../src/core/layout.ts';
import type { Rect } from '../../src/core/layout.ts';
import { nextUp } from '../../src/core/floor.ts';
import { arrange, seatOrder } from '../../src/core/stage.ts';
import type { StageInput } from '../../src/core/stage.ts';
import { fromSnapshot } from '../../src/core/state.ts';
import type { ClassState } from '../../src/core/state.ts';
import { quiet } from '../mock/base.ts';
import { makePeople } from '../mock/people.ts';

const BOXES: Rect[] = [
  { x: 8, y: 8, w: 344, h: 560 }, { x: 8, y: 8, w: 740, h: 860 }, { x: 14, y: 14, w: 1322, h: 618 }, { x: 14, y: 14, w: 1876, h: 930 },
  { x: 0, y: 0, w: 700, h: 330 },
];

function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.w - 0.5 && b.x < a.x + a.w - 0.5 && a.y < b.y + b.h - 0.5 && b.y < a.y + a.h - 0.5;
}

function sound(rects: Rect[], box: Rect, what: string): void {
  rects.forEach((r, i) => {
    assert.ok(r.w > 8 && r.h > 8, `${what}: tile ${i} is ${r.w}x${r.h}`);
    assert.ok(r.x >= box.x - 0.5 && r.y >= box.y - 0.5, `${what}: tile ${i} leaves the stage`);
    assert.ok(r.x + r.w <= box.x + box.w + 0.5 && r.y + r.h <= box.y + box.h + 0.5, `${what}: tile ${i} leaves the stage`);
    rects.slice(i + 1).forEach((other) => assert.ok(!overlap(r, other), `${what}: tiles overlap`));
  });
}

test('grid: all inside, none overlapping, at every size and count', () => {
  for (const box of BOXES) for (let n = 1; n <= 40; n++) sound(gridLayout(box, n), box, `grid ${n} in ${box.w}`);
});

test('round table: seats inside and apart, the middle free, up to 24', () => {
  for (const box of BOXES.filter((b) => b.w >= 600)) {
    for (let n = 1; n <= 24; n++) {
      const { seats, centre } = ringLayout(box, n, 0);
      assert.equal(seats.length, n);
      sound(centre ? [...seats, centre] : seats, box, `ring ${n} in ${box.w}`);
    }
  }
});

test('shared content in the middle keeps at least 45 % of the stage up to 12 people', () => {
  for (const box of BOXES.filter((b) => b.w >= 1000)) {
    for (let n = 1; n <= 12; n++) {
      const { seats, centre } = ringLayout(box, n, 16 / 9);
      assert.ok(centre);
      sound([...seats, centre], box, `share ${n} in ${box.w}`);
      const picture = fitInside(centre, 16 / 9);
      assert.ok(picture.w * picture.h >= 0.45 * box.w * box.h, `share ${n} in ${box.w}: ${picture.w}x${picture.h}`);
    }
  }
});

test('speaker: strip and picture apart', () => {
  for (const box of BOXES) {
    for (let n = 1; n <= 8; n++) {
      const { seats, centre } = speakerLayout(box, n);
      sound(centre ? [...seats, centre] : seats, box, `speaker ${n} in ${box.w}`);
    }
  }
});

test('a page of the grid never asks for more pictures than there are slots', () => {
  for (const box of BOXES) assert.ok(gridCapacity(box, 16) <= 16 && gridCapacity(box, 16) >= 1);
});

function klass(count: number): ClassState {
  return fromSnapshot({
    t: 'snapshot', seq: 1, epoch: 1, resume: '', class: { id: 'c', title: '', type: 'standard', state: 'live' },
    you: { person: 'p_2', device: 'd_2', role: 'participant' }, slots: { audio: 5, video: 16 }, people: makePeople(count, 0), hands: [],
    chat: [], rights: [], now: 0, ...quiet(),
  }, 0);
}
const input: StageInput = { box: BOXES[2]!, choice: 'auto', pinned: '', speaker: '', page: 0, screenAspect: 16 / 9, slots: 16 };

test('the order of seats does not depend on the order of the list', () => {
  const people = makePeople(12, 0);
  assert.deepEqual(seatOrder([...people].reverse()).map((p) => p.id), seatOrder(people).map((p) => p.id));
  assert.equal(seatOrder(people)[0]?.role, 'host');
});

test('who speaks does not move anybody at the round table', () => {
  const s = klass(9);
  const at = (speaker: string): string => JSON.stringify(arrange(s, { ...input, speaker }).placed.map((p) => [p.tile.key, p.rect]));
  assert.equal(at('d_1'), at('d_7'));
});

test('a round table stays one: up to 24 places, and a low row of those who have none', () => {
  const round = (count: number, places: number): ClassState => {
    const s = klass(count);
    return { ...s, class: { ...s.class, type: 'round-table' }, floor: { ...s.floor, ring: s.people.slice(0, places).map((p) => p.id) } };
  };
  for (const box of BOXES.slice(2, 4)) {
    for (const [count, places] of [[15, 12], [24, 24], [18, 18]] as const) {
      const { kind, placed, table } = arrange(round(count, places), { ...input, box });
      assert.equal(kind, 'ring');
      assert.equal(placed.length, count);
      sound(placed.map((p) => p.rect), box, `table ${count}/${places}`);
      if (places <= 12) assert.ok(table);
    }
  }
  assert.equal(arrange(round(60, 12), input).kind, 'grid', 'too many around it');
  assert.equal(arrange(round(15, 12), { ...input, choice: 'grid' }).kind, 'grid', 'the choice of the person holds');
});

test('who comes next is here: whoever is at a workshop or away keeps a place and is passed over', () => {
  const s = klass(5);
  s.floor = { ...s.floor, mode: 'tour', list: ['p_1', 'p_2', 'p_3', 'p_4'].map((person) => ({ person, reply: false })) };
  s.people[1]!.room = 'r_1';
  s.people[3]!.away = true;
  assert.deepEqual(nextUp(s).map((p) => p.id), ['p_2', 'p_4']);
});

test('automatic: ring up to 12, grid above, strip on a phone; a shared screen takes the middle', () => {
  assert.equal(arrange(klass(12), input).kind, 'ring');
  assert.equal(arrange(klass(13), input).kind, 'grid');
  assert.equal(arrange(klass(30), { ...input, choice: 'ring' }).kind, 'grid');
  assert.equal(arrange(klass(5), { ...input, box: BOXES[0]! }).kind, 'speaker');
  const s = klass(5);
  s.people[1]!.devices[0]!.screen = true;
  const shared = arrange(s, input);
  assert.deepEqual(shared.placed.filter((p) => p.role === 'main').map((p) => p.tile.key), ['d_1/screen']);
  assert.equal(shared.placed.length, 6);
  assert.equal(shared.kind, 'ring');
  assert.equal(arrange(s, { ...input, box: BOXES[1]! }).kind, 'speaker', 'a tall stage unrolls');
});

test('everybody is on exactly one page', () => {
  for (const box of BOXES) {
    const s = klass(40);
    const { pages } = arrange(s, { ...input, box, choice: 'grid' });
    const seen = Array.from({ length: pages }, (_, page) => arrange(s, { ...input, box, choice: 'grid', page }).placed.map((p) => p.tile.key));
    assert.deepEqual(seen.flat().sort(), s.people.map((p) => `${p.devices[0]?.id}/cam`).sort());
  }
});

test('a person with two cameras has two seats, with none still one', () => {
  const s = klass(2);
  s.people[0]!.devices.push({ id: 'd_second', mic: 'off', cam: true, screen: false, sound: false });
  s.people[1]!.devices = [];
  assert.deepEqual(arrange(s, input).placed.map((p) => p.tile.device), ['d_0', 'd_second', 'p_1']);
});
