// What somebody who comes late needs to know, from what the page was told: nothing is asked for.
import { handsInOrder, nextUp } from './floor.ts';
import { isStaff, personOf } from './state.ts';
import type { ClassState } from './state.ts';
import { openSet } from './workshops.ts';
import type { Chat, Minute, Person, Turn, WorkshopSet } from '../wire/messages.ts';

export interface Line { id: string; name: string; text: string; at: number }
export interface Digest {
  people: number; led: string[]; screens: string[];
  holder: Person | undefined; turn: Turn | undefined; next: string[]; spoke: number; hands: number;
  said: Line[]; noted: Minute[]; open: WorkshopSet | undefined; done: WorkshopSet | undefined;
}

const KEY_LINES = 4;

/** What trainers wrote or announced; when they said nothing yet, the last words of anybody. */
export function keyLines(state: ClassState): Line[] {
  const staff = new Set(state.people.filter((p) => isStaff(p.role)).map((p) => p.id));
  const line = (c: Chat): Line => ({ id: c.id, name: c.name, text: c.text, at: c.at });
  const announced = (state.announcements ?? []).filter((a) => a.kind === 'text')
    .map((a) => ({ id: a.id, name: a.name, text: a.text, at: a.at }));
  const written = state.chat.filter((c) => staff.has(c.from)).map(line);
  const key = [...announced, ...written].sort((a, b) => a.at - b.at);
  return (key.length > 0 ? key : state.chat.map(line)).slice(-KEY_LINES);
}

export function digestOf(state: ClassState): Digest {
  const sets = state.workshops ?? [];
  const turn = state.floor.turn;
  return {
    people: state.people.length,
    led: state.people.filter((p) => isStaff(p.role) && !p.away).map((p) => p.name),
    screens: state.people.filter((p) => p.devices.some((d) => d.screen)).map((p) => p.name),
    holder: turn ? personOf(state, turn.person) : undefined,
    turn,
    next: nextUp(state).map((p) => p.name),
    spoke: new Set(state.floor.past.filter((p) => p.how === 'done').map((p) => p.person)).size,
    hands: handsInOrder(state).length,
    said: keyLines(state),
    noted: (state.minutes ?? []).slice(-KEY_LINES),
    open: openSet(state),
    done: [...sets].reverse().find((s) => s.state === 'closed'),
  };
}

/** Is there anything to tell somebody who enters now? Not to staff, who conduct it. */
export function hasHistory(state: ClassState): boolean {
  if (state.class.state !== 'live' && state.class.state !== 'closing') return false;
  if (isStaff(state.you.role)) return false;
  const d = digestOf(state);
  return d.said.length > 0 || d.noted.length > 0 || d.screens.length > 0 || d.turn !== undefined || d.spoke > 0
    || state.floor.mode !== 'open' || d.open !== undefined || d.done !== undefined;
}
