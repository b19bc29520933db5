// The class as this page knows it: one value, replaced by each event, never changed in place.
// state = fold(snapshot, deltas); whoever holds an older value still holds a consistent one.
import type {
  Chat, ClassEvent, ClassInfo, Delta, Device, Hand, Person, Role, Snapshot,
} from '../wire/messages.ts';

export interface ClassState {
  seq: number;
  epoch: number;
  class: ClassInfo;
  you: { person: string; device: string; role: Role };
  slots: { audio: number; video: number };
  people: readonly Person[];
  hands: readonly Hand[];
  chat: readonly Chat[];
  rights: readonly string[];
  /** Server clock minus page clock, milliseconds. */
  clockOffset: number;
}

export const CHAT_KEPT = 200;

export function fromSnapshot(m: Snapshot, wallMs: number): ClassState {
  return {
    seq: m.seq, epoch: m.epoch, class: m.class, you: m.you, slots: m.slots, people: m.people,
    hands: m.hands, chat: m.chat, rights: m.rights, clockOffset: m.now - wallMs,
  };
}

function withPerson(state: ClassState, id: string, change: (person: Person) => Person): ClassState {
  return { ...state, people: state.people.map((p) => (p.id === id ? change(p) : p)) };
}

function withDevices(state: ClassState, id: string, change: (devices: Device[]) => Device[]): ClassState {
  return withPerson(state, id, (p) => ({ ...p, devices: change(p.devices) }));
}

const without = <T extends { id: string }>(list: readonly T[], id: string): T[] => list.filter((x) => x.id !== id);

export function fold(state: ClassState, event: ClassEvent): ClassState {
  switch (event.e) {
    case 'person.joined':
      return { ...state, people: [...without(state.people, event.person.id), event.person] };
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
        list.map((d) => (d.id === id ? { id, mic, cam, screen, sound } : d)));
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
    case 'session.changed':
      return { ...state, class: { ...state.class, state: event.state } };
    default:
      return state; // an event of a later release: known to be harmless to skip
  }
}

/** The state after a delta, or 'gap' when something before it is missing. A delta already applied changes nothing. */
export function applyDelta(state: ClassState, delta: Delta): ClassState | 'gap' {
  if (delta.seq <= state.seq) return state;
  if (delta.prev !== state.seq) return 'gap';
  return { ...delta.events.reduce(fold, state), seq: delta.seq };
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
