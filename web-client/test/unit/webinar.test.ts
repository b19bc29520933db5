// The amphitheatre's geometry and what a page makes of the stage.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { audienceRows, dots, spread } from '../../src/core/arcs.ts';
import type { ClassState } from '../../src/core/state.ts';
import { clockText, inAudience, ownPlace, secondsUntil } from '../../src/core/webinar.ts';
import type { Person, Role, StageMember } from '../../src/wire/messages.ts';

const sizes = [[340, 74], [740, 120], [1340, 180], [1900, 260]] as const;

test('every person has a mark inside the band, and no two marks touch', () => {
  for (const [w, h] of sizes) {
    for (const people of [1, 3, 12, 40, 150, 350]) {
      const rows = audienceRows(w, h, people);
      assert.ok(rows.marks.length * rows.per >= people, `${w}x${h}: ${people}`);
      assert.equal(rows.marks.length, Math.ceil(people / rows.per), `${w}x${h}: ${people}`);
      for (const [i, a] of rows.marks.entries()) {
        assert.ok(a.x >= 0 && a.x <= w && a.y >= 0 && a.y <= h, `${w}x${h}: ${people} inside`);
        for (const b of rows.marks.slice(i + 1)) {
          assert.ok(Math.hypot(a.x - b.x, a.y - b.y) >= 2 * rows.r, `${w}x${h}: ${people} apart`);
        }
      }
    }
  }
});

test('too many for the band: each mark stands for several', () => {
  const rows = audienceRows(340, 60, 1000);
  assert.ok(rows.per > 1);
  assert.ok(rows.marks.length * rows.per >= 1000);
});

test('rows stand around the stage: the middle is farther from it than the ends', () => {
  const { marks } = audienceRows(1340, 180, 60);
  const row = marks.slice(0, 30);
  const middle = row[15];
  assert.ok(middle && row[0] && middle.y < row[0].y);
  assert.match(dots(marks.slice(0, 1)), /^M[\d.]+ [\d.]+h\.01$/);
});

test('lifted marks are as many as the hands, each once, the same every time', () => {
  assert.deepEqual(spread(3, 10), spread(3, 10));
  assert.equal(new Set(spread(7, 10)).size, 7);
  assert.equal(spread(12, 10).length, 10);
  assert.deepEqual(spread(2, 0), []);
});

test('countdowns', () => {
  assert.equal(secondsUntil(10_000, 7_100), 3);
  assert.equal(secondsUntil(10_000, 12_000), 0);
  assert.equal(secondsUntil(undefined, 5), 0);
  assert.equal(clockText(75), '1:15');
  assert.equal(clockText(3675), '1:01:15');
});

/** A class as far as these questions go. */
function klass(role: Role, people: readonly Partial<Person>[], members?: readonly StageMember[]): ClassState {
  return { you: { person: 'p1', device: 'd1', role }, people, ...(members ? { stage: { members } } : {}) } as unknown as ClassState;
}

test('the audience is whoever stands neither on the stage nor in the wings; without a stage, listeners', () => {
  const up = (place: 'stage' | 'wings'): StageMember => ({ person: 'p1', place, guest: true });
  assert.equal(inAudience(klass('listener', [], [])), true);
  assert.equal(inAudience(klass('participant', [], [])), true);
  assert.equal(inAudience(klass('speaker', [], [up('wings')])), false);
  assert.equal(inAudience(klass('speaker', [], [up('stage')])), false);
  assert.equal(inAudience(klass('listener', [])), true);
  assert.equal(inAudience(klass('participant', [])), false);
});

test('the own place differs by room and by stage, and by nothing else', () => {
  const places = [
    klass('listener', [{ id: 'p1' }], []),
    klass('listener', [{ id: 'p1', room: 'r1' }], []),
    klass('listener', [{ id: 'p1', room: 'r2' }], []),
    klass('speaker', [{ id: 'p1' }], [{ person: 'p1', place: 'wings', guest: true }]),
    klass('speaker', [{ id: 'p1' }], [{ person: 'p1', place: 'stage', guest: true }]),
  ].map(ownPlace);
  assert.equal(new Set(places).size, places.length);
  assert.equal(ownPlace(klass('listener', [{ id: 'p1' }, { id: 'p2', room: 'r1' }], [])), places[0]);
});
