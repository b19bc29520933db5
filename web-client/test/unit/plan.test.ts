// Dates of a class: zones, clock changes, series, overlaps, and where a class stands on the home page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { board, dateField, leapt, momentFrom, overlaps, series, wallIn } from '../../src/core/plan.ts';
import type { Row } from '../../src/core/plan.ts';

const PARIS = 'Europe/Paris';
const HOUR = 3_600_000;

test('a date and an hour in a zone are a moment', () => {
  assert.equal(momentFrom(PARIS, '2026-12-01', '14:00'), Date.UTC(2026, 11, 1, 13));
  assert.equal(momentFrom(PARIS, '2026-07-01', '14:00'), Date.UTC(2026, 6, 1, 12));
  assert.equal(momentFrom('UTC', '2026-12-01', '14:00'), Date.UTC(2026, 11, 1, 14));
  assert.equal(momentFrom('Asia/Kolkata', '2026-12-01', '00:15'), Date.UTC(2026, 10, 30, 18, 45));
  for (const [date, time] of [['2026-02-31', '10:00'], ['', '10:00'], ['2026-12-01', ''], ['2026-12-01', '25:00'], ['x', 'y']] as const) {
    assert.equal(momentFrom(PARIS, date, time), undefined, `${date} ${time}`);
  }
});

test('an hour that is skipped comes after the gap, one that comes twice is one of the two', () => {
  const skipped = momentFrom(PARIS, '2027-03-28', '02:30') ?? 0;
  assert.equal(wallIn(PARIS, skipped).hour, 3);
  const twice = momentFrom(PARIS, '2027-10-31', '02:30') ?? 0;
  assert.deepEqual([wallIn(PARIS, twice).hour, wallIn(PARIS, twice).minute], [2, 30]);
});

test('a person who types a skipped hour is told which one it becomes', () => {
  assert.equal(leapt(PARIS, '2027-03-28', '02:30'), '03:30');
  assert.equal(leapt('UTC', '2027-03-28', '02:30'), '');
  for (const [date, time] of [['2027-03-28', '03:00'], ['2027-10-31', '02:30'], ['2027-03-28', ''], ['', '02:30']] as const) {
    assert.equal(leapt(PARIS, date, time), '', `${date} ${time}`);
  }
});

test('a series keeps its hour across the change of clocks', () => {
  const first = momentFrom(PARIS, '2027-03-15', '14:00') ?? 0;
  const weeks = series(PARIS, first, 'weekly', 4);
  assert.deepEqual(weeks.map((at) => wallIn(PARIS, at).hour), [14, 14, 14, 14]);
  assert.deepEqual(weeks.map((at) => wallIn(PARIS, at).day), [15, 22, 29, 5]);
  assert.equal((weeks[2] ?? 0) - (weeks[1] ?? 0), 7 * 24 * HOUR - HOUR);
  assert.equal(series(PARIS, first, 'once', 9).length, 1);
  assert.equal(series(PARIS, first, 'daily', 1000).length, 60);
});

const row = (id: string, more: Partial<Row>): Row => ({
  id, title: id, type: 'standard', start: 0, minutes: 60, permanent: 0, zone: PARIS, capacity: 0, invited: 1, enrolled: 1, coming: 0,
  waiting: 0, binned: 0, created: 1, host: 'A', mine: 1, ...more,
});

test('classes at the same time are told, touching ones are not', () => {
  const others = [row('a', { start: 10 * HOUR }), row('b', { start: 11 * HOUR }), row('c', { start: 10 * HOUR, binned: 1 })];
  assert.deepEqual(overlaps([10.5 * HOUR], 30, others, '').map((o) => o.id), ['a']);
  assert.deepEqual(overlaps([11 * HOUR], 60, others, 'b').map((o) => o.id), []);
  assert.deepEqual(overlaps([], 60, others, ''), []);
});

test('each class stands in one place', () => {
  const now = 100 * HOUR;
  const rows = [
    row('live', { start: now - HOUR / 2, state: 'live' }), row('inside', { present: 2 }), row('next', { start: now + HOUR }),
    row('empty', { start: now + HOUR, enrolled: 0 }), row('unsent', { start: now + HOUR, invited: 0 }), row('undated', {}),
    row('over', { start: now - 5 * HOUR }), row('ended', { start: now + HOUR, ended: true }), row('standing', { permanent: 1 }),
    row('thrown', { binned: 5, state: 'live' }), row('early', { start: now - HOUR / 4, state: 'closed', unsealed: 1 }),
    row('sealed', { start: now - HOUR / 4, state: 'closed', unsealed: -1 }),
  ];
  const places = board(rows, now);
  const ids = Object.fromEntries(Object.entries(places).map(([k, list]) => [k, (list as Row[]).map((r) => r.id)]));
  assert.deepEqual(ids, {
    live: ['live', 'inside'], next: ['next'], prepare: ['empty', 'unsent', 'undated'], seal: ['early'], over: ['sealed', 'ended', 'over'], standing: ['standing'], bin: ['thrown'],
  });
});

test('every month on the same weekday in its turn', () => {
  const first = momentFrom(PARIS, '2026-10-13', '14:00') ?? 0;
  const days = series(PARIS, first, 'monthly', 4).map((at) => dateField(wallIn(PARIS, at)) + wallIn(PARIS, at).hour);
  assert.deepEqual(days, ['2026-10-1314', '2026-11-1014', '2026-12-0814', '2027-01-1214']);
});
