// Class time on this page: what the server counts deadlines in. It beats only while something shows it.
import { createSubscriber } from 'svelte/reactivity';
import type { ClassState } from '../core/state.ts';

const BEAT_MS = 250;
const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, BEAT_MS);
  return () => clearInterval(timer);
});

export function classNow(klass: ClassState): number {
  subscribe();
  return klass.classOffset + performance.now();
}
