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

interface Rule { first: number; step: number; most: number }
const SOUND: Rule = { first: 80, step: 40, most: 280 };
const PICTURE: Rule = { first: 120, step: 80, most: 600 };
/** Beyond the round trip: the request, the copy, and a packet's length. */
const REPAIR_MS = 60;
const AGAIN_MS = 20;
const HOLD_MS = 30_000;
const AUDIBLE = 0.005;
/**
 * A picture is shown when its last packet is there, and one that comes late holds up all behind it.
 * So it waits from the first loss on, not from the first frozen picture: as many repairs, up and
 * down together, as leave less than a packet a minute, by the share that is missing.
 */
const TRIPS: readonly (readonly [share: number, trips: number])[] = [
  [0.003, 2], [0.02, 3], [0.06, 5], [0.14, 6], [0.25, 7],
];
/** One packet may always be lost. */
const MISSED_LEAST = 2;

class Wait {
  private readonly rule: Rule;
  private target = 0;
  private neededAt = 0;

  constructor(rule: Rule) {
    this.rule = rule;
  }

  /** One step longer, as far as it is of use. */
  longer(useful: number, now: number): void {
    const { first, step } = this.rule;
    this.neededAt = now;
    this.target = this.target === 0 ? first : Math.max(this.target, Math.min(Math.max(useful, first), this.target + step));
  }

  /** As long as that at least. */
  reach(ms: number, now: number): void {
    const least = Math.min(ms, this.rule.most);
    if (least + this.rule.step > this.target) this.neededAt = now; // else it could be shorter
    this.target = Math.max(this.target, least);
  }

  value(now: number): number | null {
    const { first, step } = this.rule;
    if (this.target > 0 && now - this.neededAt >= HOLD_MS) {
      this.target = this.target > first ? Math.max(first, this.target - step) : 0;
      this.neededAt = now;
    }
    return this.target === 0 ? null : Math.round(this.target);
  }
}

/** How long a picture of this path needs to be whole, 0 = nothing to speak of is missing. */
function repairTime(missing: number, came: number, rttMs: number): number {
  if (missing < MISSED_LEAST) return 0;
  const share = missing / (missing + came);
  const trips = TRIPS.reduce((n, [least, wanted]) => (share >= least ? wanted : n), 0);
  return trips === 0 ? 0 : Math.max(PICTURE.first, trips * (rttMs + AGAIN_MS));
}

const nameOf = (s: PlayReading): string => `${s.kind} ${s.slot}`;

type Sum = (of: (s: PlayReading) => number) => number;

function grown(before: readonly PlayReading[], after: readonly PlayReading[]): Sum {
  return (of) => after.reduce((n, s) => {
    const then = before.find((b) => b.kind === s.kind && b.slot === s.slot);
    return n + Math.max(0, of(s) - (then ? of(then) : 0));
  }, 0);
}

export class Playout {
  private readonly sound = new Wait(SOUND);
  private readonly picture = new Wait(PICTURE);
  /** Slots by which nothing came yet since the path broke: the gap they begin with is not this path's. */
  private readonly gaps = new Set<string>();

  /** The path was dead: what went into it could not have been waited for. */
  broken(slots: readonly PlayReading[]): void {
    for (const s of slots) this.gaps.add(nameOf(s));
  }

  /** Two readings of all slots: how long the sound should wait. */
  hear(before: readonly PlayReading[], after: readonly PlayReading[], rttMs: number, now: number): number | null {
    const sum = this.judged(before, after, 'audio');
    const invented = sum((s) => s.concealed) - sum((s) => s.silentConcealed);
    // What is invented although nothing is missing is somebody's clock, not the path.
    const missed = sum((s) => s.lost) + sum((s) => s.late);
    const samples = sum((s) => s.samples);
    const needed = missed > 0 && samples > 0 && sum((s) => s.packets) > 20 && invented > AUDIBLE * samples;
    if (needed) this.sound.longer(Math.min(SOUND.most, rttMs + REPAIR_MS), now);
    return this.sound.value(now);
  }

  /** The same for the pictures; one that froze while packets were missing was not waited for. */
  see(before: readonly PlayReading[], after: readonly PlayReading[], rttMs: number, now: number): number | null {
    const sum = this.judged(before, after, 'video');
    // What was lost before the server is not lost here, but asked for.
    const missing = Math.max(sum((s) => s.lost), sum((s) => s.asked));
    const useful = repairTime(missing, sum((s) => s.packets), rttMs);
    if (useful > 0) this.picture.reach(useful, now);
    if (missing > 0 && sum((s) => s.freezes) > 0) this.picture.longer(PICTURE.most, now);
    return this.picture.value(now);
  }

  /** What grew in the slots of a kind, without those that come again only now. */
  private judged(before: readonly PlayReading[], after: readonly PlayReading[], kind: PlayReading['kind']): Sum {
    const of = after.filter((s) => s.kind === kind);
    const sum = grown(before, of.filter((s) => !this.gaps.has(nameOf(s))));
    for (const s of of) if (grown(before, [s])((r) => r.packets) > 0) this.gaps.delete(nameOf(s));
    return sum;
  }
}
