// Generated from signaling/schema/messages.def: do not edit.
// Messages of protocol amphi.1 between the page and the server.

export type Role = 'participant' | 'animator' | 'host' | 'speaker' | 'listener' | 'interpreter' | 'recorder';
export type RoleGiven = 'participant' | 'animator' | 'host' | 'speaker' | 'listener' | 'interpreter';
export type ClassType = 'standard' | 'webinar' | 'round-table';
export type SessionState = 'idle' | 'live' | 'closed' | 'scheduled' | 'preparing' | 'doors' | 'closing' | 'archived';
export type MicState = 'off' | 'on';
export type SourceKind = 'cam' | 'screen';
export type SlotLife = 'off' | 'waiting' | 'live';
export type SlotReason = 'full' | 'you' | 'connection' | 'paused' | 'source' | 'server';
export type OfferCause = 'load' | 'ice' | 'epoch';
export type LeaveReason = 'left' | 'lost' | 'removed' | 'waiting';
export type HandKind = 'speak' | 'reply' | 'order' | 'technical';
export type Lang = 'fr' | 'en';
export type Transport = 'udp' | 'tcp';
export type ErrorCode = 'bad_message' | 'unknown_type' | 'too_large' | 'too_fast' | 'denied' | 'not_found' | 'state' | 'auth' | 'full' | 'gone' | 'busy' | 'internal';
export type Feature = 'mic' | 'cam' | 'screen' | 'chat' | 'hand';
export type GrantMode = 'role' | 'granted' | 'denied';
export type WaitReason = 'early' | 'doors' | 'host' | 'manual' | 'list' | 'held' | 'full';
export type JoinHow = 'add' | 'move';
export type DoorsState = 'preparing' | 'doors';
export type FloorMode = 'open' | 'moderated' | 'queue' | 'tour' | 'nomination' | 'random';
export type TurnEnd = 'done' | 'passed' | 'skipped';
export type MinuteKind = 'decision' | 'task' | 'point';
export type WorkshopSetState = 'draft' | 'ready' | 'open' | 'closing' | 'closed' | 'archived';
export type WorkshopRoomState = 'waiting' | 'active' | 'closing' | 'closed';
export type WorkshopMode = 'move' | 'invite';
export type WorkshopChange = 'ask' | 'free' | 'never';
export type WorkshopLate = 'ask' | 'smallest' | 'choose' | 'stay';
export type WorkshopStand = 'planned' | 'in' | 'refused' | 'back' | 'asking' | 'choosing';
export type WorkshopDeal = 'even' | 'group' | 'tag' | 'last' | 'mix';
export type HelpState = 'asked' | 'taken' | 'done' | 'withdrawn';
export type AnnouncementKind = 'text' | 'voice' | 'talk';
export type ReportScope = 'members' | 'all';
export type StagePhase = 'backstage' | 'doors' | 'starting' | 'air' | 'questions';
export type StagePlace = 'audience' | 'wings' | 'stage';
export type Reaction = 'clap' | 'heart' | 'laugh' | 'wow' | 'thumb';

/** The class. */
export type ClassInfo = { id: string; title: string; type: ClassType; state: SessionState };
/** One open page of a person and what it sends. */
export type Device = { id: string; mic: MicState; cam: boolean; screen: boolean; sound: boolean; feed?: boolean };
/** Somebody present, or away for less than the grace. */
export type Person = { id: string; name: string; role: Role; joined: number; away: boolean; room?: string; granted?: string[]; denied?: string[]; devices: Device[] };
/** A raised hand; lists are in queue order. */
export type Hand = { person: string; kind: HandKind; at: number };
/** A chat message. */
export type Chat = { id: string; from: string; name: string; at: number; text: string };
/** Who the server takes you for, at the door. */
export type YouDoor = { role: Role; name?: string; person: string; devices?: number };
/** Who you are in the class. */
export type You = { person: string; device: string; role: Role; host?: boolean };
/** Receive slots of your offer. */
export type SlotCounts = { audio: number; video: number };
/** Relay servers and credentials for them. */
export type IceServers = { urls: string[]; username?: string; credential?: string; ttl?: number };
/** Receive slots offered. */
export type Pool = [audio: number, video: number];
/** Payload types of audio. */
export type AudioCodecs = { opus: number[]; red?: number[] };
/** Payload types of video, each with its RTX. */
export type VideoCodecs = { vp8: number[]; vp9?: number[]; h264?: number[]; av1?: number[] };
/** RTP header extension numbers of audio. */
export type AudioExtensions = { mid?: number; level?: number; twcc?: number; ast?: number; act?: number };
/** RTP header extension numbers of video. */
export type VideoExtensions = { mid?: number; rid?: number; rrid?: number; twcc?: number; ast?: number; act?: number; pd?: number; vo?: number; dd?: number };
/** The one offer of a page load, compact. */
export type Offer = { u: string; p: string; f: string; n: Pool; a: AudioCodecs; v: VideoCodecs; xa: AudioExtensions; xv: VideoExtensions; s: number[] };
/** Where the server listens. */
export type Candidate = [family: number, address: string, port: number, transport: Transport];
/** The answer. Slot k: SSRC b+2k, RTX b+2k+1. */
export type Answer = { u: string; p: string; f: string; c: Candidate[]; b: number };
/** A video slot and what shall be in it. */
export type Want = [slot: number, device: string, source: SourceKind, maxHeight: number];
/** What is in a video slot. */
export type VideoSlot = [slot: number, device: string, source: SourceKind, life: SlotLife, reason: SlotReason, height: number];
/** Who speaks, how loud (-dBov: smaller is louder). */
export type Speaking = [device: string, level: number];
/** One event of a delta. */
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
  | { e: 'session.changed'; state: SessionState; at: number; by?: string; times?: Times }
  | { e: 'barred.set'; barred: Barred[] }
  | { e: 'person.moved'; person: string; room?: string }
  | { e: 'people.moved'; room?: string; people: string[] }
  | { e: 'room.set'; hands: Hand[]; chat: Chat[] }
  | { e: 'person.granted'; person: string; granted: string[]; denied: string[] }
  | { e: 'rooms.set'; rooms: RoomInfo[] }
  | { e: 'settings.set'; settings: SettingValue[] }
  | { e: 'locks.set'; locks: string[] }
  | { e: 'times.set'; times: Times }
  | { e: 'waiting.put'; waiter: Waiter }
  | { e: 'waiting.gone'; person: string }
  | { e: 'floor.set'; floor: Floor }
  | { e: 'heard.set'; heard: Heard[] }
  | { e: 'minute.noted'; minute: Minute }
  | { e: 'minute.struck'; minute: string }
  | { e: 'check.set'; checks: PresenceCheck[]; checkMine?: boolean }
  | { e: 'check.mine.set'; checkMine: boolean }
  | { e: 'check.tally.set'; checkTally: PresenceTally[] }
  | { e: 'workshops.set'; workshops: WorkshopSet[] }
  | { e: 'places.set'; places: WorkshopPlace[] }
  | { e: 'place.set'; place: WorkshopPlace[] }
  | { e: 'calls.set'; calls: HelpCall[] }
  | { e: 'announcements.set'; announcements: Announcement[] }
  | { e: 'voices.set'; voices: WorkshopVoice[] }
  | { e: 'listeners.set'; listeners: WorkshopListener[] }
  | { e: 'staffChat.set'; staffChat: Chat[] }
  | { e: 'labels.set'; labels: PersonLabel[] }
  | { e: 'stage.set'; stage: Stage }
  | { e: 'invites.set'; invites: StageInvite[] }
  | { e: 'light.set'; light: boolean };
/** At the door: known, not in the class yet. */
export type Door = { t: 'door'; class: ClassInfo; you: YouDoor; guest: string; epoch: number; ice?: IceServers; count: number };
/** The seat is yours again; deltas or a snapshot follow. */
export type Resumed = { t: 'resumed'; epoch: number; resume: string; seq: number; clock: number };
/** All you may see; also the ack of join. */
export type Snapshot = { t: 'snapshot'; seq: number; epoch: number; resume: string; class: ClassInfo; ice?: IceServers; you: You; slots: SlotCounts; people: Person[]; hands: Hand[]; chat: Chat[]; rights: string[]; now: number; stage?: Stage; invites?: StageInvite[]; light?: boolean; clock: number; times: Times; settings: SettingValue[]; locks: string[]; rooms: RoomInfo[]; floor: Floor; heard: Heard[]; minutes?: Minute[]; checks?: PresenceCheck[]; checkMine?: boolean; checkTally?: PresenceTally[]; workshops?: WorkshopSet[]; place?: WorkshopPlace[]; places?: WorkshopPlace[]; calls?: HelpCall[]; announcements?: Announcement[]; voices?: WorkshopVoice[]; listeners?: WorkshopListener[]; staffChat?: Chat[]; labels?: PersonLabel[]; barred?: Barred[]; waiting?: Waiter[] };
/** Apply only when prev is your last seq; else send sync. seq may be prev: more of it follows. */
export type Delta = { t: 'delta'; seq: number; prev: number; events: ClassEvent[] };
/** The command is durable. */
export type Ack = { t: 'ack'; id: string; seq?: number };
/** Refused. Closes only for auth, too_large, too_fast. */
export type ErrorReply = { t: 'error'; id?: string; code: ErrorCode; at?: string; why: string };
/** From the door: a new core is up; hello{resume} again. */
export type Epoch = { t: 'epoch'; epoch: number };
/** Answer to ping. */
export type Pong = { t: 'pong'; epoch: number };
/** Answer to relays. */
export type Relays = { t: 'relays'; ice?: IceServers };
/** From the door: no core for the moment. */
export type Busy = { t: 'busy'; retry?: number };
/** Answer to media.offer. */
export type MediaAnswer = { t: 'media.answer'; id: string; answer: Answer };
/** Whom the slots carry now. */
export type Slots = { t: 'slots'; audio: string[]; video: VideoSlot[] };
/** Encodings somebody watches: h = 1, m = 2, l = 4. */
export type SendLayers = { t: 'send'; cam: number; screen: number };
/** Loudest first; when what pages show changes, at most 5 a second; to whoever comes in, behind the snapshot. */
export type SpeakingList = { t: 'speaking'; list: Speaking[]; recent: string[] };
/** To staff, when it changes and behind the snapshot: what a busy server sheds. Sound is in no step. */
export type ServerLoad = { t: 'load'; step: number };
/** Anything the server sends. */
export type ServerMessage =
  | Door
  | Resumed
  | Snapshot
  | Delta
  | Ack
  | ErrorReply
  | Epoch
  | Pong
  | Relays
  | Busy
  | MediaAnswer
  | Slots
  | SendLayers
  | SpeakingList
  | ServerLoad
  | Waiting
  | Asked
  | Rights
  | WorkshopReport
  | Tables
  | Audience;
/** Deadlines of the session in class time; absent: none. */
export type Times = { end?: number; closing?: number; staffless?: number; next?: number };
/** A setting that is not as usual. */
export type SettingValue = [key: string, value: string];
/** A workshop room. */
export type RoomInfo = { id: string; name: string; locks: string[] };
/** Somebody in the waiting room. */
export type Waiter = { person: string; name: string; at: number; knocked: boolean; held: boolean };
/** Somebody who is not let in again. */
export type Barred = { person: string; name: string };
/** You are in the waiting room. */
export type Waiting = { t: 'waiting'; reason: WaitReason; rank: number; count: number; knocked: boolean; light?: boolean; class: ClassInfo; start?: number };
/** Staff asks you to open something; nothing is opened. */
export type Asked = { t: 'asked'; feature: Feature; name: string };
/** What you may do now, when only that has changed. */
export type Rights = { t: 'rights'; rights: string[] };
/** Somebody who speaks later. */
export type PendingTurn = { person: string; reply: boolean };
/** A turn of this round. */
export type PastTurn = { person: string; reply: boolean; how: TurnEnd; ms?: number };
/** The turn of whoever has the floor; times are class time. */
export type Turn = { person: string; reply: boolean; started: number; limit?: number; total?: number; left?: number; paused: boolean; over: boolean; prompt: boolean; held?: number };
/** The floor of the main room. */
export type Floor = { mode: FloorMode; ring: string[]; list: PendingTurn[]; past: PastTurn[]; turn?: Turn };
/** How long somebody has spoken, in milliseconds. */
export type Heard = [person: string, voice: number, floor: number];
/** A line of the minutes. */
export type Minute = { id: string; by: string; name: string; at: number; kind: MinuteKind; text: string };
/** A presence check; times are class time. */
export type PresenceCheck = { id: string; round: number; until: number; by?: string };
/** How a presence check goes. */
export type PresenceTally = [asked: number, answered: number];
/** One room of a set. */
export type Workshop = { id: string; name: string; state: WorkshopRoomState; task: string; materials: string; facilitator?: string; capacity: number; record: boolean; untilAt: number; scope: ReportScope };
/** Workshops that open and close together. */
export type WorkshopSet = { id: string; title: string; state: WorkshopSetState; mode: WorkshopMode; change: WorkshopChange; late: WorkshopLate; back: boolean; choice: boolean; closing: number; notice: number; minutes: number; movesAt: number; endsAt: number; untilAt: number; opened: number; closed: number; rooms: Workshop[] };
/** Where somebody belongs in a set. */
export type WorkshopPlace = { set: string; person: string; room?: string; stand: WorkshopStand; pinned: boolean; untilAt: number };
/** A room asks for help. */
export type HelpCall = { room: string; person: string; by?: string; state: HelpState; at: number; changed: number; text: string };
/** What was said to rooms. */
export type Announcement = { id: string; from: string; name: string; kind: AnnouncementKind; all: boolean; rooms: string[]; at: number; ended: number; text: string };
/** A microphone heard in other rooms. */
export type WorkshopVoice = { person: string; device: string; kind: AnnouncementKind; all: boolean; rooms: string[] };
/** Somebody of the staff at the desk. */
export type WorkshopListener = { person: string; device: string; room?: string; desk: boolean };
/** Group and tag of a person. */
export type PersonLabel = { person: string; group: string; tag: string };
/** From, to; 0: still there. */
export type Stay = [from: number, to: number];
/** Who was in a room, and when. */
export type ReportMember = { person: string; name: string; stays: Stay[] };
/** The report of one group. */
export type ReportRoom = { room: string; name: string; task: string; scope: ReportScope; people: ReportMember[]; chat: Chat[] };
/** Answer to workshop.report. */
export type WorkshopReport = { t: 'workshop.report'; id: string; set: string; title: string; opened: number; closed: number; rooms: ReportRoom[] };
/** Who speaks at a table, loudest first. */
export type TableVoices = { room: string; list: Speaking[] };
/** To the control desk: who speaks where. */
export type Tables = { t: 'tables'; rooms: TableVoices[] };
/** What somebody in the wings has tested. */
export type StageCheck = { mic: boolean; cam: boolean; sound: boolean; ready: boolean };
/** Somebody on the stage or in the wings. */
export type StageMember = { person: string; place: StagePlace; guest: boolean; due?: number; check?: StageCheck };
/** How full it is; staff only. */
export type StageSeats = { taken: number; most: number; light: number; lightMost: number; waiting: number };
/** The stage of a webinar, as far as you may know it. */
export type Stage = { phase: StagePhase; at: number; airAt?: number; due?: number; opens?: number; holding: string; music: boolean; members: StageMember[]; level?: number };
/** An invitation to the stage. */
export type StageInvite = { person: string; due: number };
/** Reactions of one kind within a second. */
export type ReactionCount = [kind: Reaction, count: number];
/** How the audience is; at most one a second. */
export type Audience = { t: 'audience'; count?: number; hands?: number; seats?: StageSeats; rank?: number; reactions: ReactionCount[] };

/** Commands: acknowledged, journalled; repeating one has no second effect. */
export type CommandBody =
  /* Enter. Answered by snapshot or waiting. */
  | { t: 'join'; name: string; mic: boolean; cam: boolean; light?: boolean; how?: JoinHow }
  /* Leave for good; the seat is given up. */
  | { t: 'leave' }
  /* What this device sends. */
  | { t: 'media.state'; mic: MicState; cam: boolean; screen: boolean; sound: boolean }
  /* To all. */
  | { t: 'chat.send'; text: string }
  /* Ask to speak. */
  | { t: 'hand.raise'; kind: HandKind }
  /* Own; another's: staff. */
  | { t: 'hand.lower'; person?: string }
  /* All hands. */
  | { t: 'hand.clear' }
  /* Not the host. */
  | { t: 'person.remove'; person: string; ban: boolean }
  /* Closes a mic, never opens. */
  | { t: 'person.mute'; person: string }
  /* Encoders only. */
  | { t: 'person.unmute'; person: string }
  /* Not one's own, not the host's. */
  | { t: 'role.set'; person: string; role: RoleGiven }
  /* Go live. */
  | { t: 'session.start' }
  /* Everybody leaves. */
  | { t: 'session.end'; after?: number }
  /* From the waiting room: I am here. */
  | { t: 'knock' }
  /* Let in one, or all. */
  | { t: 'wait.admit'; person?: string }
  /* Send away from the door. */
  | { t: 'wait.refuse'; person: string; ban: boolean }
  /* May enter again. */
  | { t: 'person.unban'; person: string }
  /* Back to the waiting room. */
  | { t: 'person.wait'; person: string }
  /* Ask to open a microphone or camera. */
  | { t: 'person.ask'; person: string; feature: Feature }
  /* A feature for one. */
  | { t: 'person.grant'; person: string; feature: Feature; mode: GrantMode }
  /* All but staff, in my room. */
  | { t: 'people.mute' }
  /* Close a feature to participants. */
  | { t: 'lock.set'; feature: Feature; locked: boolean; room?: string }
  /* Change a setting. */
  | { t: 'class.set'; key: string; value: string }
  /* Open the doors. */
  | { t: 'session.doors'; state: DoorsState }
  /* More time. */
  | { t: 'session.extend'; minutes: number }
  /* The host takes back. */
  | { t: 'host.take' }
  /* How the floor goes round. */
  | { t: 'floor.mode'; mode: FloorMode; fresh?: boolean }
  /* The floor to this person. */
  | { t: 'floor.give'; person: string; reply?: boolean }
  /* To whoever is next. */
  | { t: 'floor.next' }
  /* Ends the turn. */
  | { t: 'floor.take'; how: TurnEnd }
  /* Stops the clock. */
  | { t: 'floor.pause'; paused: boolean }
  /* More or less time. */
  | { t: 'floor.time'; seconds: number }
  /* Into the list, or elsewhere. */
  | { t: 'floor.list'; person: string; at?: number; reply?: boolean }
  /* Off the list. */
  | { t: 'floor.unlist'; person: string; skipped?: boolean }
  /* A place at the table. */
  | { t: 'floor.seat'; person: string; place?: number }
  /* I have finished. */
  | { t: 'floor.done'; to?: string }
  /* I do not wish to speak. */
  | { t: 'floor.pass' }
  /* A line of the minutes. */
  | { t: 'minute.note'; kind: MinuteKind; text: string }
  /* Takes a line out. */
  | { t: 'minute.strike'; minute: string }
  /* Ask everybody whether he is there. */
  | { t: 'check.ask' }
  /* I am there. */
  | { t: 'check.answer'; check: string }
  /* A new draft. */
  | { t: 'workshop.create'; title: string; names: string[] }
  /* How a set works. */
  | { t: 'workshop.change'; set: string; title?: string; mode?: WorkshopMode; change?: WorkshopChange; late?: WorkshopLate; back?: boolean; choice?: boolean; closing?: number; notice?: number; minutes?: number; ready?: boolean }
  /* With its reports. */
  | { t: 'workshop.delete'; set: string }
  /* Kept to be read. */
  | { t: 'workshop.archive'; set: string }
  /* Open sets too. */
  | { t: 'workshop.room.add'; set: string; name: string }
  /* What is given of a room. */
  | { t: 'workshop.room.change'; room: string; name?: string; task?: string; materials?: string; facilitator?: string; alone?: boolean; capacity?: number; record?: boolean }
  /* Removed from a draft, closed in an open set. */
  | { t: 'workshop.room.close'; room: string }
  /* Everybody of a room into another one. */
  | { t: 'workshop.room.merge'; room: string; into: string }
  /* Places somebody; moves in an open set. */
  | { t: 'workshop.place'; set: string; person: string; room?: string; pinned?: boolean }
  /* Deals everybody but the staff and the pinned. */
  | { t: 'workshop.distribute'; set: string; how: WorkshopDeal }
  /* Group or tag. */
  | { t: 'workshop.label'; person: string; group?: string; tag?: string }
  /* Or open again. */
  | { t: 'workshop.open'; set: string }
  /* After a countdown. */
  | { t: 'workshop.close'; seconds?: number }
  /* The closing. */
  | { t: 'workshop.cancel' }
  /* The deadline. */
  | { t: 'workshop.time'; minutes: number; none?: boolean }
  /* Oneself. */
  | { t: 'workshop.go'; room?: string }
  /* In the main room. */
  | { t: 'workshop.stay' }
  /* For another room. */
  | { t: 'workshop.ask' }
  /* Calls the staff. */
  | { t: 'workshop.help'; text?: string }
  /* Withdrawn by the room, done by the staff. */
  | { t: 'workshop.help.end'; room?: string }
  /* I go there; entering the room does it too. */
  | { t: 'workshop.help.take'; room: string }
  /* The whole wish; the room is told who listens. */
  | { t: 'workshop.listen'; room?: string; desk: boolean }
  /* Opens the microphone in one room only. */
  | { t: 'workshop.talk'; room?: string }
  /* Announces by voice. */
  | { t: 'workshop.voice'; on: boolean; rooms?: string[] }
  /* In writing. */
  | { t: 'workshop.announce'; text: string; rooms?: string[] }
  /* Among the staff. */
  | { t: 'workshop.staff'; text: string }
  /* The report. */
  | { t: 'workshop.publish'; room: string; scope: ReportScope }
  /* Doors, on air (starting: counts down first), questions. */
  | { t: 'stage.phase'; phase: StagePhase }
  /* What the holding page says. */
  | { t: 'stage.holding'; text: string; music: boolean; seconds?: number }
  /* Invites somebody of the audience onto the stage. */
  | { t: 'stage.invite'; person: string }
  /* Takes an invitation back. */
  | { t: 'stage.uninvite'; person: string }
  /* To an invitation; accepting leads into the wings. */
  | { t: 'stage.answer'; accept: boolean }
  /* What one has tested in the wings. */
  | { t: 'stage.check'; mic: boolean; cam: boolean; sound: boolean; ready: boolean }
  /* Brings somebody on, or into the wings, or down to the audience. */
  | { t: 'stage.place'; person: string; place: StagePlace; seconds?: number }
  /* Goes down: a guest to the audience, others to the wings. */
  | { t: 'stage.leave' }
  /* Told to all as a count per second, never kept. */
  | { t: 'react'; kind: Reaction };
export type Command = CommandBody & { id: string };
/** First message: exactly one of link and resume. */
export type Hello = { t: 'hello'; v: 1; lang: Lang; link?: string; guest?: string; resume?: string; have?: number; epoch?: number };
export type ClientMessage =
  | Hello
  | Command
  /* A delta did not fit: send a snapshot. */
  | { t: 'sync'; have: number }
  /* The offer of this page load. */
  | { t: 'media.offer'; id: string; cause: OfferCause; offer: Offer }
  /* The page's connection is up. */
  | { t: 'media.ready' }
  /* Are you there? A path may die without a word. */
  | { t: 'ping' }
  /* Fresh credentials: the old ones end, a class may go on. */
  | { t: 'relays' }
  /* The whole wished mapping of the video slots. */
  | { t: 'view'; want: Want[] }
  /* What was in the rooms of a set. */
  | { t: 'workshop.report'; id: string; set: string };
