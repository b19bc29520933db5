// A WebSocket may die without a word: a laptop changes networks, a router forgets, a machine sleeps. The
// page asks after a silence, or at once when something speaks for it, and gives the connection up when no
// answer comes. No clock, no socket. A check that comes late is a machine that slept: its answers may lie
// unread, so it asks again instead of judging; but not for ever, for a page nobody sees may always be late.
export type Verdict = 'none' | 'ping' | 'dead';

export const QUIET_MS = 10_000;
export const ANSWER_MS = 4000;
/** With a reason to doubt: the network may be another one, the page is looked at again. */
export const DOUBT_ANSWER_MS = 1500;
export const LATE_MS = 1500;
const SILENT_ANSWER_MS = 400;
/** Asked so often without a word, however late each time: nobody is there. */
const LATE_ASKS = 2;

/**
 * Media is silent too: two connections rarely hold their breath together, so a few round trips will do.
 * `lateMs`: so late this machine reads what arrives.
 */
export const silentAnswerMs = (rttMs: number, lateMs = 0): number =>
  Math.min(DOUBT_ANSWER_MS, SILENT_ANSWER_MS + 3 * rttMs + lateMs);

export class Watchdog {
  private heardMs = Infinity;
  private askedMs = Infinity;
  private patienceMs = ANSWER_MS;
  private watching = false;
  private asked = 0;

  /** Time in milliseconds on any steady clock. */
  opened(nowMs: number): void {
    this.watching = true;
    this.heard(nowMs);
  }

  closed(): void {
    this.watching = false;
    this.askedMs = Infinity;
  }

  /** Anything at all arrived. */
  heard(nowMs: number): void {
    this.heardMs = nowMs;
    this.askedMs = Infinity;
    this.asked = 0;
  }

  /** A question is out: nobody knows yet whether what is sent arrives. */
  get asking(): boolean {
    return this.askedMs !== Infinity;
  }

  /** Something speaks for a dead path. A question under way gets less patience, never more. */
  doubt(nowMs: number, answerMs: number = DOUBT_ANSWER_MS): Verdict {
    if (!this.watching) return 'none';
    if (this.askedMs === Infinity) return this.ask(nowMs, answerMs);
    this.patienceMs = Math.min(this.patienceMs, nowMs - this.askedMs + answerMs);
    return 'none';
  }

  /** When to check next; Infinity = never. */
  get dueMs(): number {
    if (!this.watching) return Infinity;
    return this.askedMs === Infinity ? this.heardMs + QUIET_MS : this.askedMs + this.patienceMs;
  }

  /** `grainMs`: so late a page may come that runs, but is not looked at. */
  check(nowMs: number, grainMs = 0): Verdict {
    if (nowMs < this.dueMs) return 'none';
    const late = nowMs - this.dueMs > grainMs + Math.min(LATE_MS, this.patienceMs / 2);
    if (!this.asking || (late && this.asked < LATE_ASKS)) return this.ask(nowMs, late ? DOUBT_ANSWER_MS : ANSWER_MS);
    this.closed();
    return 'dead';
  }

  private ask(nowMs: number, patienceMs: number): Verdict {
    this.askedMs = nowMs;
    this.patienceMs = patienceMs;
    this.asked += 1;
    return 'ping';
  }
}
