import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Peer } from '../../src/media/peer.ts';

interface Section { sender: { encodings: { rid?: string; active: boolean }[] } }

/** As much of a connection as a peer needs: sections that remember their encodings. */
class Connection {
  remoteDescription: unknown = null;
  onconnectionstatechange: unknown = null;
  readonly sections: Section[] = [];

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
