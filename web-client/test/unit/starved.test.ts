import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Starved } from '../../src/core/starved.ts';
import type { SlotReading } from '../../src/core/traffic.ts';
import type { SlotLife, SourceKind, VideoSlot } from '../../src/wire/messages.ts';

/** A class with one picture in slot 3, looked at again and again. */
class Viewer {
  private readonly starved = new Starved();
  private packets = 0;
  private frames = 0;
  device = 'd_a';
  source: SourceKind = 'cam';
  life: SlotLife = 'live';

  /** One look after so many packets and decoded frames: is it asked for anew? */
  look(packets: number, frames: number): boolean {
    this.packets += packets;
    this.frames += frames;
    const told: VideoSlot[] = [[1, 'd_z', 'cam', 'live', 'full', 360], [3, this.device, this.source, this.life, 'full', 360]];
    const reading = (kind: 'audio' | 'video', slot: number, n: number, framesDecoded: number): SlotReading => ({
      kind, slot, packets: n, framesDecoded, lost: 0, bytes: 0, width: 0, height: 0, bufferedS: 0, emitted: 0, jitterMs: 0,
    });
    this.other += 30;
    const again = this.starved.look(told, [
      reading('audio', 3, this.other, 0), reading('video', 1, this.other, this.other), reading('video', 3, this.packets, this.frames),
    ]);
    assert.ok(again.every((slot) => slot === 3), 'only the slot that shows nothing');
    return again.length > 0;
  }

  /** Numbers of the looks, of so many alike, at which it is. */
  looks(count: number, packets: number, frames: number): number[] {
    return Array.from({ length: count }, (_, i) => (this.look(packets, frames) ? i + 1 : 0)).filter((n) => n > 0);
  }

  private other = 0;
}

test('packets of which nothing can be made: asked for anew, more and more rarely', () => {
  const viewer = new Viewer();
  assert.deepEqual(viewer.looks(20, 60, 20), []);
  assert.deepEqual(viewer.looks(28, 60, 0), [4, 12, 28]);
});

test('a camera of which nothing comes and of which the server says that it does', () => {
  const viewer = new Viewer();
  assert.deepEqual(viewer.looks(3, 60, 20), []);
  assert.deepEqual(viewer.looks(24, 0, 0), [8, 24]);
});

test('a screen that was seen is left alone, whatever its probes and fillers', () => {
  const viewer = new Viewer();
  viewer.source = 'screen';
  assert.deepEqual(viewer.looks(1, 60, 5), []);
  assert.deepEqual(viewer.looks(40, 30, 0), []);
});

test('a screen that comes and is never seen is asked for anew', () => {
  const viewer = new Viewer();
  assert.deepEqual(viewer.looks(2, 60, 20), []); // somebody else was in this slot before
  viewer.source = 'screen';
  assert.deepEqual(viewer.looks(5, 60, 0), [5]);
  const still = new Viewer();
  still.source = 'screen';
  assert.deepEqual(still.looks(40, 0, 0), []);
});

test('probes of a camera that rests are no pictures that fail', () => {
  const viewer = new Viewer();
  viewer.look(60, 20);
  assert.deepEqual(viewer.looks(7, 4, 0), []);
});

test('a picture every few seconds is a picture', () => {
  const viewer = new Viewer();
  for (let i = 0; i < 20; i++) assert.ok(!viewer.look(12, i % 3 === 0 ? 1 : 0));
});

test('what is told as waiting or off is not asked for, and patience stays what it was', () => {
  const viewer = new Viewer();
  viewer.look(60, 1);
  assert.deepEqual(viewer.looks(4, 60, 0), [4]);
  viewer.life = 'waiting';
  assert.deepEqual(viewer.looks(20, 0, 0), []);
  viewer.life = 'live';
  assert.deepEqual(viewer.looks(8, 60, 0), [8]);
  viewer.device = 'd_b'; // somebody else
  viewer.look(60, 0);
  assert.deepEqual(viewer.looks(4, 60, 0), [4]);
});
