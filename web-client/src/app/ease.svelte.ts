// A machine that does not keep up is eased by itself, unless its person wants otherwise: which pictures are
// still asked for, and what the person is told.
import { Relief, eased, strained } from '../core/strain.ts';
import type { Step } from '../core/strain.ts';
import type { Wish } from '../core/slots.ts';
import type { MediaFigures } from '../media/figures.ts';
import { prefs } from './prefs.svelte.ts';

/** From this step on what we send costs less too. */
const SPARING: Step = 2;

const coding = (figures: MediaFigures): number => Math.max(0, ...figures.sends.map((s) => s.codingS));

export class Ease {
  /** How far the machine is eased; 0 = not at all. */
  step: Step = $state(0);
  /** Devices whose cameras rest for it. */
  resting: ReadonlySet<string> = $state.raw(new Set<string>());
  private readonly relief = new Relief();
  private readonly changed: () => void;
  private struggles = false;
  /** What `resting` says, for whoever may not depend on it. */
  private rests: string[] = [];

  /** `changed`: what is asked for is another. */
  constructor(changed: () => void) {
    this.changed = changed;
  }

  /** What is not the connection's fault. */
  get struggling(): boolean { return this.struggles; }

  /** The largest picture of our own camera is not coded. */
  get spares(): boolean { return this.step >= SPARING; }

  /** Two readings of a page that is looked at; `lateS` = so much later than due it came to run meanwhile. */
  look(before: MediaFigures, after: MediaFigures, elapsedS: number, lateS: number, now: number): void {
    this.struggles = strained(before.slots, after.slots, { elapsedS, lateS, codingS: coding(after) - coding(before) });
    if (prefs.ease) this.take(this.relief.push(this.struggles, now));
    else if (this.step > 0) this.showAll();
  }

  fewer(): void {
    this.relief.up(performance.now());
    this.take(this.relief.step);
  }

  showAll(): void {
    this.relief.refuse(performance.now());
    this.take(0);
  }

  /** What is asked for of these wishes. */
  of(wishes: readonly Wish[]): Wish[] {
    const asked = eased(wishes, this.step);
    const rests = asked.filter((wish, i) => wish.height === 0 && (wishes[i]?.height ?? 0) > 0).map((wish) => wish.device);
    if (rests.length !== this.rests.length || rests.some((device) => !this.rests.includes(device))) {
      this.rests = rests;
      this.resting = new Set(rests);
    }
    return asked;
  }

  private take(step: Step): void {
    if (step === this.step) return;
    this.step = step;
    this.changed();
  }
}
