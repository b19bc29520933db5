import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeQuality } from '../../src/core/quality.ts';
import { Relief, eased, strained } from '../../src/core/strain.ts';
import type { Step, StrainReading, StrainSigns } from '../../src/core/strain.ts';
import { SaverProposal, ofConnection } from '../../src/core/traffic.ts';

const reading = (over: Partial<StrainReading>): StrainReading => ({
  kind: 'video', slot: 0, packets: 0, lost: 0, bytes: 0, width: 640, height: 360, framesDecoded: 0,
  bufferedS: 0, emitted: 0, jitterMs: 0, asked: 0, dropped: 0, decodeS: 0, ...over,
});
const CALM: StrainSigns = { elapsedS: 2, codingS: 0, lateS: 0 };
const smooth = reading({ packets: 300, framesDecoded: 60, decodeS: 0.3 });
const look = (now: Partial<StrainReading>, signs: Partial<StrainSigns> = {}): boolean =>
  strained([reading({})], [{ ...smooth, ...now }], { ...CALM, ...signs });

test('a machine that decodes, codes and runs in time is not strained', () => {
  assert.equal(look({}), false);
  assert.equal(look({ dropped: 5 }), false, 'a few pictures dropped');
  assert.equal(look({ decodeS: 1.9 }), false, 'a decoder in hardware works on several pictures at once');
  assert.equal(look({}, { elapsedS: 0, lateS: 5 }), false);
});

test('pictures that came and were not shown, an encoder held back, a page that runs late are strain', () => {
  assert.equal(look({ framesDecoded: 30, dropped: 30 }), true);
  assert.equal(look({ framesDecoded: 55, dropped: 3, decodeS: 1.9 }), true);
  assert.equal(look({}, { codingS: 1.5 }), true);
  assert.equal(look({}, { lateS: 0.8 }), true);
});

test('what is dropped because something was lost is the network, not the machine', () => {
  assert.equal(look({ framesDecoded: 30, dropped: 30, lost: 4 }), false);
  assert.equal(look({ framesDecoded: 30, dropped: 30, asked: 2 }), false);
  assert.equal(look({ packets: 0, framesDecoded: 0, dropped: 30 }), false, 'nothing came');
});

/** Looks every two seconds; the steps in the order they were taken. */
function pass(relief: Relief, from: number, looks: number, isStrained: (i: number) => boolean): Step[] {
  const steps: Step[] = [];
  for (let i = 0; i < looks; i += 1) {
    const step = relief.push(isStrained(i), from + 2000 * i);
    if (steps.at(-1) !== step) steps.push(step);
  }
  return steps;
}

test('eased after ten seconds of it, step by step and no further than the last one', () => {
  const relief = new Relief();
  assert.deepEqual(pass(relief, 0, 4, () => true), [0]);
  assert.deepEqual(pass(new Relief(), 0, 40, () => true), [0, 1, 2, 3]);
});

test('a start, a blink, every other look: nothing', () => {
  assert.deepEqual(pass(new Relief(), 0, 60, (i) => i < 3), [0]);
  assert.deepEqual(pass(new Relief(), 0, 60, (i) => i % 2 === 0), [0]);
});

test('eased back after a calm minute, and after a longer one when that was too soon', () => {
  const relief = new Relief();
  pass(relief, 0, 5, () => true);
  assert.equal(relief.step, 1);
  assert.deepEqual(pass(relief, 10_000, 30, () => false), [1]);
  assert.deepEqual(pass(relief, 70_000, 2, () => false), [0]);
  pass(relief, 74_000, 5, () => true);
  assert.equal(relief.step, 1);
  assert.deepEqual(pass(relief, 84_000, 59, () => false), [1], 'twice as long');
  assert.deepEqual(pass(relief, 202_000, 3, () => false), [1, 0]);
});

test('who wants everything all the same is left alone; who wants fewer gets fewer at once', () => {
  const relief = new Relief();
  relief.up(0);
  relief.up(100);
  assert.equal(relief.step, 2);
  relief.refuse(1000);
  assert.deepEqual(pass(relief, 2000, 600, () => true), [0]);
});

test('fewer and smaller cameras with each step, the first wishes longest, what rests keeps its place', () => {
  const wishes = [
    { device: 's', source: 'screen' as const, height: 1080 },
    ...Array.from({ length: 12 }, (_, i) => ({ device: `d${i}`, source: 'cam' as const, height: i === 0 ? 720 : 360 })),
  ];
  const heights = (step: Step): number[] => eased(wishes, step).map((w) => w.height);
  assert.deepEqual(heights(0), wishes.map((w) => w.height));
  assert.deepEqual(heights(1), [1080, 360, ...Array<number>(8).fill(180), 0, 0, 0]);
  assert.deepEqual(heights(2), [720, 180, 180, 180, 180, 180, ...Array<number>(7).fill(0)]);
  assert.deepEqual(heights(3), [720, 180, 90, ...Array<number>(10).fill(0)]);
  assert.deepEqual(eased(wishes, 3).map((w) => w.device), wishes.map((w) => w.device));
});

test('a slow machine is not told that its connection is weak; a lossy one is, however slow', () => {
  const frozen = { rttMs: 300, lossPercent: 1, frozenPercent: 40 };
  assert.equal(judgeQuality(true, ofConnection(frozen, false)), 1);
  assert.equal(judgeQuality(true, ofConnection(frozen, true)), 3);
  assert.equal(judgeQuality(true, ofConnection({ ...frozen, lossPercent: 12 }, true)), 1);
  const proposed = (slow: boolean): boolean => {
    const proposal = new SaverProposal();
    let said = false;
    for (let at = 0; at < 60_000; at += 2000) said ||= proposal.push(judgeQuality(true, ofConnection(frozen, slow)), 'none', at);
    return said;
  };
  assert.deepEqual([proposed(false), proposed(true)], [true, false]);
});
