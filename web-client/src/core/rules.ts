// The rules of a class (signaling/schema/settings*.def) as staff may change them during it: which
// belong together, what kind of value each has. A test compares this with the tables.
import { setting } from './floor.ts';
import type { ClassState } from './state.ts';

export type RuleUnit = 'minutes' | 'seconds' | 'people' | 'percent' | 'checks' | 'days';
export type Rule =
  | { key: RuleKey; kind: 'switch'; usual: 'on' | 'off' }
  | { key: RuleKey; kind: 'choice'; usual: string; choices: readonly string[] }
  | { key: RuleKey; kind: 'number'; usual: number; low: number; high: number; unit: RuleUnit };
export type RuleGroup = 'entry' | 'time' | 'speech' | 'table' | 'audience' | 'stage' | 'attendance';

const onOff = (key: RuleKey, usual: 'on' | 'off'): Rule => ({ key, kind: 'switch', usual });
const choice = (key: RuleKey, choices: readonly string[], usual = choices[0] ?? ''): Rule => ({ key, kind: 'choice', usual, choices });
const number = (key: RuleKey, unit: RuleUnit, usual: number, low: number, high: number): Rule =>
  ({ key, kind: 'number', usual, low, high, unit });

export const RULE_KEYS = [
  'waiting-room', 'no-learner-alone', 'staffless', 'prepare', 'doors', 'auto-start',
  'duration', 'closing', 'hard-stop', 'archive-after',
  'presenters', 'times', 'floor-turn', 'floor-reply', 'floor-overtime', 'floor-remaining', 'floor-least-heard',
  'floor-double', 'floor-append', 'table-seats',
  'audience', 'chat', 'chat-slow', 'reactions', 'seats', 'reserved-seats', 'light-seats',
  'stage', 'invitation', 'countdown',
  'attendance-share', 'attendance-minutes', 'attendance-length', 'attendance-arrival', 'attendance-checks',
  'presence-checks', 'presence-prompt', 'attendance-provisional',
] as const;
export type RuleKey = (typeof RULE_KEYS)[number];

export const RULES: readonly { group: RuleGroup; webinar?: boolean; rules: readonly Rule[] }[] = [
  {
    group: 'entry',
    rules: [
      choice('waiting-room', ['off', 'host-absent', 'manual', 'list']),
      onOff('no-learner-alone', 'off'),
      number('staffless', 'minutes', 10, 0, 1440),
      number('prepare', 'minutes', 30, 0, 1440),
      number('doors', 'minutes', 10, 0, 1440),
      onOff('auto-start', 'on'),
    ],
  },
  {
    group: 'time',
    rules: [
      number('duration', 'minutes', 0, 0, 1440),
      number('closing', 'seconds', 60, 0, 600),
      number('hard-stop', 'minutes', 0, 0, 1440),
      number('archive-after', 'days', 90, 0, 3650),
    ],
  },
  {
    group: 'speech',
    rules: [
      choice('presenters', ['several', 'one', 'staff']),
      choice('times', ['all', 'staff']),
      number('floor-turn', 'seconds', 120, 0, 3600),
      number('floor-reply', 'seconds', 45, 10, 600),
      choice('floor-overtime', ['nothing', 'prompt', 'yield']),
      onOff('floor-remaining', 'on'),
      onOff('floor-least-heard', 'off'),
      onOff('floor-double', 'off'),
      onOff('floor-append', 'on'),
    ],
  },
  { group: 'table', webinar: false, rules: [number('table-seats', 'people', 12, 2, 24)] },
  {
    group: 'audience', webinar: true,
    rules: [
      choice('audience', ['hidden', 'count', 'shown'], 'count'),
      choice('chat', ['public', 'staff', 'off']),
      number('chat-slow', 'seconds', 0, 0, 600),
      onOff('reactions', 'on'),
      number('seats', 'people', 0, 0, 1000),
      number('reserved-seats', 'people', 5, 0, 100),
      number('light-seats', 'people', 0, 0, 1000),
    ],
  },
  {
    group: 'stage', webinar: true,
    rules: [
      number('stage', 'people', 16, 1, 16),
      number('invitation', 'seconds', 30, 5, 600),
      number('countdown', 'seconds', 3, 0, 30),
    ],
  },
  {
    group: 'attendance',
    rules: [
      number('attendance-share', 'percent', 50, 1, 100),
      number('attendance-minutes', 'minutes', 0, 0, 1440),
      choice('attendance-length', ['planned', 'actual']),
      number('attendance-arrival', 'minutes', 0, 0, 240),
      onOff('presence-checks', 'off'),
      number('attendance-checks', 'checks', 0, 0, 20),
      number('presence-prompt', 'seconds', 180, 20, 900),
      number('attendance-provisional', 'days', 7, 0, 90),
    ],
  },
];

export function groupsOf(klass: ClassState): typeof RULES {
  const webinar = klass.stage !== undefined;
  return RULES.filter((g) => g.webinar === undefined || g.webinar === webinar);
}

/** What holds now: as set, or as usual. */
export function ruleValue(klass: ClassState, rule: Rule): string {
  return setting(klass, rule.key) ?? String(rule.usual);
}

/** A number somebody typed, brought into what the rule allows; undefined when it is none. */
export function ruleNumber(rule: Extract<Rule, { kind: 'number' }>, typed: string): number | undefined {
  if (!/^\s*\d{1,6}\s*$/.test(typed)) return undefined;
  return Math.min(rule.high, Math.max(rule.low, Number(typed)));
}
