// Whether anything arrives at all, looked at several times a second: a path that died is noticed here seconds
// before the browser says "disconnected". First a reason to ask over the other connection, then a verdict.
// `arrived` never falls, whatever becomes of the paths it was counted on (media/figures, PathMeter): what came
// before a restart was something that came. Only a connection on which nothing ever arrived says nothing yet.
// A page nobody looks at runs once a second, in some browsers once a minute: `everyMs` says how often it may look.
// No clock, no statistics: whoever counts what arrives says when.
export type Hush = 'none' | 'doubt' | 'silent';

/** How often to look, and how often a page may that nobody sees. */
export const PULSE_MS = 250;
export const UNSEEN_PULSE_MS = 1000;

interface Patience { doubtMs: number; silentMs: number }
/** Media flows: pictures, sound, or reports on what we send, several times a second. */
const FLOWING: Patience = { doubtMs: 600, silentMs: 1900 };
/** Nothing but the report the server sends every second or so, and one may be lost. */
const RESTING: Patience = { doubtMs: 3000, silentMs: 4500 };
/** So long nothing came while the other connection answers: not the network, but this path through it is dead. */
const ALONE_MS = 1900;
/** A look that comes so late is a page that was not running: it says nothing about the path. The second one does. */
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
  private slept = false;
  private said: Hush = 'none';
  /** How late looks come lately: a busy machine reads late what arrived in time. */
  slackMs = 0;

  /** The network may be another one now, or the other connection had to be made anew. */
  hint(nowMs: number): void {
    this.hintMs = nowMs;
  }

  /** The other connection answered just now: so long media has been silent, and it alone? */
  alone(nowMs: number): boolean {
    return this.said === 'silent' && nowMs - this.grewMs - this.slackMs >= ALONE_MS;
  }

  /** Another connection counts anew. */
  reset(): void {
    this.arrived = -1;
    this.said = 'none';
  }

  /** `arrived` grows with whatever comes; `flows` = media ought to come, or reports on ours. */
  look(arrived: number, flows: boolean, nowMs: number, everyMs: number = PULSE_MS): Hush {
    const sinceMs = nowMs - this.lookedMs;
    const [slept, before] = [sinceMs > LATE_MS, this.slept];
    this.slept = slept;
    this.slackMs = Math.max(this.slackMs * SLACK_KEPT, slept ? 0 : sinceMs - everyMs);
    const fresh = arrived !== this.arrived || arrived <= 0 || (slept && !before);
    this.lookedMs = nowMs;
    this.arrived = arrived;
    if (fresh) this.grewMs = nowMs;
    const quietMs = nowMs - this.grewMs - this.slackMs;
    const { doubtMs, silentMs } = flows ? FLOWING : RESTING;
    const silent = quietMs >= (nowMs - this.hintMs < HINT_MS ? doubtMs : silentMs);
    this.said = silent ? 'silent' : quietMs >= doubtMs ? 'doubt' : 'none';
    return this.said;
  }
}

/** The first question of a silence, the second so long after it, and then ever more seldom. */
const ASK_MS = 500;
const ASK_MOST_MS = 4000;

/** When to ask the other connection: an answer says for a while that it lives, however long media stays away. */
export class Questions {
  private dueMs = -Infinity;
  private gapMs = ASK_MS;

  /** Something arrives: the next silence is another one. */
  over(): void {
    this.dueMs = -Infinity;
    this.gapMs = ASK_MS;
  }

  due(nowMs: number): boolean {
    if (nowMs < this.dueMs) return false;
    this.dueMs = nowMs + this.gapMs;
    this.gapMs = Math.min(2 * this.gapMs, ASK_MOST_MS);
    return true;
  }
}
