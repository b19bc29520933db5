// The floor as this page shows it: whose turn, how much time, who is next, where everybody sits.
import type { Floor, Hand, Person, Turn } from '../wire/messages.ts';
import type { ClassState } from './state.ts';
import { personOf } from './state.ts';

/** Milliseconds left of a turn at class time `clock`; undefined without limit, negative in overtime. */
export function turnLeft(turn: Turn, clock: number): number | undefined {
  if (turn.paused) return turn.left;
  return turn.limit === undefined ? undefined : turn.limit - clock;
}

/** Part of the turn that is used up, 0..1. */
export function turnPart(turn: Turn, clock: number): number {
  const left = turnLeft(turn, clock);
  if (left === undefined || !turn.total) return 0;
  return Math.min(1, Math.max(0, 1 - left / turn.total));
}

/** "1:05", "-0:10" in overtime. */
export function clockText(ms: number): string {
  const seconds = Math.ceil(Math.abs(ms) / 1000);
  return `${ms < 0 ? '-' : ''}${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

export function setting(state: ClassState, key: string): string | undefined {
  return state.settings.find(([name]) => name === key)?.[1];
}

function spoken(state: ClassState, person: string): number {
  const row = state.heard.find(([id]) => id === person);
  return row ? row[1] + row[2] : 0;
}

/** Hands in the order they get the floor: by rank, or the least heard first. */
export function handsInOrder(state: ClassState): Hand[] {
  if (setting(state, 'floor-least-heard') !== 'on') return [...state.hands];
  return [...state.hands].sort((a, b) => spoken(state, a.person) - spoken(state, b.person));
}

/** Place in the list of turns from 1; 0 = not in it. */
export function turnRank(floor: Floor, person: string): number {
  return floor.list.findIndex((turn) => turn.person === person) + 1;
}

/** Whoever sits at the table, by place; then the others in the order given. */
export function ringOrder(state: ClassState, others: Person[]): Person[] {
  const seated = state.floor.ring.map((id) => personOf(state, id)).filter((p) => p !== undefined);
  const known = new Set(seated.map((p) => p.id));
  return [...seated, ...others.filter((p) => !known.has(p.id))];
}

/** The three who come after the holder; whoever is at a workshop or away keeps a place, but is passed over. */
export function nextUp(state: ClassState): Person[] {
  const listed = state.floor.list.map((turn) => turn.person);
  const hands = handsInOrder(state).filter((h) => h.kind === 'speak' || h.kind === 'reply').map((h) => h.person);
  const ids = state.floor.mode === 'queue' || state.floor.mode === 'moderated' ? [...listed, ...hands] : listed;
  return [...new Set(ids)].map((id) => personOf(state, id)).filter((p) => p !== undefined)
    .filter((p) => p.room === undefined && !p.away).slice(0, 3);
}
