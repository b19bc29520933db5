// When the media connection is sick: what to try, and how long to wait for it.
// A short "disconnected" heals alone, and so does one during which media still arrives: Firefox says it when
// a single check of its own was lost, and goes on saying it for 5 s with each further one. It is not told to
// people as long as media comes and the server reports that ours comes too. Then an ICE restart; after two without
// success a new connection.
// When signalling had to be connected anew just then, the machine moved: nothing is waited for.
// An offer that went into a signalling connection which died is made again as soon as there is another one.
export type MediaHealth = 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed';
export type Remedy = 'none' | 'ice' | 'epoch';

const DISCONNECTED_GRACE_MS = 3000;
const HEARD_FOR_MS = 1500;
const QUIET_GRACE_MS = 1500; // a machine that is busy stalls for as long
const BOTH_QUIET_MS = 450; // the browser says so, signalling broke too, and nothing arrives: no accident
const AGAIN_MS = 4000; // what was just begun anew has so long to succeed
const BOTH_MS = 5000; // two connections that break within this broke for one reason
const ONE_MOVE_MS = 3000;
const TRUST_MAX_MS = 12_000; // what we send may be lost while we hear: both sides stop at 30 s without a check
const ATTEMPT_MS = 8000;
const RESTARTS_BEFORE_REBUILD = 2;

export class MediaDoctor {
  private health: MediaHealth = 'new';
  private restarts = 0;
  private nextMs = Infinity;
  private sinceMs = 0;
  private heardMs = 0;
  private cameMs = -Infinity;
  private takenMs = -Infinity;
  private lived = false;
  private quiet = false;
  private elsewhere = false;
  private line = 0;
  private lineMs = -Infinity;
  private treatedMs = -Infinity;
  private asked: { cause: string; line: number } | undefined;

  /** Time in milliseconds on any steady clock. */
  state(health: MediaHealth, nowMs: number): void {
    if (health === this.health) return;
    this.health = health;
    const due = this.quiet ? this.nextMs : Infinity;
    this.quiet = false;
    this.lived = health === 'connected' || (this.lived && (health === 'disconnected' || health === 'connecting'));
    if (health === 'connected') {
      this.restarts = 0;
      this.nextMs = Infinity;
    } else if (health === 'disconnected') {
      this.sinceMs = nowMs;
      this.heardMs = nowMs;
      this.nextMs = Math.min(due, nowMs + DISCONNECTED_GRACE_MS);
    } else if (health === 'failed') {
      this.nextMs = nowMs;
    } else if (this.nextMs === Infinity) {
      this.nextMs = nowMs + ATTEMPT_MS;
    }
  }

  /**
   * The machine is in another network: the old path is not worth waiting for. Browsers tell one move by
   * several signs; what a second one would say beyond that, silence says too.
   */
  moved(nowMs: number): void {
    if (nowMs - this.treatedMs < ONE_MOVE_MS) return;
    this.elsewhere = this.health === 'connected' || this.health === 'disconnected';
  }

  /** An offer leaves by this signalling connection. */
  offered(cause: string, line: number): void {
    this.asked = { cause, line };
  }

  answered(): void {
    this.asked = undefined;
  }

  /** The browser says "disconnected": worth to listen whether media arrives. */
  get doubtful(): boolean {
    return this.health === 'disconnected' || this.quiet;
  }

  /** It was a connection, and nothing arrives any more. */
  dead(nowMs: number): boolean {
    return this.health === 'failed' || (this.lived && nowMs - this.cameMs >= HEARD_FOR_MS);
  }

  /** Nothing arrived for a while although something must: browsers notice that only after 8 s, or wait. */
  silent(nowMs: number): void {
    const both = nowMs - this.lineMs < BOTH_MS && this.treatedMs < this.lineMs;
    if (this.health === 'disconnected' && both) this.nextMs = Math.min(this.nextMs, nowMs);
    if (this.health !== 'connected' || this.quiet) return;
    this.quiet = true;
    this.nextMs = both ? nowMs : Math.max(nowMs + QUIET_GRACE_MS, this.treatedMs + AGAIN_MS);
  }

  /** The other connection answers all the while: there is nothing to wait for. */
  alone(nowMs: number): void {
    if (this.doubtful) this.nextMs = Math.min(this.nextMs, Math.max(nowMs, this.treatedMs + ATTEMPT_MS));
  }

  /** What we send arrives as well: the server reported it just now, or there is nothing to send. */
  taken(nowMs: number): void {
    this.takenMs = nowMs;
  }

  /** Media arrived just now. */
  heard(nowMs: number): void {
    this.cameMs = nowMs;
    if (this.quiet) {
      this.quiet = false;
      this.restarts = 0;
      this.nextMs = Infinity;
    }
    if (!this.doubtful) return;
    this.heardMs = nowMs;
    // A restart in good time: its checks are repeated, those that keep a path are not.
    if (nowMs - this.sinceMs <= TRUST_MAX_MS) this.nextMs = nowMs + DISCONNECTED_GRACE_MS;
  }

  /** What people are told. */
  shown(nowMs: number): MediaHealth {
    if (this.quiet) return 'disconnected';
    if (this.health === 'connected' || !this.lived) return this.health;
    // A restart keeps the path it comes to replace.
    const heardMs = this.health === 'connecting' ? this.cameMs : this.heardMs;
    const taken = nowMs - Math.max(this.sinceMs, this.takenMs) <= TRUST_MAX_MS;
    return taken && nowMs - heardMs < HEARD_FOR_MS ? 'connected' : this.health;
  }

  /** What to do at `nowMs`; `line` = the signalling connection an offer would take, 0 = none works. */
  remedy(nowMs: number, line: number): Remedy {
    const remedy = this.choose(nowMs, line);
    if (remedy !== 'none') this.treatedMs = nowMs;
    return remedy;
  }

  private choose(nowMs: number, line: number): Remedy {
    if (line && line !== this.line) {
      const another = this.line !== 0;
      this.line = line;
      if (another) this.lineMs = nowMs;
      const quietMs = this.heardMs === this.sinceMs ? Infinity : nowMs - this.heardMs;
      const dead = nowMs - this.heardMs > HEARD_FOR_MS || (this.health === 'disconnected' && quietMs > BOTH_QUIET_MS);
      if (another && this.doubtful && dead) this.nextMs = Math.min(this.nextMs, nowMs);
    }
    const lost = this.asked && this.asked.line !== line ? this.asked.cause : '';
    if (line && (lost || this.elsewhere)) {
      this.asked = undefined;
      this.elsewhere = false;
      if (this.nextMs !== Infinity) this.nextMs = nowMs + ATTEMPT_MS;
      return lost && lost !== 'ice' ? 'epoch' : 'ice';
    }
    if (!line || nowMs < this.nextMs) return 'none';
    this.nextMs = nowMs + ATTEMPT_MS;
    if (this.restarts >= RESTARTS_BEFORE_REBUILD) {
      this.restarts = 0;
      return 'epoch';
    }
    this.restarts += 1;
    return 'ice';
  }
}
