// When to try the server again. Quick first (a restarted door is back in half a second), then calm.
const STEPS_MS = [0, 300, 1200, 2700, 4800];
const STEADY_MS = 5000;
const JITTER_MS = 1000;
const DRAIN_JITTER_MS = 2000;

/** Delay before attempt number `attempt` (from 0). `random` is in [0, 1). */
export function reconnectDelay(attempt: number, random: number): number {
  const step = STEPS_MS[attempt];
  return step ?? STEADY_MS + Math.floor(random * JITTER_MS);
}

/** A server that goes down on purpose is left a moment, at a different time by each page. */
export function drainDelay(random: number): number {
  return Math.floor(random * DRAIN_JITTER_MS);
}
