// The low-bandwidth mode: sound and shared screens only, and our own camera rests.
import type { Action } from '../../app/actions.ts';
import { announcer } from '../../app/announce.svelte.ts';
import { prefs, setPref, t } from '../../app/prefs.svelte.ts';
import type { Room } from '../../app/room.svelte.ts';
import { view } from '../../app/view.svelte.ts';

export function setSaver(room: Room, on: boolean): void {
  setPref('saver', on);
  room.media.saverChanged();
  if (on && room.local.cam.on) room.local.turnOff('cam');
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
