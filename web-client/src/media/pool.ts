// How many receive slots this page asks for. Chosen once per page load: the offer never grows.
export interface Pool { audio: number; video: number }

export const AUDIO_SLOTS = 5;

export function chooseSlotPool(width: number, height: number, coarsePointer: boolean): Pool {
  const short = Math.min(width, height);
  if (coarsePointer && short < 600) return { audio: AUDIO_SLOTS, video: 6 };
  if (width >= 2200 && height >= 1200) return { audio: AUDIO_SLOTS, video: 25 };
  return { audio: AUDIO_SLOTS, video: 16 };
}
