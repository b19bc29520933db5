// Who holds the attention: the loudest, but not at every cough. And: do you speak while muted?
import type { Speaking } from '../wire/messages.ts';

const TAKE_OVER_MS = 1200;

/** The device shown large in the speaker layout; changes only to somebody who goes on speaking. */
export class ActiveSpeaker {
  current = '';
  private candidate = '';
  private candidateSinceMs = 0;

  /** The server's judgement: the newest who had the floor and is not oneself; empty = it knows of none. */
  follow(recent: readonly string[], own: string): string {
    const other = recent.find((device) => device !== own && device !== '') ?? '';
    if (other !== '') this.current = other;
    return other;
  }

  update(list: readonly Speaking[], nowMs: number, own: string): string {
    const loudest = list.find(([device]) => device !== own)?.[0] ?? '';
    if (loudest === '' || loudest === this.current) {
      this.candidate = '';
    } else if (this.current === '') {
      this.current = loudest;
    } else if (loudest !== this.candidate) {
      this.candidate = loudest;
      this.candidateSinceMs = nowMs;
    } else if (nowMs - this.candidateSinceMs >= TAKE_OVER_MS) {
      this.current = loudest;
      this.candidate = '';
    }
    return this.current;
  }

  gone(device: string): void {
    if (this.current === device) this.current = '';
    if (this.candidate === device) this.candidate = '';
  }
}

const SPEECH_LEVEL = 0.12;
const SPEECH_MS = 900;
const WINDOW_MS = 2000;
const QUIET_AFTER_MS = 12_000;

/** Tells once that a muted person speaks, then leaves him alone for a while. */
export class MutedSpeech {
  private loud: { at: number; ms: number }[] = [];
  private lastMs: number | undefined;
  private silentUntilMs = 0;

  /** `level` 0..1 of the microphone now. True when the hint should appear. */
  sample(level: number, muted: boolean, nowMs: number): boolean {
    const elapsed = this.lastMs === undefined ? 0 : Math.min(nowMs - this.lastMs, 250);
    this.lastMs = nowMs;
    if (!muted) {
      this.loud = [];
      return false;
    }
    this.loud = this.loud.filter((x) => nowMs - x.at < WINDOW_MS);
    if (level >= SPEECH_LEVEL) this.loud.push({ at: nowMs, ms: elapsed });
    const spoken = this.loud.reduce((sum, x) => sum + x.ms, 0);
    if (spoken < SPEECH_MS || nowMs < this.silentUntilMs) return false;
    this.silentUntilMs = nowMs + QUIET_AFTER_MS;
    this.loud = [];
    return true;
  }
}
