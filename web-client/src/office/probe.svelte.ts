// A check by the real path: a connection to the media server as at the door of the class, with our own
// microphone and camera on it, which nobody gets.
import { LocalMedia } from '../app/local.svelte.ts';
import { lang, prefs } from '../app/prefs.svelte.ts';
import { Signal } from '../app/signal.ts';
import { loadGuest, saveGuest } from '../app/storage.ts';
import { browserOf, pathOf } from '../core/readiness.ts';
import type { PathKind } from '../core/readiness.ts';
import { Peer } from '../media/peer.ts';
import type { Door, ServerMessage } from '../wire/messages.ts';

const POOL = { audio: 1, video: 1 };
const PATIENCE_MS = 20_000;
const MEASURE_MS = 8_000;
const DOWN_MS = 3_000;

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

export class Probe {
  readonly classId: string;
  readonly local: LocalMedia;
  door: Door | undefined = $state.raw();
  /** The link does not open this class. */
  refused = $state(false);
  step: 'devices' | 'path' | 'rate' | 'done' = $state('devices');
  path: PathKind = $state('none');
  rttMs = $state(0);
  upKbps = $state(0);
  downKbps = $state(0);
  readonly browser = browserOf(navigator.userAgent);
  private readonly signal: Signal;
  private peer: Peer | undefined;
  private offer = 0;

  constructor(classId: string, link: string) {
    this.classId = classId;
    this.local = new LocalMedia({
      track: (kind, track) => void this.peer?.send(kind, track),
      changed: () => undefined,
      mutedSpeech: () => undefined,
    });
    this.signal = new Signal({ link, guest: loadGuest(classId), resume: '', lang: lang() }, 'check', {
      message: (m) => void this.take(m),
      changed: () => {
        if (this.signal.link.phase === 'over') this.refused = true;
      },
    });
  }

  start(): void {
    this.signal.start();
    void this.local.turnOn(['mic', 'cam']);
  }

  stop(): void {
    this.signal.end('left');
    this.peer?.close();
    this.local.stopAll();
  }

  /** Who we are for the server, after the door has said so. */
  get token(): string {
    return this.door?.guest ?? '';
  }

  private async take(m: ServerMessage): Promise<void> {
    if (m.t === 'media.answer') await this.peer?.takeAnswer(m.answer);
    if (m.t !== 'door' || this.door) return;
    this.door = m;
    saveGuest(this.classId, m.guest);
    if (m.class.id !== this.classId) this.refused = true;
  }

  /** Path first, then how much goes through it, both ways. */
  async run(): Promise<void> {
    this.step = 'path';
    this.peer?.close();
    const peer = new Peer(this.door?.ice ? { iceServers: [this.door.ice] } : {}, POOL, 'vp8', () => undefined);
    this.peer = peer;
    await peer.send('mic', this.local.mic.track ?? null);
    await peer.send('cam', this.local.cam.track ?? null);
    this.signal.send({ t: 'media.offer', id: `probe${(this.offer += 1)}`, cause: this.offer > 1 ? 'epoch' : 'load', offer: await peer.makeOffer(false) });
    for (let waited = 0; waited < PATIENCE_MS && !peer.connected; waited += 100) await pause(100);
    ({ path: this.path, rttMs: this.rttMs } = pathOf(await stats(peer)));
    this.step = 'rate';
    const [up, down] = await Promise.all([peer.connected ? sendRate(peer) : 0, fetchRate()]);
    ({ path: this.path, rttMs: this.rttMs } = pathOf(await stats(peer)));
    [this.upKbps, this.downKbps] = [up, down];
    peer.close();
    this.step = 'done';
  }

  get name(): string {
    return this.door?.you.name ?? prefs.name;
  }
}

async function stats(peer: Peer): Promise<ReadonlyMap<string, unknown>> {
  const out = new Map<string, unknown>();
  (await peer.pc.getStats()).forEach((value: unknown, key: string) => out.set(key, value));
  return out;
}

interface Sent { type?: string; bytesSent?: number; availableOutgoingBitrate?: number; nominated?: boolean }

/** What the server says we may send; where a browser does not tell, what we have sent. */
async function sendRate(peer: Peer): Promise<number> {
  const bytes = async (): Promise<{ sent: number; allowed: number }> => {
    let sent = 0;
    let allowed = 0;
    for (const value of (await stats(peer)).values()) {
      const row = value as Sent;
      if (row.type === 'outbound-rtp') sent += row.bytesSent ?? 0;
      if (row.type === 'candidate-pair' && row.nominated) allowed = Math.max(allowed, row.availableOutgoingBitrate ?? 0);
    }
    return { sent, allowed };
  };
  const before = await bytes();
  await pause(MEASURE_MS);
  const after = await bytes();
  return Math.round(Math.max(after.allowed / 1000, ((after.sent - before.sent) * 8) / MEASURE_MS));
}

/** How fast this page itself arrives, again and again for a moment. */
async function fetchRate(): Promise<number> {
  const script = document.querySelector<HTMLScriptElement>('script[type="module"][src]')?.src;
  const began = performance.now();
  let bytes = 0;
  while (script !== undefined && performance.now() - began < DOWN_MS) {
    const body = await fetch(script, { cache: 'no-store' }).then((r) => r.arrayBuffer()).catch(() => undefined);
    if (!body) break;
    bytes += body.byteLength;
  }
  return Math.round((bytes * 8) / Math.max(1, performance.now() - began));
}
