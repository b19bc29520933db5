// Attendance in the palette and under the keyboard.
import type { Action } from '../../app/actions.ts';
import { t } from '../../app/prefs.svelte.ts';
import type { Room } from '../../app/room.svelte.ts';
import { view } from '../../app/view.svelte.ts';

export function answerCheck(room: Room): void {
  const check = room.state?.checks?.[0];
  if (check && room.state?.checkMine) void room.run({ t: 'check.answer', check: check.id });
}

export function rollActions(room: Room): Action[] {
  const list: Action[] = [
    { id: 'roll', label: t(room.staff ? 'roll.title' : 'roll.own'), icon: 'user-check', run: () => view.toggle('roll') },
  ];
  if (room.state?.checkMine) {
    list.unshift({
      id: 'check-answer', label: t('check.here'), icon: 'check', run: () => answerCheck(room), keys: 'Ctrl Alt J', code: 'KeyJ', alt: true,
    });
  }
  if (room.may('check.ask') && (room.state?.checks?.length ?? 0) === 0) {
    list.push({ id: 'check-ask', label: t('check.ask'), icon: 'user-check', run: () => void room.run({ t: 'check.ask' }) });
  }
  return list;
}
