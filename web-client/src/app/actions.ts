// Every action by name, with its shortcut: the palette lists them, the keyboard runs them.
import { FEATURE_ACTIONS } from '../features/registry.ts';
import type { IconName } from '../ui/icons.ts';
import { announcer } from './announce.svelte.ts';
import { lang, prefs, setPref, t } from './prefs.svelte.ts';
import type { Room } from './room.svelte.ts';
import { view } from './view.svelte.ts';

export interface Action {
  id: string; label: string; icon: IconName; run: () => void;
  /** Shown beside the name; `code` is the physical key, so that it works on every layout. */
  keys?: string; code?: string; alt?: boolean;
}

async function toggleInput(room: Room, input: 'mic' | 'cam'): Promise<void> {
  await room.local.toggle(input);
  const on = room.local[input].on;
  if (input === 'mic') announcer.say(t(on ? 'say.micOn' : 'say.micOff'));
  else announcer.say(t(on ? 'say.camOn' : 'say.camOff'));
}

const onOff = (on: boolean): 'on' | 'off' => (on ? 'on' : 'off');

function mediaActions(room: Room): Action[] {
  const { mic, cam, screen } = room.local;
  const needs: Record<string, 'mic' | 'cam' | 'screen'> = { mic: 'mic', cam: 'cam', share: 'screen' };
  const all: Action[] = [
    {
      id: 'mic', label: t(`bar.mic.${onOff(mic.on)}`), icon: mic.on ? 'mic-off' : 'mic',
      run: () => void toggleInput(room, 'mic'), keys: 'Ctrl D', code: 'KeyD',
    },
    {
      id: 'cam', label: t(`bar.cam.${onOff(cam.on)}`), icon: cam.on ? 'video-off' : 'video',
      run: () => void toggleInput(room, 'cam'), keys: 'Ctrl E', code: 'KeyE',
    },
    {
      id: 'share', label: t(`bar.share.${onOff(screen !== undefined)}`), icon: 'screen-share',
      run: () => void room.toggleShare(), keys: 'Ctrl Alt S', code: 'KeyS', alt: true,
    },
    {
      id: 'hand', label: t(`bar.hand.${onOff(room.ownRank > 0)}`), icon: 'hand',
      run: () => room.toggleHand(), keys: 'Ctrl Alt H', code: 'KeyH', alt: true,
    },
  ];
  return all.filter(({ id }) => needs[id] === undefined || room.offers(needs[id]));
}

function viewActions(): Action[] {
  const choices = { auto: 'circle-dot', ring: 'users', grid: 'layout-grid', speaker: 'presentation' } as const;
  return (Object.keys(choices) as (keyof typeof choices)[])
    .filter((choice) => choice !== prefs.view)
    .map((choice) => ({
      id: `view-${choice}`, label: `${t('top.view')} : ${t(`view.${choice}`)}`, icon: choices[choice],
      run: () => setPref('view', choice),
    }));
}

function sessionActions(room: Room): Action[] {
  const list: Action[] = [];
  if (room.may('session.start') && room.state?.class.state === 'idle') {
    list.push({ id: 'start', label: t('top.start'), icon: 'play', run: () => void room.run({ t: 'session.start' }) });
  }
  if (room.may('hand.clear') && (room.state?.hands.length ?? 0) > 0) {
    list.push({ id: 'clear', label: t('hands.clear'), icon: 'hand', run: () => void room.run({ t: 'hand.clear' }) });
  }
  return list;
}

export function actionsOf(room: Room): Action[] {
  const other = lang() === 'fr' ? 'en' : 'fr';
  return [
    ...mediaActions(room),
    {
      id: 'people', label: t('bar.people'), icon: 'users', run: () => view.toggle('people'),
      keys: 'Ctrl Alt P', code: 'KeyP', alt: true,
    },
    {
      id: 'chat', label: t('bar.chat'), icon: 'message-square', run: () => view.toggle('chat'),
      keys: 'Ctrl Alt C', code: 'KeyC', alt: true,
    },
    { id: 'settings', label: t('top.settings'), icon: 'settings', run: () => view.toggle('settings') },
    ...viewActions(),
    ...sessionActions(room),
    ...FEATURE_ACTIONS.flatMap((of) => of(room)),
    { id: 'lang', label: other === 'en' ? 'English' : 'Français', icon: 'message-square', run: () => setPref('lang', other) },
    { id: 'leave', label: t('bar.leave'), icon: 'log-out', run: () => (view.leaving = true) },
  ];
}

/** Runs the action of a key press; false when there is none. */
export function runShortcut(event: KeyboardEvent, room: Room): boolean {
  if (!event.ctrlKey || event.shiftKey || event.metaKey || event.repeat) return false;
  if (event.code === 'KeyK' && !event.altKey) {
    view.palette = !view.palette;
    return true;
  }
  const action = actionsOf(room).find((a) => a.code === event.code && (a.alt ?? false) === event.altKey);
  action?.run();
  return action !== undefined;
}
