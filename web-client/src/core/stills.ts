// Pictures of more tables than there are slots: visible tables have a slot each, one slot goes round
// the others and leaves a still of each, every five seconds if there is time.
import type { Person, Speaking } from '../wire/messages.ts';
import type { Wish } from './slots.ts';

export const STILL_PERIOD_MS = 5000;
const PATIENCE_MS = 1500;
const HEIGHT = 180;

/** Whose camera stands for a table: who speaks and shows a picture, else the first who does. */
export function faceOf(people: readonly Person[], speaking: readonly Speaking[]): string | undefined {
  const cams = people.flatMap((p) => p.devices).filter((d) => d.cam).map((d) => d.id);
  return speaking.map(([device]) => device).find((d) => cams.includes(d)) ?? cams[0];
}

export class Stills {
  private readonly takenAt = new Map<string, number>();
  private target: { room: string; device: string; since: number } | undefined;

  /** Wishes for visible tables, then for the one whose still is the oldest. `slots` as many as there are. */
  wishes(visible: ReadonlyMap<string, string>, hidden: ReadonlyMap<string, string>, slots: number, nowMs: number): Wish[] {
    const list: Wish[] = [...visible.values()].slice(0, Math.max(0, slots - 1))
      .map((device) => ({ device, source: 'cam', height: HEIGHT }));
    const scouted = this.choose(hidden, nowMs);
    if (scouted !== undefined && list.length < slots) list.push({ device: scouted, source: 'cam', height: HEIGHT });
    return list;
  }

  /** The room whose picture is awaited, and the device it is of. */
  get awaited(): { room: string; device: string } | undefined {
    return this.target;
  }

  /** The picture of that room was kept. */
  taken(room: string, nowMs: number): void {
    this.takenAt.set(room, nowMs);
    if (this.target?.room === room) this.target = undefined;
  }

  private choose(hidden: ReadonlyMap<string, string>, nowMs: number): string | undefined {
    const t = this.target;
    if (t && hidden.get(t.room) === t.device && nowMs - t.since < PATIENCE_MS) return t.device;
    if (t) this.takenAt.set(t.room, nowMs); // gone, or no picture came: its turn comes again
    this.target = undefined;
    const due = [...hidden.entries()]
      .map(([room, device]) => ({ room, device, at: this.takenAt.get(room) ?? -Infinity }))
      .filter((x) => nowMs - x.at >= STILL_PERIOD_MS)
      .sort((a, b) => a.at - b.at)[0];
    if (!due) return undefined;
    this.target = { room: due.room, device: due.device, since: nowMs };
    return due.device;
  }
}
