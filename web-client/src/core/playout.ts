// How long sound and pictures wait before they are played. What is lost is repaired by a copy that
// comes a packet later or, asked for, a round trip later: it only helps when the player still waits
// for it. Browsers keep their buffers short on a link that is merely lossy, so they are held open
// here while that costs words or frozen pictures, and given back when it does not.
// Pure: readings in, milliseconds out; null = what the browser thinks best.
import type { SlotReading } from './traffic.ts';

export interface PlayReading extends SlotReading {
  concealed: number; silentConcealed: number; samples: number; late: number;
  freezes: number; asked: number;
}

interface Rule { first: number; step: number; most: number; trips: number }
const SOUND: Rule = { first: 80, step: 40, most: 280, trips: 1 };
/** A picture may be missed twice on its way: up and down. */
const PICTURE: Rule = { first: 120, step: 80, most: 500, trips: 2 };
/** Beyond the round trips: the request, the copy, and a packet's length. */
const REPAIR_MS = 60;
const HOLD_MS = 30_000;
const AUDIBLE = 0.005;

class Wait {
  private readonly rule: Rule;
  private target = 0;
  private neededAt = 0;

  constructor(rule: Rule) {
    this.rule = rule;
  }

  push(needed: boolean, rttMs: number, now: number): number | null {
    const { first, step, most, trips } = this.rule;
    if (needed) {
      const useful = Math.max(first, Math.min(most, trips * rttMs + REPAIR_MS));
      this.target = this.target === 0 ? first : Math.min(useful, this.target + step);
      this.neededAt = now;
    } else if (this.target > 0 && now - this.neededAt >= HOLD_MS) {
      this.target = this.target > first ? this.target - step : 0;
      this.neededAt = now;
    }
    return this.target === 0 ? null : this.target;
  }
}

type Sum = (of: (s: PlayReading) => number) => number;

function grown(before: readonly PlayReading[], after: readonly PlayReading[], kind: 'audio' | 'video'): Sum {
  return (of) => after.reduce((n, s) => {
    if (s.kind !== kind) return n;
    const then = before.find((b) => b.kind === kind && b.slot === s.slot);
    return n + Math.max(0, of(s) - (then ? of(then) : 0));
  }, 0);
}

export class Playout {
  private readonly sound = new Wait(SOUND);
  private readonly picture = new Wait(PICTURE);

  /** Two readings of all slots: how long the sound should wait. */
  hear(before: readonly PlayReading[], after: readonly PlayReading[], rttMs: number, now: number): number | null {
    const sum = grown(before, after, 'audio');
    const invented = sum((s) => s.concealed) - sum((s) => s.silentConcealed);
    // What is invented although nothing is missing is somebody's clock, not the path.
    const missed = sum((s) => s.lost) + sum((s) => s.late);
    const samples = sum((s) => s.samples);
    const needed = missed > 0 && samples > 0 && sum((s) => s.packets) > 20 && invented > AUDIBLE * samples;
    return this.sound.push(needed, rttMs, now);
  }

  /** The same for the pictures; one that froze while packets were missing was not waited for. */
  see(before: readonly PlayReading[], after: readonly PlayReading[], rttMs: number, now: number): number | null {
    const sum = grown(before, after, 'video');
    const needed = sum((s) => s.freezes) > 0 && sum((s) => s.lost) + sum((s) => s.asked) > 0;
    return this.picture.push(needed, rttMs, now);
  }
}
