// What getStats tells, in the few figures the page shows and the tests read.
import type { LinkFigures } from '../core/quality.ts';
import type { PlayReading } from '../core/playout.ts';
import type { StrainReading } from '../core/strain.ts';

export interface SlotFigures extends PlayReading, StrainReading { mid: string; frozenS: number; audioEnergy: number }
export interface SendFigures { kind: string; rid: string; packets: number; bytes: number; frames: number; width: number; codingS: number }
export interface MediaFigures { slots: SlotFigures[]; sends: SendFigures[]; rttMs: number }

const num = (row: Record<string, unknown>, key: string): number => {
  const value = row[key];
  return typeof value === 'number' ? value : 0;
};
const text = (row: Record<string, unknown>, key: string): string => {
  const value = row[key];
  return typeof value === 'string' ? value : '';
};

/** Seconds for which the machine, not the network, held this encoding back; not every browser tells. */
function codingLimited(entry: Record<string, unknown>): number {
  const spans = entry['qualityLimitationDurations'];
  return typeof spans === 'object' && spans !== null ? num(spans as Record<string, unknown>, 'cpu') : 0;
}

/** `firstVideoMid`: index of the first video slot's section; audio slots start at section 4. */
export function readFigures(report: RTCStatsReport, firstVideoMid: number): MediaFigures {
  const figures: MediaFigures = { slots: [], sends: [], rttMs: 0 };
  report.forEach((entry: Record<string, unknown>) => {
    const type = text(entry, 'type');
    if (type === 'inbound-rtp') {
      const mid = text(entry, 'mid');
      const kind = text(entry, 'kind') === 'audio' ? 'audio' : 'video';
      figures.slots.push({
        kind, mid, slot: Number(mid) - (kind === 'audio' ? 4 : firstVideoMid),
        packets: num(entry, 'packetsReceived'), lost: num(entry, 'packetsLost'), bytes: num(entry, 'bytesReceived'),
        framesDecoded: num(entry, 'framesDecoded'), width: num(entry, 'frameWidth'), height: num(entry, 'frameHeight'),
        bufferedS: num(entry, 'jitterBufferDelay'), emitted: num(entry, 'jitterBufferEmittedCount'),
        jitterMs: Math.round(1000 * num(entry, 'jitter')),
        freezes: num(entry, 'freezeCount'), frozenS: num(entry, 'totalFreezesDuration'),
        audioEnergy: num(entry, 'totalAudioEnergy'), concealed: num(entry, 'concealedSamples'),
        silentConcealed: num(entry, 'silentConcealedSamples'), samples: num(entry, 'totalSamplesReceived'),
        late: num(entry, 'packetsDiscarded'), asked: num(entry, 'nackCount'),
        dropped: num(entry, 'framesDropped'), decodeS: num(entry, 'totalDecodeTime'),
      });
    } else if (type === 'outbound-rtp') {
      figures.sends.push({
        kind: text(entry, 'kind'), rid: text(entry, 'rid'), packets: num(entry, 'packetsSent'),
        bytes: num(entry, 'bytesSent'), frames: num(entry, 'framesSent'), width: num(entry, 'frameWidth'), codingS: codingLimited(entry),
      });
    } else if (type === 'candidate-pair' && entry['nominated'] === true) {
      figures.rttMs = Math.round(num(entry, 'currentRoundTripTime') * 1000);
    }
  });
  return figures;
}

/** Bytes, and how often the server said that something of ours had come since it said so last. Neither falls. */
export interface Arrivals { bytes: number; reports: number }

/**
 * What came by the paths in use since the beginning. A restart brings pairs that count from zero, and takes
 * others away: what is told here never falls. On a path that loses much Chromium takes up another pair seconds
 * before that is nominated.
 */
export class PathMeter {
  private readonly seen = new Map<string, number>();
  private bytes = 0;
  private reports = 0;

  read(report: RTCStatsReport): Arrivals {
    const selected = new Set<string>();
    report.forEach((entry: Record<string, unknown>) => {
      // Each answers a report of ours, and the server sends none on what did not come (RFC 3550, 6.4).
      if (text(entry, 'type') === 'remote-inbound-rtp') this.reports += this.grown(entry, 'roundTripTimeMeasurements');
      if (text(entry, 'type') === 'transport') selected.add(text(entry, 'selectedCandidatePairId'));
    });
    report.forEach((entry: Record<string, unknown>) => {
      const used = entry['nominated'] === true || selected.has(text(entry, 'id'));
      if (text(entry, 'type') !== 'candidate-pair' || !used) return;
      this.bytes += this.grown(entry, 'bytesReceived');
    });
    return { bytes: this.bytes, reports: this.reports };
  }

  private grown(entry: Record<string, unknown>, key: string): number {
    const [id, value] = [text(entry, 'id'), num(entry, key)];
    const more = Math.max(0, value - (this.seen.get(id) ?? 0));
    this.seen.set(id, value);
    return more;
  }
}

/** Packets we sent so far. */
export const sentOf = (figures: MediaFigures): number => figures.sends.reduce((n, s) => n + s.packets, 0);

/** What we sent a second between two readings `elapsedS` apart, in kbit/s. */
export function sentKbps(before: MediaFigures, after: MediaFigures, elapsedS: number): number {
  const bytes = (f: MediaFigures): number => f.sends.reduce((n, s) => n + s.bytes, 0);
  return Math.max(0, Math.round(((bytes(after) - bytes(before)) * 8) / elapsedS / 1000));
}

/** What happened between two readings `elapsedS` apart. */
export function linkFigures(before: MediaFigures, after: MediaFigures, elapsedS: number): LinkFigures {
  const sum = (f: MediaFigures, of: (s: SlotFigures) => number): number => f.slots.reduce((n, s) => n + of(s), 0);
  const lost = Math.max(0, sum(after, (s) => s.lost) - sum(before, (s) => s.lost));
  const got = Math.max(0, sum(after, (s) => s.packets) - sum(before, (s) => s.packets));
  const frozen = Math.max(0, sum(after, (s) => s.frozenS) - sum(before, (s) => s.frozenS));
  const pictures = after.slots.filter((s) => s.kind === 'video').length;
  return {
    rttMs: after.rttMs,
    lossPercent: lost + got > 0 ? (100 * lost) / (lost + got) : 0,
    frozenPercent: pictures > 0 && elapsedS > 0 ? (100 * frozen) / (pictures * elapsedS) : 0,
  };
}
