// The places around the table as a list, and what moves somebody to another one.
import type { CommandBody, Person } from '../wire/messages.ts';
import { personOf } from './state.ts';
import type { ClassState } from './state.ts';

/** What a dragged seat carries. */
export const SEAT_TYPE = 'text/amphi-seat';

export interface SeatRow { place: number; person: Person }

export function seatRows(state: ClassState): SeatRow[] {
  return state.floor.ring.flatMap((id, place) => {
    const person = personOf(state, id);
    return person ? [{ place, person }] : [];
  });
}

/** The command for `person` to sit at `place` (whoever is there takes the other place); nothing when it is so already. */
export function moveSeat(state: ClassState, person: string, place: number): CommandBody | undefined {
  if (place < 0 || state.floor.ring[place] === person || !personOf(state, person)) return undefined;
  return { t: 'floor.seat', person, place };
}

/** A tile dropped on another one: the two people change places. */
export function swapSeats(state: ClassState, person: string, target: string): CommandBody | undefined {
  return moveSeat(state, person, state.floor.ring.indexOf(target));
}
