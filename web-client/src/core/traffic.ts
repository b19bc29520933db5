// What came through each receive slot between two readings, and when the network is bad enough to
// propose sound and slides only. Pure: readings in, figures out.
import type { Quality } from './quality.ts';

export interface SlotReading {
  kind: 'audio' | 'video'; slot: number; packets: number; lost: number; bytes: number;
  width: number; height: number; framesDecoded: number; bufferedS: number; emitted: number; jitterMs: number;
}

export interface SlotTraffic {
  kind: 'audio' | 'video'; slot: number; kbps: number; lossPercent: number; delayMs: number;
  fps: number; width: number; height: number;
}

/** `rttMs` of the connection: half of it is the way here, the rest waits in the playout buffer. */
export function trafficOf(
  before: readonly SlotReading[], after: readonly SlotReading[], elapsedS: number, rttMs: number,
): SlotTraffic[] {
  if (elapsedS <= 0) return [];
  return after.map((now) => {
    const then = before.find((s) => s.kind === now.kind && s.slot === now.slot);
    const since = (of: (s: SlotReading) => number): number => Math.max(0, of(now) - (then ? of(then) : 0));
    const got = since((s) => s.packets);
    const lost = since((s) => s.lost);
    const emitted = since((s) => s.emitted);
    const buffered = emitted > 0 ? (1000 * since((s) => s.bufferedS)) / emitted : 0;
    return {
      kind: now.kind, slot: now.slot, width: now.width, height: now.height,
      kbps: Math.round((since((s) => s.bytes) * 8) / elapsedS / 1000),
      lossPercent: got + lost > 0 ? (100 * lost) / (got + lost) : 0,
      delayMs: emitted > 0 ? Math.round(buffered + rttMs / 2) : 0,
      fps: Math.round(since((s) => s.framesDecoded) / elapsedS),
    };
  });
}

/** Proposes the low-bandwidth mode once a connection has been bad for a while; a no is a no for long. */
export class SaverProposal {
  private badSince: number | undefined;
  private quietUntil = 0;

  /** `held` = some picture is smaller than wished or paused because of our connection. */
  push(quality: Quality, held: boolean, now: number): boolean {
    const bad = quality === 1 || (quality === 2 && held);
    if (!bad) this.badSince = undefined;
    else this.badSince ??= now;
    return this.badSince !== undefined && now >= this.quietUntil && now - this.badSince >= 12_000;
  }

  declined(now: number): void {
    this.quietUntil = now + 10 * 60_000;
    this.badSince = undefined;
  }
}
