// Commands on their way. Each has an id made once; it is repeated after a lost connection until
// it is acknowledged, and the server gives one effect to one id.
import type { Command, CommandBody, ErrorReply } from '../wire/messages.ts';

export type Outcome = { ok: true; seq?: number } | { ok: false; error: ErrorReply };
interface Waiting { command: Command; done: (outcome: Outcome) => void }

export class CommandQueue {
  private readonly prefix: string;
  private readonly waiting = new Map<string, Waiting>();
  private count = 0;

  /** `prefix`: random, so that ids of two page loads of one person differ (8..24 of A-Z a-z 0-9). */
  constructor(prefix: string) {
    this.prefix = prefix;
  }

  nextId(): string {
    this.count += 1;
    return `${this.prefix}-${this.count.toString(36)}`;
  }

  /** Registers a command; the caller sends what it returns. */
  add(body: CommandBody, done: (outcome: Outcome) => void): Command {
    const command: Command = { ...body, id: this.nextId() };
    // Of the states of our own media only the newest is worth repeating.
    if (body.t === 'media.state') this.forget('media.state');
    this.waiting.set(command.id, { command, done });
    return command;
  }

  /** True when the id was ours and is now settled. */
  settle(id: string, outcome: Outcome): boolean {
    const entry = this.waiting.get(id);
    if (!entry) return false;
    this.waiting.delete(id);
    entry.done(outcome);
    return true;
  }

  /** What to send again, in the order of making, once the class is reached again. */
  pending(): Command[] {
    return [...this.waiting.values()].map((entry) => entry.command);
  }

  private forget(type: Command['t']): void {
    for (const [id, entry] of this.waiting) if (entry.command.t === type) this.waiting.delete(id);
  }
}
