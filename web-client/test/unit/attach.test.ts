import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { Attachment } from '../../src/media/attach.ts';
import type { Screen } from '../../src/media/attach.ts';

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

/** In small steps: what is set within one begins at its end. */
function pass(ms: number): void {
  for (let i = 0; i < ms; i += 1000) mock.timers.tick(1000);
}

const stream = { id: 'one' } as unknown as MediaStream;

/** An element that counts how often it was given something to play. */
function screen(): { element: Screen; given: (MediaProvider | null)[]; shows: (picture: boolean) => void } {
  const given: (MediaProvider | null)[] = [];
  let picture = false;
  const element: Screen = {
    get srcObject() { return given.at(-1) ?? null; },
    set srcObject(value) { given.push(value); },
    get readyState() { return picture ? 4 : 0; },
    get videoWidth() { return picture ? 640 : 0; },
    play: () => Promise.reject(new Error('AbortError')),
  };
  return { element, given, shows: (on) => void (picture = on) };
}

test('an element no frame reaches is given its stream again, more and more rarely', () => {
  const { element, given } = screen();
  new Attachment(element, () => false).to(stream);
  assert.deepEqual(given, [stream]);
  mock.timers.tick(3999);
  assert.equal(given.length, 1);
  mock.timers.tick(1);
  assert.deepEqual(given, [stream, null, stream]);
  mock.timers.tick(7999);
  assert.equal(given.length, 3);
  mock.timers.tick(1);
  assert.equal(given.length, 5);
  pass(16_000 + 32_000 + 32_000);
  assert.equal(given.length, 11);
});

test('what shows is left alone', () => {
  const { element, given, shows } = screen();
  new Attachment(element, () => false).to(stream);
  shows(true);
  pass(60_000);
  assert.deepEqual(given, [stream]);
});

test('nothing is tried while nobody looks, and at once afterwards', () => {
  const { element, given } = screen();
  let unseen = true;
  new Attachment(element, () => unseen).to(stream);
  pass(60_000);
  assert.equal(given.length, 1);
  unseen = false;
  mock.timers.tick(4000);
  assert.equal(given.length, 3);
});

test('another stream begins anew, and an element that is gone is not touched', () => {
  const { element, given } = screen();
  const other = { id: 'two' } as unknown as MediaStream;
  const attachment = new Attachment(element, () => false);
  attachment.to(stream);
  mock.timers.tick(4000);
  attachment.to(other);
  mock.timers.tick(4000);
  assert.deepEqual(given, [stream, null, stream, other, null, other]);
  attachment.stop();
  pass(60_000);
  assert.equal(given.length, 6);
});
