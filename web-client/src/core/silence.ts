// Whether anything arrives at all, looked at several times a second: a path that died is noticed here seconds
// before the browser says "disconnected". First a reason to ask over the other connection, then a verdict.
// `arrived` never falls, whatever becomes of the paths it was counted on (media/figures, PathMeter): what came
// before a restart was something that came. Only a connection on which nothing ever arrived says nothing yet.
// No clock, no statistics: whoever counts what arrives says when.
export type Hush = 'none' | 'doubt' | 'silent';

interface Patience { doubtMs: number; silentMs: number }
/** Media flows: pictures, sound, or reports on what we send, several times a second. */
const FLOWING: Patience = { doubtMs: 700, silentMs: 1900 };
/** Nothing but the report the server sends every second or so, and one may be lost. */
const RESTING: Patience = { doubtMs: 3000, silentMs: 4500 };
/** A look that comes so late is a page that was not running: it says nothing about the path. */
const LATE_MS = 3000;
/** So long after a change of networks a shorter silence will do. */
const HINT_MS = 5000;

export class Silence {
  private arrived = -1;
  private grewMs = 0;
  private lookedMs = 0;
  private hintMs = -Infinity;

  /** The network may be another one now, or the other connection had to be made anew. */
  hint(nowMs: number): void {
    this.hintMs = nowMs;
  }

  /** Another connection counts anew. */
  reset(): void {
    this.arrived = -1;
  }

  /** `arrived` grows with whatever comes; `flows` = media ought to come, or reports on ours. */
  look(arrived: number, flows: boolean, nowMs: number): Hush {
    const fresh = arrived !== this.arrived || arrived <= 0 || nowMs - this.lookedMs > LATE_MS;
    this.lookedMs = nowMs;
    this.arrived = arrived;
    if (fresh) this.grewMs = nowMs;
    const quietMs = nowMs - this.grewMs;
    const { doubtMs, silentMs } = flows ? FLOWING : RESTING;
    if (quietMs >= (nowMs - this.hintMs < HINT_MS ? doubtMs : silentMs)) return 'silent';
    return quietMs >= doubtMs ? 'doubt' : 'none';
  }
}
