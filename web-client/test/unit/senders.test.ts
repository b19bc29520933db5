import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SendSection } from '../../src/media/senders.ts';

interface Case {
  sent: SendSection;
  active: () => boolean;
  refuse: (times: number) => void;
  stall: (times: number) => void;
  asked: () => number;
  forget: () => void;
  /** The sender has lost its track, nobody has said so. */
  lose: () => void;
  placed: () => MediaStreamTrack | null;
}

/** A sender that refuses its parameters, or never says that it has taken them, as often as it is told to. */
function section(): Case {
  let parameters = { encodings: [{ active: false }] };
  let refusals = 0;
  let stalls = 0;
  let asked = 0;
  const sender = {
    track: null as MediaStreamTrack | null,
    replaceTrack: (next: MediaStreamTrack | null) => {
      sender.track = next;
      return Promise.resolve();
    },
    getParameters: () => structuredClone(parameters),
    setParameters: (next: typeof parameters) => {
      asked += 1;
      if (refusals > 0) {
        refusals -= 1;
        return Promise.reject(new Error('InvalidStateError'));
      }
      if (stalls > 0) {
        stalls -= 1;
        return new Promise(() => undefined);
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
    stall: (times) => {
      stalls = times;
    },
    asked: () => asked,
    forget: () => {
      parameters = { encodings: [{ active: false }] };
    },
    lose: () => {
      sender.track = null;
    },
    placed: () => sender.track,
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

test('a sender without the track it was given gets it again when it is told again', async () => {
  const { sent, lose, placed } = section();
  await sent.fill(track);
  lose();
  await sent.limit(7);
  assert.equal(placed(), track);
  await sent.fill(null);
  await sent.limit(7);
  assert.equal(placed(), null);
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

test('who refuses always is asked ever more seldom, until it is closed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { sent, refuse, asked } = section();
  const pass = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i += 1) {
      t.mock.timers.tick(1000);
      await sent.settled;
    }
  };
  refuse(1000);
  await sent.fill(track);
  await pass(15); // after 1, 3, 7 and 15 s
  assert.equal(asked(), 10);
  await sent.limit(7); // said by the server: tried at once, and not twice as often from then on
  assert.equal(asked(), 12);
  await pass(160);
  assert.equal(asked(), 32);
  sent.close();
  await pass(160);
  assert.equal(asked(), 32);
});

test('what is never answered does not hold up what is wanted next', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { sent, active, stall } = section();
  stall(1);
  void sent.fill(track);
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
  const paused = sent.limit(0);
  const resumed = sent.limit(7);
  t.mock.timers.tick(4000);
  await Promise.all([paused, resumed]);
  assert.equal(active(), true);
});

test('a track that is placed late is not taken for the one wanted now', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const late: (() => void)[] = [];
  const parameters = { encodings: [{ active: false }] };
  const sender = {
    replaceTrack: (next: MediaStreamTrack | null) => (next ? new Promise<void>((resolve) => late.push(resolve)) : Promise.resolve()),
    getParameters: () => structuredClone(parameters),
    setParameters: (next: typeof parameters) => {
      Object.assign(parameters, next);
      return Promise.resolve();
    },
  };
  const sent = new SendSection({ addTransceiver: () => ({ sender }) } as unknown as RTCPeerConnection, 'mic', 'vp8');
  void sent.fill(track);
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
  const emptied = sent.fill(null);
  t.mock.timers.tick(4000);
  await emptied;
  for (const placed of late) placed();
  await sent.limit(7);
  assert.equal(parameters.encodings[0]?.active, false);
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
