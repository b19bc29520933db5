// The page's one model: door, class, reconnecting, over. Joins signalling, media and the class state;
// components read its fields and call its verbs, nothing else talks to the server.
import type { OverReason } from '../core/link.ts';
import type { ClassState } from '../core/state.ts';
import { applyDelta, fromSnapshot, isStaff, ownDevice, personOf, sessionEnded } from '../core/state.ts';
import type { Door, IceServers, ServerMessage } from '../wire/messages.ts';
import { listens } from '../core/webinar.ts';
import { roommates } from '../core/workshops.ts';
import { announcer } from './announce.svelte.ts';
import { follow } from './follow.ts';
import { LocalMedia } from './local.svelte.ts';
import { MediaRoom } from './media.svelte.ts';
import { lang, prefs, setPref, t } from './prefs.svelte.ts';
import { RoomView } from './roomview.svelte.ts';
import { Signal } from './signal.ts';
import { tellEvent, tellRefusal } from './tell.ts';
import { loadGuest, loadResume, saveGuest, saveResume } from './storage.ts';
import { playSound } from '../media/sounds.ts';
import { WorkshopDesk } from './workshops.svelte.ts';

export class Room extends RoomView {
  readonly classId: string;
  readonly signal: Signal;
  readonly media: MediaRoom;
  readonly local: LocalMedia;
  readonly desk: WorkshopDesk;
  readonly timeline: Record<string, number> = {};
  private syncing = false;
  private stateCommands = 0;

  constructor(classId: string, link: string) {
    super();
    this.classId = classId;
    const resume = loadResume(classId);
    const prefix = [...crypto.getRandomValues(new Uint8Array(6))].map((b) => b.toString(16).padStart(2, '0')).join('');
    this.signal = new Signal({ link, guest: loadGuest(classId), resume, lang: lang() }, prefix, {
      message: (m) => this.take(m),
      changed: () => this.linkChanged(), answered: () => this.media.path.lineSure(),
    });
    this.media = new MediaRoom({
      send: (m) => this.signal.send(m),
      nextId: () => this.signal.commands.nextId(), line: () => this.signal.line,
      reachable: () => this.linked, sure: () => this.signal.sure,
      inClass: () => this.phase === 'class', refill: () => this.local.refill(),
      doubt: (...why) => this.signal.doubt(...why),
    });
    this.local = new LocalMedia({
      track: (kind, track) => this.media.fill(kind, this.phase === 'class' || this.joining ? track : null),
      changed: () => this.publishState(),
      mutedSpeech: () => this.hintMuted(),
    });
    this.desk = new WorkshopDesk(this);
    for (const online of [true, false]) addEventListener(online ? 'online' : 'offline', () => this.network(online));
  }

  start(): void {
    this.signal.start();
  }

  /** `how` move: other pages of this person close. `light`: a seat with sound and slides will do. */
  async join(name: string, how: 'add' | 'move' = 'add', light = false): Promise<void> {
    if (this.joining) return;
    this.timeline['join'] = performance.now();
    this.joining = true;
    setPref('name', name);
    void this.media.play();
    this.local.refill();
    const { mic, cam } = this.local.state;
    const outcome = await this.signal.command({ t: 'join', name, mic: mic === 'on', cam, how, light });
    this.joining = false;
    if (!outcome.ok) this.joinRefused(outcome.error, name);
  }

  async leave(endForAll: boolean, after = 0): Promise<void> {
    if (endForAll) {
      await this.run({ t: 'session.end', after });
      return;
    }
    void this.signal.command({ t: 'leave' });
    this.finish('left');
  }

  finish(reason: OverReason): void {
    if (reason !== 'moved') saveResume(this.classId, '');
    this.signal.end(reason);
  }

  private take(m: ServerMessage): void {
    switch (m.t) {
      case 'door':
        return this.atDoor(m);
      case 'snapshot':
        return this.enter(m);
      case 'resumed':
        saveResume(this.classId, m.resume);
        return this.backAgain(m.epoch, m.clock);
      case 'delta':
        return this.advance(m);
      case 'waiting':
        return this.wait(m);
      case 'asked':
        this.asked = m;
        if (prefs.sounds) void playSound('knock', prefs.speakerId);
        return;
      case 'rights':
        return this.allow(m.rights);
      case 'relays':
        return m.ice && this.media.relays(m.ice);
      case 'media.answer':
        this.roomMade();
        return void this.media.answered(m.id, m.answer);
      case 'slots':
        this.media.videoSlots = m.video;
        this.media.audioSlots = m.audio;
        return;
      case 'send':
        return this.media.sendLayers(m.cam, m.screen);
      case 'audience':
        return this.pulse.take(m);
      case 'tables':
      case 'workshop.report':
        return this.desk.take(m);
      case 'load':
        return this.loaded(m.step);
      case 'speaking':
        return this.voices.heard(m.list, m.recent, this.state?.you.device ?? '');
      case 'error':
        if (m.id !== undefined && this.media.refused(m.id)) this.mediaRefused(m);
        else if (m.id === undefined) this.doorRefused(m);
        return;
      default:
    }
  }

  private atDoor(m: Door): void {
    if (m.class.id !== this.classId) return this.finish('auth'); // a link opens its own class only
    const [again, shut] = [this.door !== undefined, m.class.state === 'closed' && !isStaff(m.you.role)];
    // The session ended while the line was cut.
    if (this.state && sessionEnded(this.state.class.state, m.class.state)) return this.finish('ended');
    this.door = m;
    this.hurdle = shut ? 'closed' : '';
    const waited = this.phase === 'waiting' && !shut;
    this.phase = waited ? 'waiting' : 'door';
    this.state = undefined;
    saveGuest(this.classId, m.guest);
    if (shut) return; // nothing to prepare for
    if (!this.local.mic.track && !this.local.cam.track && !again && !listens(m)) void this.local.openRemembered();
    if (prefs.name === '' && m.you.name) setPref('name', m.you.name);
    this.timeline['door'] ??= performance.now();
    void this.media.connect(this.media.started ? 'epoch' : 'load', m.ice);
    this.signal.resend();
    if (waited) void this.join(prefs.name);
  }

  /** In the waiting room: at the door for the server, and back to it after a lost connection. */
  private wait(m: Extract<ServerMessage, { t: 'waiting' }>): void {
    if (this.phase !== 'waiting') announcer.say(t(`waiting.reason.${m.reason}`), true);
    this.waiting = m;
    this.phase = 'waiting';
    this.state = undefined;
    saveResume(this.classId, '');
    for (const command of this.signal.commands.pending()) {
      if (command.t === 'join') this.signal.commands.settle(command.id, { ok: true });
    }
  }

  private enter(m: Extract<ServerMessage, { t: 'snapshot' }>): void {
    const first = this.state === undefined;
    const newEpoch = this.state !== undefined && this.state.epoch !== m.epoch;
    saveResume(this.classId, m.resume);
    this.syncing = false;
    const before = this.state;
    this.state = fromSnapshot(m, Date.now(), performance.now());
    this.phase = 'class';
    this.waiting = undefined;
    this.hurdle = '';
    this.load = 0; // the server says it again behind a snapshot
    this.timeline['snapshot'] ??= performance.now();
    // The snapshot is the acknowledgement of join.
    for (const command of this.signal.commands.pending()) {
      if (command.t === 'join') this.signal.commands.settle(command.id, { ok: true, seq: m.seq });
    }
    if (first) {
      this.local.refill();
      if (!this.media.started) void this.comeBack(m.ice);
    } else {
      this.follow(before ?? this.state);
    }
    if (newEpoch) void this.media.connect('epoch', m.ice);
    else if (m.ice) this.media.relays(m.ice);
    this.signal.resend();
    if (before) this.desk.tell(before, this.state);
    this.media.wishFirst(roommates(this.state), m.you.device);
  }

  /** After a reload: the same seat, the same devices, nothing more open than before. */
  private async comeBack(ice: IceServers | undefined): Promise<void> {
    void this.media.connect('load', ice);
    void this.media.play();
    const before = this.state ? ownDevice(this.state) : undefined;
    const inputs = (['mic', 'cam'] as const).filter((i) => (i === 'mic' ? before?.mic === 'on' : before?.cam));
    if (inputs.length > 0) await this.local.turnOn(inputs);
    else this.publishState();
    await this.local.refreshDevices();
  }

  private backAgain(epoch: number, clock: number): void {
    if (!this.state) {
      this.signal.send({ t: 'sync', have: 0 });
      return;
    }
    this.state = { ...this.state, classOffset: clock - performance.now() };
    if (epoch !== this.state.epoch) {
      this.state = { ...this.state, epoch };
      void this.media.connect('epoch');
    }
    this.signal.resend();
    this.media.repeatView();
  }

  private advance(m: Extract<ServerMessage, { t: 'delta' }>): void {
    if (!this.state) return;
    const before = this.state;
    const next = applyDelta(before, m);
    if (next === 'gap') {
      if (!this.syncing) this.signal.send({ t: 'sync', have: before.seq });
      this.syncing = true;
      return;
    }
    if (next === before) return;
    this.state = next;
    if (sessionEnded(before.class.state, next.class.state)) this.signal.link.sessionOver();
    this.desk.tell(before, next);
    this.signal.link.remember({ seq: next.seq });
    for (const event of m.events) {
      tellEvent(event, before);
      if (event.e === 'person.left') this.voices.gone(personOf(before, event.person)?.devices ?? []);
    }
    this.follow(before);
  }

  private follow(before: ClassState): void {
    if (this.state) follow(this.local, before, this.state, this.stateCommands > 0);
  }

  private allow(rights: string[]): void {
    const before = this.state;
    if (before) follow(this.local, before, (this.state = { ...before, rights }), true);
  }

  private publishState(): void {
    if (this.phase !== 'class') return;
    this.mutedHint = false;
    if (this.local.mic.on) announcer.over('mic');
    this.stateCommands += 1;
    void this.signal.command({ t: 'media.state', ...this.local.state }).then((outcome) => {
      this.stateCommands = 0;
      if (!outcome.ok && outcome.error.code === 'denied' && this.local.screen) this.local.unshare();
      if (!outcome.ok) tellRefusal(outcome.error);
    });
  }

  private hintMuted(): void {
    if (this.phase === 'class' && !this.talking && this.may('media.mic')) this.mutedHint = true;
  }

  private linkChanged(): void {
    const { link } = this.signal;
    const was = this.linked;
    [this.linked, this.attempt] = [this.signal.open && !link.stale && (link.phase === 'class' || link.phase === 'door'), link.attempt];
    if (was && !this.linked) this.timeline['lost'] = performance.now();
    if (!was && this.linked) this.media.lineUp();
    if (link.phase !== 'over' || this.phase === 'over') return;
    this.phase = 'over';
    this.over = link.over;
    if (link.over === 'removed' || link.over === 'ended') saveResume(this.classId, '');
    this.local.stopAll();
    this.media.close();
  }

  private network(online: boolean): void {
    this.online = online;
    if (online) this.signal.retryNow();
  }
}
