import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openScreen } from '../../src/media/capture.ts';
import { SendSection } from '../../src/media/senders.ts';
import type { SendKind } from '../../src/media/senders.ts';

type Layer = RTCRtpEncodingParameters & { scalabilityMode?: string };
interface Parameters { encodings: Layer[]; degradationPreference?: string }

/** A browser that keeps what it is given; without `modes` it refuses an encoding that names one. */
function browser(kind: SendKind, modes = true): { section: SendSection; parameters: () => Parameters; given: () => RTCRtpTransceiverInit } {
  let parameters: Parameters = { encodings: [] };
  let given: RTCRtpTransceiverInit = {};
  const sender = {
    replaceTrack: () => Promise.resolve(),
    getParameters: () => structuredClone(parameters),
    setParameters: (next: Parameters) => {
      parameters = next;
      return Promise.resolve();
    },
  };
  const pc = {
    addTransceiver: (_media: string, init: RTCRtpTransceiverInit) => {
      const layers = (init.sendEncodings ?? []) as Layer[];
      if (!modes && layers.some((layer) => layer.scalabilityMode !== undefined)) throw new Error('OperationError');
      given = init;
      parameters = { encodings: structuredClone(layers) };
      return { sender, setCodecPreferences: () => undefined };
    },
  } as unknown as RTCPeerConnection;
  Object.assign(globalThis, { RTCRtpReceiver: { getCapabilities: () => ({ codecs: [] }) } });
  return { section: new SendSection(pc, kind, 'vp8'), parameters: () => parameters, given: () => given };
}

test('a screen is asked for as it is: no size, few pictures a second, its sound untouched', async () => {
  let asked: DisplayMediaStreamOptions = {};
  Object.defineProperty(globalThis, 'navigator', {
    configurable: true,
    value: {
      mediaDevices: {
        getDisplayMedia: (options: DisplayMediaStreamOptions) => {
          asked = options;
          return Promise.resolve({} as MediaStream);
        },
      },
    },
  });
  await openScreen();
  assert.deepEqual(asked.video, { frameRate: { ideal: 15, max: 30 } });
  assert.deepEqual(asked.audio, {
    echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: { ideal: 2 },
  });
});

test('a screen is one encoding of full size with temporal layers, detail before smoothness', async () => {
  const { section, parameters, given } = browser('screen');
  assert.equal(given().direction, 'sendonly');
  const track = { contentHint: '' } as MediaStreamTrack;
  await section.fill(track);
  assert.equal(track.contentHint, 'detail');
  const { encodings, degradationPreference } = parameters();
  assert.equal(degradationPreference, 'maintain-resolution');
  assert.equal(encodings.length, 1);
  const [layer] = encodings;
  assert.equal(layer?.active, true);
  assert.equal(layer.scalabilityMode, 'L1T2');
  assert.equal(layer.maxFramerate, 15);
  assert.ok((layer.maxBitrate ?? 0) >= 1_500_000, 'enough for text');
  assert.equal(layer.rid, undefined);
  assert.equal(layer.scaleResolutionDownBy, undefined);
  await section.fill(null);
  assert.equal(parameters().encodings[0]?.active, false);
});

test('where modes are unknown a screen is the same without its temporal layers', async () => {
  const { section, parameters } = browser('screen', false);
  await section.fill({ contentHint: '' } as MediaStreamTrack);
  const [layer] = parameters().encodings;
  assert.equal(parameters().encodings.length, 1);
  assert.deepEqual([layer?.active, layer?.scalabilityMode, layer?.maxFramerate, layer?.scaleResolutionDownBy], [true, undefined, 15, undefined]);
});

test('a camera is three encodings and no detail of a screen', async () => {
  const { section, parameters } = browser('cam');
  const track = { contentHint: '' } as MediaStreamTrack;
  await section.fill(track);
  assert.equal(track.contentHint, '');
  assert.deepEqual(parameters().encodings.map((l) => [l.rid, l.scaleResolutionDownBy ?? 1]), [['h', 1], ['m', 2], ['l', 4]]);
  assert.equal(parameters().degradationPreference, undefined);
});
