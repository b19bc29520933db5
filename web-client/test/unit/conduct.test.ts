// What staff sees to run the class: its rules against the server's tables, seats, grants, the digest.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { digestOf, hasHistory, keyLines } from '../../src/core/digest.ts';
import { grantChanges, grantOf } from '../../src/core/grants.ts';
import { RULES, RULE_KEYS, ruleNumber, ruleValue } from '../../src/core/rules.ts';
import { moveSeat, seatRows, swapSeats } from '../../src/core/seats.ts';
import type { ClassState } from '../../src/core/state.ts';
import { CATALOGUES } from '../../src/i18n/translate.ts';

const people = [
  { id: 'p_h', name: 'Claire', role: 'host', joined: 1, away: false, devices: [] },
  { id: 'p_a', name: 'Ada', role: 'participant', joined: 2, away: false, devices: [] },
  { id: 'p_b', name: 'Bea', role: 'participant', joined: 3, away: false, devices: [] },
];
const base = {
  class: { id: 'c_1', title: 'T', type: 'round-table', state: 'live' }, you: { person: 'p_b', device: 'd_b', role: 'participant' },
  people, hands: [], chat: [], settings: [], locks: [], rooms: [], rights: [], heard: [], times: {},
  floor: { mode: 'open', ring: ['p_h', '', 'p_a', 'p_b'], list: [], past: [] },
} as unknown as ClassState;
const chat = (id: string, from: string, text: string, at: number): ClassState['chat'][number] =>
  ({ id, from, name: people.find((p) => p.id === from)?.name ?? '', at, text });

/** Decided when a class is made, not while it runs. */
const FIXED_KEYS = ['start', 'permanent'];

interface Row { key: string; usual: number; low: number; high: number; choices: string[] | undefined }
const rows: Row[] = ['settings', 'settings_workshops', 'settings_webinar'].flatMap((file) => {
  const text = readFileSync(new URL(`../../../signaling/schema/${file}.def`, import.meta.url), 'utf8');
  return [...text.matchAll(/^SETTING\(\w+, \d+, "([\w-]+)", (\d+), (\d+), (\w+), (?:"([^"]*)"|NULL)/gm)]
    .map((m) => ({ key: m[1] ?? '', usual: Number(m[2]), low: Number(m[3]), high: Number(m[4]), choices: m[5]?.split('|') }));
});

test('every setting of the server is a rule of the panel, or fixed, with the same values', () => {
  assert.ok(rows.length > 20);
  assert.deepEqual([...RULE_KEYS, ...FIXED_KEYS].sort(), rows.map((r) => r.key).sort());
  const rules = RULES.flatMap((g) => g.rules);
  assert.deepEqual(rules.map((r) => r.key).sort(), [...RULE_KEYS].sort());
  for (const rule of rules) {
    const row = rows.find((r) => r.key === rule.key);
    assert.ok(row, rule.key);
    if (rule.kind === 'number') {
      assert.deepEqual([rule.usual, rule.low, rule.high], [row.usual, row.low, row.high], rule.key);
    } else {
      const choices = rule.kind === 'switch' ? ['off', 'on'] : [...rule.choices];
      assert.deepEqual(choices, row.choices, rule.key);
      assert.equal(rule.usual, row.choices?.[row.usual - row.low], rule.key);
    }
  }
});

test('every rule and every choice has its words', () => {
  for (const texts of Object.values(CATALOGUES)) {
    for (const rule of RULES.flatMap((g) => g.rules)) {
      const keys = ['', '.why', ...(rule.kind === 'choice' ? rule.choices.map((c) => `.${c}`) : [])];
      for (const key of keys) assert.ok(`rule.${rule.key}${key}` in texts, `${rule.key}${key}`);
    }
  }
});

test('what holds, and what somebody types', () => {
  const turn = RULES.flatMap((g) => g.rules).find((r) => r.key === 'floor-reply');
  assert.ok(turn?.kind === 'number');
  assert.equal(ruleValue(base, turn), '45');
  assert.equal(ruleValue({ ...base, settings: [['floor-reply', '60']] }, turn), '60');
  assert.equal(ruleNumber(turn, ' 90 '), 90);
  assert.equal(ruleNumber(turn, '5'), 10);
  assert.equal(ruleNumber(turn, '99999'), 600);
  for (const bad of ['', '-3', '1.5', 'abc', '12345678']) assert.equal(ruleNumber(turn, bad), undefined);
});

test('seats: rows in order, moves that change something only', () => {
  assert.deepEqual(seatRows(base).map((r) => [r.place, r.person.name]), [[0, 'Claire'], [2, 'Ada'], [3, 'Bea']]);
  assert.deepEqual(moveSeat(base, 'p_a', 1), { t: 'floor.seat', person: 'p_a', place: 1 });
  assert.equal(moveSeat(base, 'p_a', 2), undefined);
  assert.equal(moveSeat(base, 'p_gone', 1), undefined);
  assert.deepEqual(swapSeats(base, 'p_b', 'p_h'), { t: 'floor.seat', person: 'p_b', place: 0 });
  assert.equal(swapSeats(base, 'p_b', 'p_nowhere'), undefined);
});

test('grants: what differs from the role, and what has changed', () => {
  const ada = { ...base.people[1]!, granted: ['screen'], denied: ['chat'] };
  assert.deepEqual(['screen', 'chat', 'mic'].map((f) => grantOf(ada, f as 'mic')), ['granted', 'denied', 'role']);
  assert.deepEqual(grantChanges(ada, { granted: ['screen', 'chat'], denied: [] }), [{ feature: 'chat', mode: 'granted' }]);
  assert.deepEqual(grantChanges(ada, { granted: [], denied: ['chat'] }), [{ feature: 'screen', mode: 'role' }]);
});

test('the digest: only for whoever missed something', () => {
  assert.equal(hasHistory(base), false);
  assert.equal(hasHistory({ ...base, chat: [chat('m1', 'p_a', 'salut', 5)] }), true);
  assert.equal(hasHistory({ ...base, class: { ...base.class, state: 'doors' }, chat: [chat('m1', 'p_a', 'x', 5)] }), false);
  assert.equal(hasHistory({ ...base, you: { ...base.you, role: 'host' }, chat: [chat('m1', 'p_a', 'x', 5)] }), false);
  assert.equal(hasHistory({ ...base, floor: { ...base.floor, mode: 'queue' } }), true);
});

test('the digest: trainers\' words before others\', announcements among them by time', () => {
  const said: ClassState = {
    ...base,
    chat: [chat('m1', 'p_a', 'bavardage', 1), chat('m2', 'p_h', 'page 12', 2), chat('m3', 'p_b', 'ok', 4)],
    announcements: [{ id: 'm9', from: 'p_h', name: 'Claire', kind: 'text', all: true, rooms: [], at: 3, ended: 0, text: 'pause' }],
  };
  assert.deepEqual(keyLines(said).map((l) => l.text), ['page 12', 'pause']);
  assert.deepEqual(keyLines({ ...base, chat: [chat('m1', 'p_a', 'bavardage', 1)] }).map((l) => l.text), ['bavardage']);
  const d = digestOf({
    ...said,
    floor: {
      ...base.floor, mode: 'tour', list: [{ person: 'p_b', reply: false }],
      past: [{ person: 'p_h', reply: false, how: 'done' }, { person: 'p_h', reply: true, how: 'done' }],
      turn: { person: 'p_a', reply: false, started: 1, paused: false, over: false, prompt: false },
    },
  });
  assert.deepEqual([d.holder?.name, d.next, d.spoke, d.led], ['Ada', ['Bea'], 1, ['Claire']]);
});
