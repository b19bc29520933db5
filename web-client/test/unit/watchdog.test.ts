import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANSWER_MS, DOUBT_ANSWER_MS, QUIET_MS, Watchdog } from '../../src/core/watchdog.ts';

/** A connection of which nothing is heard any more from 0 on. */
function watching(): Watchdog {
  const dog = new Watchdog();
  dog.opened(0);
  return dog;
}

test('nothing is asked while messages come', () => {
  const dog = watching();
  for (let at = 0; at < 60_000; at += 1000) {
    assert.equal(dog.check(at), 'none');
    dog.heard(at);
  }
});

test('after a silence the server is asked once, and an answer is peace', () => {
  const dog = watching();
  assert.equal(dog.dueMs, QUIET_MS);
  assert.equal(dog.check(QUIET_MS), 'ping');
  assert.equal(dog.check(QUIET_MS + 100), 'none');
  dog.heard(QUIET_MS + 200);
  assert.equal(dog.check(QUIET_MS + ANSWER_MS), 'none');
  assert.equal(dog.dueMs, 2 * QUIET_MS + 200);
});

test('no answer: the connection is dead, once', () => {
  const dog = watching();
  dog.check(QUIET_MS);
  assert.equal(dog.check(QUIET_MS + ANSWER_MS - 1), 'none');
  assert.equal(dog.check(QUIET_MS + ANSWER_MS), 'dead');
  assert.equal(dog.check(QUIET_MS + ANSWER_MS + 1), 'none');
  assert.equal(dog.dueMs, Infinity);
});

test('a doubt asks at once and waits less', () => {
  const dog = watching();
  assert.equal(dog.doubt(3000), 'ping');
  assert.equal(dog.check(3000 + DOUBT_ANSWER_MS - 1), 'none');
  assert.equal(dog.check(3000 + DOUBT_ANSWER_MS), 'dead');
});

test('a doubt while a question is out shortens its patience and asks nothing twice', () => {
  const dog = watching();
  dog.check(QUIET_MS);
  assert.equal(dog.doubt(QUIET_MS + 500), 'none');
  assert.equal(dog.check(QUIET_MS + 500 + DOUBT_ANSWER_MS), 'dead');
  const patient = watching();
  patient.check(QUIET_MS);
  patient.doubt(QUIET_MS + ANSWER_MS - 100);
  assert.equal(patient.check(QUIET_MS + ANSWER_MS), 'dead');
});

test('a machine that slept does not judge by its own sleep: it asks again', () => {
  const dog = watching();
  assert.equal(dog.check(QUIET_MS), 'ping');
  const woken = QUIET_MS + 60_000;
  assert.equal(dog.check(woken), 'ping');
  dog.heard(woken + 50);
  assert.equal(dog.check(woken + ANSWER_MS), 'none');
  const gone = watching();
  assert.equal(gone.check(60_000), 'ping');
  assert.equal(gone.check(60_000 + DOUBT_ANSWER_MS), 'dead');
});

test('nothing is watched before the connection is open, nor after it is closed', () => {
  const dog = new Watchdog();
  assert.equal(dog.doubt(0), 'none');
  assert.equal(dog.check(100_000), 'none');
  dog.opened(100_000);
  dog.closed();
  assert.equal(dog.check(200_000), 'none');
});

test('a page nobody sees is always a little late, and judges all the same', () => {
  const dog = watching();
  assert.equal(dog.doubt(3000, 500), 'ping');
  assert.equal(dog.check(4000, 1000), 'dead');
  const seen = watching();
  seen.doubt(3000, 500);
  assert.equal(seen.check(4000), 'ping', 'a page that is seen did not run');
});

test('a page that may run once a minute gives a dead connection up at last', () => {
  const dog = watching();
  assert.equal(dog.check(60_000, 1000), 'ping');
  assert.equal(dog.check(120_000, 1000), 'ping');
  assert.equal(dog.check(180_000, 1000), 'dead');
  const alive = watching();
  for (let at = 60_000; at < 600_000; at += 60_000) {
    assert.equal(alive.check(at, 1000), 'ping');
    assert.ok(alive.asking);
    alive.heard(at + 50);
    assert.ok(!alive.asking);
  }
});
