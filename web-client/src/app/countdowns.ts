// Countdowns in words: what passes silently on the screen is told at a few moments, once each.
import type { ClassState } from '../core/state.ts';
import { warningBetween } from '../core/workshops.ts';
import { announcer } from './announce.svelte.ts';
import { spanText, t } from './prefs.svelte.ts';

const MINUTE = 60_000;
const STEPS = [1, 5, 10];

/** Called with the time that is left as it passes; returns 300, 60 or 10 when that mark is passed. */
export function marks(): (leftMs: number) => number | undefined {
  let before = 0;
  return (leftMs) => {
    const passed = warningBetween(before, leftMs);
    before = leftMs;
    return passed;
  };
}

/**
 * The end of the session, to be called as class time passes. Whoever leads is told 10, 5 and 1 minutes
 * before the planned end, whatever bar or panel is shown; everybody the last seconds of the closing.
 */
export function sessionEnd(): (klass: ClassState, now: number, leads: boolean) => void {
  const closing = marks();
  let told = 0;
  return (klass, now, leads) => {
    const { end, closing: until } = klass.times;
    if (klass.class.state === 'closing' && until !== undefined && closing(until - now) === 10) {
      announcer.say(t('say.closing', { time: spanText(10) }), true);
    }
    if (!leads || end === undefined || klass.class.state !== 'live') return;
    const left = end - now;
    const step = STEPS.find((m) => left <= m * MINUTE && left > (m - 1) * MINUTE) ?? 0;
    if (step === 0 || step === told) return;
    told = step;
    announcer.notice(t('session.warn', { n: step }), 'attention', 'ending');
  };
}
