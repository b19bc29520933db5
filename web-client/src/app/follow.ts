// Our devices after what the server did: it may close our microphone and camera, it never opens them.
import { ownDevice } from '../core/state.ts';
import type { ClassState } from '../core/state.ts';
import { inAudience, ownPlace } from '../core/webinar.ts';
import { ownRoomId } from '../core/workshops.ts';
import { announcer } from './announce.svelte.ts';
import type { LocalMedia } from './local.svelte.ts';
import { t } from './prefs.svelte.ts';

/** What changed, with a delta, a new snapshot or new rights; busy: our own word about devices is on its way. */
export function follow(local: LocalMedia, before: ClassState, now: ClassState, busy: boolean): void {
  if (!busy) followServer(local, before, now);
  followRights(local, before, now);
}

function followServer(local: LocalMedia, before: ClassState, now: ClassState): void {
  const device = ownDevice(now);
  if (!device) return;
  if (device.mic === 'off' && local.mic.on) {
    local.turnOff('mic');
    // Whoever goes to another place hears of that (the stage tells of itself); nobody took the word from him.
    if (ownPlace(before) === ownPlace(now)) announcer.notice(t('say.mutedBy'), 'attention', 'mic');
    else if (ownRoomId(before) !== ownRoomId(now) && inAudience(now)) announcer.notice(t('webinar.you.audience'), 'attention');
  }
  if (!device.cam && local.cam.on) local.turnOff('cam');
}

function letGo(local: LocalMedia, now: ClassState): void {
  for (const input of ['mic', 'cam'] as const) {
    if (inAudience(now) && !now.rights.includes(`media.${input}`) && local[input].track) local.close(input);
  }
}

/** The audience may speak at a table; back in the hall nothing of it stays open, nor listens. */
function followRights(local: LocalMedia, before: ClassState, now: ClassState): void {
  if (!inAudience(now)) return;
  const may = (state: ClassState): boolean => state.rights.includes('media.mic');
  if (!may(before) && may(now)) announcer.notice(t('webinar.table.voice'));
  if (may(before) && !may(now) && local.mic.on) announcer.notice(t('webinar.you.audience'), 'attention');
  letGo(local, now);
}
