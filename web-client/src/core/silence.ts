// Whether anything arrives at all, looked at every second: a path that died is noticed here seconds before
// the browser says "disconnected". First a reason to ask over the other connection, then a verdict.
// No clock, no statistics: whoever counts what arrives says when.
export type Hush = 'none' | 'doubt' | 'silent';

const DOUBT_MS = 900;
const SILENT_MS = 1900;
/** A look that comes so late is a page that was not running: it says nothing about the path. */
const LATE_MS = 3000;
/** So long after a change of networks a shorter silence will do. */
const HINT_MS = 5000;

export class Silence {
  private arrived = -1;
  private grewMs = 0;
  private lookedMs = 0;
  private hintMs = -Infinity;

  /** The network may be another one now. */
  hint(nowMs: number): void {
    this.hintMs = nowMs;
  }

  /** Another connection counts anew. */
  reset(): void {
    this.arrived = -1;
  }

  /** `arrived` grows with whatever comes; `due` = something ought to come. */
  look(arrived: number, due: boolean, nowMs: number): Hush {
    const fresh = arrived !== this.arrived || !due || arrived <= 0 || nowMs - this.lookedMs > LATE_MS;
    this.lookedMs = nowMs;
    this.arrived = arrived;
    if (fresh) this.grewMs = nowMs;
    const quietMs = nowMs - this.grewMs;
    if (quietMs >= (nowMs - this.hintMs < HINT_MS ? DOUBT_MS : SILENT_MS)) return 'silent';
    return quietMs >= DOUBT_MS ? 'doubt' : 'none';
  }
}
