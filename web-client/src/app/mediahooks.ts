// What the media connection needs of the rest of the page.
import type { Doubt } from './signal.ts';
import type { ClientMessage } from '../wire/messages.ts';

export interface MediaHooks {
  send(message: ClientMessage): boolean;
  nextId(): string;
  /** The signalling connection an offer takes. */
  line(): number;
  /** An offer can get its answer now. */
  reachable(): boolean;
  /** No question to the server is without its answer. */
  sure(): boolean;
  /** Views are asked only from inside the class. */
  inClass(): boolean;
  /** A new connection exists: fill its send sections. */
  refill(): void;
  /** Media or network speak for a dead path; `rttMs` = what an answer took lately. */
  doubt(why?: Doubt, rttMs?: number, lateMs?: number): void;
}
