// What people are told, in words and soft sounds, when something happens in the class.
import { turnRank } from '../core/floor.ts';
import { grantChanges } from '../core/grants.ts';
import { isStaff, personOf } from '../core/state.ts';
import type { ClassState } from '../core/state.ts';
import { playSound } from '../media/sounds.ts';
import type { ClassEvent, ErrorReply, Floor } from '../wire/messages.ts';
import { announcer } from './announce.svelte.ts';
import { prefs, spanText, t } from './prefs.svelte.ts';
import { tellInvites, tellStage } from './tell_stage.ts';

/** `before` is the state in which the event arrived: names of those who leave are still in it. */
export function tellEvent(event: ClassEvent, before: ClassState): void {
  const own = before.you.person;
  const nameOf = (id: string): string => personOf(before, id)?.name ?? '';
  switch (event.e) {
    case 'person.joined':
      return announcer.moved(event.person.name, true);
    case 'person.left':
      return announcer.moved(nameOf(event.person), false);
    case 'hand.raised':
      if (event.hand.person === own) return;
      announcer.say(t('say.hand', { name: nameOf(event.hand.person) }));
      if (prefs.sounds && isStaff(before.you.role)) void playSound('hand', prefs.speakerId);
      return;
    case 'chat.posted':
      if (event.chat.from !== own) announcer.say(t('say.chat', { name: event.chat.name, text: event.chat.text }));
      return;
    case 'minute.noted':
      if (event.minute.by !== own) announcer.say(t('say.minute', { kind: t(`minutes.kind.${event.minute.kind}`), text: event.minute.text }));
      return;
    case 'media.changed': {
      const was = personOf(before, event.person)?.devices.find((d) => d.id === event.device);
      if (event.person === own || !was || was.screen === event.screen) return;
      return announcer.say(event.screen ? t('say.share', { name: nameOf(event.person) }) : t('say.shareEnd'));
    }
    case 'role.changed':
      if (event.person === own && event.role !== 'host') announcer.notice(t(`say.role.${event.role}`));
      return;
    case 'person.granted': {
      const was = event.person === own ? personOf(before, own) : undefined;
      for (const { feature, mode } of was ? grantChanges(was, event) : []) {
        announcer.notice(t(`grant.told.${mode}`, { what: t(`grant.${feature}`) }));
      }
      return;
    }
    case 'floor.set':
      return tellFloor(event.floor, before);
    case 'waiting.put':
      announcer.say(t(event.waiter.knocked ? 'say.knocked' : 'say.waits', { name: event.waiter.name }));
      if (prefs.sounds) void playSound('knock', prefs.speakerId);
      return;
    case 'stage.set':
      return tellStage(event.stage, before);
    case 'invites.set':
      return tellInvites(event.invites, before);
    case 'session.changed':
      if (event.state === 'live') announcer.notice(t('say.live'));
      else if (event.state === 'closing' && event.times?.closing !== undefined) {
        announcer.notice(t('say.closing', { time: spanText(Math.max(1, Math.round((event.times.closing - performance.now() - before.classOffset) / 1000))) }), 'attention');
      }
      else if (event.state === 'closed') announcer.notice(t('say.ended'), 'attention');
      return;
    default:
  }
}

/** What was said last: several changes may come in one delta. */
const told = { mode: '', turn: '' };

function tellFloor(floor: Floor, before: ClassState): void {
  const was = before.floor;
  const turn = floor.turn ? `${floor.turn.person}/${floor.turn.started}` : '';
  const [mode, fresh] = [floor.mode !== told.mode, turn !== told.turn];
  Object.assign(told, { mode: floor.mode, turn });
  if (mode && floor.mode !== was.mode) announcer.notice(t(`floor.told.${floor.mode}`), 'info', 'floor');
  if (floor.turn && fresh && floor.turn.person !== was.turn?.person) {
    if (floor.turn.person === before.you.person) {
      announcer.say(t('floor.yours'), true);
      if (prefs.sounds) void playSound('hand', prefs.speakerId);
    } else announcer.say(t('floor.has', { name: personOf(before, floor.turn.person)?.name ?? '' }));
  }
  const rank = turnRank(floor, before.you.person);
  if (rank > 0 && rank !== turnRank(was, before.you.person)) {
    announcer.say(rank === 1 ? t('floor.youNext') : t('floor.yourRank', { n: rank }));
  }
}

const KNOWN = ['denied', 'too_fast', 'not_found', 'state'] as const;

/** A command that had no effect, in words. */
export function tellRefusal(error: ErrorReply): void {
  const code = KNOWN.find((known) => known === error.code) ?? 'other';
  announcer.notice(t(`error.${code}`), 'attention');
}
