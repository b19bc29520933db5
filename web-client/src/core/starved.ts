// Pictures the server says are on their way, of which this page sees none: their packets come and nothing can
// be made of them, or they do not even come, though the server would tell that their source is silent. Such a
// slot is asked for anew, which begins with a key frame; in vain, more and more rarely.
// Pure: what is told and read in, slots out. Counts in looks, so that a machine that slept starts nothing.
import type { SlotReading } from './traffic.ts';
import type { VideoSlot } from '../wire/messages.ts';

/** At one look every two seconds. The browser asks for key frames by itself before the first. */
const STUCK_LOOKS = 4;
const NOTHING_LOOKS = 8;
/** Fewer packets between two looks are probes and fillers of a source that rests. */
const PACKETS = 10;
const DOUBLINGS = 4;

interface Kept {
  key: string;
  frames: number;
  packets: number;
  /** Of whom it is now something was seen. */
  seen: boolean;
  /** Looks without a frame, and of these, in a row, those with packets. */
  looks: number;
  stuck: number;
  tries: number;
}

const NOTHING: Kept = { key: '', frames: 0, packets: 0, seen: false, looks: 0, stuck: 0, tries: 0 };

export class Starved {
  private readonly kept = new Map<number, Kept>();

  /** Slots to be asked for anew. */
  look(told: readonly VideoSlot[], readings: readonly SlotReading[]): number[] {
    const again: number[] = [];
    for (const { kind, slot, framesDecoded: frames, packets } of readings) {
      if (kind !== 'video') continue;
      const [, device = '', source = 'cam', life] = told.find(([s]) => s === slot) ?? [];
      const then = this.kept.get(slot) ?? NOTHING;
      const now = { ...NOTHING, key: device && `${device}/${source}`, frames, packets, seen: frames !== then.frames };
      if (now.key === then.key && !now.seen) {
        now.tries = then.tries;
        if (life === 'live') count(now, then);
        if (life === 'live' && due(now, source === 'cam')) {
          again.push(slot);
          Object.assign(now, { looks: 0, stuck: 0, tries: Math.min(then.tries + 1, DOUBLINGS) });
        }
      }
      this.kept.set(slot, now);
    }
    return again;
  }
}

function count(now: Kept, then: Kept): void {
  now.seen = then.seen;
  now.looks = then.looks + 1;
  now.stuck = now.packets - then.packets >= PACKETS ? then.stuck + 1 : 0;
}

/** A screen that was seen may stand still. */
function due({ seen, looks, stuck, tries }: Kept, camera: boolean): boolean {
  return (stuck >= STUCK_LOOKS * 2 ** tries && (camera || !seen)) || (camera && looks >= NOTHING_LOOKS * 2 ** tries);
}
