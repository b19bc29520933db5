import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SendSection } from '../../src/media/senders.ts';

/** A sender that refuses its parameters as often as it is told to. */
function section(): { sent: SendSection; active: () => boolean; refuse: (times: number) => void; asked: () => number; forget: () => void } {
  let parameters = { encodings: [{ active: false }] };
  let refusals = 0;
  let asked = 0;
  const sender = {
    replaceTrack: () => Promise.resolve(),
    getParameters: () => structuredClone(parameters),
    setParameters: (next: typeof parameters) => {
      asked += 1;
      if (refusals > 0) {
        refusals -= 1;
        return Promise.reject(new Error('InvalidStateError'));
      }
      parameters = next;
      return Promise.resolve();
    },
  };
  const pc = { addTransceiver: () => ({ sender }) } as unknown as RTCPeerConnection;
  return {
    sent: new SendSection(pc, 'mic', 'vp8'),
    active: () => parameters.encodings[0]?.active === true,
    refuse: (times) => {
      refusals = times;
    },
    asked: () => asked,
    forget: () => {
      parameters = { encodings: [{ active: false }] };
    },
  };
}

const track = {} as MediaStreamTrack;

test('what is filled is sent, what is emptied or watched by nobody is not', async () => {
  const { sent, active } = section();
  await sent.fill(track);
  assert.equal(active(), true);
  await sent.limit(0);
  assert.equal(active(), false);
  await sent.limit(7);
  assert.equal(active(), true);
  await sent.fill(null);
  assert.equal(active(), false);
});

test('a refusal does not keep a section silent for ever', async () => {
  const { sent, active, refuse } = section();
  refuse(1);
  await sent.fill(track);
  assert.equal(active(), true);
  await sent.limit(0);
  refuse(1);
  await sent.limit(1);
  assert.equal(active(), true);
});

test('what is said again is done again, and no more than that', async () => {
  const { sent, active, asked, forget } = section();
  await sent.fill(track);
  await sent.limit(7);
  assert.equal(asked(), 1);
  forget();
  assert.equal(active(), false);
  await sent.limit(7);
  assert.deepEqual([active(), asked()], [true, 2]);
});

test('who refuses twice is asked again by itself', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { sent, active, refuse, asked } = section();
  refuse(4);
  await sent.fill(track);
  assert.deepEqual([active(), asked()], [false, 2]);
  t.mock.timers.tick(1000);
  await sent.settled;
  assert.deepEqual([active(), asked()], [false, 4]);
  t.mock.timers.tick(1999);
  await sent.settled;
  assert.equal(asked(), 4);
  t.mock.timers.tick(1);
  await sent.settled;
  assert.deepEqual([active(), asked()], [true, 5]);
});

test('who refuses always is left alone in the end', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { sent, refuse, asked } = section();
  refuse(1000);
  await sent.fill(track);
  for (let i = 0; i < 100; i += 1) {
    t.mock.timers.tick(1000);
    await sent.settled;
  }
  assert.equal(asked(), 12);
});

test('who refuses always is asked twice, and what is wanted next is done', async () => {
  const { sent, active, refuse, asked } = section();
  refuse(2);
  await sent.fill(track);
  assert.deepEqual([active(), asked()], [false, 2]);
  await sent.limit(6 | 1);
  await sent.fill(track);
  assert.equal(active(), true);
});
