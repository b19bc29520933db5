import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SendSection } from '../../src/media/senders.ts';

/** A sender that refuses its parameters as often as it is told to. */
function section(): { sent: SendSection; active: () => boolean; refuse: (times: number) => void; asked: () => number } {
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

test('who refuses always is asked twice, and what is wanted next is done', async () => {
  const { sent, active, refuse, asked } = section();
  refuse(2);
  await sent.fill(track);
  assert.deepEqual([active(), asked()], [false, 2]);
  await sent.limit(6 | 1);
  await sent.fill(track);
  assert.equal(active(), true);
});
