// Where features meet the page: one row each. The first view whose `when` holds is the stage; staff
// bars stand in one thin bar under the top; layers lie over the stage (what stands above it: notices/standing.ts).
import type { Component } from 'svelte';
import type { Action } from '../app/actions.ts';
import type { Room } from '../app/room.svelte.ts';
import type { ClassState } from '../core/state.ts';
import type { TextKey } from '../i18n/translate.ts';
import type { IconName } from '../ui/icons.ts';
import Chat from './chat/Chat.svelte';
import Asked from './conduct/Asked.svelte';
import Conduct from './conduct/Conduct.svelte';
import ConductButton from './conduct/ConductButton.svelte';
import SessionBar from './conduct/SessionBar.svelte';
import Digest from './digest/Digest.svelte';
import { floorActions } from './floor/actions.ts';
import FloorBar from './floor/FloorBar.svelte';
import TurnCard from './floor/TurnCard.svelte';
import Minutes from './minutes/Minutes.svelte';
import People from './people/People.svelte';
import Stats from './network/Stats.svelte';
import { networkActions } from './network/saver.ts';
import { rollActions } from './roll/actions.ts';
import CheckCard from './roll/CheckCard.svelte';
import RollBar from './roll/RollBar.svelte';
import RollPanel from './roll/RollPanel.svelte';
import Rules from './rules/Rules.svelte';
import Settings from './settings/Settings.svelte';
import Stage from './stage/Stage.svelte';
import Amphitheatre from './webinar/Amphitheatre.svelte';
import LiveBar from './webinar/LiveBar.svelte';
import Scene from './webinar/Scene.svelte';
import Desk from './workshops/Desk.svelte';
import DeskBar from './workshops/DeskBar.svelte';
import TableLayer from './workshops/TableLayer.svelte';
import WorkshopPanel from './workshops/WorkshopPanel.svelte';
import { t } from '../app/prefs.svelte.ts';
import { view } from '../app/view.svelte.ts';
import { openSet, ownRoomId } from '../core/workshops.ts';

export interface Place { room: Room; klass: ClassState }
type View = Component<Place>;

export interface StageView { when: (klass: ClassState) => boolean; view: View }
export interface PanelRow { title: TextKey; view: View; when?: (place: Place) => boolean; icon?: IconName }
export interface StaffBar { when: (place: Place) => boolean; view: View }

/** Whoever looks at the floor plan leads the workshops, not the table. */
const onDesk = (klass: ClassState): boolean => view.desk && openSet(klass) !== undefined;

export const STAGES: readonly StageView[] = [
  { when: onDesk, view: Desk },
  { when: (klass) => klass.stage !== undefined && ownRoomId(klass) === undefined, view: Amphitheatre },
  { when: () => true, view: Stage },
];

export const PANELS = {
  people: { title: 'panel.people', view: People },
  chat: { title: 'panel.chat', view: Chat },
  settings: { title: 'panel.settings', view: Settings },
  stats: { title: 'panel.stats', view: Stats },
  scene: { title: 'panel.scene', view: Scene, when: ({ room, klass }) => room.staff && klass.stage !== undefined },
  minutes: { title: 'panel.minutes', view: Minutes, icon: 'pencil' },
  roll: { title: 'panel.roll', view: RollPanel, icon: 'user-check' },
  workshops: { title: 'panel.workshops', view: WorkshopPanel },
  conduct: { title: 'panel.conduct', view: Conduct, when: ({ room }) => room.staff },
  rules: { title: 'panel.rules', view: Rules, when: ({ room }) => room.may('class.set') },
} satisfies Record<string, PanelRow>;
export type PanelName = keyof typeof PANELS;

export const STAFF_BARS: readonly StaffBar[] = [
  { when: () => true, view: SessionBar },
  { when: ({ room, klass }) => klass.class.type !== 'webinar' && room.may('floor.run') && !onDesk(klass), view: FloorBar },
  { when: ({ klass }) => klass.stage !== undefined, view: LiveBar },
  { when: ({ room }) => room.may('workshop.run'), view: DeskBar },
  { when: ({ room }) => room.may('check.ask'), view: RollBar },
  { when: () => true, view: ConductButton },
];

/** Shown over the stage, in this order; each decides itself whether it has something to show. */
export const LAYERS: readonly View[] = [TurnCard, CheckCard, Asked, TableLayer, Digest];

/** Actions of features, for the palette and the keyboard. */
export const FEATURE_ACTIONS: readonly ((room: Room) => Action[])[] = [
  floorActions, networkActions, rollActions,
  (room) => (room.staff ? [
    { id: 'conduct', label: t('conduct.open'), icon: 'sliders-horizontal', run: () => view.toggle('conduct') },
    { id: 'rules', label: t('conduct.rulesOpen'), icon: 'sliders-horizontal', run: () => view.toggle('rules') },
  ] : []),
  () => [{ id: 'digest', label: t('digest.open'), icon: 'info', run: () => (view.digest = true) }],
  () => [{ id: 'minutes', label: t('minutes.open'), icon: 'pencil', run: () => view.toggle('minutes') }],
  () => [{ id: 'workshops', label: t('bar.workshops'), icon: 'layout-grid', run: () => view.toggle('workshops') }],
];
