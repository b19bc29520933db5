// What the components see of the room, and the verbs that are one command each.
import type { OverReason } from '../core/link.ts';
import { handRank, isStaff } from '../core/state.ts';
import type { ClassState } from '../core/state.ts';
import type { CommandBody, Door, ErrorReply, ServerMessage } from '../wire/messages.ts';
import { announcer } from './announce.svelte.ts';
import type { LocalMedia } from './local.svelte.ts';
import type { MediaRoom } from './media.svelte.ts';
import { t } from './prefs.svelte.ts';
import { Pulse } from './pulse.svelte.ts';
import type { Signal } from './signal.ts';
import { tellRefusal } from './tell.ts';
import { Voices } from './voices.svelte.ts';

const HURDLE_RETRY_MS = 8000;
const ROOM_RETRY_MS = 5000;

export type Hurdle = 'full' | 'crowded' | 'loaded' | 'devices' | 'notopen' | 'closed' | '';
/** What a refusal means for whoever stands at the door; '' = nothing to wait for. */
export function hurdleOf({ code, at }: ErrorReply): Hurdle {
  const full: Record<string, Hurdle> = { server: 'crowded', load: 'loaded', offer: 'loaded', devices: 'devices' };
  if (code === 'full') return full[at ?? ''] ?? 'full';
  return code === 'state' ? 'notopen' : code === 'gone' ? 'closed' : '';
}

export abstract class RoomView {
  abstract readonly signal: Signal;
  abstract readonly local: LocalMedia;
  abstract readonly media: MediaRoom;
  abstract join(name: string): Promise<void>;
  abstract finish(reason: OverReason): void;
  phase: 'door' | 'waiting' | 'class' | 'over' = $state('door');
  /** The waiting room, while one is in it. */
  waiting: Extract<ServerMessage, { t: 'waiting' }> | undefined = $state.raw();
  /** Staff asks to open something. */
  asked: Extract<ServerMessage, { t: 'asked' }> | undefined = $state.raw();
  over: OverReason | undefined = $state();
  door: Door | undefined = $state.raw();
  state: ClassState | undefined = $state.raw();
  hurdle: Hurdle = $state('');
  joining = $state(false);
  /** Signalling works and is fresh. */
  linked = $state(false);
  attempt = $state(0);
  online = $state(navigator.onLine);
  readonly voices = new Voices();
  readonly pulse = new Pulse();
  mutedHint = $state(false);
  talking = $state(false);
  /** What the server sheds because it is busy (message `load`); only staff is told. */
  load = $state(0);
  /** The server has no room for our sound and pictures now. */
  noRoom = $state(false);
  private shutByOffer = false;

  get staff(): boolean {
    return this.state !== undefined && isStaff(this.state.you.role);
  }

  /** Is this right (signaling/schema/rights.def) ours now? */
  may(right: string): boolean {
    return this.state?.rights.includes(right) ?? false;
  }

  /** Has this page a button for it? The audience is shown only what it may do where it sits. */
  offers(what: 'mic' | 'cam' | 'screen'): boolean {
    const audience = this.state?.stage !== undefined || this.state?.you.role === 'listener';
    return !audience || this.may(`media.${what}`);
  }

  get ownRank(): number {
    if (!this.state) return 0;
    const rank = handRank(this.state, this.state.you.person);
    return rank > 0 && this.state.stage ? Math.max(this.pulse.rank, 1) : rank;
  }

  /** A command whose refusal is told in words; true when it took effect. */
  async run(body: CommandBody): Promise<boolean> {
    const outcome = await this.signal.command(body);
    if (!outcome.ok) tellRefusal(outcome.error);
    return outcome.ok;
  }

  toggleHand(): void {
    void this.run(this.ownRank > 0 ? { t: 'hand.lower' } : { t: 'hand.raise', kind: 'speak' });
  }

  async toggleShare(): Promise<void> {
    if (this.local.screen) this.local.unshare();
    else await this.local.share();
    if (this.local.screenTrouble !== '') announcer.notice(t(`trouble.screen.${this.local.screenTrouble}`), 'attention');
  }

  protected joinRefused(error: ErrorReply, name: string): void {
    this.local.refill();
    const hurdle = hurdleOf(error);
    if (hurdle === '') return tellRefusal(error);
    this.hurdle = hurdle;
    this.shutByOffer = false;
    const again = (): void => {
      if (this.hurdle === hurdle && this.phase === 'door') void this.join(name);
    };
    if (hurdle !== 'closed' && hurdle !== 'devices') setTimeout(again, HURDLE_RETRY_MS);
  }

  protected doorRefused(m: ErrorReply): void {
    if (m.code === 'gone') this.finish('ended');
    else this.hurdle = hurdleOf(m) || this.hurdle;
  }

  /** The server gives us no media connection: what is tried, and what the person is told meanwhile. */
  protected mediaRefused(m: ErrorReply): void {
    if (m.code === 'gone' || m.code === 'state') return void this.media.connect('epoch');
    if (m.code !== 'full') return;
    this.noRoom = true;
    if (this.phase === 'door' && this.hurdle === '') {
      this.hurdle = 'loaded';
      this.shutByOffer = true;
    }
    // Not all at the same moment.
    setTimeout(() => this.noRoom && this.phase !== 'over' && void this.media.connect('epoch'), ROOM_RETRY_MS * (1 + Math.random()));
  }

  protected roomMade(): void {
    this.noRoom = false;
    if (this.shutByOffer && this.hurdle === 'loaded') this.hurdle = '';
    this.shutByOffer = false;
  }

  /** Staff reads the step in a notice that stands as long as it holds; that it is over is said once. */
  protected loaded(step: number): void {
    if (step === 0 && this.load > 0) announcer.notice(t('busy.over'));
    this.load = step;
  }
}
