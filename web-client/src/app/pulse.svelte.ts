// The audience's pulse: how many sit there, hands, one's own rank, and what is reacted just now.
import type { Audience, ReactionCount, StageSeats } from '../wire/messages.ts';

const SHOWN_MS = 1800;

export class Pulse {
  count: number | undefined = $state();
  hands: number | undefined = $state();
  seats: StageSeats | undefined = $state.raw();
  /** Place of one's own hand, 0 when it is down. */
  rank = $state(0);
  reactions: readonly ReactionCount[] = $state.raw([]);
  /** Grows with each wave, so that the same reaction ripples again. */
  wave = $state(0);
  private timer: ReturnType<typeof setTimeout> | undefined;

  take(m: Audience): void {
    this.count = m.count;
    this.hands = m.hands;
    this.seats = m.seats;
    this.rank = m.rank ?? 0;
    if (m.reactions.length === 0) return;
    this.reactions = m.reactions;
    this.wave += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.reactions = []), SHOWN_MS);
  }
}
