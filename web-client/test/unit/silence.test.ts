import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Silence } from '../../src/core/silence.ts';

/** Looks once a second from `fromMs` on; what was said. */
const looks = (s: Silence, counts: number[], fromMs: number, due = true): string[] =>
  counts.map((n, i) => s.look(n, due, fromMs + 1000 * i));

test('a second without anything is a doubt, two are silence', () => {
  assert.deepEqual(looks(new Silence(), [10, 20, 20, 20, 20, 30], 0), ['none', 'none', 'doubt', 'silent', 'silent', 'none']);
});

test('after a change of networks one second will do', () => {
  const s = new Silence();
  looks(s, [10, 20], 0);
  s.hint(1500);
  assert.deepEqual(looks(s, [20, 30, 30], 2000), ['silent', 'none', 'silent']);
  assert.deepEqual(looks(s, [40, 40], 10_000), ['none', 'doubt']);
});

test('nothing is due, nothing ever came, or the page did not run: no verdict', () => {
  assert.deepEqual(looks(new Silence(), [10, 10, 10, 10], 0, false), ['none', 'none', 'none', 'none']);
  assert.deepEqual(looks(new Silence(), [0, 0, 0, 0], 0), ['none', 'none', 'none', 'none']);
  const s = new Silence();
  looks(s, [10, 20], 0);
  assert.equal(s.look(20, true, 60_000), 'none');
  assert.equal(s.look(20, true, 61_000), 'doubt');
  s.reset();
  assert.equal(s.look(20, true, 62_000), 'none');
});
