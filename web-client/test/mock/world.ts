// The state of a scripted class and its stream of numbered deltas.
import { fold, fromSnapshot } from '../../src/core/state.ts';
import type { ClassState } from '../../src/core/state.ts';
import type { ClassEvent, Delta, Role, ServerMessage, SessionState, Snapshot } from '../../src/wire/messages.ts';
import { quiet } from './base.ts';
import { webinarPart } from './webinar.ts';
import { CHAT_LINES, device, makePeople } from './people.ts';

const STAFF = ['person.remove', 'person.mute', 'hand.clear', 'hand.lower', 'session.start'];
const HOST = ['role.set', 'session.end'];
const ALL = ['chat.send', 'hand.raise', 'hand.lower', 'media.state', 'leave'];

export class World {
  readonly script: URLSearchParams;
  state: ClassState;
  resume = 'r_1';
  epoch = 1;
  /** Commands already done, by id. */
  readonly done = new Set<string>();
  readonly offers: string[] = [];
  want: unknown[] = [];
  /** Every one of them so far. */
  readonly views: unknown[][] = [];
  readonly listeners = new Set<(m: ServerMessage) => void>();
  private readonly deltas: Delta[] = [];

  constructor(link: string) {
    this.script = new URLSearchParams(link);
    const others = Math.max(0, Number(this.script.get('people') ?? 3) - 1);
    const people = makePeople(others, Number(this.script.get('nocam') ?? 4));
    if (this.script.get('role') === 'host' && people[0]) people[0].role = 'animator';
    const screen = this.script.get('screen');
    if (screen !== null && people[0]?.devices[0]) people[0].devices[0].screen = true;
    if (this.script.get('away') !== null && people[1]) people[1].away = true;
    const hands = Number(this.script.get('hands') ?? 0);
    this.state = fromSnapshot({
      t: 'snapshot', seq: 10, epoch: 1, resume: this.resume,
      class: {
        id: 'c_demo', title: this.script.get('title') ?? 'Analyse de pratiques, séance 3', type: this.script.get('webinar') === null ? 'standard' : 'webinar',
        state: (this.script.get('state') ?? 'live') as SessionState,
      },
      you: { person: 'p_you', device: 'd_you', role: this.role }, slots: { audio: 5, video: 16 }, people,
      hands: people.slice(1, 1 + hands).map((p, i) => ({ person: p.id, kind: 'speak', at: 1000 + i })),
      chat: this.script.get('chat') === null ? [] : CHAT_LINES.map(([who, text], i) => ({
        id: `m_${i}`, from: `p_${who}`, name: people[who]?.name ?? 'Claire Fontaine', at: Date.now() - (20 - i) * 60_000, text,
      })),
      rights: this.rights(this.role), now: Date.now(), ...quiet(), clock: Date.now(),
      ...(this.script.get('unled') === null ? {} : { times: { staffless: Date.now() + 272_000 } }),
      ...webinarPart(this.script, people),
    }, Date.now());
  }

  get role(): Role {
    return (this.script.get('role') ?? 'participant') as Role;
  }

  rights(role: Role): string[] {
    if (role === 'listener') return ['chat.send', 'hand.raise', 'hand.lower', 'leave', 'react', 'stage.own'];
    return [...ALL, ...(role === 'host' ? ['stage.run', 'class.set'] : []), 'react', 'stage.own', 'media.mic', 'media.cam', 'media.screen', ...(role === 'participant' ? [] : STAFF), ...(role === 'host' ? HOST : [])];
  }

  enter(name: string, mic: boolean, cam: boolean): void {
    if (this.state.people.some((p) => p.id === 'p_you')) return;
    const person = {
      id: 'p_you', name, role: this.role, joined: Number(this.script.get('joined') ?? 5000), away: false,
      devices: [device('d_you', cam, mic)],
    };
    this.emit([{ e: 'person.joined', person }]);
  }

  snapshot(): Snapshot {
    const s = this.state;
    return {
      t: 'snapshot', seq: s.seq, epoch: this.epoch, resume: this.resume, class: s.class, you: s.you, slots: s.slots,
      people: [...s.people], hands: [...s.hands], chat: [...s.chat], rights: [...s.rights], now: Date.now(), clock: Date.now(),
      times: s.times, settings: s.settings, locks: s.locks, rooms: s.rooms, floor: s.floor, heard: s.heard,
      ...(s.stage ? { stage: s.stage, invites: s.invites ?? [] } : {}),
    };
  }

  emit(events: ClassEvent[]): number {
    const prev = this.state.seq;
    const delta: Delta = { t: 'delta', seq: prev + 1, prev, events };
    this.state = { ...events.reduce(fold, this.state), seq: prev + 1 };
    this.deltas.push(delta);
    for (const send of this.listeners) send(delta);
    return prev + 1;
  }

  since(seq: number): Delta[] {
    return this.deltas.filter((d) => d.seq > seq);
  }

  say(m: ServerMessage): void {
    for (const send of this.listeners) send(m);
  }
}
