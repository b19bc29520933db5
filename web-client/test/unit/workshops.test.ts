import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClassState } from '../../src/core/state.ts';
import { STILL_PERIOD_MS, Stills, faceOf } from '../../src/core/stills.ts';
import { DUCKED, choicesOf, clockText, helpQueue, slotGains, standingOf, voiceDevices, warningBetween } from '../../src/core/workshops.ts';
import type { Person, Workshop, WorkshopPlace, WorkshopSet } from '../../src/wire/messages.ts';

const room = (id: string, more: Partial<Workshop> = {}): Workshop => ({
  id, name: id, state: 'active', task: '', materials: '', capacity: 0, record: false, untilAt: 0, scope: 'members', ...more,
});
const set = (more: Partial<WorkshopSet> = {}): WorkshopSet => ({
  id: 'w_1', title: 'Cas', state: 'open', mode: 'move', change: 'ask', late: 'ask', back: true, choice: false, closing: 60, notice: 10,
  minutes: 0, movesAt: 0, endsAt: 0, untilAt: 0, opened: 1, closed: 0, rooms: [room('r_1'), room('r_2')], ...more,
});
const person = (id: string, at?: string, cam = true): Person => ({
  id, name: id, role: 'participant', joined: 0, away: false, ...(at === undefined ? {} : { room: at }),
  devices: [{ id: `d_${id}`, mic: 'on', cam, screen: false, sound: false }],
});
const place = (stand: WorkshopPlace['stand'], at?: string): WorkshopPlace => ({
  set: 'w_1', person: 'p_1', ...(at === undefined ? {} : { room: at }), stand, pinned: false, untilAt: 0,
});
const state = (workshops: WorkshopSet[], own: WorkshopPlace[], at?: string): ClassState => ({
  you: { person: 'p_1', device: 'd_p_1', role: 'participant' }, people: [person('p_1', at), person('p_2')], workshops, place: own,
} as unknown as ClassState);

test('what open workshops ask of a person', () => {
  assert.equal(standingOf(state([], [])).kind, 'none');
  assert.deepEqual(standingOf(state([set({ movesAt: 9 })], [place('planned', 'r_2')])), { kind: 'notice', room: room('r_2'), at: 9 });
  assert.equal(standingOf(state([set({ mode: 'invite' })], [place('planned', 'r_2')])).kind, 'invited');
  assert.equal(standingOf(state([set()], [place('in', 'r_1')], 'r_1')).kind, 'inside');
  assert.equal(standingOf(state([set()], [place('refused', 'r_1')])).kind, 'stayed');
  assert.equal(standingOf(state([set()], [place('asking')])).kind, 'asking');
  assert.equal(standingOf(state([set({ choice: true })], [])).kind, 'choose');
});

test('one may go to the own room, anywhere only when it is free', () => {
  assert.deepEqual(choicesOf(state([set()], [place('back', 'r_2')])).map((r) => r.id), ['r_2']);
  assert.deepEqual(choicesOf(state([set({ change: 'free' })], [place('in', 'r_1')], 'r_1')).map((r) => r.id), ['r_2']);
});

test('a voice from outside lowers the table, nothing else does', () => {
  const voice = { person: 'p_9', device: 'd_9', kind: 'voice' as const, all: false, rooms: ['r_1'] };
  assert.deepEqual([...voiceDevices([voice], 'r_1', 'd_1')], ['d_9']);
  assert.deepEqual([...voiceDevices([voice], 'r_2', 'd_1')], []);
  assert.deepEqual([...voiceDevices([{ ...voice, all: true }], 'r_2', 'd_9')], []); // never by oneself
  assert.deepEqual(slotGains(['d_2', 'd_9', ''], new Set(['d_9']), undefined), [DUCKED, 1, DUCKED]);
  assert.deepEqual(slotGains(['d_2', '', ''], new Set(['d_9']), undefined), [1, 1, 1]); // not in a slot yet
  assert.deepEqual(slotGains(['d_2', 'd_3', ''], new Set(), new Set(['d_3'])), [DUCKED, 1, 1]); // listening to d_3's table
});

test('warnings come once, countdowns are read easily', () => {
  assert.equal(warningBetween(301_000, 299_900), 300);
  assert.equal(warningBetween(299_900, 299_600), undefined);
  assert.equal(warningBetween(10_200, 9_950), 10);
  assert.equal(clockText(245_000), '4:05');
  assert.equal(clockText(3_661_000), '1:01:01');
  assert.equal(clockText(-5), '0:00');
});

test('calls nobody has taken come first, the oldest before all', () => {
  const call = (id: string, st: 'asked' | 'taken' | 'done', at: number) => ({ room: id, person: 'p_1', state: st, at, changed: at, text: '' });
  const part = { calls: [call('r_1', 'taken', 1), call('r_2', 'asked', 5), call('r_3', 'asked', 3), call('r_4', 'done', 0)] };
  assert.deepEqual(helpQueue(part as never).map((c) => c.room), ['r_3', 'r_2', 'r_1']);
});

test('hidden tables take turns at one slot, each every five seconds', () => {
  const scout = new Stills();
  const visible = new Map([['r_1', 'd_1']]);
  const hidden = new Map([['r_2', 'd_2'], ['r_3', 'd_3']]);
  const looks: string[] = [];
  for (let now = 0; now < 12_000; now += 200) {
    const wishes = scout.wishes(visible, hidden, 4, now);
    assert.equal(wishes[0]?.device, 'd_1');
    const awaited = scout.awaited;
    if (awaited) {
      looks.push(`${awaited.room}@${now}`);
      scout.taken(awaited.room, now);
    }
  }
  assert.deepEqual(looks, ['r_2@0', 'r_3@200', `r_2@${STILL_PERIOD_MS}`, `r_3@${STILL_PERIOD_MS + 200}`, 'r_2@10000', 'r_3@10200']);
  assert.deepEqual(scout.wishes(new Map([['r_1', 'd_1'], ['r_2', 'd_2']]), new Map(), 2, 20_000).length, 1); // one slot is the scout's
});

test('who speaks stands for the table, else the first picture', () => {
  const people = [person('a', 'r_1', false), person('b', 'r_1'), person('c', 'r_1')];
  assert.equal(faceOf(people, []), 'd_b');
  assert.equal(faceOf(people, [['d_c', 20]]), 'd_c');
  assert.equal(faceOf(people, [['d_a', 20]]), 'd_b');
  assert.equal(faceOf([people[0] as Person], []), undefined);
});
