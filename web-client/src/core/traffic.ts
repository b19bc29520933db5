// What came through each receive slot between two readings, and when the network is bad enough to
// propose sound and slides only. Pure: readings in, figures out.
import type { SlotReason, VideoSlot } from '../wire/messages.ts';
import type { LinkFigures, Quality } from './quality.ts';

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

/** What is late or frozen when this machine or the server does not keep up says nothing about the connection. */
export const ofConnection = (link: LinkFigures, elsewhere: boolean): LinkFigures =>
  elsewhere && link.lossPercent < LOSS_OF_PATH ? { ...link, rttMs: 0, frozenPercent: 0 } : link;

/** What our connection does to our pictures: nothing, some are smaller than wished, some do not come. */
export type Held = 'none' | 'reduced' | 'paused';

export function heldOf(slots: readonly VideoSlot[]): Held {
  const some = (of: SlotReason): boolean => slots.some(([, , , , reason]) => reason === of);
  return some('paused') ? 'paused' : some('connection') ? 'reduced' : 'none';
}

/** The server has less to give than it was asked for. */
export const sheds = (slots: readonly VideoSlot[]): boolean => slots.some(([, , , , reason]) => reason === 'server');

/** A machine that reads too late loses some itself; so much only a network loses. */
const LOSS_OF_PATH = 5;
const BAD_MS = 12_000;
const GOOD_MS = 20_000;
const CALM_MS = 3 * 60_000;
const DECLINED_MS = 10 * 60_000;

/**
 * Proposes the low-bandwidth mode once a connection has been bad for a while. The proposal then stands until it
 * is answered or the connection has been good for a while: it does not come and go. A no is a no for long.
 */
export class SaverProposal {
  private badSince: number | undefined;
  private goodSince: number | undefined;
  private quietUntil = 0;
  private stands = false;

  push(quality: Quality, held: Held, now: number): boolean {
    const bad = quality === 1 || (quality === 2 && held !== 'none') || (quality === 3 && held === 'paused');
    this.badSince = bad ? (this.badSince ?? now) : undefined;
    this.goodSince = bad ? undefined : (this.goodSince ?? now);
    if (this.stands && this.goodSince !== undefined && now - this.goodSince >= GOOD_MS) {
      this.stands = false;
      this.quietUntil = now + CALM_MS;
    } else if (!this.stands && this.badSince !== undefined) {
      this.stands = now >= this.quietUntil && now - this.badSince >= BAD_MS;
    }
    return this.stands;
  }

  /** Refused, or taken and ended by hand: the person has chosen. */
  declined(now: number): void {
    this.quietUntil = now + DECLINED_MS;
    this.badSince = undefined;
    this.stands = false;
  }
}
