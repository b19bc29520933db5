import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyDelta, fold, fromSnapshot, handRank, ownDevice, sessionEnded } from '../../src/core/state.ts';
import type { ClassState } from '../../src/core/state.ts';
import type { ClassEvent, Snapshot } from '../../src/wire/messages.ts';
import { quiet } from '../mock/base.ts';
import { device, makePeople } from '../mock/people.ts';

const snapshot: Snapshot = {
  t: 'snapshot', seq: 7, epoch: 1, resume: 'r', class: { id: 'c_1', title: 'Cours', type: 'standard', state: 'live' },
  you: { person: 'p_0', device: 'd_0', role: 'host' }, slots: { audio: 5, video: 16 }, people: makePeople(3, 0), hands: [], chat: [],
  rights: [], now: 5000, ...quiet(),
};
const start = (): ClassState => fromSnapshot(structuredClone(snapshot), 4000);
const chat = (id: string): ClassEvent => ({ e: 'chat.posted', chat: { id, from: 'p_1', name: 'B', at: 1, text: 'x' } });

test('a delta applies only after the one before it', () => {
  const s = start();
  assert.equal(applyDelta(s, { t: 'delta', seq: 9, prev: 8, events: [chat('m_1')] }), 'gap');
  const next = applyDelta(s, { t: 'delta', seq: 8, prev: 7, events: [chat('m_1')] });
  assert.ok(next !== 'gap' && next.seq === 8 && next.chat.length === 1);
  assert.equal(applyDelta(next, { t: 'delta', seq: 8, prev: 7, events: [chat('m_2')] }), next, 'a repeated delta changes nothing');
});

test('what is for this person alone comes ahead and moves nothing on', () => {
  const own = applyDelta(start(), { t: 'delta', seq: 7, prev: 7, events: [{ e: 'room.set', hands: [], chat: [] }, chat('m_1')] });
  assert.ok(own !== 'gap' && own.seq === 7 && own.chat.length === 1);
  const next = applyDelta(own, { t: 'delta', seq: 8, prev: 7, events: [{ e: 'people.moved', room: 'r_1', people: ['p_0', 'p_2'] }] });
  assert.ok(next !== 'gap' && next.seq === 8);
  assert.deepEqual(next.people.map((p) => p.room), ['r_1', undefined, 'r_1']);
  const back = fold(next, { e: 'people.moved', people: ['p_2'] });
  assert.deepEqual(back.people.map((p) => p.room), ['r_1', undefined, undefined]);
});

test('folding leaves the older state as it was', () => {
  const s = start();
  const frozen = JSON.stringify(s);
  fold(s, { e: 'media.changed', person: 'p_0', device: 'd_0', mic: 'on', cam: false, screen: true, sound: true });
  fold(s, { e: 'person.left', person: 'p_1', reason: 'left' });
  assert.equal(JSON.stringify(s), frozen);
});

test('the same message twice stands once; only the last 200 are kept', () => {
  let s = start();
  for (let i = 0; i < 230; i++) s = fold(s, chat(`m_${i}`));
  s = fold(s, chat('m_229'));
  assert.equal(s.chat.length, 200);
  assert.equal(s.chat.at(-1)?.id, 'm_229');
});

test('hands keep their order; who leaves takes the hand along', () => {
  let s = start();
  for (const person of ['p_2', 'p_0', 'p_1']) s = fold(s, { e: 'hand.raised', hand: { person, kind: 'speak', at: 1 } });
  assert.deepEqual(['p_2', 'p_0', 'p_1'].map((p) => handRank(s, p)), [1, 2, 3]);
  s = fold(s, { e: 'person.left', person: 'p_2', reason: 'lost' });
  assert.equal(handRank(s, 'p_0'), 1);
  s = fold(s, { e: 'hand.lowered', person: 'p_0', by: 'p_1' });
  assert.equal(handRank(s, 'p_0'), 0);
  assert.equal(handRank(s, 'p_1'), 1);
});

test('devices join, change and leave; joining again replaces', () => {
  let s = start();
  s = fold(s, { e: 'device.joined', person: 'p_1', device: device('d_x', true, false) });
  s = fold(s, { e: 'device.joined', person: 'p_1', device: device('d_x', false, false) });
  assert.deepEqual(s.people[1]?.devices.map((d) => [d.id, d.cam]), [['d_1', true], ['d_x', false]]);
  s = fold(s, { e: 'device.left', person: 'p_1', device: 'd_1' });
  assert.deepEqual(s.people[1]?.devices.map((d) => d.id), ['d_x']);
  assert.equal(ownDevice(s)?.id, 'd_0');
});

test('own role follows; an unknown event of a later server is skipped', () => {
  const s = fold(start(), { e: 'role.changed', person: 'p_0', role: 'participant' });
  assert.equal(s.you.role, 'participant');
  assert.equal(s.people[0]?.role, 'participant');
  assert.equal(fold(s, { e: 'poll.opened' } as unknown as ClassEvent), s);
});

test('the clock of the server is known', () => assert.equal(start().clockOffset, 1000));

test('a session is over when it closes, whatever the class does next', () => {
  for (const now of ['closed', 'archived', 'idle', 'scheduled'] as const) {
    assert.ok(sessionEnded('live', now) && sessionEnded('closing', now), now);
  }
  assert.ok(!sessionEnded('live', 'closing') && !sessionEnded('closing', 'live') && !sessionEnded('doors', 'live'));
  assert.ok(!sessionEnded('preparing', 'scheduled') && sessionEnded('doors', 'closed'));
});
