import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PathMeter } from '../../src/media/figures.ts';

interface Pair { id: string; nominated: boolean; bytesReceived: number }

/** As a browser tells it; `selected` only where it has a row for the transport. */
function report(pairs: Pair[], selected?: string): RTCStatsReport {
  const rows = pairs.map((pair): [string, object] => [pair.id, { type: 'candidate-pair', ...pair }]);
  if (selected !== undefined) rows.push(['T', { type: 'transport', id: 'T', selectedCandidatePairId: selected }]);
  return new Map(rows) as unknown as RTCStatsReport;
}

test('a pair that is in use but not nominated yet counts', () => {
  const meter = new PathMeter();
  assert.equal(meter.read(report([{ id: 'a', nominated: true, bytesReceived: 900 }, { id: 'b', nominated: false, bytesReceived: 0 }], 'a')).bytes, 900);
  assert.equal(meter.read(report([{ id: 'a', nominated: true, bytesReceived: 900 }, { id: 'b', nominated: false, bytesReceived: 70 }], 'b')).bytes, 970);
  assert.equal(meter.read(report([{ id: 'a', nominated: false, bytesReceived: 900 }, { id: 'b', nominated: true, bytesReceived: 95 }], 'b')).bytes, 995);
});

test('what is nominated counts without a row of the transport, other pairs do not', () => {
  const meter = new PathMeter();
  assert.equal(meter.read(report([{ id: 'a', nominated: true, bytesReceived: 10 }, { id: 'b', nominated: false, bytesReceived: 50 }])).bytes, 10);
});

test('a restart counts from zero, and what came before is kept', () => {
  const meter = new PathMeter();
  assert.equal(meter.read(report([{ id: 'a', nominated: true, bytesReceived: 500 }], 'a')).bytes, 500);
  assert.equal(meter.read(report([{ id: 'c', nominated: true, bytesReceived: 20 }], 'c')).bytes, 520);
});

test('answers to our reports are counted, of every stream and beyond streams that go', () => {
  const meter = new PathMeter();
  const read = (of: Record<string, number>): number => meter.read(new Map(Object.entries(of).map(([id, roundTripTimeMeasurements]) =>
    [id, { type: 'remote-inbound-rtp', id, roundTripTimeMeasurements }])) as unknown as RTCStatsReport).reports;
  assert.equal(read({ sound: 3, picture: 2 }), 5);
  assert.equal(read({ sound: 4 }), 6);
  assert.equal(read({ sound: 4, picture: 3 }), 7);
});
