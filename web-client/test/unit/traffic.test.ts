import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resting } from '../../src/core/slots.ts';
import { SaverProposal, ofConnection, sheds, trafficOf } from '../../src/core/traffic.ts';
import type { SlotReading } from '../../src/core/traffic.ts';

const reading = (over: Partial<SlotReading>): SlotReading => ({
  kind: 'video', slot: 0, packets: 0, lost: 0, bytes: 0, width: 640, height: 360, framesDecoded: 0,
  bufferedS: 0, emitted: 0, jitterMs: 0, ...over,
});

test('traffic is what came between two readings', () => {
  const before = [reading({ packets: 100, bytes: 10_000, framesDecoded: 50, emitted: 50, bufferedS: 2 })];
  const after = [
    reading({ packets: 195, lost: 5, bytes: 135_000, framesDecoded: 110, emitted: 100, bufferedS: 4 }),
    reading({ kind: 'audio', slot: 1, packets: 100, bytes: 8000 }),
  ];
  const [picture, voice] = trafficOf(before, after, 2, 60);
  assert.deepEqual(picture, {
    kind: 'video', slot: 0, width: 640, height: 360, kbps: 500, lossPercent: 5, delayMs: 70, fps: 30,
  });
  assert.equal(voice?.kbps, 32);
  assert.equal(voice?.delayMs, 0);
  assert.deepEqual(trafficOf(before, after, 0, 60), []);
});

test('a slot whose counters begin anew never shows less than nothing', () => {
  const [row] = trafficOf([reading({ packets: 900, bytes: 90_000 })], [reading({ packets: 3, bytes: 300 })], 1, 0);
  assert.equal(row?.kbps, 0);
  assert.equal(row?.lossPercent, 0);
});

test('saving is proposed after a bad while, not for a blink, and not again after a no', () => {
  const proposal = new SaverProposal();
  assert.equal(proposal.push(1, 'none', 1000), false);
  assert.equal(proposal.push(3, 'none', 5000), false);
  for (let at = 6000; at < 18_000; at += 2000) assert.equal(proposal.push(1, 'none', at), false);
  assert.equal(proposal.push(1, 'none', 18_000), true);
  proposal.declined(18_500);
  for (let at = 19_000; at < 600_000; at += 2000) assert.equal(proposal.push(1, 'reduced', at), false);
  let again = false;
  for (let at = 620_000; at < 660_000; at += 2000) again ||= proposal.push(1, 'reduced', at);
  assert.equal(again, true);
});

test('a fair connection only counts when it costs pictures', () => {
  const proposal = new SaverProposal();
  for (let at = 0; at < 60_000; at += 2000) assert.equal(proposal.push(2, 'none', at), false);
  for (let at = 60_000; at < 72_000; at += 2000) assert.equal(proposal.push(2, 'reduced', at), false);
  assert.equal(proposal.push(2, 'reduced', 72_000), true);
});

test('pictures that our connection does not carry at all are reason enough, however smooth the rest is', () => {
  const proposal = new SaverProposal();
  for (let at = 0; at < 60_000; at += 2000) assert.equal(proposal.push(3, 'reduced', at), false);
  for (let at = 60_000; at < 72_000; at += 2000) assert.equal(proposal.push(3, 'paused', at), false);
  assert.equal(proposal.push(3, 'paused', 72_000), true);
});

test('a proposal stands through a better moment, goes after a better while, and does not come back at once', () => {
  const proposal = new SaverProposal();
  for (let at = 0; at <= 12_000; at += 2000) proposal.push(1, 'none', at);
  let at = 14_000;
  for (; at < 40_000; at += 2000) assert.equal(proposal.push(at % 8000 < 4000 ? 3 : 1, 'none', at), true);
  const better = at;
  for (; at < better + 20_000; at += 2000) assert.equal(proposal.push(3, 'none', at), true);
  for (; at < better + 24_000; at += 2000) proposal.push(3, 'none', at);
  assert.equal(proposal.push(3, 'none', at), false);
  for (; at < better + 180_000; at += 2000) assert.equal(proposal.push(1, 'paused', at), false);
  let again = false;
  for (; at < better + 260_000; at += 2000) again ||= proposal.push(1, 'paused', at);
  assert.equal(again, true);
});

test('what a busy server delays is not put down to the connection, what the path loses is', () => {
  const slots = [[0, 'a', 'cam', 'live', 'full', 360], [1, 'b', 'cam', 'off', 'server', 0]] as const;
  assert.deepEqual([sheds([[...slots[0]]]), sheds([[...slots[0]], [...slots[1]]])], [false, true]);
  const late = { rttMs: 700, lossPercent: 1, frozenPercent: 30 };
  assert.deepEqual(ofConnection(late, true), { rttMs: 0, lossPercent: 1, frozenPercent: 0 });
  assert.deepEqual(ofConnection(late, false), late);
  assert.deepEqual(ofConnection({ ...late, lossPercent: 9 }, true), { ...late, lossPercent: 9 });
});

test('what rests keeps its place and asks for no height', () => {
  const wishes = [
    { device: 'a', source: 'screen' as const, height: 1080 },
    { device: 'b', source: 'cam' as const, height: 360 },
  ];
  assert.deepEqual(resting(wishes, (w) => w.source === 'cam').map((w) => w.height), [1080, 0]);
});
