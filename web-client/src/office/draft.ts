// What the class editor holds, from a class and back to what the server takes.
import { dateField, momentFrom, series, timeField, wallIn } from '../core/plan.ts';
import type { Repeat } from '../core/plan.ts';

export type When = 'dated' | 'permanent' | 'undated';
export type Template = 'free' | 'watched' | 'listed' | 'crowd';
export type ClassType = 'standard' | 'webinar' | 'round-table';

export interface Draft {
  title: string; type: ClassType; when: When; date: string; time: string; minutes: number; zone: string;
  repeat: Repeat; count: number;
  /** One class that goes from date to date, not one class for each. */
  together: boolean;
  /** Dates of a class that has several, those to come; empty: as repetition gives them. */
  dates: number[];
  /** Taken out one by one. */
  skip: number[];
  template: Template; places: string; open: boolean; reminders: number; note: string; lang: string;
}

export interface ClassInfo {
  id: string; title: string; type: ClassType; start: number; minutes: number; permanent: number; zone: string; lang: string;
  note: string; settings: Record<string, string | number>; capacity: number; open: number; reminders: number; invited: number; unsealed: number;
  kind?: string; archived?: boolean; dates?: [number, number][];
  state?: string; present?: number; ended?: boolean; host: string; owner: string; staff: { id: string; name: string; mail: string }[];
}

/** Settings of the live class behind each starting point. */
const TEMPLATES: Record<Template, Record<string, string>> = {
  free: { 'waiting-room': 'off', presenters: 'several' },
  watched: { 'waiting-room': 'manual', presenters: 'several' },
  listed: { 'waiting-room': 'list', presenters: 'several' },
  crowd: { 'waiting-room': 'host-absent', presenters: 'staff' },
};
export const TEMPLATE_NAMES = Object.keys(TEMPLATES) as Template[];
export const REMINDERS = [1, 2, 4, 8, 16] as const;
const DEFAULT_REMINDERS = 1 | 4;
const MINUTES = [30, 45, 60, 90, 120, 180, 240, 360, 480];

export function lengths(minutes: number): number[] {
  return MINUTES.includes(minutes) ? MINUTES : [...MINUTES, minutes].sort((a, b) => a - b);
}

export function myZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Tomorrow at 14:00, with the reminders most people want. */
export function newDraft(now: number, lang: string): Draft {
  const zone = myZone();
  const tomorrow = wallIn(zone, now + 86_400_000);
  return {
    title: '', type: 'standard', when: 'dated', date: dateField(tomorrow), time: '14:00', minutes: 60, zone, repeat: 'once', count: 4,
    together: true, dates: [], skip: [], template: 'free', places: '', open: false, reminders: DEFAULT_REMINDERS, note: '', lang,
  };
}

function templateOf(settings: Record<string, string | number>): Template {
  const found = TEMPLATE_NAMES.find((name) => Object.entries(TEMPLATES[name]).every(([k, v]) => settings[k] === v));
  return found ?? (settings['waiting-room'] === 'manual' ? 'watched' : settings['waiting-room'] === 'list' ? 'listed' : 'free');
}

export function draftOf(info: ClassInfo): Draft {
  const wall = wallIn(info.zone, info.start > 0 ? info.start : Date.now() + 86_400_000);
  return {
    title: info.title, type: info.type, when: info.permanent ? 'permanent' : info.start > 0 ? 'dated' : 'undated',
    date: dateField(wall), time: info.start > 0 ? timeField(wall) : '14:00', minutes: info.minutes, zone: info.zone, repeat: 'once', count: 4,
    together: info.kind === 'recurring', skip: [],
    dates: info.kind === 'recurring' ? (info.dates ?? []).map(([at]) => at).filter((at) => at > Date.now()) : [],
    template: templateOf(info.settings), places: info.capacity > 0 ? String(info.capacity) : '', open: info.open === 1,
    reminders: info.reminders, note: info.note, lang: info.lang,
  };
}

/** The dates of a draft; undefined when what is typed is no date. */
export function startsOf(draft: Draft): number[] | undefined {
  if (draft.when !== 'dated') return [];
  if (draft.dates.length > 0) return draft.dates.filter((at) => !draft.skip.includes(at));
  const first = momentFrom(draft.zone, draft.date, draft.time);
  return first === undefined ? undefined : series(draft.zone, first, draft.repeat, draft.count).filter((at) => !draft.skip.includes(at));
}

export function isTogether(draft: Draft, starts: readonly number[]): boolean {
  return draft.together && (starts.length > 1 || draft.dates.length > 0);
}

export function bodyOf(draft: Draft, starts: number[], former: Template | undefined): Record<string, unknown> {
  return {
    title: draft.title.trim(), type: draft.type, starts, together: isTogether(draft, starts), minutes: draft.minutes, zone: draft.zone, permanent: draft.when === 'permanent',
    lang: draft.lang, note: draft.note, capacity: Number(draft.places) || 0, open: draft.open, reminders: draft.reminders,
    // A template is applied when it is chosen: what was changed inside the class stays otherwise.
    settings: draft.template === former ? {} : TEMPLATES[draft.template],
  };
}
