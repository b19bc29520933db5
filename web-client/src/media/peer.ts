// One RTCPeerConnection: send sections, a fixed pool of receive slots, compact offer and answer.
// It lives for the whole page load unless the server lost its own state (a new epoch).
// Out of scope: which device belongs in which slot (core/slots), devices (devices.ts).
import { candidateLines, compactOffer, expandAnswer, withAudioWishes } from '../wire/compact.ts';
import type { Answer, Offer } from '../wire/messages.ts';
import { PathMeter } from './figures.ts';
import type { Arrivals } from './figures.ts';
import type { Pool } from './pool.ts';
import { SEND_KINDS, SendSection, preferKnownCodecs } from './senders.ts';
import type { CameraCodec, SendKind } from './senders.ts';

export type PeerState = 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed';

/**
 * So long UDP is tried alone: a browser that has got through by TCP leaves it at that, or goes back and forth,
 * and one lost check is enough for TCP to be first.
 */
const HEAD_START_MS = 500;

/** Not in the DOM types of every release. */
type Player = RTCRtpReceiver & { jitterBufferTarget?: number | null };

const POLICIES = { bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' } as const;

export class Peer {
  readonly pc: RTCPeerConnection;
  readonly audioTracks: MediaStreamTrack[] = [];
  readonly videoTracks: MediaStreamTrack[] = [];
  private readonly players: Record<'audio' | 'video', Player[]> = { audio: [], video: [] };
  private readonly sections = new Map<SendKind, SendSection>();
  private readonly meter = new PathMeter();
  private offerSdp = '';
  private closed = false;
  private later: ReturnType<typeof setTimeout> | undefined;

  constructor(configuration: RTCConfiguration, pool: Pool, camera: CameraCodec, onState: (state: PeerState) => void) {
    this.pc = new RTCPeerConnection({ ...configuration, ...POLICIES });
    for (const kind of SEND_KINDS) this.sections.set(kind, new SendSection(this.pc, kind, camera));
    for (let i = 0; i < pool.audio; i++) {
      const { receiver } = this.pc.addTransceiver('audio', { direction: 'recvonly' });
      this.players.audio.push(receiver);
      this.audioTracks.push(receiver.track);
    }
    for (let i = 0; i < pool.video; i++) {
      const transceiver = this.pc.addTransceiver('video', { direction: 'recvonly' });
      preferKnownCodecs(transceiver);
      this.players.video.push(transceiver.receiver);
      this.videoTracks.push(transceiver.receiver.track);
    }
    this.pc.onconnectionstatechange = () => {
      if (!this.closed) onState(this.pc.connectionState);
    };
  }

  /** Makes the offer and applies it on our side; `restart` asks for new ICE credentials only. */
  async makeOffer(restart: boolean): Promise<Offer> {
    const made = await this.pc.createOffer(restart ? { iceRestart: true } : {});
    const sdp = made.sdp ?? '';
    try {
      await this.pc.setLocalDescription({ type: 'offer', sdp: withAudioWishes(sdp) });
      this.offerSdp = withAudioWishes(sdp);
    } catch {
      await this.pc.setLocalDescription({ type: 'offer', sdp });
      this.offerSdp = sdp;
    }
    return compactOffer(this.offerSdp);
  }

  /** `dead`: what was UDP so far carries nothing, and no time is given to it. */
  async takeAnswer(answer: Answer, dead = false): Promise<void> {
    if (this.closed || this.pc.signalingState !== 'have-local-offer') return;
    clearTimeout(this.later);
    const alone = !dead && candidateLines(answer, ['udp']).length > 0;
    const sdp = expandAnswer(this.offerSdp, answer, alone ? ['udp'] : ['udp', 'tcp']);
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
    if (alone && !this.closed) this.later = setTimeout(() => this.addTcp(answer), HEAD_START_MS);
  }

  private addTcp(answer: Answer): void {
    for (const candidate of candidateLines(answer, ['tcp'])) {
      // An offer that was made meanwhile has an answer of its own, with candidates of its own.
      void this.pc.addIceCandidate({ candidate, sdpMLineIndex: 0, usernameFragment: answer.u }).catch(() => undefined);
    }
  }

  send(kind: SendKind, track: MediaStreamTrack | null): Promise<void> {
    return this.sections.get(kind)?.fill(track) ?? Promise.resolve();
  }

  /** Before the first answer the server does not know us: it speaks of the connection before this one. */
  layers(kind: SendKind, wanted: number): Promise<void> {
    if (!this.pc.remoteDescription) return Promise.resolve();
    return this.sections.get(kind)?.limit(wanted) ?? Promise.resolve();
  }

  /** This machine cannot code the largest picture of its camera. */
  spare(on: boolean): void {
    void this.sections.get('cam')?.spare(on);
  }

  /** What came by the paths in use so far: media, and reports on what we send. */
  async arrived(): Promise<Arrivals> {
    return this.meter.read(await this.pc.getStats());
  }

  /** How long sound or pictures wait at least before they are played; null = as the browser likes. */
  wait(kind: 'audio' | 'video', ms: number | null): void {
    for (const player of this.players[kind]) {
      if ('jitterBufferTarget' in player && player.jitterBufferTarget !== ms) player.jitterBufferTarget = ms;
    }
  }

  /** Relays for the next restart: their credentials end, a class may last longer. */
  relays(configuration: RTCConfiguration): void {
    this.pc.setConfiguration({ ...configuration, ...POLICIES });
  }

  get connected(): boolean {
    return this.pc.connectionState === 'connected';
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.later);
    for (const section of this.sections.values()) section.close();
    this.pc.onconnectionstatechange = null;
    this.pc.close();
  }
}
