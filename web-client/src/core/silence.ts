// Whether anything arrives at all, looked at several times a second: a path that died is noticed here seconds
// before the browser says "disconnected". First a reason to ask over the other connection, then a verdict.
// `arrived` never falls, whatever becomes of the paths it was counted on (media/figures, PathMeter): what came
// before a restart was something that came. Only a connection on which nothing ever arrived says nothing yet.
// No clock, no statistics: whoever counts what arrives says when.
export type Hush = 'none' | 'doubt' | 'silent';

/** How often to look. */
export const PULSE_MS = 250;

interface Patience { doubtMs: number; silentMs: number }
/** Media flows: pictures, sound, or reports on what we send, several times a second. */
const FLOWING: Patience = { doubtMs: 600, silentMs: 1900 };
/** Nothing but the report the server sends every second or so, and one may be lost. */
const RESTING: Patience = { doubtMs: 3000, silentMs: 4500 };
/** A look that comes so late is a page that was not running: it says nothing about the path. */
const LATE_MS = 3000;
/** So long after a change of networks a shorter silence will do. */
const HINT_MS = 5000;
/** What a look came too late is forgotten by so much with each of the next ones. */
const SLACK_KEPT = 0.9;

export class Silence {
  private arrived = -1;
  private grewMs = 0;
  private lookedMs = Infinity;
  private hintMs = -Infinity;
  /** How late looks come lately: a busy machine reads late what arrived in time. */
  slackMs = 0;

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
    const sinceMs = nowMs - this.lookedMs;
    const slept = sinceMs > LATE_MS;
    this.slackMs = Math.max(this.slackMs * SLACK_KEPT, slept ? 0 : sinceMs - PULSE_MS);
    const fresh = arrived !== this.arrived || arrived <= 0 || slept;
    this.lookedMs = nowMs;
    this.arrived = arrived;
    if (fresh) this.grewMs = nowMs;
    const quietMs = nowMs - this.grewMs - this.slackMs;
    const { doubtMs, silentMs } = flows ? FLOWING : RESTING;
    if (quietMs >= (nowMs - this.hintMs < HINT_MS ? doubtMs : silentMs)) return 'silent';
    return quietMs >= doubtMs ? 'doubt' : 'none';
  }
}
