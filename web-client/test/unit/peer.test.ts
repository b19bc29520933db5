import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Peer } from '../../src/media/peer.ts';
import type { Answer } from '../../src/wire/messages.ts';

const sdp = readFileSync(new URL('fixtures/firefox-153.sdp', import.meta.url), 'utf8');

interface Section { sender: { encodings: { rid?: string; active: boolean }[] } }

/** As much of a connection as a peer needs: sections that remember their encodings. */
class Connection {
  remoteDescription: unknown = null;
  onconnectionstatechange: unknown = null;
  readonly sections: Section[] = [];
  signalingState = 'have-local-offer';
  /** Transports of the candidates it knows, in order. */
  readonly known: string[] = [];

  setRemoteDescription(answer: { sdp: string }): Promise<void> {
    for (const [, transport] of answer.sdp.matchAll(/a=candidate:\d+ 1 (\w+)/g)) this.known.push(transport ?? '');
    return Promise.resolve();
  }
  addIceCandidate({ candidate }: { candidate: string }): Promise<void> {
    this.known.push(candidate.split(' ')[2] ?? '');
    return Promise.resolve();
  }
  createOffer(): Promise<{ sdp: string }> {
    return Promise.resolve({ sdp });
  }
  setLocalDescription(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {
    this.signalingState = 'closed';
  }

  addTransceiver(_kind: string, init: { sendEncodings?: { rid?: string; active: boolean }[] }): unknown {
    const sender = {
      encodings: init.sendEncodings ?? [],
      replaceTrack: () => Promise.resolve(),
      getParameters: () => structuredClone({ encodings: sender.encodings }),
      setParameters: (p: { encodings: { rid?: string; active: boolean }[] }) => {
        sender.encodings = p.encodings;
        return Promise.resolve();
      },
    };
    this.sections.push({ sender });
    return { sender, receiver: { track: {} }, setCodecPreferences: () => undefined };
  }
}

function opened(t: { after: (end: () => void) => void }): { peer: Peer; pc: Connection; sends: () => string } {
  const before = [globalThis.RTCPeerConnection, globalThis.RTCRtpReceiver] as const;
  const capabilities = { getCapabilities: () => ({ codecs: [] }) };
  Object.assign(globalThis, { RTCPeerConnection: Connection, RTCRtpReceiver: capabilities });
  t.after(() => Object.assign(globalThis, { RTCPeerConnection: before[0], RTCRtpReceiver: before[1] }));
  const peer = new Peer({}, { audio: 1, video: 1 }, 'vp8', () => undefined);
  const pc = peer.pc as unknown as Connection;
  const camera = pc.sections[1];
  assert.ok(camera);
  return { peer, pc, sends: () => camera.sender.encodings.filter((e) => e.active).map((e) => e.rid).join('') };
}

test('what is said of the connection before this one pauses nothing of this one', async (t) => {
  const { peer, pc, sends } = opened(t);
  await peer.layers('cam', 0);
  await peer.send('cam', {} as MediaStreamTrack);
  assert.equal(sends(), 'hml');
  await peer.layers('cam', 4);
  assert.equal(sends(), 'hml');
  pc.remoteDescription = {};
  await peer.layers('cam', 4);
  assert.equal(sends(), 'l');
});

test('a camera that is opened later is as limited as was said, and a new connection is not', async (t) => {
  const { peer, pc, sends } = opened(t);
  pc.remoteDescription = {};
  await peer.layers('cam', 6);
  assert.equal(sends(), '');
  await peer.send('cam', {} as MediaStreamTrack);
  assert.equal(sends(), 'ml');
  const next = opened(t);
  await next.peer.send('cam', {} as MediaStreamTrack);
  assert.equal(next.sends(), 'hml');
});

test('a machine that is spared does not code the largest picture, and codes it again afterwards', async (t) => {
  const { peer, pc, sends } = opened(t);
  pc.remoteDescription = {};
  await peer.send('cam', {} as MediaStreamTrack);
  peer.spare(true);
  await peer.layers('cam', 7);
  assert.equal(sends(), 'ml');
  await peer.layers('cam', 1);
  assert.equal(sends(), 'm');
  peer.spare(false);
  await peer.layers('cam', 7);
  assert.equal(sends(), 'hml');
});

test('UDP is tried alone for half a second, unless the path is dead or there is none', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const address = (transport: 'udp' | 'tcp'): Answer['c'][number] => [4, '192.0.2.7', 5004, transport];
  const answer = (...c: Answer['c']): Answer => ({ u: 'abcdefgh', p: 'p'.repeat(24), f: 'ab'.repeat(32), c, b: 1000 });
  const both = answer(address('udp'), address('tcp'));
  const heard = async (a: Answer, dead: boolean): Promise<{ peer: Peer; known: string[] }> => {
    const { peer, pc } = opened(t);
    await peer.makeOffer(false);
    await peer.takeAnswer(a, dead);
    return { peer, known: pc.known };
  };
  const first = await heard(both, false);
  t.mock.timers.tick(499);
  assert.deepEqual(first.known, ['udp']);
  t.mock.timers.tick(1);
  assert.deepEqual(first.known, ['udp', 'tcp']);
  assert.deepEqual((await heard(both, true)).known, ['udp', 'tcp']);
  assert.deepEqual((await heard(answer(address('tcp')), false)).known, ['tcp']);
  const left = await heard(both, false);
  left.peer.close();
  t.mock.timers.tick(1000);
  assert.deepEqual(left.known, ['udp']);
});
