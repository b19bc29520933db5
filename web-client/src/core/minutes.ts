// The minutes as this page shows them: who spoke in which order, for how long, and what was noted.
import type { MinuteKind, TurnEnd } from '../wire/messages.ts';
import type { ClassState } from './state.ts';
import { isStaff, personOf } from './state.ts';

export const MINUTE_KINDS: readonly MinuteKind[] = ['decision', 'task', 'point'];

export interface Spoken { key: string; name: string; reply: boolean; how: TurnEnd; ms: number | undefined }
export interface SpokenTime { person: string; name: string; ms: number }

/** The turns of this round in their order; whoever has left since has no name here. */
export function orderSpoken(state: ClassState): Spoken[] {
  return state.floor.past.map((turn, i) => ({
    key: `${i}-${turn.person}`,
    name: personOf(state, turn.person)?.name ?? '',
    reply: turn.reply,
    how: turn.how,
    ms: turn.ms,
  }));
}

/** How long everybody here has had the floor, the longest first; where one may know it. */
export function timesSpoken(state: ClassState): SpokenTime[] {
  return state.heard.filter(([, , floor]) => floor > 0)
    .map(([person, , ms]) => ({ person, name: personOf(state, person)?.name ?? '', ms }))
    .filter((row) => row.name !== '')
    .sort((a, b) => b.ms - a.ms);
}

/** Worth a button of its own: round tables have minutes, others once something is noted. */
export function hasMinutes(state: ClassState): boolean {
  return isStaff(state.you.role) || state.class.type === 'round-table' || (state.minutes?.length ?? 0) > 0;
}
