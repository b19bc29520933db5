// What changes on the stage, in words: the phase for everybody, one's own place, who comes and who is ready.
import { isStaff, personOf } from '../core/state.ts';
import type { ClassState } from '../core/state.ts';
import { placeOf, webinarOf } from '../core/webinar.ts';
import type { Stage, StageInvite } from '../wire/messages.ts';
import { announcer } from './announce.svelte.ts';
import { t } from './prefs.svelte.ts';

const airs = (stage: Stage): boolean => stage.phase === 'air' || stage.phase === 'questions';

function tellPhase(was: Stage, is: Stage): void {
  if (was.phase === is.phase || is.phase === 'starting') return;
  if (airs(was) && !airs(is)) return announcer.notice(t('webinar.now.off'), 'attention', 'phase');
  if (was.phase === 'starting' && !airs(is)) return; // cancelled: nobody outside knew of it
  announcer.notice(t(`webinar.now.${is.phase}`), airs(is) && !airs(was) ? 'attention' : 'info', 'phase');
}

export function tellStage(is: Stage, before: ClassState): void {
  const was = webinarOf(before);
  if (!was) return;
  tellPhase(was.stage, is);
  const own = before.you.person;
  const now = { ...was, stage: is };
  const place = placeOf(now, own);
  if (place !== placeOf(was, own)) announcer.notice(t(`webinar.you.${place}`), 'attention', 'place');
  for (const member of is.members) {
    const name = personOf(before, member.person)?.name ?? '';
    if (member.person === own || name === '') continue;
    if (member.place !== 'wings') announcer.over(`ready/${member.person}`);
    if (member.place === 'stage' && placeOf(was, member.person) !== 'stage') announcer.say(t('webinar.came', { name }));
    const ready = was.stage.members.find((m) => m.person === member.person)?.check?.ready ?? false;
    if (isStaff(before.you.role) && member.check?.ready && !ready) {
      announcer.notice(t('webinar.ready', { name }), 'info', `ready/${member.person}`);
    }
  }
}

/** Staff hears that somebody will not come; the audience never does. */
export function tellInvites(is: readonly StageInvite[], before: ClassState): void {
  const was = webinarOf(before);
  if (!was || !isStaff(before.you.role)) return;
  for (const gone of was.invites.filter((v) => !is.some((w) => w.person === v.person))) {
    const name = personOf(before, gone.person)?.name ?? '';
    if (placeOf(was, gone.person) === 'audience' && name !== '') announcer.say(t('webinar.inviteOver', { name }));
  }
}
