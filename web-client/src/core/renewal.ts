// Credentials of relays end, a class goes on: when to ask for new ones. Times are of the wall clock,
// because a machine that sleeps does not stop the relay's.
const RETRY_MS = 10_000;
const PATIENCE_MS = 3000;

export class RelayRenewal {
  private dueMs = Infinity;
  private endMs = Infinity;
  private askedMs = -Infinity;

  /** Fresh credentials came; without an end they need no renewal. */
  got(ttlS: number | undefined, nowMs: number): void {
    this.endMs = ttlS === undefined ? Infinity : nowMs + ttlS * 1000;
    this.dueMs = ttlS === undefined ? Infinity : nowMs + ttlS * 500;
  }

  /** True when it is time to ask; the caller asks. */
  due(nowMs: number): boolean {
    if (nowMs < this.dueMs) return false;
    this.dueMs = nowMs + RETRY_MS;
    this.askedMs = nowMs;
    return true;
  }

  /** The credentials are dead and new ones on their way: a path looked for now would find no relay. */
  waits(nowMs: number): boolean {
    return nowMs >= this.endMs && nowMs - this.askedMs < PATIENCE_MS;
  }
}
