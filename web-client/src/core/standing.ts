// Notices that stand above the stage: of those that hold only the first is shown, and each is told once.
// Pure: what holds in, words to say out.
export interface Spoken {
  /** The same notice with other words is another one. */
  id: string;
  text: string;
  /** Said already where it came about. */
  quiet?: boolean;
  /** What is said when it holds no longer. */
  over?: string;
}

/** What a screen reader is told while notices come, give way to more important ones and go. */
export class Telling {
  private told: readonly Spoken[] = [];

  /** `standing`: all that hold, the most important first. */
  next(standing: readonly Spoken[]): string[] {
    const holds = (one: Spoken): boolean => standing.some((now) => now.id === one.id);
    const over = this.told.filter((one) => !holds(one)).flatMap((one) => one.over ?? []);
    const [first] = standing;
    const fresh = first !== undefined && !this.told.some((one) => one.id === first.id);
    // One that gave way and comes again is no news.
    this.told = [...this.told.filter(holds), ...(fresh ? [first] : [])];
    return [...over, ...(fresh && first.quiet !== true ? [first.text] : [])];
  }
}
