// What may stand above the stage for long, the most important first: of those that hold one is shown. A further
// notice is a further row here; its look is in Standing.svelte and nowhere else.
import { prefs, t } from '../../app/prefs.svelte.ts';
import type { Room } from '../../app/room.svelte.ts';
import { serverBusy } from '../../core/busy.ts';
import type { Spoken } from '../../core/standing.ts';
import type { ClassState } from '../../core/state.ts';
import { LAST } from '../../core/strain.ts';
import type { IconName } from '../../ui/icons.ts';
import { setSaver } from '../network/saver.ts';

export interface Reply { id: string; text: string; run: () => void; /** Turns down what is proposed. */ soft?: boolean }

export interface Notice extends Spoken {
  test: string;
  icon: IconName;
  /** Chosen by its person: stands for what is, asks for nothing. */
  calm?: boolean;
  /** How far it has come, for tests. */
  step?: number | string;
  /** Counts down to this time of the class. */
  until?: number;
  /** What the replies are about, where the text alone does not say it. */
  label?: string;
  replies?: readonly Reply[];
}

type Row = (room: Room, klass: ClassState) => Notice | undefined;

/** There is no room for one's sound: the others say what a picture lacks. */
const noRoom: Row = (room) =>
  (room.noRoom ? { id: 'no-room', test: 'no-room', icon: 'circle-alert', text: t('busy.noRoom') } : undefined);

/** Nobody who leads is here. For everybody. */
const unled: Row = (_, klass) => (klass.times.staffless
  ? { id: 'unled', test: 'unled', icon: 'clock', text: t('session.unled'), until: klass.times.staffless } : undefined);

/** Participants see it on the tiles it concerns; who runs the class should know that it is the server. */
const busy: Row = (room) => {
  const step = room.staff ? serverBusy(room.load) : '';
  return step === '' ? undefined
    : { id: `busy-${step}`, test: 'server-busy', icon: 'circle-alert', step, text: t(`busy.${step}`) };
};

/** Sound and shared screens only, as long as it is on: there are no cameras to show fewer of. */
const saverOn: Row = (room) => (prefs.saver ? {
  id: 'saver', test: 'saver-badge', icon: 'wifi-off', calm: true, quiet: true, text: t('saver.badge'),
  replies: [{ id: 'saver-stop', text: t('saver.stop'), run: () => setSaver(room, false) }],
} : undefined);

/** This machine does not keep up, whatever its connection: what was done about it, and what its person can do. */
const strain: Row = ({ media: { ease } }) => (ease.step > 0 ? {
  id: 'strain', test: 'strain', icon: 'monitor', step: ease.step, label: t('strain.label'),
  text: t('strain.eased'), over: t('strain.over'),
  replies: [
    ...(ease.step < LAST ? [{ id: 'strain-fewer', text: t('strain.fewer'), run: () => ease.fewer() }] : []),
    { id: 'strain-all', text: t('strain.all'), run: () => ease.showAll(), soft: true },
  ],
} : undefined);

const saverProposal: Row = (room) => (room.media.proposeSaver && !prefs.saver ? {
  id: 'saver-propose', test: 'saver-propose', icon: 'wifi-off', text: t('saver.propose'), label: t('saver.label'),
  replies: [
    { id: 'saver-yes', text: t('saver.yes'), run: () => setSaver(room, true) },
    { id: 'saver-no', text: t('saver.no'), run: () => room.media.declineSaver(), soft: true },
  ],
} : undefined);

const ROWS: readonly Row[] = [noRoom, unled, busy, saverOn, strain, saverProposal];

export const standing = (room: Room, klass: ClassState): Notice[] => ROWS.flatMap((row) => row(room, klass) ?? []);
