// Why a picture is smaller than it could be, or not there: the words of its tile; '' = it is as wished.
import { prefs, t } from '../../app/prefs.svelte.ts';
import type { SlotLife, SlotReason, VideoSlot } from '../../wire/messages.ts';

export function whyLess(slot: { life: SlotLife; reason: SlotReason } | undefined, camera: boolean, rests = false): string {
  if (prefs.saver && camera) return t('reason.saver');
  if (rests) return t('reason.strain');
  if (!slot) return '';
  if (slot.reason === 'connection' || slot.reason === 'paused') return t(`reason.${slot.reason}`);
  if (slot.reason === 'server') return t(slot.life === 'live' ? 'reason.server' : 'reason.serverOff');
  if (slot.reason === 'source' && slot.life === 'waiting') return t('reason.silent');
  return slot.life === 'off' ? t('stage.pictureOff') : '';
}

/** The same for the statistics, where every slot has its words; '' for a picture that is on its way. */
export function wordsOf([, , , life, reason]: VideoSlot): string {
  if (reason === 'full' && life !== 'live') return '';
  if (reason === 'server' && life !== 'live') return t('reason.serverOff');
  return t(reason === 'source' && life === 'waiting' ? 'reason.silent' : `reason.${reason}`);
}
