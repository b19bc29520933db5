// Class time as components see it: moves four times a second while somebody looks.
import { createSubscriber } from 'svelte/reactivity';
import type { ClassState } from '../core/state.ts';

const STEP_MS = 250;
const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, STEP_MS);
  return () => clearInterval(timer);
});

/** Class time now, by the server's clock. */
export function clockNow(klass: ClassState): number {
  subscribe();
  return performance.now() + klass.classOffset;
}
