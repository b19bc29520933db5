// Soft notes made on the spot; no file is loaded.
import { audioContext } from './meter.ts';

const NOTES = { test: [392, 494, 587], hand: [587, 784], knock: [392, 392], time: [523, 440] } as const;
export type SoundName = keyof typeof NOTES;

const STEP_S = 0.28;

/** Plays a short figure; resolves when it is over. */
export async function playSound(name: SoundName, speaker = ''): Promise<void> {
  const context = audioContext();
  if (!context) return;
  await context.resume().catch(() => undefined);
  if (speaker !== '' && 'setSinkId' in context) {
    await (context as AudioContext & { setSinkId(id: string): Promise<void> }).setSinkId(speaker).catch(() => undefined);
  }
  const notes = NOTES[name];
  const step = name === 'test' ? STEP_S : STEP_S / 2;
  notes.forEach((pitch, i) => {
    const start = context.currentTime + i * step;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(name === 'test' ? 0.22 : 0.08, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, start + step * 1.6);
    tone.connect(volume).connect(context.destination);
    tone.start(start);
    tone.stop(start + step * 1.7);
  });
  await new Promise((done) => setTimeout(done, (notes.length + 1) * step * 1000));
}
