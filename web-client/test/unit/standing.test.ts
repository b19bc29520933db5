import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Telling } from '../../src/core/standing.ts';

const busy = { id: 'busy-fewer', text: 'busy' };
const strain = { id: 'strain', text: 'strained', over: 'keeps up again' };
const saver = { id: 'saver', text: 'sound only', quiet: true };

test('a notice is told once, however often it is looked at', () => {
  const telling = new Telling();
  assert.deepEqual(telling.next([strain]), ['strained']);
  assert.deepEqual(telling.next([strain]), []);
  assert.deepEqual(telling.next([]), ['keeps up again']);
  assert.deepEqual(telling.next([]), []);
  assert.deepEqual(telling.next([strain]), ['strained'], 'what was over is news again');
});

test('one that gives way is neither over nor news when it is back', () => {
  const telling = new Telling();
  telling.next([strain]);
  assert.deepEqual(telling.next([busy, strain]), ['busy']);
  assert.deepEqual(telling.next([strain]), []);
  assert.deepEqual(telling.next([busy]), ['keeps up again', 'busy']);
});

test('what never was shown is told when it comes to be, and is not over before', () => {
  const telling = new Telling();
  assert.deepEqual(telling.next([busy, strain]), ['busy']);
  assert.deepEqual(telling.next([busy]), []);
  assert.deepEqual(telling.next([busy, strain]), []);
  assert.deepEqual(telling.next([strain]), ['strained']);
});

test('each step of the same trouble is told; what was said where it came about is not', () => {
  const telling = new Telling();
  telling.next([busy]);
  assert.deepEqual(telling.next([{ id: 'busy-still', text: 'busier' }]), ['busier']);
  assert.deepEqual(telling.next([saver]), []);
});
