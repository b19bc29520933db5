import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PULSE_MS, Questions, Silence, UNSEEN_PULSE_MS } from '../../src/core/silence.ts';
import type { Hush } from '../../src/core/silence.ts';

/** Looks as the page does: what grows by `rate` bytes a second until `endMs`; the first verdict of each kind after it. */
class Watch {
  private readonly silence = new Silence();
  private nowMs = 0;
  private bytes = 0;
  private readonly flows: boolean;

  constructor(flows = true) {
    this.flows = flows;
  }

  /** `rate` 0 = nothing comes. What was said, without repetitions, with the time since the beginning of this stretch. */
  pass(ms: number, rate: number): [Hush, number][] {
    const said: [Hush, number][] = [];
    const beginMs = this.nowMs;
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.nowMs += PULSE_MS) {
      this.bytes += (rate * PULSE_MS) / 1000;
      const hush = this.silence.look(Math.round(this.bytes), this.flows, this.nowMs);
      if (said.at(-1)?.[0] !== hush) said.push([hush, this.nowMs - beginMs]);
    }
    return said;
  }

  hint(): void {
    this.silence.hint(this.nowMs);
  }

  rebuilt(): void {
    this.silence.reset();
    this.bytes = 0;
  }
}

const words = (said: [Hush, number][]): Hush[] => said.map(([hush]) => hush);

test('media that stops is a doubt within a second and silence within 2.2', () => {
  const w = new Watch();
  assert.deepEqual(words(w.pass(5000, 50_000)), ['none']);
  const said = w.pass(4000, 0);
  assert.deepEqual(words(said), ['none', 'doubt', 'silent']);
  assert.ok((said[1]?.[1] ?? 0) <= 1000 && (said[2]?.[1] ?? 0) <= 2200, JSON.stringify(said));
  assert.deepEqual(words(w.pass(1000, 50_000)), ['none']);
});

test('alone, or nothing to receive: the report of every second is enough', () => {
  const w = new Watch(false);
  for (let s = 0; s < 60; s += 1) {
    assert.deepEqual(words([...w.pass(PULSE_MS, 400), ...w.pass(4 * PULSE_MS, 0)]), ['none', 'none']);
  }
  assert.deepEqual(words([...w.pass(PULSE_MS, 400), ...w.pass(9 * PULSE_MS, 0)]), ['none', 'none'], 'one of them is lost');
  const said = w.pass(6000, 0);
  assert.deepEqual(words(said), ['none', 'doubt', 'silent']);
  assert.ok((said[2]?.[1] ?? 0) <= 5000);
});

test('on a connection on which nothing ever arrived nothing is missed yet', () => {
  assert.deepEqual(words(new Watch().pass(60_000, 0)), ['none']);
});

test('after a restart the silence goes on, until something arrives', () => {
  const w = new Watch();
  w.pass(5000, 50_000);
  assert.equal(w.pass(3000, 0).at(-1)?.[0], 'silent');
  assert.deepEqual(words(w.pass(8000, 0)), ['silent'], 'restarted in vain');
  assert.deepEqual(words(w.pass(PULSE_MS, 50_000)), ['none']);
});

test('an outage that begins 0.3 s after the end of another is told as fast', () => {
  for (const rebuilt of [false, true]) {
    const w = new Watch();
    w.pass(5000, 50_000);
    w.pass(8000, 0);
    if (rebuilt) w.rebuilt();
    w.pass(PULSE_MS, 50_000);
    const said = w.pass(4000, 0);
    assert.deepEqual(words(said), ['none', 'doubt', 'silent']);
    assert.ok((said[2]?.[1] ?? 0) <= 2200);
  }
});

test('in another network, or when signalling had to be made anew, 0.6 s will do', () => {
  const w = new Watch();
  w.pass(3000, 50_000);
  w.hint();
  const said = w.pass(2000, 0);
  assert.deepEqual(words(said), ['none', 'silent']);
  assert.ok((said[1]?.[1] ?? 0) <= 1000);
});

test('a page that did not run says nothing about the path', () => {
  const s = new Silence();
  for (let at = 0; at < 3000; at += PULSE_MS) s.look(at + 1, true, at);
  assert.equal(s.look(3001, true, 60_000), 'none');
  assert.equal(s.slackMs, 0, 'asleep is not busy');
  assert.equal(s.look(3001, true, 60_250), 'none');
  assert.equal(s.look(3001, true, 60_500), 'none');
  assert.equal(s.look(3001, true, 60_750), 'doubt');
});

test('a machine that is too busy to look in time waits longer, and not for ever', () => {
  const busy = new Silence();
  let at = 0;
  for (; at < 6000; at += 3 * PULSE_MS) busy.look(at + 1, true, at);
  assert.equal(busy.look(at, true, at), 'none');
  assert.equal(busy.look(at, true, at + 3 * PULSE_MS), 'none', '0.75 s, of which 0.5 s may be its own');
  assert.equal(busy.look(at, true, at + 6 * PULSE_MS), 'doubt');
  for (let k = 7; k < 30; k += 1) busy.look(at + k, true, at + k * PULSE_MS);
  assert.ok(busy.slackMs < 100);
});

test('a page nobody sees looks once a second, and is not slower than that', () => {
  for (const startMs of [0, 400, 900]) {
    const unseen = new Silence();
    for (let at = 0; at <= 8000; at += UNSEEN_PULSE_MS) unseen.look(at + 1, true, at, UNSEEN_PULSE_MS);
    const gone = 8000 - startMs; // the last byte came so long before a look
    assert.equal(unseen.look(8001, true, 9000, UNSEEN_PULSE_MS), 'doubt', `since ${gone}`);
    assert.equal(unseen.look(8001, true, 10_000, UNSEEN_PULSE_MS), 'silent');
  }
});

test('a page that may look once a minute says so at the second look in vain', () => {
  const rare = new Silence();
  for (let at = 0; at <= 300_000; at += 60_000) assert.equal(rare.look(at + 1, true, at, UNSEEN_PULSE_MS), 'none');
  assert.equal(rare.look(300_001, true, 360_000, UNSEEN_PULSE_MS), 'silent');
  assert.equal(rare.look(300_002, true, 420_000, UNSEEN_PULSE_MS), 'none');
  const woken = new Silence();
  for (let at = 0; at < 3000; at += PULSE_MS) woken.look(at + 1, true, at);
  assert.equal(woken.look(2751, true, 60_000), 'none', 'asleep once');
});

test('while media stays away the server is asked ever more seldom', () => {
  const questions = new Questions();
  const asked = (fromMs: number, toMs: number): number[] => {
    const at: number[] = [];
    for (let now = fromMs; now < toMs; now += PULSE_MS) if (questions.due(now)) at.push(now - fromMs);
    return at;
  };
  assert.deepEqual(asked(1000, 21_000), [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500]);
  questions.over();
  assert.deepEqual(asked(21_000, 22_000), [0, 500]);
});
