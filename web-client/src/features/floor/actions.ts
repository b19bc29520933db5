// The floor in the palette and under the keyboard.
import type { Action } from '../../app/actions.ts';
import { t } from '../../app/prefs.svelte.ts';
import type { Room } from '../../app/room.svelte.ts';

export function floorActions(room: Room): Action[] {
  const klass = room.state;
  if (!klass) return [];
  const list: Action[] = [];
  const mine = klass.floor.turn?.person === klass.you.person;
  if (mine) {
    list.push({ id: 'floor-done', label: t('floor.finish'), icon: 'check', run: () => void room.run({ t: 'floor.done' }) });
  }
  if (room.ownRank === 0) {
    for (const kind of ['reply', 'order', 'technical'] as const) {
      list.push({
        id: `hand-${kind}`, label: t(`floor.hand.${kind}`), icon: 'hand',
        run: () => void room.run({ t: 'hand.raise', kind }),
      });
    }
  }
  if (room.may('floor.run') && klass.floor.mode !== 'open') {
    list.push({ id: 'floor-next', label: t('floor.next'), icon: 'arrow-right', run: () => void room.run({ t: 'floor.next' }) });
    if (klass.floor.turn) {
      list.push({
        id: 'floor-take', label: t('floor.take'), icon: 'mic-off', run: () => void room.run({ t: 'floor.take', how: 'done' }),
      });
    }
  }
  return list;
}
