// The four send sections. Filling and emptying one never makes an offer: replaceTrack and the
// `active` flag of its encodings do it (Firefox keeps sending one picture per second after
// replaceTrack(null) alone, so both are always set together).

export type SendKind = 'mic' | 'cam' | 'screen' | 'sound';
export const SEND_KINDS: readonly SendKind[] = ['mic', 'cam', 'screen', 'sound'];

/** Not in the DOM types of every release. */
type Encoding = RTCRtpEncodingParameters & { scalabilityMode?: string };

// From large to small: with a 640x360 camera Chromium drops the last one it cannot make.
const CAMERA_LAYERS: Encoding[] = [
  { rid: 'h', active: false, maxBitrate: 1_500_000, maxFramerate: 30 },
  { rid: 'm', active: false, maxBitrate: 350_000, maxFramerate: 30, scaleResolutionDownBy: 2 },
  { rid: 'l', active: false, maxBitrate: 150_000, maxFramerate: 30, scaleResolutionDownBy: 4 },
];
// Text must be sharp before it is smooth; two temporal layers let a weak link take every other picture.
const SCREEN_LAYER: Encoding = {
  active: false, maxBitrate: 2_500_000, maxFramerate: 15, scalabilityMode: 'L1T2',
};
/** How the camera is coded: three encodings of their own, or layers within one. */
export type CameraCodec = 'vp8' | 'vp9' | 'av1';
export const LAYERED_CODECS = ['vp9', 'av1'] as const;
const LAYERED_MODE = 'L3T3_KEY';
// One stream costs what its largest picture costs; the smaller ones come with it.
const CAMERA_LAYERED: Encoding = {
  active: false, maxBitrate: 1_700_000, maxFramerate: 30, scalabilityMode: LAYERED_MODE,
};
const MIC_LAYER: RTCRtpEncodingParameters = { active: false, maxBitrate: 40_000, networkPriority: 'high' };
const SOUND_LAYER: RTCRtpEncodingParameters = { active: false, maxBitrate: 128_000 };

/** Bit of an encoding in the server's `send` message, by its rid; a section without rids has one. */
const RID_BITS: Record<string, number> = { h: 1, m: 2, l: 4 };
const ALL = 7;

/** Between tries of what was refused, doubling so often. */
const LATER_MS = 1000;
const LATER_DOUBLES = 4;

/** So long a browser may take for one step; it may also never say that it is done. */
const STEP_MS = 4000;

const LAYERS: Record<SendKind, Encoding[]> = {
  mic: [MIC_LAYER],
  cam: CAMERA_LAYERS,
  screen: [SCREEN_LAYER],
  sound: [SOUND_LAYER],
};

/** Codecs this browser can send in layers (Firefox can none: it says nothing of modes). */
export function layeredCodecs(): CameraCodec[] {
  const codecs = RTCRtpSender.getCapabilities('video')?.codecs ?? [];
  const known = LAYERED_CODECS.filter((name) => codecs.some((codec) => codec.mimeType.toLowerCase() === `video/${name}`));
  return known.length > 0 && keepsMode() ? known : [];
}

/** Few browsers list their modes, but who knows none forgets the one it is given. */
function keepsMode(): boolean {
  const pc = new RTCPeerConnection();
  try {
    const probe: Encoding[] = [{ scalabilityMode: LAYERED_MODE }];
    const sender = pc.addTransceiver('video', { direction: 'sendonly', sendEncodings: probe }).sender;
    const kept: Encoding | undefined = sender.getParameters().encodings[0];
    return kept?.scalabilityMode === LAYERED_MODE;
  } catch {
    return false;
  } finally {
    pc.close();
  }
}

/** The wished way of coding, as far as this browser can. */
export function cameraCodec(wish: string): CameraCodec {
  const asked = LAYERED_CODECS.find((name) => name === wish);
  return asked !== undefined && layeredCodecs().includes(asked) ? asked : 'vp8';
}

export class SendSection {
  readonly kind: SendKind;
  private readonly transceiver: RTCRtpTransceiver;
  private queue: Promise<void> = Promise.resolve();
  private wanted = ALL;
  private sparing = false;
  private track: MediaStreamTrack | null = null;
  private placed: MediaStreamTrack | null = null;
  private refusals = 0;
  private closed = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(pc: RTCPeerConnection, kind: SendKind, camera: CameraCodec) {
    this.kind = kind;
    const media = kind === 'mic' || kind === 'sound' ? 'audio' : 'video';
    const layered = kind === 'cam' && camera !== 'vp8';
    this.transceiver = addSection(pc, media, layered ? [CAMERA_LAYERED] : LAYERS[kind]);
    if (media === 'video') preferKnownCodecs(this.transceiver, kind === 'cam' ? camera : 'vp8');
  }

  get sender(): RTCRtpSender {
    return this.transceiver.sender;
  }

  /** When all that was asked so far was tried. */
  get settled(): Promise<void> {
    return this.queue;
  }

  /** Fills or empties the section; calls are applied in order. */
  fill(track: MediaStreamTrack | null): Promise<void> {
    this.track = track;
    return this.next(() => this.apply(track));
  }

  /**
   * Sends only the encodings somebody watches; one that comes back begins with a key frame. Said
   * again it means that nothing came: what the browser does is looked at, whatever it was told.
   */
  limit(wanted: number): Promise<void> {
    this.wanted = wanted;
    return this.next(() => this.right());
  }

  /** The largest of several encodings rests, whoever watches it. */
  spare(on: boolean): Promise<void> {
    if (on === this.sparing) return Promise.resolve();
    this.sparing = on;
    return this.next(() => this.right());
  }

  /** A closed connection refuses everything: nothing is tried any more. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  /**
   * What a browser refuses while it is busy with something else is tried again: it is still wanted.
   * What it never answers holds up nothing that is asked next.
   */
  private next(step: () => Promise<void>): Promise<void> {
    const done = (): void => {
      this.refusals = 0;
      clearTimeout(this.timer);
    };
    const again = (): Promise<void> => inTime(this.apply(this.track));
    this.queue = this.queue.then(() => inTime(step())).catch(again).then(done, () => this.later());
    return this.queue;
  }

  /** Refused twice at once: after a while, for as long as the connection lasts. */
  private later(): void {
    clearTimeout(this.timer);
    if (this.closed) return;
    this.timer = setTimeout(() => void this.next(() => this.right()), LATER_MS * 2 ** this.refusals);
    this.refusals = Math.min(this.refusals + 1, LATER_DOUBLES);
  }

  private right(): Promise<void> {
    const there = this.placed === this.track && this.sender.track === this.track;
    return there ? this.activate() : this.apply(this.track);
  }

  private async apply(track: MediaStreamTrack | null): Promise<void> {
    if (track && this.kind === 'screen') track.contentHint = 'detail';
    await this.sender.replaceTrack(track);
    if (track !== this.track) return; // done late: the next one is placed by its own step
    this.placed = track;
    await this.activate();
  }

  private async activate(): Promise<void> {
    const parameters = this.sender.getParameters();
    const before = JSON.stringify(parameters);
    // Who watches the largest one gets the next.
    const spared = this.sparing && parameters.encodings.length > 1 && (this.wanted & 1) !== 0;
    const wanted = spared ? (this.wanted & ~1) | 2 : this.wanted;
    for (const encoding of parameters.encodings) {
      encoding.active = this.placed !== null && (wanted & (RID_BITS[encoding.rid ?? 'h'] ?? 1)) !== 0;
    }
    if (this.kind === 'screen') {
      // Not in the DOM types of every release; without it Firefox shrinks the picture.
      Object.assign(parameters, { degradationPreference: 'maintain-resolution' });
    }
    if (JSON.stringify(parameters) !== before) await this.sender.setParameters(parameters);
  }
}

/** The step, or a refusal when it takes too long. */
async function inTime(step: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), STEP_MS);
  });
  try {
    await Promise.race([step, late]);
  } finally {
    clearTimeout(timer);
  }
}

function addSection(pc: RTCPeerConnection, media: string, layers: Encoding[]): RTCRtpTransceiver {
  const init = (sendEncodings: Encoding[]): RTCRtpTransceiverInit => ({ direction: 'sendonly', sendEncodings });
  try {
    return pc.addTransceiver(media, init(layers.map((layer) => ({ ...layer }))));
  } catch {
    // A browser that knows no such mode sends one layer.
    const plain = layers.map((layer) => {
      const copy = { ...layer };
      delete copy.scalabilityMode;
      return copy;
    });
    return pc.addTransceiver(media, init(plain));
  }
}

const KNOWN = ['video/vp8', 'video/vp9', 'video/h264', 'video/av1', 'video/rtx'];

/** The given one first, then VP8, and no codec the server does not know: the offer stays short and quick to apply. */
export function preferKnownCodecs(transceiver: RTCRtpTransceiver, first: CameraCodec = 'vp8'): void {
  const all = RTCRtpReceiver.getCapabilities('video')?.codecs ?? [];
  const order = [`video/${first}`, ...KNOWN.filter((name) => name !== `video/${first}`)];
  const rank = (codec: { mimeType: string }): number => order.indexOf(codec.mimeType.toLowerCase());
  const kept = all.filter((codec) => rank(codec) >= 0).sort((a, b) => rank(a) - rank(b));
  if (kept.length === 0) return;
  try {
    transceiver.setCodecPreferences(kept);
  } catch {
    // An older browser keeps its own order: the offer is only longer.
  }
}
