// Dates of a class: what a person types in a time zone, as moments; series that keep their hour
// across clock changes; whether two classes overlap. Pure: the present comes as an argument.
export type Repeat = 'once' | 'daily' | 'weekly' | 'biweekly' | 'monthly';
const STEP: Record<Repeat, number> = { once: 0, daily: 1, weekly: 7, biweekly: 14, monthly: 28 };
export const SERIES_MAX = 60;
const DAY_MS = 86_400_000;

interface Wall { year: number; month: number; day: number; hour: number; minute: number }

/** The wall clock of a zone at a moment. */
export function wallIn(zone: string, at: number): Wall {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
  }).formatToParts(at);
  const get = (type: string): number => Number(parts.find((p) => p.type === type)?.value ?? 0);
  return { year: get('year'), month: get('month'), day: get('day'), hour: get('hour'), minute: get('minute') };
}

const asUtc = (w: Wall): number => Date.UTC(w.year, w.month - 1, w.day, w.hour, w.minute);

/** The moment a wall clock of a zone shows this; an hour that is skipped is taken after the gap. */
export function momentOf(zone: string, wall: Wall): number {
  const want = asUtc(wall);
  const closer = (at: number): number => at + want - asUtc(wallIn(zone, at));
  const near = closer(want);
  const there = closer(near);
  // In a gap the two guesses swap places for ever: the later one is behind it.
  return closer(there) === there ? there : Math.max(there, closer(there));
}

/** '2026-12-01' and '14:00' in a zone; undefined when one of them is no date or hour. */
export function momentFrom(zone: string, date: string, time: string): number | undefined {
  const d = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date);
  const t = /^(\d{2}):(\d{2})/.exec(time);
  if (!d || !t) return undefined;
  const wall = { year: Number(d[1]), month: Number(d[2]), day: Number(d[3]), hour: Number(t[1]), minute: Number(t[2]) };
  const real = new Date(Date.UTC(wall.year, wall.month - 1, wall.day));
  if (real.getUTCMonth() !== wall.month - 1 || wall.hour > 23 || wall.minute > 59) return undefined;
  return momentOf(zone, wall);
}

/** The hour shown instead, when the clocks of the zone leap over the one that was typed; '' when it exists. */
export function leapt(zone: string, date: string, time: string): string {
  const at = momentFrom(zone, date, time);
  const shown = at === undefined ? time.slice(0, 5) : timeField(wallIn(zone, at));
  return shown === time.slice(0, 5) ? '' : shown;
}

/** Days from the first to the i-th of a series. A month later is the same weekday in its turn: the second Tuesday. */
function daysOn(first: Date, repeat: Repeat, i: number): number {
  if (repeat !== 'monthly') return i * STEP[repeat];
  const nth = Math.min(Math.floor((first.getUTCDate() - 1) / 7), 3);
  const month = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + i, 1));
  const day = 1 + ((first.getUTCDay() - month.getUTCDay() + 7) % 7) + nth * 7;
  return i === 0 ? 0 : Math.round((month.getTime() - first.getTime()) / DAY_MS) + day - 1;
}

/** Every occurrence, the first included: the same hour on each day, whatever the clocks do. */
export function series(zone: string, first: number, repeat: Repeat, count: number): number[] {
  const wall = wallIn(zone, first);
  const n = repeat === 'once' ? 1 : Math.max(1, Math.min(count, SERIES_MAX));
  return Array.from({ length: n }, (_, i) => {
    const from = new Date(Date.UTC(wall.year, wall.month - 1, wall.day));
    const day = new Date(from.getTime() + daysOn(from, repeat, i) * DAY_MS);
    return momentOf(zone, { ...wall, year: day.getUTCFullYear(), month: day.getUTCMonth() + 1, day: day.getUTCDate() });
  });
}

export interface Slot { id: string; title: string; start: number; minutes: number; binned: number }

/** Classes of the same person that take place at the same time. */
export function overlaps(starts: readonly number[], minutes: number, others: readonly Slot[], self: string): Slot[] {
  return others.filter((o) => o.id !== self && o.start > 0 && o.binned === 0 &&
    starts.some((s) => s < o.start + o.minutes * 60_000 && o.start < s + minutes * 60_000));
}

const two = (n: number): string => String(n).padStart(2, '0');
export const dateField = (w: Wall): string => `${w.year}-${two(w.month)}-${two(w.day)}`;
export const timeField = (w: Wall): string => `${two(w.hour)}:${two(w.minute)}`;

export interface Row extends Slot {
  type: string; permanent: number; capacity: number; invited: number; enrolled: number; coming: number; waiting: number;
  kind?: string; archived?: boolean; unsealed?: number;
  state?: string; present?: number; at_door?: number; ended?: boolean; host: string; mine: number; zone: string; created: number;
}
export interface Board { live: Row[]; next: Row[]; prepare: Row[]; seal: Row[]; over: Row[]; standing: Row[]; bin: Row[] }

const isLive = (r: Row): boolean => r.ended !== true && ((r.present ?? 0) > 0 || r.state === 'live' || r.state === 'doors' || r.state === 'closing');

/** It has taken place, perhaps sooner than planned, and nothing comes behind it. */
const isOver = (r: Row, now: number): boolean => r.ended === true || r.archived === true || r.state === 'closed' ||
  (r.start > 0 && r.start + r.minutes * 60_000 < now);

/** Where each class stands on the home page. A class is in one place only. */
export function board(rows: readonly Row[], now: number): Board {
  const out: Board = { live: [], next: [], prepare: [], seal: [], over: [], standing: [], bin: [] };
  for (const row of rows) {
    if (row.binned > 0) out.bin.push(row);
    else if (isLive(row)) out.live.push(row);
    else if (isOver(row, now) && (row.unsealed ?? 0) > 0) out.seal.push(row);
    else if (row.archived === true) out.over.push(row);
    else if (row.permanent === 1 && row.ended !== true) out.standing.push(row);
    else if (isOver(row, now)) out.over.push(row);
    else if (row.start === 0 || row.enrolled === 0 || row.invited === 0) out.prepare.push(row);
    else out.next.push(row);
  }
  out.over.reverse();
  out.seal.reverse();
  return out;
}
