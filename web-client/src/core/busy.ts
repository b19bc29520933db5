// What a busy server keeps from this page, by the reasons it gives for its pictures.
import type { VideoSlot } from '../wire/messages.ts';

/** none: nothing; slower: fewer pictures a second; fewer: some pictures do not come at all. */
export type ServerBusy = 'none' | 'slower' | 'fewer';

export function serverBusy(slots: readonly VideoSlot[]): ServerBusy {
  const kept = slots.filter(([, , , , reason]) => reason === 'server');
  if (kept.length === 0) return 'none';
  return kept.some(([, , , life]) => life !== 'live') ? 'fewer' : 'slower';
}
