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
/**
 * Then it is given back a little with each reading: pictures that are due at once because their wait
 * ended are thrown away by browsers, and the last one before them stands (265 ms for 80 at once).
 */
const BACK_MS = 20;
const AUDIBLE = 0.005;
/**
 * A picture is shown when its last packet is there, and one that comes late holds up all behind it.
 * So it waits from the first loss on, not from the first frozen picture: as many repairs, up and
 * down together, as leave less than a packet a minute, by the share that is missing.
 */
const TRIPS: readonly (readonly [share: number, trips: number])[] = [
  [0, 1], [0.003, 2], [0.02, 3], [0.06, 5], [0.14, 6], [0.25, 7],
];
/**
 * A single one is enough. It is missed when the next picture comes and repaired a round trip later, and
 * once Chromium has shown that next picture it takes the repair no more, nor any picture of an upper
 * temporal layer until one starts afresh: 266 ms at 15 pictures a second.
 */
const MISSED_LEAST = 1;
/**
 * What counts of the reading before: two seconds of a picture are some hundred packets, of which chance
 * alone loses twice the share of the path now and then; ten seconds tell it.
 */
const FADE = 0.8;
/** From this share on a picture stands anyway, and its wait may grow at once. */
const HEAVY = 0.06;

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

  /**
   * As long as one of both at least. A picture stands for as long as its wait grows: what is not
   * needed at once comes in steps too short to be seen. True = it grew.
   */
  reach(atOnce: number, inSteps: number, now: number): boolean {
    const { first, step, most } = this.rule;
    const useful = Math.min(Math.max(atOnce, inSteps), most);
    if (useful === 0) return false;
    if (useful + step > this.target) this.neededAt = now; // else it could be shorter
    const next = this.target === 0 ? first : this.target + step;
    const was = this.target;
    this.target = Math.max(was, Math.min(useful, Math.max(atOnce, next)));
    return this.target > was;
  }

  value(now: number): number | null {
    if (now - this.neededAt >= HOLD_MS) this.target = Math.max(0, this.target - BACK_MS);
    return this.target === 0 ? null : Math.round(this.target);
  }
}

/** How long a picture needs to be whole where this share is missing; 0 = nothing to speak of is. */
function repairTime(share: number, rttMs: number): number {
  const trips = TRIPS.reduce((n, [least, wanted]) => (share > least ? wanted : n), 0);
  return trips === 0 ? 0 : Math.max(PICTURE.first, trips * (rttMs + AGAIN_MS));
}

/**
 * The least share that a path can be thought to lose when so much was missing in one reading. Below some
 * percent it is not worth a picture that stands: requests count each time they are repeated.
 */
function surely(missing: number, sent: number): number {
  const share = (missing - 2 * Math.sqrt(missing)) / Math.max(1, sent);
  return share < HEAVY ? 0 : share;
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
  private missing = 0;
  private sent = 0;

  /** The path was dead: what went into it could not have been waited for. */
  broken(slots: readonly PlayReading[]): void {
    for (const s of slots) this.gaps.add(nameOf(s));
    [this.missing, this.sent] = [0, 0];
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
    const sent = missing + sum((s) => s.packets);
    this.missing = FADE * this.missing + missing;
    this.sent = FADE * this.sent + sent;
    const likely = this.missing < MISSED_LEAST ? 0 : this.missing / this.sent;
    const grew = this.picture.reach(repairTime(surely(missing, sent), rttMs), repairTime(likely, rttMs), now);
    if (!grew && missing > 0 && sum((s) => s.freezes) > 0) this.picture.longer(PICTURE.most, now);
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
