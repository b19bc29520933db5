// Attendance as the server tells it, and how lengths and states are written.
export type RollStatus = 'absent' | 'partial' | 'present' | 'excused';
export interface RollRow {
  person: string; name: string; role: string; status: RollStatus; computed: RollStatus; present_ms: number;
  workshop_ms: number; here: boolean; expected: boolean; number: string; checks_asked: number; checks_passed: number;
  intervals: [number, number][]; stays: [number, number, string][];
  correction?: { reason: string; at: number; by: string }; contest?: { text: string; at: number };
}
export interface RollRules { share: number; minutes: number; checks: number; arrival: number; actual: boolean }
export interface RollSession {
  class: string; title: string; session: number; opened: number; closed: number | null; planned_ms: number; needed_ms: number;
  seal: string; sealed: boolean; sealed_at: number; holds: boolean; checks: number; rules: RollRules; now: number;
  provisional_days: number;
}
export interface RollSheet extends RollSession { people: RollRow[] }
export interface RollOf { session: number; opened: number; closed: number | null; sealed: boolean }
export interface SheetAnswer { title: string; staff: boolean; zone: string; sessions: RollOf[]; sheet?: RollSheet; intact?: boolean }
export interface OwnAnswer { title: string; staff: boolean; zone: string; sessions: RollOf[]; session?: RollSession; own?: RollRow }

const MINUTE = 60_000;

/** "1 h 05" or "42 min": whole minutes, as sheets count them. */
export function lengthText(ms: number): string {
  if (ms > 0 && ms < MINUTE) return `${Math.ceil(ms / 1000)} s`;
  const minutes = Math.floor(ms / MINUTE);
  const hours = Math.floor(minutes / 60);
  return hours > 0 ? `${hours} h ${String(minutes % 60).padStart(2, '0')}` : `${minutes} min`;
}

/** Present first, then by name; whoever was never there last. */
export function sheetOrder(rows: readonly RollRow[], lang: string): RollRow[] {
  const absent = (row: RollRow): number => (row.intervals.length === 0 ? 1 : 0);
  return [...rows].sort((a, b) => absent(a) - absent(b) || a.name.localeCompare(b.name, lang));
}

export const STATUSES: readonly RollStatus[] = ['present', 'partial', 'absent', 'excused'];

export function countOf(rows: readonly RollRow[], status: RollStatus): number {
  return rows.filter((row) => row.status === status).length;
}

export interface ChatLine { seq: number; at: number; person: string; name: string; text: string; room: string; all?: boolean }
export interface Spoken { voice?: number; floor?: number }
export interface AfterAnswer { chat: ChatLine[]; rooms: Record<string, string>; staff: boolean; times?: Record<string, Spoken> }
/** Whether somebody was elsewhere at this moment of a session he has a record of. */
export function missed(own: Pick<RollRow, 'intervals'>, at: number): boolean {
  return !own.intervals.some(([from, to]) => from <= at && at <= to);
}

/** Those who spoke, longest first. */
export function speakersOf(rows: readonly RollRow[], times: Record<string, Spoken>): { row: RollRow; voice: number; floor: number }[] {
  return rows
    .map((row) => ({ row, voice: times[row.person]?.voice ?? 0, floor: times[row.person]?.floor ?? 0 }))
    .filter((s) => s.voice + s.floor > 0)
    .sort((a, b) => b.voice + b.floor - (a.voice + a.floor));
}
