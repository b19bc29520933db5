// Loudness of a microphone, 0..1, a dozen times a second.
const PERIOD_MS = 80;
const FLOOR_DB = -60;

let shared: AudioContext | undefined;

/** One audio context per page; browsers let it run after the first gesture. */
export function audioContext(): AudioContext | undefined {
  if (shared) return shared;
  if (typeof AudioContext === 'undefined') return undefined;
  shared = new AudioContext({ latencyHint: 'interactive' });
  const wake = (): void => void shared?.resume().catch(() => undefined);
  wake();
  for (const type of ['pointerdown', 'keydown'] as const) addEventListener(type, wake, { passive: true });
  return shared;
}

/** Calls back with the level until stopped. Returns the stop function. */
export function watchLevel(track: MediaStreamTrack, onLevel: (level: number) => void): () => void {
  const context = audioContext();
  if (!context) return () => undefined;
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
    const db = 10 * Math.log10(power + 1e-10);
    onLevel(Math.min(1, Math.max(0, (db - FLOOR_DB) / -FLOOR_DB)));
  }, PERIOD_MS);
  return () => {
    clearInterval(timer);
    source.disconnect();
  };
}
