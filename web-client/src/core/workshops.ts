// Workshops as a page sees them: what the server said, and what follows from it for a table, a
// person, a countdown. Pure; class time goes in.
import type { HelpCall, Person, Speaking, Workshop, WorkshopPlace, WorkshopSet, WorkshopVoice } from '../wire/messages.ts';
import type { ClassState } from './state.ts';
import { isStaff, personOf } from './state.ts';

/** The members of the class that belong to workshops. */
export type WorkshopsPart = Pick<ClassState, 'workshops' | 'places' | 'place' | 'calls' | 'voices'>;

/** One's own place in the open set. */
export function ownPlace(part: WorkshopsPart): WorkshopPlace | undefined {
  return part.place?.[0];
}

export function openSet(part: WorkshopsPart): WorkshopSet | undefined {
  return part.workshops?.find((s) => s.state === 'open' || s.state === 'closing');
}

export const isOpenRoom = (room: Workshop): boolean => room.state === 'active' || room.state === 'closing';

export function roomIn(set: WorkshopSet | undefined, id: string | undefined): Workshop | undefined {
  return id === undefined ? undefined : set?.rooms.find((r) => r.id === id);
}

/** The id that stands for the main room where rooms are listed. */
export const mainRoom = (classId: string): string => classId.replace(/^c_/, 'r_');

export function ownRoomId(state: ClassState): string | undefined {
  return personOf(state, state.you.person)?.room;
}

/** Who a person is in the same room with. */
export function roommates(state: ClassState): Person[] {
  const own = ownRoomId(state);
  return state.people.filter((p) => p.room === own);
}

export interface Table {
  room: Workshop;
  people: Person[];
  /** Planned here but in the main room or absent. */
  expected: Person[];
  call: HelpCall | undefined;
  listeners: Person[];
  speakers: Person[];
  facilitator: Person | undefined;
  /** A facilitator is named and not at the table, or nobody is named. */
  unled: boolean;
  full: boolean;
}

export type TableVoices = ReadonlyMap<string, readonly Speaking[]>;

export const callOpen = (call: HelpCall): boolean => call.state === 'asked' || call.state === 'taken';

export function tableOf(state: ClassState, set: WorkshopSet, room: Workshop, voices: TableVoices): Table {
  const people = state.people.filter((p) => p.room === room.id);
  const devices = new Set((voices.get(room.id) ?? []).map(([device]) => device));
  const planned = (state.places ?? []).filter((p) => p.set === set.id && p.room === room.id);
  const facilitator = room.facilitator === undefined ? undefined : personOf(state, room.facilitator);
  return {
    room, people, facilitator,
    expected: planned.flatMap((p) => state.people.filter((x) => x.id === p.person && x.room !== room.id)),
    call: (state.calls ?? []).find((c) => c.room === room.id && callOpen(c)),
    listeners: (state.listeners ?? []).flatMap((l) => (l.room === room.id ? state.people.filter((p) => p.id === l.person) : [])),
    speakers: people.filter((p) => p.devices.some((d) => devices.has(d.id))),
    unled: facilitator === undefined || facilitator.room !== room.id,
    full: room.capacity > 0 && people.length >= room.capacity,
  };
}

export function tablesOf(state: ClassState, set: WorkshopSet, voices: TableVoices): Table[] {
  return set.rooms.filter(isOpenRoom).map((room) => tableOf(state, set, room, voices));
}

export interface Plan { rooms: { room: Workshop; people: Planned[] }[]; unplaced: Person[] }
export interface Planned { id: string; name: string; pinned: boolean; present: boolean }

/** Who is planned where in a set that is being prepared; people without a place last. */
export function planOf(state: ClassState, set: WorkshopSet): Plan {
  const mine = (state.places ?? []).filter((p) => p.set === set.id && p.room !== undefined);
  const planned = (p: WorkshopPlace): Planned => {
    const person = personOf(state, p.person);
    return { id: p.person, name: person?.name ?? '', pinned: p.pinned, present: person !== undefined };
  };
  const placed = new Set(mine.map((p) => p.person));
  return {
    rooms: set.rooms.map((room) => ({ room, people: mine.filter((p) => p.room === room.id).map(planned) })),
    unplaced: state.people.filter((p) => !placed.has(p.id) && !isStaff(p.role)),
  };
}

/** People in the main room while a set is open: staff aside, everybody who could be at a table. */
export function unplacedOf(state: ClassState, set: WorkshopSet): { person: Person; stand: WorkshopPlace['stand'] | '' }[] {
  return state.people
    .filter((p) => p.room === undefined && !isStaff(p.role))
    .map((person) => ({
      person, stand: (state.places ?? []).find((x) => x.set === set.id && x.person === person.id)?.stand ?? '',
    }));
}

/** Calls in the order they came; those nobody has taken first. */
export function helpQueue(part: WorkshopsPart): HelpCall[] {
  return (part.calls ?? []).filter(callOpen).sort((a, b) =>
    a.state === b.state ? a.at - b.at : a.state === 'asked' ? -1 : 1);
}

export type Standing =
  | { kind: 'none' }
  | { kind: 'notice'; room: Workshop; at: number }
  | { kind: 'invited'; room: Workshop }
  | { kind: 'choose'; rooms: Workshop[] }
  | { kind: 'asking'; at: number }
  | { kind: 'stayed'; room: Workshop | undefined }
  | { kind: 'inside'; room: Workshop };

/** What the open workshops ask of this person now. */
export function standingOf(state: ClassState): Standing {
  const set = openSet(state);
  if (!set) return { kind: 'none' };
  const inside = roomIn(set, ownRoomId(state));
  if (inside) return { kind: 'inside', room: inside };
  const own = ownPlace(state);
  const place = own?.set === set.id ? own : undefined;
  const room = roomIn(set, place?.room);
  const goes = room !== undefined && room.state === 'active';
  if (place?.stand === 'planned' && goes) {
    return set.mode === 'move' && set.movesAt > 0 ? { kind: 'notice', room, at: set.movesAt } : { kind: 'invited', room };
  }
  if (place?.stand === 'asking') return { kind: 'asking', at: place.untilAt };
  const rooms = set.rooms.filter((r) => r.state === 'active');
  if (place?.stand === 'choosing' || (set.choice && !isStaff(state.you.role) && place?.stand !== 'refused')) {
    return { kind: 'choose', rooms };
  }
  if (place?.stand === 'refused' || place?.stand === 'back' || place?.stand === 'in') {
    return { kind: 'stayed', room: goes ? room : undefined };
  }
  return { kind: 'none' };
}

/** Rooms this person may go to by himself now, own room excluded. */
export function choicesOf(state: ClassState): Workshop[] {
  const set = openSet(state);
  if (!set) return [];
  const own = ownRoomId(state);
  const free = set.change === 'free' || set.choice || ownPlace(state)?.stand === 'choosing' || isStaff(state.you.role);
  return set.rooms.filter((r) => r.state === 'active' && r.id !== own
    && (free || r.id === ownPlace(state)?.room || r.facilitator === state.you.person));
}

/** Peers of a table whose voice of the staff is louder than the room's: who is not lowered. */
export function voiceDevices(voices: readonly WorkshopVoice[], room: string, own: string): Set<string> {
  return new Set(voices
    .filter((v) => v.device !== own && (v.all || v.rooms.includes(room)))
    .map((v) => v.device));
}

export const DUCKED = 0.18;

/** Loudness of each audio slot: voices from outside stay, the room steps back while one speaks. */
export function slotGains(
  slots: readonly string[], voices: ReadonlySet<string>, heard: ReadonlySet<string> | undefined,
): number[] {
  const speaking = slots.some((d) => voices.has(d));
  return slots.map((device) => {
    if (voices.has(device)) return 1;
    if (speaking) return DUCKED;
    return heard && device !== '' && !heard.has(device) ? DUCKED : 1; // listening to a room: the own one steps back
  });
}

/** Everything that ends at a moment of class time, nearest first. */
export function deadlineOf(set: WorkshopSet, room: Workshop | undefined): { at: number; kind: 'moves' | 'closing' | 'ends' } | undefined {
  const all = [
    { at: set.untilAt, kind: 'closing' as const },
    { at: room?.untilAt ?? 0, kind: 'closing' as const },
    { at: set.movesAt, kind: 'moves' as const },
    { at: set.endsAt, kind: 'ends' as const },
  ].filter((d) => d.at > 0);
  return all.sort((a, b) => a.at - b.at)[0];
}

export const WARNINGS_S = [300, 60, 10] as const;

/** The warning that was passed between two looks at a countdown, or undefined. */
export function warningBetween(beforeMs: number, nowMs: number): number | undefined {
  return WARNINGS_S.find((s) => beforeMs > s * 1000 && nowMs <= s * 1000 && nowMs > 0);
}

/** "4:05"; hours when there are any. */
export function clockText(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const parts = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((n, i) => (i === 0 ? String(n) : String(n).padStart(2, '0'))).join(':');
}
