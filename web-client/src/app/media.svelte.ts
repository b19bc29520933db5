// The media connection of the page: one peer, its offers counted by cause, its health, its slots.
import { SteadyQuality, judgeQuality } from '../core/quality.ts';
import type { Quality } from '../core/quality.ts';
import { Playout } from '../core/playout.ts';
import { RelayRenewal } from '../core/renewal.ts';
import { assignSlots, firstWishes, resting, sameWants } from '../core/slots.ts';
import type { Wish } from '../core/slots.ts';
import { Starved } from '../core/starved.ts';
import { SaverProposal, heldOf, ofConnection, sheds, trafficOf } from '../core/traffic.ts';
import type { SlotTraffic } from '../core/traffic.ts';
import { linkFigures, readFigures, sentKbps, sentOf } from '../media/figures.ts';
import type { Arrivals, MediaFigures } from '../media/figures.ts';
import { Peer } from '../media/peer.ts';
import type { PeerState } from '../media/peer.ts';
import { Playback } from '../media/playback.ts';
import { chooseSlotPool } from '../media/pool.ts';
import { cameraCodec } from '../media/senders.ts';
import type { SendKind } from '../media/senders.ts';
import { Ease } from './ease.svelte.ts';
import type { MediaHooks } from './mediahooks.ts';
import { PathWatch } from './path.ts';
import { prefs } from './prefs.svelte.ts';
import { SEND_SECTIONS } from '../wire/compact.ts';
import type { Answer, IceServers, OfferCause, Person, SlotLife, SlotReason, SourceKind, VideoSlot, Want } from '../wire/messages.ts';

const VIEW_PERIOD_MS = 60;
const FIGURES_PERIOD_MS = 2000;
const REST_AFTER_MS = 2000;
const NO_FIGURES: MediaFigures = { slots: [], sends: [], rttMs: 0 };

export class MediaRoom {
  readonly pool = chooseSlotPool(screen.width, screen.height, matchMedia('(pointer: coarse)').matches);
  readonly playback = new Playback();
  readonly offers: Record<OfferCause, number> = { load: 0, ice: 0, epoch: 0 };
  health: PeerState = $state('new');
  /** Was connected at least once in this page load. */
  everConnected = $state(false);
  /** Grows when the streams of the slots are new objects. */
  generation = $state(0);
  videoSlots: readonly VideoSlot[] = $state.raw([]);
  audioSlots: readonly string[] = $state.raw([]);
  soundBlocked = $state(false);
  quality: Quality = $state(3);
  rttMs = $state(0);
  /** What came through each slot lately, for the statistics. */
  traffic: readonly SlotTraffic[] = $state.raw([]);
  sentKbps = $state(0);
  /** The connection has been bad for a while: sound and slides only would help. */
  proposeSaver = $state(false);
  /** What is left out because this machine does not keep up. */
  readonly ease = new Ease(() => (this.peer?.spare(this.ease.spares), this.wish(this.wished)));
  private readonly hooks: MediaHooks;
  readonly path: PathWatch;
  private sending = false;
  private readonly steady = new SteadyQuality();
  private readonly renewal = new RelayRenewal();
  private peer: Peer | undefined;
  private offerId = '';
  private configuration: RTCConfiguration = {};
  private wished: readonly Wish[] = [];
  private wants: Want[] = [];
  private sentWants: Want[] | undefined;
  private viewAt = -VIEW_PERIOD_MS;
  private viewTimer: ReturnType<typeof setTimeout> | undefined;
  private restTimer: ReturnType<typeof setTimeout> | undefined;
  private figures = NO_FIGURES;
  private figuresAt = 0;
  private readonly proposal = new SaverProposal();
  private readonly playout = new Playout();
  private readonly starved = new Starved();
  /** Slots that are asked for anew: not wished for, for a moment. */
  private renewed: readonly number[] = [];
  /** Nobody looks at this page: pictures rest, sound goes on. */
  private unseen = false;
  private readonly look = (): void => this.seen(!document.hidden);
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(hooks: MediaHooks) {
    this.hooks = hooks;
    this.path = new PathWatch({
      arrived: () => this.arrived(),
      sends: () => this.sending,
      flows: () => this.sending || this.videoSlots.some(([, , source, life]) => source === 'cam' && life === 'live'),
      rttMs: () => this.rttMs,
      line: () => (this.hooks.reachable() && this.hooks.sure() ? this.hooks.line() : 0),
      ready: () => this.ready(),
      doubt: (...why) => this.hooks.doubt(...why),
      shown: (health) => void (this.health = health),
      restart: (remedy) => void this.connect(remedy),
    });
    this.timer = setInterval(() => void this.measure(), FIGURES_PERIOD_MS);
    document.addEventListener('visibilitychange', this.look);
  }

  get started(): boolean { return this.peer !== undefined; }
  /** The server names its relays anew with every snapshot, and when asked. */
  relays(ice: IceServers): void {
    this.configuration = { iceServers: [ice] };
    this.renewal.got(ice.ttl, Date.now());
    this.peer?.relays(this.configuration);
  }

  /** Makes the connection, or for 'ice' only new credentials, and sends the offer. */
  async connect(cause: OfferCause, ice?: IceServers): Promise<void> {
    if (ice) this.relays(ice);
    if (cause !== 'ice' || !this.peer) this.rebuild();
    const peer = this.peer;
    if (!peer) return;
    this.path.offered(cause, this.hooks.line());
    const offer = await peer.makeOffer(cause === 'ice');
    if (peer !== this.peer) return;
    this.offerId = this.hooks.nextId();
    if (this.hooks.send({ t: 'media.offer', id: this.offerId, cause, offer })) this.offers[cause] += 1;
  }

  async answered(id: string, answer: Answer): Promise<void> {
    if (id !== this.offerId) return;
    await this.peer?.takeAnswer(answer, this.path.answered());
  }

  /** The server could not answer our offer. */
  refused = (id: string): boolean => id === this.offerId;

  fill = (kind: SendKind, track: MediaStreamTrack | null): void => void this.peer?.send(kind, track);

  /** Encodings somebody watches; the others rest. */
  sendLayers(cam: number, screen: number): void {
    void this.peer?.layers('cam', cam);
    void this.peer?.layers('screen', screen);
  }

  /** The wished pictures in order of importance; sent at most every 60 ms and only when different. */
  wish(wishes: readonly Wish[]): void {
    this.wished = wishes;
    this.wants = assignSlots(this.wants, this.affordable(wishes), this.pool.video);
    // The first wish goes at once: nobody should wait for a picture because others may follow.
    const wait = Math.max(0, this.viewAt + VIEW_PERIOD_MS - performance.now());
    this.viewTimer ??= setTimeout(() => this.sendView(), wait);
  }

  /** The class is known: asks for it at once, before its tiles are there to ask. */
  wishFirst(people: readonly Person[], own: string): void {
    if (this.wants.length === 0) {
      this.wants = assignSlots([], this.affordable(firstWishes(people, own)), this.pool.video);
    }
    this.sentWants = undefined;
    this.sendView();
    if (!this.sentWants) this.repeatView();
  }

  /** After a resume or a new connection the server may know none of our wishes. */
  repeatView(): void {
    this.sentWants = undefined;
    this.viewTimer ??= setTimeout(() => this.sendView(), 0);
  }

  slotOf(device: string, source: SourceKind): { slot: number; life: SlotLife; reason: SlotReason } | undefined {
    const row = this.videoSlots.find(([, d, s]) => d === device && s === source);
    return row ? { slot: row[0], life: row[3], reason: row[4] } : undefined;
  }

  play = async (): Promise<void> => void (this.soundBlocked = !(await this.playback.play()));

  async readFigures(): Promise<MediaFigures> {
    const report = await this.peer?.pc.getStats();
    return report ? readFigures(report, SEND_SECTIONS + this.pool.audio) : NO_FIGURES;
  }

  declineSaver(): void {
    this.proposal.declined(performance.now());
    this.proposeSaver = false;
  }

  saverChanged = (): void => (this.declineSaver(), this.wish(this.wished));

  close(): void {
    this.path.close();
    document.removeEventListener('visibilitychange', this.look);
    clearTimeout(this.restTimer);
    clearInterval(this.timer);
    clearTimeout(this.viewTimer);
    this.peer?.close();
    this.peer = undefined;
    this.playback.stop();
  }

  private rebuild(): void {
    this.peer?.close();
    this.health = 'new';
    this.path.rebuilt();
    const peer = new Peer(this.configuration, this.pool, cameraCodec(prefs.camCodec), (state) => this.healthChanged(state));
    this.peer = peer;
    peer.spare(this.ease.spares);
    this.playback.attach(peer.audioTracks, peer.videoTracks);
    this.generation += 1;
    this.hooks.refill();
    if (this.everConnected) void this.play();
  }

  private healthChanged(state: PeerState): void {
    this.path.state(state);
    if (state !== 'connected') return;
    this.everConnected = true;
    // Firefox loses media sent right at the end of the handshake: the server waits for this.
    this.hooks.send({ t: 'media.ready' });
    this.repeatView();
  }

  /** There is a new line. "Ready" may have gone into the one that died: without it no picture ever comes. */
  lineUp(): void {
    if (this.peer?.connected) this.hooks.send({ t: 'media.ready' });
    this.path.lineUp();
  }

  private async arrived(): Promise<Arrivals | undefined> {
    const peer = this.peer;
    const arrived = await peer?.arrived();
    return peer === this.peer ? arrived : undefined;
  }

  private ready(): boolean {
    if (!this.peer) return false;
    if (this.hooks.reachable() && this.renewal.due(Date.now())) this.hooks.send({ t: 'relays' });
    return !this.renewal.waits(Date.now());
  }

  private sendView(): void {
    clearTimeout(this.viewTimer);
    this.viewTimer = undefined;
    const rests = (slot: number): boolean => this.unseen || this.renewed.includes(slot);
    const want = this.wants.map(([slot, device, source, height]): Want => [slot, device, source, rests(slot) ? 0 : height]);
    if (!this.hooks.reachable() || !this.hooks.inClass() || (this.sentWants && sameWants(want, this.sentWants))) return;
    if (!this.hooks.send({ t: 'view', want })) return;
    this.sentWants = want;
    this.viewAt = performance.now();
  }

  private renew(slots: readonly number[]): void {
    if (slots.length === 0) return;
    this.renewed = slots;
    this.sendView();
    this.renewed = [];
    this.viewTimer ??= setTimeout(() => this.sendView(), VIEW_PERIOD_MS);
  }

  /** A tab that is hidden for a moment keeps its pictures; one that is seen again has them at once. */
  private seen(visible: boolean): void {
    clearTimeout(this.restTimer);
    if (!visible) {
      this.restTimer = setTimeout(() => {
        this.unseen = true;
        this.sendView();
      }, REST_AFTER_MS);
      return;
    }
    this.unseen = false;
    this.hooks.doubt();
    this.sendView();
  }

  /** What is asked for: less with a connection or a machine that cannot carry it. */
  private affordable(wishes: readonly Wish[]): Wish[] {
    return this.ease.of(prefs.saver ? resting(wishes, (w) => w.source === 'cam') : wishes);
  }

  private async measure(): Promise<void> {
    const [peer, now] = [this.peer, performance.now()];
    if (!peer) return;
    const elapsed = (now - this.figuresAt) / 1000;
    const figures = await this.readFigures();
    if (this.peer !== peer) return; // somebody left meanwhile
    const link = linkFigures(this.figures, figures, elapsed);
    this.traffic = trafficOf(this.figures.slots, figures.slots, elapsed, link.rttMs);
    this.sentKbps = sentKbps(this.figures, figures, elapsed);
    this.sending = sentOf(figures) > sentOf(this.figures);
    const broken = this.path.broken(this.figuresAt);
    if (broken) this.playout.broken(figures.slots);
    const before = broken ? figures.slots : this.figures.slots;
    peer.wait('audio', this.playout.hear(before, figures.slots, link.rttMs, now));
    peer.wait('video', this.playout.see(before, figures.slots, link.rttMs, now));
    const late = this.path.takeLate() / 1000;
    if (this.everConnected && !document.hidden && !broken) {
      this.ease.look(this.figures, figures, elapsed, late, now);
      if (this.health === 'connected') this.renew(this.starved.look(this.videoSlots, figures.slots));
    }
    [this.figures, this.figuresAt] = [figures, now];
    this.rttMs = link.rttMs;
    if (!this.everConnected) return;
    const elsewhere = this.ease.struggling || sheds(this.videoSlots);
    this.quality = this.steady.push(judgeQuality(this.health === 'connected', ofConnection(link, elsewhere)));
    const held = elsewhere ? 'none' : heldOf(this.videoSlots);
    this.proposeSaver = !prefs.saver && this.proposal.push(this.quality, held, now);
  }
}
