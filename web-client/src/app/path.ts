// Whether the path of media lives, and what is done when it does not: looks at what arrives, questions to the
// other connection, restarts. Out of scope: the judgement (core/silence, core/rejoin) and the connection itself.
import { MediaDoctor } from '../core/rejoin.ts';
import type { Remedy } from '../core/rejoin.ts';
import { PULSE_MS, Questions, Silence, UNSEEN_PULSE_MS } from '../core/silence.ts';
import { watchNetwork } from '../media/network.ts';
import type { Arrivals } from '../media/figures.ts';
import type { PeerState } from '../media/peer.ts';
import type { Doubt } from './signal.ts';

/** Every browser is late by a little, and a machine that slept was not busy. */
const LATE_LEAST_MS = 50;
const LATE_MOST_MS = 1000;

export interface PathHooks {
  /** What came so far; undefined: there is no connection, or another one meanwhile. */
  arrived(): Promise<Arrivals | undefined>;
  /** We send media. */
  sends(): boolean;
  /** Media ought to come, or reports on ours. */
  flows(): boolean;
  rttMs(): number;
  /** The signalling connection a restart would take, 0 = none that answers. */
  line(): number;
  /** Relays are fresh: a restart may go. */
  ready(): boolean;
  /** Media or network speak for a dead path; an answer took `rttMs` lately, and `lateMs` to be read. */
  doubt(why: Doubt, rttMs: number, lateMs: number): void;
  /** What people are told. */
  shown(health: PeerState): void;
  restart(remedy: Exclude<Remedy, 'none'>): void;
}

export class PathWatch {
  private readonly hooks: PathHooks;
  private readonly doctor = new MediaDoctor();
  private readonly silence = new Silence();
  private readonly questions = new Questions();
  private arrived = 0;
  private reports = 0;
  private brokenMs = -Infinity;
  private pulsedMs = performance.now();
  private lateMs = 0;
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly unwatch: () => void;

  constructor(hooks: PathHooks) {
    this.hooks = hooks;
    this.timer = setInterval(() => this.pulse(), PULSE_MS);
    this.unwatch = watchNetwork((moved) => {
      const now = performance.now();
      if (moved) this.doctor.moved(now);
      this.silence.hint(now);
      this.hooks.doubt(moved ? 'moved' : 'sign', this.hooks.rttMs(), this.silence.slackMs);
    });
  }

  /** Another connection counts anew. */
  rebuilt(): void {
    this.doctor.state('new', performance.now());
    this.silence.reset();
    this.arrived = this.reports = 0;
  }

  state(state: PeerState): void {
    const now = performance.now();
    this.doctor.state(state, now);
    this.hooks.shown(this.doctor.shown(now));
    // The other connection may be gone with it, and says nothing by itself.
    if (state === 'disconnected') this.hooks.doubt('silent', this.hooks.rttMs(), this.silence.slackMs);
  }

  offered(cause: string, line: number): void {
    this.doctor.offered(cause, line);
  }

  /** True when nothing comes by the path there was: what is quickest is wanted. */
  answered(): boolean {
    this.doctor.answered();
    return this.doctor.dead(performance.now());
  }

  /** Signalling is back: if media is silent too the path was dead, and nothing is waited for. */
  lineUp(): void {
    this.silence.hint(performance.now());
    this.treat();
    this.look();
  }

  /** The server answered a question: what waited for that goes now. */
  lineSure(): void {
    const now = performance.now();
    if (this.silence.alone(now)) this.doctor.alone(now);
    this.treat();
  }

  /** What was missing since `sinceMs` went into a path that was dead: it says nothing about this one. */
  broken(sinceMs: number): boolean {
    return this.brokenMs >= sinceMs;
  }

  /** So much later than due this page came to run since it was asked last, in milliseconds. */
  takeLate(): number {
    const lateMs = this.lateMs;
    this.lateMs = 0;
    return lateMs;
  }

  /** What to do now: also when signalling answered. */
  treat(): void {
    if (!this.hooks.ready()) return;
    const remedy = this.doctor.remedy(performance.now(), this.hooks.line());
    if (remedy !== 'none') this.hooks.restart(remedy);
  }

  close(): void {
    clearInterval(this.timer);
    this.unwatch();
  }

  private pulse(): void {
    const now = performance.now();
    const lateMs = now - this.pulsedMs - PULSE_MS;
    if (lateMs > LATE_LEAST_MS) this.lateMs += Math.min(lateMs, LATE_MOST_MS);
    this.pulsedMs = now;
    this.look();
  }

  private look(): void {
    void this.feel().then(() => this.treat());
  }

  /** Something always comes, if only the report the server sends every second: nothing at all is a dead path. */
  private async feel(): Promise<void> {
    const arrivals = await this.hooks.arrived();
    if (arrivals === undefined) return;
    const { bytes, reports } = arrivals;
    const now = performance.now();
    if (reports > this.reports || !this.hooks.sends()) this.doctor.taken(now);
    if (bytes > this.arrived) this.doctor.heard(now);
    this.arrived = bytes;
    this.reports = reports;
    const hush = this.silence.look(bytes, this.hooks.flows(), now, document.hidden ? UNSEEN_PULSE_MS : PULSE_MS);
    if (hush === 'silent') this.doctor.silent(now);
    if (hush === 'none') this.questions.over();
    else if (this.questions.due(now)) this.hooks.doubt('silent', this.hooks.rttMs(), this.silence.slackMs);
    if (hush !== 'none' || this.doctor.doubtful) this.brokenMs = now;
    this.hooks.shown(this.doctor.shown(now));
  }
}
