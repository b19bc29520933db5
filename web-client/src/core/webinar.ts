// The webinar as this page knows it: where one stands, who is on the stage, what phase it is in.
import type { Door, Person, Stage, StageInvite, StageMember, StagePlace } from '../wire/messages.ts';
import type { ClassState } from './state.ts';

export interface WebinarState { stage: Stage; invites: readonly StageInvite[]; light: boolean }

/** The webinar in what this page was told, or nothing in other classes. */
export function webinarOf(klass: ClassState): WebinarState | undefined {
  return klass.stage ? { stage: klass.stage, invites: klass.invites ?? [], light: klass.light ?? false } : undefined;
}

export function placeOf(webinar: WebinarState, person: string): StagePlace {
  return webinar.stage.members.find((m) => m.person === person)?.place ?? 'audience';
}

export function onAir(webinar: WebinarState): boolean {
  return webinar.stage.phase === 'air' || webinar.stage.phase === 'questions';
}

/** People at a place, in the order they came there. */
export function peopleAt(klass: ClassState, webinar: WebinarState, place: StagePlace): Person[] {
  const found: Person[] = [];
  for (const member of webinar.stage.members) {
    const person = member.place === place ? klass.people.find((p) => p.id === member.person) : undefined;
    if (person) found.push(person);
  }
  return found;
}

/** People of the audience this page may name. */
export function seated(klass: ClassState, webinar: WebinarState): Person[] {
  const members = new Set(webinar.stage.members.map((m) => m.person));
  return klass.people.filter((p) => !members.has(p.id));
}

export function memberOf(webinar: WebinarState, person: string): StageMember | undefined {
  return webinar.stage.members.find((m) => m.person === person);
}

/** Whole seconds until a class time, never below zero. */
export function secondsUntil(due: number | undefined, clock: number): number {
  return due === undefined ? 0 : Math.max(0, Math.ceil((due - clock) / 1000));
}

/** 75 -> "1:15"; 3675 -> "1:01:15". */
export function clockText(seconds: number): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const h = Math.floor(seconds / 3600);
  const m = Math.floor((seconds % 3600) / 60);
  return h > 0 ? `${h}:${two(m)}:${two(seconds % 60)}` : `${m}:${two(seconds % 60)}`;
}

/** Somebody on the stage whose connection is lost: the host is asked who speaks next. */
export function lostOnStage(klass: ClassState, webinar: WebinarState): Person | undefined {
  return peopleAt(klass, webinar, 'stage').find((p) => p.away);
}

/** Inside as one of the audience: of a webinar, or around a table. */
export function inAudience(klass: ClassState): boolean {
  const webinar = webinarOf(klass);
  return webinar ? placeOf(webinar, klass.you.person) === 'audience' : klass.you.role === 'listener';
}

/** Where one is, room and stage: changes when one is moved. */
export function ownPlace(klass: ClassState): string {
  const room = klass.people.find((p) => p.id === klass.you.person)?.room ?? '';
  const webinar = webinarOf(klass);
  return `${room}/${webinar ? placeOf(webinar, klass.you.person) : ''}`;
}

/** At the door as one of the audience: no device is asked for. */
export function listens(door: Door | undefined): boolean {
  const role = door?.you.role;
  return role === 'listener' || (role === 'participant' && door?.class.type === 'webinar');
}
