// Messages of protocol amphi.1 between the page and the server. Same names as the schema:
// this file holds types only, so that a generated one can take its place.

export type Role = 'host' | 'animator' | 'participant';
export type MicState = 'off' | 'on';
export type SourceKind = 'cam' | 'screen';
export type SessionState = 'idle' | 'live' | 'closed';
export type SlotLife = 'live' | 'waiting' | 'off';
export type OfferCause = 'load' | 'ice' | 'epoch';
export type LeaveReason = 'left' | 'lost' | 'removed';
export type HandKind = 'speak';

export interface ClassInfo { id: string; title: string; type: string; state: SessionState }
export interface Device { id: string; mic: MicState; cam: boolean; screen: boolean; sound: boolean }
export interface Person { id: string; name: string; role: Role; joined: number; away: boolean; devices: Device[] }
export interface Hand { person: string; kind: HandKind; at: number }
export interface Chat { id: string; from: string; name: string; at: number; text: string }

export type ClassEvent =
  | { e: 'person.joined'; person: Person }
  | { e: 'person.left'; person: string; reason: LeaveReason }
  | { e: 'person.away'; person: string; away: boolean }
  | { e: 'person.renamed'; person: string; name: string }
  | { e: 'device.joined'; person: string; device: Device }
  | { e: 'device.left'; person: string; device: string }
  | { e: 'media.changed'; person: string; device: string; mic: MicState; cam: boolean; screen: boolean; sound: boolean }
  | { e: 'role.changed'; person: string; role: Role }
  | { e: 'hand.raised'; hand: Hand }
  | { e: 'hand.lowered'; person: string; by: string }
  | { e: 'chat.posted'; chat: Chat }
  | { e: 'session.changed'; state: SessionState; at: number; by?: string };

export interface AudioExtensions { mid?: number; level?: number; twcc?: number; ast?: number; act?: number }
export interface VideoExtensions {
  mid?: number; rid?: number; rrid?: number; twcc?: number; ast?: number; act?: number;
  pd?: number; vo?: number; dd?: number;
}
export interface AudioCodecs { opus: number[]; red?: number[] }
export interface VideoCodecs { vp8: number[]; vp9?: number[]; h264?: number[]; av1?: number[] }
export interface Offer {
  u: string; p: string; f: string; n: [number, number];
  a: AudioCodecs; v: VideoCodecs; xa: AudioExtensions; xv: VideoExtensions;
  s: [number, number, number, number, number];
}
export type Candidate = [family: 4 | 6, address: string, port: number, transport: 'udp' | 'tcp'];
export interface Answer { u: string; p: string; f: string; c: Candidate[]; b: number }

export type Want = [slot: number, device: string, source: SourceKind, maxHeight: number];
export type VideoSlot = [slot: number, device: string, source: SourceKind, life: SlotLife];
export type Speaking = [device: string, level: number];

export type ErrorCode =
  | 'bad_message' | 'unknown_type' | 'too_large' | 'too_fast' | 'denied' | 'not_found'
  | 'state' | 'auth' | 'full' | 'gone' | 'internal';

/** Commands: journalled or acknowledged, they carry an id and may be repeated without a second effect. */
export type CommandBody =
  | { t: 'join'; name: string; mic: boolean; cam: boolean }
  | { t: 'media.state'; mic: MicState; cam: boolean; screen: boolean; sound: boolean }
  | { t: 'chat.send'; text: string }
  | { t: 'hand.raise'; kind: HandKind }
  | { t: 'hand.lower'; person?: string }
  | { t: 'hand.clear' }
  | { t: 'person.remove'; person: string; ban: boolean }
  | { t: 'person.mute'; person: string }
  | { t: 'role.set'; person: string; role: 'animator' | 'participant' }
  | { t: 'session.start' }
  | { t: 'session.end' }
  | { t: 'leave' };
export type Command = CommandBody & { id: string };

export interface Hello {
  t: 'hello'; v: 1; lang: 'fr' | 'en'; link?: string; guest?: string; resume?: string; have?: number; epoch?: number;
}
export type ClientMessage =
  | Hello
  | Command
  | { t: 'sync'; have: number }
  | { t: 'media.offer'; id: string; cause: OfferCause; offer: Offer }
  | { t: 'media.ready' }
  | { t: 'view'; want: Want[] };

export interface Door {
  t: 'door'; class: ClassInfo; you: { role: Role; name?: string; person: string };
  guest: string; epoch: number; ice?: Record<string, unknown>; count: number;
}
export interface Snapshot {
  t: 'snapshot'; seq: number; epoch: number; resume: string; class: ClassInfo;
  you: { person: string; device: string; role: Role }; slots: { audio: number; video: number };
  people: Person[]; hands: Hand[]; chat: Chat[]; rights: string[]; now: number;
}
export interface Delta { t: 'delta'; seq: number; prev: number; events: ClassEvent[] }
export interface ErrorReply { t: 'error'; id?: string; code: ErrorCode; at?: string; why: string }
export type ServerMessage =
  | Door
  | Snapshot
  | Delta
  | ErrorReply
  | { t: 'resumed'; epoch: number; resume: string; seq: number }
  | { t: 'ack'; id: string; seq?: number }
  | { t: 'epoch'; epoch: number }
  | { t: 'busy' }
  | { t: 'media.answer'; id: string; answer: Answer }
  | { t: 'slots'; audio: string[]; video: VideoSlot[] }
  | { t: 'speaking'; list: Speaking[] };
