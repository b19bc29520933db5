// Whether this machine keeps up with the class, apart from what its connection does, and what is asked of it
// when it does not: fewer pictures, and smaller ones. Sound is never touched.
// Pure: readings in, a step out.
import { resting } from './slots.ts';
import type { Wish } from './slots.ts';
import type { SlotReading } from './traffic.ts';

export interface StrainReading extends SlotReading {
  /** Asked for again: something was missing on the way. */
  asked: number;
  /** Pictures that came and were never shown, for want of time. */
  dropped: number;
  decodeS: number;
}

/** What happened within `elapsedS`, beside the slots. */
export interface StrainSigns {
  elapsedS: number;
  /** So long the browser sent less than it was asked to because it could not code more. */
  codingS: number;
  /** So much later than due this page came to run. */
  lateS: number;
}

const CODING_SHARE = 0.5;
const LATE_SHARE = 0.3;
const DROPPED_SHARE = 0.15;
const DROPPED_LEAST = 8;
/** A decoder that works for so much of the time has none to spare: a few dropped pictures say enough. */
const DECODING_SHARE = 0.85;
const DROPPED_FEW = 2;

/** Pictures that all arrived and were not shown. */
function overtaxed(before: StrainReading | undefined, now: StrainReading, elapsedS: number): boolean {
  const since = (of: (s: StrainReading) => number): number => Math.max(0, of(now) - (before ? of(before) : 0));
  if (now.kind !== 'video' || since((s) => s.packets) === 0) return false;
  // What follows a gap is dropped for want of what was lost.
  if (since((s) => s.lost) > 0 || since((s) => s.asked) > 0) return false;
  const dropped = since((s) => s.dropped);
  if (dropped >= DROPPED_FEW && since((s) => s.decodeS) > DECODING_SHARE * elapsedS) return true;
  return dropped >= DROPPED_LEAST && dropped > DROPPED_SHARE * (dropped + since((s) => s.framesDecoded));
}

/** One look at the machine. */
export function strained(before: readonly StrainReading[], after: readonly StrainReading[], signs: StrainSigns): boolean {
  const { elapsedS } = signs;
  if (elapsedS <= 0) return false;
  if (signs.codingS > CODING_SHARE * elapsedS || signs.lateS > LATE_SHARE * elapsedS) return true;
  return after.some((now) => overtaxed(before.find((s) => s.kind === now.kind && s.slot === now.slot), now, elapsedS));
}

export type Step = 0 | 1 | 2 | 3;
export const LAST: Step = 3;
/** A step is taken when of so many looks all but one say so: ten seconds. A page that opens is busy for less. */
const LOOKS = 5;
const LOOKS_STRAINED = 4;
const CALM_MS = 60_000;
const CALM_MOST_MS = 10 * 60_000;
/** Who wants all pictures all the same is left alone for the rest of a class. */
const LEFT_ALONE_MS = 2 * 3600_000;

/**
 * How far the machine is eased. Quickly up; down a step after a calm minute, and after ever longer ones when it
 * was too soon. It holds as long as the machine is eased that it struggles: that is why it does not just now.
 */
export class Relief {
  step: Step = 0;
  private looks: boolean[] = [];
  private calmSince: number | undefined;
  private calmMs = CALM_MS;
  private downAt = -Infinity;
  private aloneUntil = 0;

  push(isStrained: boolean, now: number): Step {
    if (now < this.aloneUntil) return this.step;
    this.looks = [...this.looks, isStrained].slice(-LOOKS);
    this.calmSince = isStrained ? undefined : (this.calmSince ?? now);
    if (this.looks.length === LOOKS && this.looks.filter(Boolean).length >= LOOKS_STRAINED) this.up(now);
    else if (this.step > 0 && this.calmSince !== undefined && now - this.calmSince >= this.calmMs) this.down(now);
    return this.step;
  }

  /** The person asks for fewer, or the looks do. */
  up(now: number): void {
    if (now - this.downAt < this.calmMs) this.calmMs = Math.min(2 * this.calmMs, CALM_MOST_MS);
    this.step = Math.min(this.step + 1, LAST) as Step;
    this.looks = [];
    this.calmSince = undefined;
  }

  /** The person wants all of it. */
  refuse(now: number): void {
    this.step = 0;
    this.looks = [];
    this.aloneUntil = now + LEFT_ALONE_MS;
  }

  private down(now: number): void {
    this.step = (this.step - 1) as Step;
    this.downAt = now;
    this.calmSince = now;
  }
}

/** Cameras shown in each step and their heights: the first, and those after it. */
const STEPS: readonly { cameras: number; first: number; others: number; screen: number }[] = [
  { cameras: Infinity, first: Infinity, others: Infinity, screen: Infinity },
  { cameras: 9, first: 360, others: 180, screen: Infinity },
  { cameras: 5, first: 180, others: 180, screen: 720 },
  { cameras: 2, first: 180, others: 90, screen: 720 },
];

/** What is still asked for; the most important wishes come first. Those that rest keep their slots. */
export function eased(wishes: readonly Wish[], step: Step): Wish[] {
  const { cameras, first, others, screen } = STEPS[step] ?? { cameras: Infinity, first: Infinity, others: Infinity, screen: Infinity };
  const order = wishes.filter((w) => w.source === 'cam' && w.height > 0);
  const kept = order.slice(0, cameras);
  return resting(wishes, (w) => order.includes(w) && !kept.includes(w)).map((w) => {
    const most = w.source === 'screen' ? screen : w.device === order[0]?.device ? first : others;
    return w.height > most ? { ...w, height: most } : w;
  });
}
