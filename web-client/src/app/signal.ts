// The WebSocket under the link machine: opens, sends, retries. Knows no message beyond the link's own.
import { CommandQueue } from '../core/commands.ts';
import type { Outcome } from '../core/commands.ts';
import { Link } from '../core/link.ts';
import type { LinkAction, LinkSetup, OverReason } from '../core/link.ts';
import { decodeMessage } from '../wire/decode.ts';
import type { ClientMessage, CommandBody, ServerMessage } from '../wire/messages.ts';

export interface SignalHooks {
  message(m: ServerMessage): void;
  /** Phase, staleness or attempt changed. */
  changed(): void;
}

const SUBPROTOCOL = 'amphi.1';
const OPEN_TIMEOUT_MS = 8000;

export class Signal {
  readonly link: Link;
  readonly commands: CommandQueue;
  private readonly hooks: SignalHooks;
  private socket: WebSocket | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

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
      if (this.live || (body.t === 'join' && this.link.phase === 'door')) this.send(command);
    });
  }

  /** Repeats what was not acknowledged: at the door the wish to enter, in the class everything else. */
  resend(): void {
    const atDoor = this.link.phase === 'door';
    for (const command of this.commands.pending()) if ((command.t === 'join') === atDoor) this.send(command);
  }

  retryNow(): void {
    this.act(this.link.retryNow());
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
    // A network that swallows the first packet would otherwise hold the page for minutes.
    const patience = setTimeout(() => socket.close(), OPEN_TIMEOUT_MS);
    socket.onopen = () => {
      clearTimeout(patience);
      this.act(this.link.opened());
      this.hooks.changed();
    };
    socket.onmessage = (event) => {
      if (socket === this.socket && typeof event.data === 'string') this.take(event.data);
    };
    socket.onclose = (event) => {
      clearTimeout(patience);
      if (socket !== this.socket) return;
      this.socket = undefined;
      this.act(this.link.closed(event.code, Math.random()));
      this.hooks.changed();
    };
    this.hooks.changed();
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
    if (action.connectInMs !== undefined) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.connect(), action.connectInMs);
    }
  }
}
