// What the components see of the room, and the verbs that are one command each.
import type { OverReason } from '../core/link.ts';
import { handRank, isStaff } from '../core/state.ts';
import type { ClassState } from '../core/state.ts';
import type { CommandBody, Door, ErrorReply, ServerMessage } from '../wire/messages.ts';
import { announcer } from './announce.svelte.ts';
import type { LocalMedia } from './local.svelte.ts';
import { t } from './prefs.svelte.ts';
import { Pulse } from './pulse.svelte.ts';
import type { Signal } from './signal.ts';
import { tellRefusal } from './tell.ts';
import { Voices } from './voices.svelte.ts';

export type Hurdle = 'full' | 'crowded' | 'devices' | 'notopen' | 'closed' | '';
/** What a refusal means for whoever stands at the door; '' = nothing to wait for. */
export function hurdleOf({ code, at }: ErrorReply): Hurdle {
  if (code === 'full') return at === 'server' ? 'crowded' : at === 'devices' ? 'devices' : 'full';
  return code === 'state' ? 'notopen' : code === 'gone' ? 'closed' : '';
}

export abstract class RoomView {
  abstract readonly signal: Signal;
  abstract readonly local: LocalMedia;
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
}
