// The class as this page knows it: one value, replaced by each event, never changed in place.
// state = fold(snapshot, deltas); whoever holds an older value still holds a consistent one.
import type { ClassEvent, Delta, Device, Person, Role, Snapshot, Waiter } from '../wire/messages.ts';

/** Everything the newest snapshot said, with each event since; a feature's member comes by itself. */
export interface ClassState extends Omit<Snapshot, 't' | 'resume' | 'now' | 'clock' | 'waiting'> {
  /** Who waits at the door; staff only. */
  waiting?: Waiter[] | undefined;
  /** Server clock minus page clock, milliseconds. */
  clockOffset: number;
  /** Class time minus the page's steady clock, milliseconds: deadlines are class time. */
  classOffset: number;
}

export const CHAT_KEPT = 200;

/** `steadyMs`: a clock of the page that never jumps. */
export function fromSnapshot(m: Snapshot, wallMs: number, steadyMs = wallMs): ClassState {
  const { t: _t, resume: _resume, now, clock, ...members } = m;
  return { ...members, clockOffset: now - wallMs, classOffset: clock - steadyMs };
}

function withPerson(state: ClassState, id: string, change: (person: Person) => Person): ClassState {
  return { ...state, people: state.people.map((p) => (p.id === id ? change(p) : p)) };
}

function withDevices(state: ClassState, id: string, change: (devices: Device[]) => Device[]): ClassState {
  return withPerson(state, id, (p) => ({ ...p, devices: change(p.devices) }));
}

const without = <T extends { id: string }>(list: readonly T[], id: string): T[] => list.filter((x) => x.id !== id);

/** An event `x.set` replaces the members it carries; others are of a later release and harmless to skip. */
function replaced(state: ClassState, event: ClassEvent): ClassState {
  if (!event.e.endsWith('.set')) return state;
  const { e: _e, ...members } = event as Extract<ClassEvent, { e: `${string}.set` }>;
  return { ...state, ...members };
}

export function fold(state: ClassState, event: ClassEvent): ClassState {
  switch (event.e) {
    case 'person.joined':
      return {
        ...state,
        people: [...without(state.people, event.person.id), event.person],
        waiting: state.waiting?.filter((w) => w.person !== event.person.id),
      };
    case 'person.moved':
      return {
        ...withPerson(state, event.person, ({ room: _room, ...p }) =>
          (event.room === undefined ? p : { ...p, room: event.room })),
        hands: state.hands.filter((h) => h.person !== event.person),
      };
    case 'people.moved': {
      const { room } = event;
      const gone = new Set(event.people);
      return {
        ...state,
        people: state.people.map(({ room: was, ...p }) =>
          gone.has(p.id) ? (room === undefined ? p : { ...p, room }) : was === undefined ? p : { ...p, room: was }),
        hands: state.hands.filter((h) => !gone.has(h.person)),
      };
    }
    case 'person.granted':
      return withPerson(state, event.person, (p) => ({ ...p, granted: event.granted, denied: event.denied }));
    case 'waiting.put':
      return {
        ...state,
        waiting: state.waiting?.some((w) => w.person === event.waiter.person)
          ? state.waiting.map((w) => (w.person === event.waiter.person ? event.waiter : w))
          : [...(state.waiting ?? []), event.waiter],
      };
    case 'waiting.gone':
      return { ...state, waiting: state.waiting?.filter((w) => w.person !== event.person) };
    case 'person.left':
      return {
        ...state,
        people: without(state.people, event.person),
        hands: state.hands.filter((h) => h.person !== event.person),
      };
    case 'person.away':
      return withPerson(state, event.person, (p) => ({ ...p, away: event.away }));
    case 'person.renamed':
      return withPerson(state, event.person, (p) => ({ ...p, name: event.name }));
    case 'device.joined':
      return withDevices(state, event.person, (list) => [...without(list, event.device.id), event.device]);
    case 'device.left':
      return withDevices(state, event.person, (list) => without(list, event.device));
    case 'media.changed': {
      const { device: id, mic, cam, screen, sound } = event;
      return withDevices(state, event.person, (list) =>
        list.map((d) => (d.id === id ? { ...d, mic, cam, screen, sound } : d)));
    }
    case 'role.changed': {
      const next = withPerson(state, event.person, (p) => ({ ...p, role: event.role }));
      return event.person === state.you.person ? { ...next, you: { ...state.you, role: event.role } } : next;
    }
    case 'hand.raised':
      return { ...state, hands: [...state.hands.filter((h) => h.person !== event.hand.person), event.hand] };
    case 'hand.lowered':
      return { ...state, hands: state.hands.filter((h) => h.person !== event.person) };
    case 'chat.posted':
      return { ...state, chat: [...without(state.chat, event.chat.id), event.chat].slice(-CHAT_KEPT) };
    case 'minute.noted':
      return { ...state, minutes: [...without(state.minutes ?? [], event.minute.id), event.minute] };
    case 'minute.struck':
      return { ...state, minutes: without(state.minutes ?? [], event.minute) };
    case 'session.changed':
      return { ...state, class: { ...state.class, state: event.state }, times: event.times ?? state.times };
    default:
      return replaced(state, event);
  }
}

/**
 * The state after a delta, or 'gap' when something before it is missing. A delta already applied changes nothing; one
 * whose seq is its prev holds what is for this person alone, ahead of what all are told.
 */
export function applyDelta(state: ClassState, delta: Delta): ClassState | 'gap' {
  if (delta.prev !== state.seq) return delta.seq <= state.seq ? state : 'gap';
  return { ...delta.events.reduce(fold, state), seq: delta.seq };
}

type SessionState = ClassState['class']['state'];
const isRunning = (state: SessionState): boolean => state === 'live' || state === 'closing';

/** A session that ran does not any more: what comes next, an idle class or another date, is another one. */
export function sessionEnded(before: SessionState, now: SessionState): boolean {
  return now === 'closed' || now === 'archived' || (isRunning(before) && !isRunning(now));
}

export function personOf(state: ClassState, id: string): Person | undefined {
  return state.people.find((p) => p.id === id);
}

export function ownDevice(state: ClassState): Device | undefined {
  return personOf(state, state.you.person)?.devices.find((d) => d.id === state.you.device);
}

/** Place in the queue of hands, from 1; 0 when the hand is down. */
export function handRank(state: ClassState, person: string): number {
  return state.hands.findIndex((h) => h.person === person) + 1;
}

export function isStaff(role: Role): boolean {
  return role === 'host' || role === 'animator';
}
