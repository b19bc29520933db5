// Holding music made on the spot: a slow, soft chord that moves. No file is loaded.
import { audioContext } from './meter.ts';

const CHORDS = [[196, 246.9, 293.7], [174.6, 220, 261.6], [164.8, 196, 246.9], [146.8, 220, 293.7]] as const;
const CHORD_S = 4;
const LOUDNESS = 0.035;

export class HoldingMusic {
  private timer: ReturnType<typeof setInterval> | undefined;
  private out: GainNode | undefined;
  private next = 0;

  start(): void {
    const context = audioContext();
    if (!context) return;
    void context.resume().catch(() => undefined);
    this.out = context.createGain();
    this.out.connect(context.destination);
    this.chord(context);
    this.timer = setInterval(() => this.chord(context), CHORD_S * 1000);
  }

  stop(): void {
    clearInterval(this.timer);
    this.out?.disconnect();
    this.out = undefined;
  }

  private chord(context: AudioContext): void {
    const out = this.out;
    if (!out) return;
    const start = context.currentTime + 0.05;
    for (const pitch of CHORDS[this.next % CHORDS.length] ?? CHORDS[0]) {
      const tone = context.createOscillator();
      const volume = context.createGain();
      tone.type = 'sine';
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0, start);
      volume.gain.linearRampToValueAtTime(LOUDNESS, start + 1.2);
      volume.gain.linearRampToValueAtTime(0, start + CHORD_S + 1);
      tone.connect(volume).connect(out);
      tone.start(start);
      tone.stop(start + CHORD_S + 1.1);
    }
    this.next += 1;
  }
}
