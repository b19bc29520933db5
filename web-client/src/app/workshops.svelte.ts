// The workshops of this page: the control desk of the staff, and what one is told at a table.
import type { ClassState } from '../core/state.ts';
import { personOf } from '../core/state.ts';
import { Stills, faceOf } from '../core/stills.ts';
import {
  deadlineOf, helpQueue, isOpenRoom, mainRoom, openSet, ownRoomId, roomIn, slotGains, standingOf,
  voiceDevices, warningBetween,
} from '../core/workshops.ts';
import type { ServerMessage, Speaking, WorkshopReport } from '../wire/messages.ts';
import { announcer } from './announce.svelte.ts';
import { spanText, t } from './prefs.svelte.ts';
import type { Room } from './room.svelte.ts';
import { tellRefusal } from './tell.ts';
import { clockNow } from './tick.svelte.ts';
import { view } from './view.svelte.ts';

const TICK_MS = 250;
const STILL_POLL_MS = 200;
export class WorkshopDesk {
  /** Who speaks at each table, told to the desk. */
  speaking: ReadonlyMap<string, readonly Speaking[]> = $state.raw(new Map());
  /** Room spoken to while a key or button is held; 'all' for an announcement. */
  talking = $state('');
  /** Stills of tables without a slot, as canvases' pictures. */
  stills: ReadonlyMap<string, string> = $state.raw(new Map());
  report: WorkshopReport | undefined = $state.raw();
  readonly dismissed = $state<string[]>([]);
  private readonly room: Room;
  private readonly scout = new Stills();
  private visible = new Set<string>();
  private reportId = '';
  private lastLeft = 0;
  private lastKey = '';

  constructor(room: Room) {
    this.room = room;
    setInterval(() => this.tick(), TICK_MS);
    setInterval(() => this.lookRound(), STILL_POLL_MS);
  }

  /** Class time now; whoever reads it in a component is drawn again as it passes. */
  clock(klass: ClassState): number {
    return clockNow(klass);
  }

  private tables(rooms: readonly { room: string; list: readonly Speaking[] }[]): void {
    const next = new Map(this.speaking);
    for (const { room, list } of rooms) next.set(room, list);
    this.speaking = next;
  }

  /** Opens or leaves the floor plan; the server is told who looks. */
  async show(on: boolean): Promise<void> {
    view.desk = on;
    const klass = this.room.state;
    if (!klass || !openSet(klass)) return;
    await this.listen(on ? this.listensTo(klass) : undefined, on);
  }

  listensTo(klass: ClassState): string | undefined {
    return klass.listeners?.find((l) => l.person === klass.you.person)?.room;
  }

  async listen(to: string | undefined, desk = view.desk): Promise<void> {
    await this.room.run({ t: 'workshop.listen', desk, ...(to === undefined ? {} : { room: to }) });
  }

  /** The microphone goes to one table only, while held. */
  async talk(to: string): Promise<void> {
    if (this.talking !== '') return;
    this.talking = to;
    await this.hold(await this.room.run(to === 'all' ? { t: 'workshop.voice', on: true } : { t: 'workshop.talk', room: to }));
  }

  async stopTalking(): Promise<void> {
    const was = this.talking;
    if (was === '') return;
    this.talking = '';
    this.room.local.takeBack();
    await this.room.run(was === 'all' ? { t: 'workshop.voice', on: false } : { t: 'workshop.talk' });
  }

  private async hold(allowed: boolean): Promise<void> {
    if (!allowed || this.talking === '') {
      if (!allowed) this.talking = '';
      else await this.room.run({ t: 'workshop.talk' });
      return;
    }
    await this.room.local.lend();
    if (this.talking === '') this.room.local.takeBack();
  }

  async go(to?: string): Promise<boolean> {
    const outcome = await this.room.signal.command({ t: 'workshop.go', ...(to === undefined ? {} : { room: to }) });
    if (!outcome.ok && outcome.error.code === 'full') announcer.notice(t('ws.say.full'), 'attention');
    else if (!outcome.ok) tellRefusal(outcome.error);
    return outcome.ok;
  }

  askReport(set: string): void {
    this.report = undefined;
    this.reportId = this.room.signal.commands.nextId();
    this.room.signal.send({ t: 'workshop.report', id: this.reportId, set });
  }

  take(m: Extract<ServerMessage, { t: 'tables' | 'workshop.report' }>): void {
    if (m.t === 'tables') this.tables(m.rooms);
    else if (m.id === this.reportId) this.report = m;
  }

  /** Which tables are on the screen. */
  seen(room: string, on: boolean): void {
    if (on) this.visible.add(room);
    else this.visible.delete(room);
    this.lookRound();
  }

  faceOfTable(klass: ClassState, room: string): string | undefined {
    return faceOf(klass.people.filter((p) => p.room === room), this.speaking.get(room) ?? []);
  }

  private lookRound(): void {
    const klass = this.room.state;
    const set = klass ? openSet(klass) : undefined;
    if (!klass || !set || !view.desk || !this.room.staff) return;
    const faces = (among: (id: string) => boolean): Map<string, string> => new Map(set.rooms
      .filter((r) => isOpenRoom(r) && among(r.id))
      .flatMap((r) => { const face = this.faceOfTable(klass, r.id); return face === undefined ? [] : [[r.id, face] as const]; }));
    const now = performance.now();
    this.keepStill(now);
    const slots = this.room.media.pool.video;
    const shown = faces((id) => this.visible.has(id));
    const late = new Map([...shown.entries()].slice(Math.max(0, slots - 1)));
    const hidden = new Map([...faces((id) => !this.visible.has(id)), ...late]);
    this.room.media.wish(this.scout.wishes(shown, hidden, slots, now));
  }

  /** The awaited picture has come: it is kept as a still. */
  private keepStill(now: number): void {
    const wanted = this.scout.awaited;
    const slot = wanted ? this.room.media.slotOf(wanted.device, 'cam') : undefined;
    if (!wanted || slot?.life !== 'live') return;
    const video = document.querySelector<HTMLVideoElement>('video[data-scout]');
    const stream = this.room.media.playback.streams[slot.slot];
    if (!video || !stream) return;
    if (video.srcObject !== stream) {
      video.srcObject = stream;
      void video.play().catch(() => undefined);
      return;
    }
    if (video.videoWidth === 0) return;
    const canvas = document.createElement('canvas');
    canvas.width = 160;
    canvas.height = Math.round((160 * video.videoHeight) / video.videoWidth);
    canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
    this.stills = new Map(this.stills).set(wanted.room, canvas.toDataURL('image/jpeg', 0.7));
    this.scout.taken(wanted.room, now);
  }

  /** Warnings as time runs out, and voices that lower the room. */
  private tick(): void {
    const klass = this.room.state;
    if (!klass) return;
    this.duck(klass);
    const set = openSet(klass);
    const end = set ? deadlineOf(set, roomIn(set, ownRoomId(klass))) : undefined;
    const key = end ? `${end.kind}${end.at}` : '';
    const left = end ? end.at - performance.now() - klass.classOffset : 0;
    if (end && end.kind !== 'moves' && key === this.lastKey) {
      const warning = warningBetween(this.lastLeft, left);
      if (warning !== undefined && !(end.kind === 'closing' && warning > 10)) {
        announcer.notice(t(`ws.say.left.${warning as 300 | 60 | 10}`), 'attention', 'left');
      }
    }
    this.lastKey = key;
    this.lastLeft = left;
  }

  private duck(klass: ClassState): void {
    const own = ownRoomId(klass) ?? mainRoom(klass.class.id);
    const voices = voiceDevices(klass.voices ?? [], own, klass.you.device);
    const listened = this.listensTo(klass);
    const heard = listened === undefined ? undefined
      : new Set(klass.people.filter((p) => p.room === listened).flatMap((p) => p.devices.map((d) => d.id)));
    this.room.media.playback.gains(slotGains(this.room.media.audioSlots, voices, heard));
  }

  /** What changed between two states, in words. */
  tell(before: ClassState, now: ClassState): void {
    const was = openSet(before);
    const set = openSet(now);
    const from = ownRoomId(before);
    const to = ownRoomId(now);
    if (!was && set && !this.room.staff) announcer.say(t('ws.say.open'));
    this.tellStanding(before, now);
    if (was && set && was.state !== set.state) {
      announcer.notice(set.state === 'closing' ? t('ws.say.closing', { time: spanText(set.closing) }) : t('ws.say.cancelled'), 'attention');
    }
    if (from !== to) this.tellMove(now, to, was !== undefined && set === undefined);
    this.tellCalls(before, now);
    const old = new Set((before.announcements ?? []).map((a) => a.id));
    for (const a of now.announcements ?? []) {
      if (!old.has(a.id) && a.kind === 'text' && a.from !== now.you.person) {
        announcer.say(t('ws.say.announce', { name: a.name, text: a.text }), true);
      }
    }
    const mine = (state: ClassState): string[] => (state.listeners ?? []).filter((l) => l.room !== undefined && l.room === to).map((l) => l.person);
    const listening = new Set(mine(before));
    for (const person of mine(now)) {
      if (!listening.has(person) && person !== now.you.person) announcer.say(t('ws.say.listens', { name: personOf(now, person)?.name ?? '' }));
    }
  }

  /** What the card over the stage says of one's own way: told once, its countdown is not read out. */
  private tellStanding(before: ClassState, now: ClassState): void {
    const [was, is] = [standingOf(before), standingOf(now)];
    const place = (of: typeof is): string => ('room' in of ? (of.room?.id ?? '') : '');
    if (was.kind === is.kind && place(was) === place(is)) return;
    if (is.kind === 'notice') {
      const n = Math.max(1, Math.round((is.at - performance.now() - now.classOffset) / 1000));
      announcer.say(t('ws.say.goIn', { name: is.room.name, n }), true);
    } else if (is.kind === 'invited') announcer.say(t('ws.invited', { name: is.room.name }), true);
    else if (is.kind === 'choose') announcer.say(t('ws.choose'), true);
    else if (is.kind === 'asking') announcer.say(`${t('ws.askTitle')}. ${t(is.at > 0 ? 'ws.askText' : 'ws.asked')}`);
  }

  private tellMove(now: ClassState, to: string | undefined, closed: boolean): void {
    if (to === undefined) announcer.notice(t(closed ? 'ws.say.closed' : 'ws.say.back'), 'info', 'move');
    else announcer.notice(t('ws.say.moved', { name: roomIn(openSet(now), to)?.name ?? '' }), 'info', 'move');
    announcer.over('left');
    if (to !== undefined && view.desk) view.desk = false;
  }

  private tellCalls(before: ClassState, now: ClassState): void {
    const set = openSet(now);
    const had = new Map(helpQueue(before).map((c) => [c.room, c.state]));
    for (const room of had.keys()) if (!helpQueue(now).some((c) => c.room === room)) announcer.over(`help/${room}`);
    for (const call of helpQueue(now)) {
      const name = roomIn(set, call.room)?.name ?? '';
      if (this.room.staff && !had.has(call.room)) announcer.notice(t('ws.say.help', { room: name }), 'attention', `help/${call.room}`);
      if (!this.room.staff && call.state === 'taken' && had.get(call.room) === 'asked') {
        announcer.notice(t('ws.say.helpTaken', { name: personOf(now, call.by ?? '')?.name ?? '' }));
      }
    }
  }
}
