// Three arcs for the quality of one's own connection, out of what the browser measures.
export interface LinkFigures { rttMs: number; lossPercent: number; frozenPercent: number }
export type Quality = 0 | 1 | 2 | 3;

/** 3 good, 2 fair, 1 poor; 0 when there is no connection at all. */
export function judgeQuality(connected: boolean, f: LinkFigures): Quality {
  if (!connected) return 0;
  if (f.rttMs > 400 || f.lossPercent > 8 || f.frozenPercent > 15) return 1;
  if (f.rttMs > 180 || f.lossPercent > 2.5 || f.frozenPercent > 4) return 2;
  return 3;
}

/** Worse at once, better only after `needed` samples in a row: the sign must not flicker. */
export class SteadyQuality {
  value: Quality = 3;
  private better = 0;
  private readonly needed: number;

  constructor(needed = 3) {
    this.needed = needed;
  }

  push(next: Quality): Quality {
    if (next <= this.value) {
      this.value = next;
      this.better = 0;
    } else if (++this.better >= this.needed || this.value === 0) {
      this.value = next;
      this.better = 0;
    }
    return this.value;
  }
}
