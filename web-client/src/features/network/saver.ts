// The low-bandwidth mode: sound and shared screens only, and our own camera rests.
import type { Action } from '../../app/actions.ts';
import { announcer } from '../../app/announce.svelte.ts';
import { prefs, setPref, t } from '../../app/prefs.svelte.ts';
import type { Room } from '../../app/room.svelte.ts';
import { view } from '../../app/view.svelte.ts';

let closedCamera = false;

export function setSaver(room: Room, on: boolean): void {
  setPref('saver', on);
  room.media.saverChanged();
  if (on) {
    closedCamera = room.local.cam.on;
    if (closedCamera) room.local.turnOff('cam');
  } else if (closedCamera && !room.local.cam.on) {
    // A camera opens by its own person's hand only: who saw his close with ours should know.
    announcer.notice(t('saver.camStays'));
  }
  announcer.say(t(on ? 'saver.on' : 'saver.off'));
}

export function networkActions(room: Room): Action[] {
  return [
    {
      id: 'saver', label: t(prefs.saver ? 'saver.stop' : 'saver.start'), icon: 'wifi-off',
      run: () => setSaver(room, !prefs.saver),
    },
    {
      id: 'stats', label: t('stats.open'), icon: 'monitor', run: () => view.toggle('stats'),
      keys: 'Ctrl Alt N', code: 'KeyN', alt: true,
    },
  ];
}
