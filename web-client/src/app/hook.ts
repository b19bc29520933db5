// window.amphi: a read-only view for end-to-end tests and for support. It changes nothing.
import type { ClassState } from '../core/state.ts';
import type { MediaFigures } from '../media/figures.ts';
import type { OfferCause, SlotLife, SourceKind } from '../wire/messages.ts';
import type { Room } from './room.svelte.ts';

interface SlotView {
  slot: number; device: string; source: SourceKind; life: SlotLife; width: number; height: number; shown: boolean;
}
export interface AmphiHook {
  readonly offers: Record<OfferCause, number>;
  /** What getStats says per slot and per sending section. */
  stats(): Promise<MediaFigures>;
  slots(): { audio: string[]; video: SlotView[] };
  state(): ClassState | undefined;
  media(): { health: string; linked: boolean; quality: number; soundBlocked: boolean };
  /** performance.now() of: door, join (click), snapshot, picture (first remote picture shown), lost. */
  timeline(): Record<string, number>;
}

declare global {
  interface Window { amphi?: AmphiHook }
}

export function exposeHook(room: Room): void {
  const slots = (): ReturnType<AmphiHook['slots']> => ({
    audio: [...room.media.audioSlots],
    video: room.media.videoSlots.map(([slot, device, source, life]) => {
      const element = document.querySelector<HTMLVideoElement>(`video[data-slot="${slot}"]`);
      return {
        slot, device, source, life, width: element?.videoWidth ?? 0, height: element?.videoHeight ?? 0, shown: element !== null,
      };
    }),
  });
  window.amphi = Object.freeze({
    get offers() {
      return { ...room.media.offers };
    },
    stats: () => room.media.readFigures(),
    slots,
    state: () => (room.state ? (JSON.parse(JSON.stringify(room.state)) as ClassState) : undefined),
    media: () => ({
      health: room.media.health, linked: room.linked, quality: room.media.quality, soundBlocked: room.media.soundBlocked,
    }),
    timeline: () => ({ ...room.timeline }),
  });
}
