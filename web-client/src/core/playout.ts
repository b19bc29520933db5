// How long the sound waits before it is played. What is lost is repaired by a copy that comes a
// packet later or, asked for, a round trip later: it only helps when the player still waits for it.
// Browsers shorten their buffer on a link that is merely lossy, so it is held open here while that
// costs words, and given back when it does not. Pure: readings in, milliseconds out.
import type { SlotReading } from './traffic.ts';

export interface SoundReading extends SlotReading { concealed: number; silentConcealed: number; samples: number; late: number }

const FIRST_MS = 80;
const STEP_MS = 40;
const MOST_MS = 280;
/** Beyond a round trip: the request, the copy, and a packet's length. */
const REPAIR_MS = 60;
const HOLD_MS = 30_000;
const AUDIBLE = 0.005;

export class Playout {
  private target = 0;
  private neededAt = 0;

  /** Two readings of all slots; returns the wait wished for, null = what the browser thinks best. */
  push(before: readonly SoundReading[], after: readonly SoundReading[], rttMs: number, now: number): number | null {
    const sum = (of: (s: SoundReading) => number): number => after.reduce((n, s) => {
      if (s.kind !== 'audio') return n;
      const then = before.find((b) => b.kind === 'audio' && b.slot === s.slot);
      return n + Math.max(0, of(s) - (then ? of(then) : 0));
    }, 0);
    const samples = sum((s) => s.samples);
    const invented = sum((s) => s.concealed) - sum((s) => s.silentConcealed);
    const missed = sum((s) => s.lost) + sum((s) => s.late);
    // What is invented although nothing is missing is somebody's clock, not the path.
    if (missed > 0 && samples > 0 && sum((s) => s.packets) > 20 && invented > AUDIBLE * samples) {
      const most = Math.max(FIRST_MS, Math.min(MOST_MS, rttMs + REPAIR_MS));
      this.target = this.target === 0 ? FIRST_MS : Math.min(most, this.target + STEP_MS);
      this.neededAt = now;
    } else if (this.target > 0 && now - this.neededAt >= HOLD_MS) {
      this.target = this.target > FIRST_MS ? this.target - STEP_MS : 0;
      this.neededAt = now;
    }
    return this.target === 0 ? null : this.target;
  }
}
