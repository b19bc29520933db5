// The WebSocket under the link machine: opens, sends, retries. Knows no message beyond the link's own.
import { CommandQueue } from '../core/commands.ts';
import type { Outcome } from '../core/commands.ts';
import { Link } from '../core/link.ts';
import type { LinkAction, LinkSetup, OverReason } from '../core/link.ts';
import { DOUBT_ANSWER_MS, silentAnswerMs, Watchdog } from '../core/watchdog.ts';
import type { Verdict } from '../core/watchdog.ts';
import { decodeMessage } from '../wire/decode.ts';
import type { ClientMessage, CommandBody, ServerMessage } from '../wire/messages.ts';

/** Why the path may be dead: a sign of another network, another network, no media for a while. */
export type Doubt = 'sign' | 'moved' | 'silent';

export interface SignalHooks {
  message(m: ServerMessage): void;
  /** Phase, staleness or attempt changed. */
  changed(): void;
  /** Something came while it was asked whether anything does. */
  answered?(): void;
}

const SUBPROTOCOL = 'amphi.1';
/** By attempt: quick while a path that was cut may be back any moment, then with more patience. */
const OPEN_TIMEOUTS_MS = [3000, 5000, 8000];
const SILENT_CODE = 1006;
/** Timers of a page nobody sees come once a second. */
const UNSEEN_GRAIN_MS = 1000;
const grainMs = (): number => (typeof document !== 'undefined' && document.hidden ? UNSEEN_GRAIN_MS : 0);
/** A dial older than this may have begun in the network that is gone. */
const DIAL_FRESH_MS = 500;

export class Signal {
  readonly link: Link;
  readonly commands: CommandQueue;
  private readonly hooks: SignalHooks;
  private socket: WebSocket | undefined;
  private dialledMs = 0;
  private lines = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly watchdog = new Watchdog();
  private watch: ReturnType<typeof setTimeout> | undefined;

  constructor(setup: LinkSetup, idPrefix: string, hooks: SignalHooks) {
    this.link = new Link(setup);
    this.commands = new CommandQueue(idPrefix);
    this.hooks = hooks;
  }

  start(): void {
    this.connect();
  }

  get open(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** Which connection this is, counted from 1. */
  get line(): number {
    return this.lines;
  }

  /** What is sent arrives, as far as anybody knows: no question is without its answer. */
  get sure(): boolean {
    return this.open && !this.watchdog.asking;
  }

  /** In the class with a fresh state: commands go straight out. */
  get live(): boolean {
    return this.open && this.link.phase === 'class' && !this.link.stale;
  }

  send(message: ClientMessage): boolean {
    if (!this.open) return false;
    this.socket?.send(JSON.stringify(message));
    return true;
  }

  /** Sends a command now or as soon as the class is reached again. */
  command(body: CommandBody): Promise<Outcome> {
    return new Promise((done) => {
      const command = this.commands.add(body, done);
      if (this.live || (this.link.phase === 'door' && (body.t === 'join' || body.t === 'knock'))) this.send(command);
    });
  }

  /** Repeats what was not acknowledged: at the door the wish to enter, in the class everything else. */
  resend(): void {
    const atDoor = this.link.phase === 'door';
    for (const command of this.commands.pending()) if (command.t !== 'knock' && (command.t === 'join') === atDoor) this.send(command);
  }

  retryNow(): void {
    this.act(this.link.retryNow());
  }

  /** Something speaks for a dead path: ask now instead of after a silence. In another network: dial anew. */
  doubt(why: Doubt = 'sign', rttMs = 0, lateMs = 0): void {
    const moved = why === 'moved';
    if (this.link.away && !moved) return;
    const dialling = this.socket?.readyState === WebSocket.CONNECTING;
    if (moved && dialling && performance.now() - this.dialledMs > DIAL_FRESH_MS) {
      this.socket?.close();
      this.lost(SILENT_CODE);
    }
    if (moved) this.retryNow();
    this.guard(this.watchdog.doubt(performance.now(), why === 'sign' ? DOUBT_ANSWER_MS : silentAnswerMs(rttMs, lateMs)));
  }

  end(reason: OverReason): void {
    this.act(this.link.end(reason));
    this.hooks.changed();
  }

  private connect(): void {
    clearTimeout(this.timer);
    this.link.connecting();
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.host}/ws`, SUBPROTOCOL);
    this.socket = socket;
    this.dialledMs = performance.now();
    // A network that swallows the first packet would otherwise hold the page for minutes.
    const wait = OPEN_TIMEOUTS_MS[Math.min(this.link.attempt, OPEN_TIMEOUTS_MS.length - 1)];
    const patience = setTimeout(() => socket.close(), wait);
    socket.onopen = () => {
      clearTimeout(patience);
      this.lines += 1;
      this.watchdog.opened(performance.now());
      this.guard('none');
      this.act(this.link.opened());
      this.hooks.changed();
    };
    socket.onmessage = (event) => {
      if (socket !== this.socket || typeof event.data !== 'string') return;
      const asked = this.watchdog.asking;
      this.watchdog.heard(performance.now());
      this.take(event.data);
      if (asked) this.hooks.answered?.();
    };
    socket.onclose = (event) => {
      clearTimeout(patience);
      if (socket === this.socket) this.lost(event.code);
    };
    this.hooks.changed();
  }

  private lost(code: number): void {
    this.socket = undefined;
    this.watchdog.closed();
    clearTimeout(this.watch);
    this.act(this.link.closed(code, Math.random()));
    this.hooks.changed();
  }

  /** A socket whose path is dead says nothing of it for minutes: it is left to itself. */
  private guard(verdict: Verdict): void {
    if (verdict === 'ping') this.send({ t: 'ping' });
    if (verdict === 'dead') {
      this.socket?.close();
      this.lost(SILENT_CODE);
      return;
    }
    clearTimeout(this.watch);
    const wait = this.watchdog.dueMs - performance.now();
    if (wait === Infinity) return;
    this.watch = setTimeout(() => this.guard(this.watchdog.check(performance.now(), grainMs())), Math.max(wait, 0));
  }

  private take(frame: string): void {
    const message = decodeMessage(frame);
    if (!message) return;
    this.act(this.link.message(message));
    if (message.t === 'ack') {
      this.commands.settle(message.id, message.seq === undefined ? { ok: true } : { ok: true, seq: message.seq });
    } else if (message.t === 'error' && message.id !== undefined) {
      this.commands.settle(message.id, { ok: false, error: message });
    }
    this.hooks.message(message);
    this.hooks.changed();
  }

  private act(action: LinkAction): void {
    if (action.send) this.send(action.send);
    if (action.close) this.socket?.close(1000);
    if (action.connectInMs === undefined) return;
    clearTimeout(this.timer);
    if (action.connectInMs === 0) {
      this.connect(); // a timer of a page nobody sees would come a second late
    } else {
      this.timer = setTimeout(() => this.connect(), action.connectInMs);
    }
  }
}
