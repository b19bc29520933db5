// The signalling link as a machine: what happened goes in, what to do comes out. No clock, no socket.
// It decides what to say first on a fresh connection, when to try again, and when not to.
import type { Hello, ServerMessage } from '../wire/messages.ts';
import { drainDelay, reconnectDelay } from './backoff.ts';

export type LinkPhase = 'connecting' | 'door' | 'resuming' | 'class' | 'waiting' | 'over';
export type OverReason = 'removed' | 'ended' | 'auth' | 'moved' | 'left' | 'full' | 'version';
export interface LinkAction { send?: Hello; connectInMs?: number; close?: boolean }

export interface LinkSetup { link: string; guest: string; resume: string; lang: 'fr' | 'en' }

const CLOSE_REASONS: Record<number, OverReason> = { 4001: 'removed', 4002: 'ended', 4004: 'moved' };

export class Link {
  phase: LinkPhase = 'connecting';
  over: OverReason | undefined;
  attempt = 0;
  /** Core announced as absent, or connection lost: what is shown is not fresh. */
  stale = false;
  /** The door said that its core is away: it is heard, and media is silent for that reason. */
  away = false;
  private link: string;
  private guest: string;
  private resume: string;
  private lang: 'fr' | 'en';
  private seq: number | undefined;
  private epoch: number | undefined;
  /** A refused resume was just given up; the close that follows is not a second refusal. */
  private fellBack = false;
  /** The session ended: whatever way this connection goes now, that is why. */
  private ended = false;

  constructor(setup: LinkSetup) {
    this.link = setup.link;
    this.guest = setup.guest;
    this.resume = setup.resume;
    this.lang = setup.lang;
  }

  /** Keeps what the next hello will carry. */
  remember(values: { seq?: number; epoch?: number }): void {
    if (values.seq !== undefined) this.seq = values.seq;
    if (values.epoch !== undefined) this.epoch = values.epoch;
  }

  /** The class said so; the code of the close that follows may be lost on the way. */
  sessionOver(): void {
    this.ended = true;
  }

  setLang(lang: 'fr' | 'en'): void {
    this.lang = lang;
  }

  opened(): LinkAction {
    return { send: this.hello() };
  }

  message(m: ServerMessage): LinkAction {
    switch (m.t) {
      case 'door':
        this.guest = m.guest;
        this.reached('door', m.epoch);
        return {};
      case 'snapshot':
        this.resume = m.resume;
        this.seq = m.seq;
        this.reached('class', m.epoch);
        return {};
      case 'resumed':
        this.resume = m.resume;
        this.reached('class', m.epoch);
        return {};
      case 'waiting':
        // The seat is given up, if there was one: the way back in leads through the door.
        this.resume = '';
        this.seq = undefined;
        this.phase = 'door';
        return {};
      case 'epoch':
        this.away = false;
        this.stale = true;
        return { send: this.hello() };
      case 'busy':
        this.away = true;
        this.stale = true;
        return {};
      case 'error':
        return m.code === 'auth' && m.id === undefined ? this.refused(m.at) : {};
      default:
        return {};
    }
  }

  /** The connection is gone. `random` in [0, 1). */
  closed(code: number, random: number): LinkAction {
    this.away = false;
    if (this.phase === 'over') return {};
    const reason = CLOSE_REASONS[code] ?? (this.ended ? 'ended' : undefined);
    if (reason) return this.end(reason);
    if (code === 4003 && !this.fellBack && !this.fallBackToLink()) return this.end('auth');
    this.fellBack = false;
    this.stale = true;
    this.phase = 'waiting';
    const delay = code === 1001 && this.attempt === 0 ? drainDelay(random) : reconnectDelay(this.attempt, random);
    this.attempt += 1;
    return { connectInMs: delay };
  }

  /** The browser says the network is back, or the person asked: try now. */
  retryNow(): LinkAction {
    if (this.phase !== 'waiting') return {};
    this.attempt = 0;
    return { connectInMs: 0 };
  }

  connecting(): void {
    if (this.phase === 'waiting') this.phase = this.resume === '' ? 'connecting' : 'resuming';
  }

  end(reason: OverReason): LinkAction {
    this.phase = 'over';
    this.over = reason;
    return { close: true };
  }

  private reached(phase: LinkPhase, epoch: number): void {
    this.phase = phase;
    this.away = false;
    this.epoch = epoch;
    this.stale = false;
    this.attempt = 0;
    this.ended = false;
  }

  /** A refused resume or guest token is tried once more with the link alone. */
  private refused(at: string | undefined): LinkAction {
    if (this.ended) return this.end('ended');
    if (at === 'guest' && this.guest !== '') {
      this.guest = '';
      this.fellBack = true;
      return { close: true };
    }
    return this.fallBackToLink() ? { close: true } : this.end('auth');
  }

  private fallBackToLink(): boolean {
    if (this.resume === '' || this.link === '') return false;
    this.resume = '';
    this.seq = undefined;
    this.fellBack = true;
    return true;
  }

  private hello(): Hello {
    const hello: Hello = { t: 'hello', v: 1, lang: this.lang };
    if (this.resume !== '') {
      hello.resume = this.resume;
      if (this.seq !== undefined) hello.have = this.seq;
    } else {
      hello.link = this.link;
      if (this.guest !== '') hello.guest = this.guest;
    }
    if (this.epoch !== undefined) hello.epoch = this.epoch;
    return hello;
  }
}
