import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { PathWatch } from '../../src/app/path.ts';
import { Signal } from '../../src/app/signal.ts';

/** A page in a network of the test's making: a socket that answers and bytes that come, or neither. */
let nowMs = 0;
let alive = { media: true, signal: true };
/** No path carries media, whatever is tried. */
let dead = false;
let dials: number[] = [];
let pings: number[] = [];
let restarts: number[] = [];
let page: Page | undefined;
let sockets: Socket[] = [];

class Socket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  readyState = 0;
  dead = false;
  onopen: () => void = () => undefined;
  onmessage: (event: { data: string }) => void = () => undefined;
  onclose: (event: { code: number }) => void = () => undefined;
  constructor() {
    dials.push(nowMs);
    sockets.push(this);
    page?.events.push(() => {
      this.readyState = Socket.OPEN;
      this.onopen();
    });
  }
  send(text: string): void {
    const said = JSON.parse(text) as { t: string; resume?: string };
    if (said.t === 'ping') pings.push(nowMs);
    if (!alive.signal) this.dead = true; // sent into nothing
    if (this.dead) return;
    const answer = said.t === 'ping' ? { t: 'pong', epoch: 3 }
      : { t: 'resumed', epoch: 3, resume: 'R', seq: 7, clock: 0 };
    if (said.t === 'ping' || said.t === 'hello') page?.events.push(() => this.onmessage({ data: JSON.stringify(answer) }));
  }
  close(): void {
    this.dead = true;
  }
}

class Page {
  events: (() => void)[] = [];
  readonly signal: Signal;
  readonly path: PathWatch;
  private bytes = 1;

  constructor() {
    page = this;
    let linked = false;
    this.signal = new Signal({ link: 'L', guest: '', resume: 'R', lang: 'fr' }, 'x', {
      message: () => undefined,
      changed: () => {
        const was = linked;
        linked = this.signal.live;
        if (!was && linked) this.path.lineUp();
      },
      answered: () => this.path.lineSure(),
    });
    this.path = new PathWatch({
      arrived: () => Promise.resolve({ bytes: this.bytes, reports: 0 }), sends: () => true,
      flows: () => true, rttMs: () => 40, ready: () => true, shown: () => undefined,
      line: () => (this.signal.live && this.signal.sure ? this.signal.line : 0),
      doubt: (...why) => this.signal.doubt(...why),
      restart: () => {
        restarts.push(nowMs);
        alive.media = alive.signal && !dead; // the restart finds the way signalling found
      },
    });
    this.signal.start();
    this.path.state('connected');
  }

  /** Timers come every `grainMs` only; what arrives is handled at once. */
  async pass(ms: number, grainMs: number): Promise<void> {
    for (let left = ms; left > 0; left -= 50) {
      nowMs += 50;
      if (alive.media) this.bytes += 1000;
      if (nowMs % grainMs === 0) mock.timers.tick(grainMs);
      for (let i = 0; i < 4; i += 1) {
        for (const event of this.events.splice(0)) event();
        await Promise.resolve();
      }
    }
  }

  end(): void {
    this.path.close();
    this.signal.end('left');
  }
}

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  nowMs = 0;
  [dials, pings, restarts, sockets] = [[], [], [], []];
  alive = { media: true, signal: true };
  Object.assign(globalThis, {
    WebSocket: Socket, location: { protocol: 'https:', host: 'h' }, document: { hidden: false },
    addEventListener: () => undefined, removeEventListener: () => undefined,
  });
  mock.method(performance, 'now', () => nowMs);
});

const hide = (hidden: boolean): void => void Object.assign(globalThis, { document: { hidden } });

/** The address changes at 10 s: nothing of the old one answers, the new one works 100 ms later. */
async function move(grainMs: number): Promise<number> {
  const p = new Page();
  await p.pass(10_000, grainMs);
  assert.deepEqual([dials.length, restarts.length], [1, 0]);
  alive = { media: false, signal: false };
  for (const socket of sockets) socket.dead = true;
  await p.pass(100, grainMs);
  alive.signal = true;
  await p.pass(20_000, grainMs);
  p.end();
  assert.equal(dials.length, 2, 'one new signalling connection');
  assert.equal(restarts.length, 1, 'one restart');
  return (restarts[0] ?? Infinity) - 10_000;
}

test('another address: one dial, one restart, within 2 s', async () => {
  assert.ok((await move(50)) <= 2000);
});

test('the same in a page nobody sees, whose timers come once a second: within 4 s', async () => {
  hide(true);
  const tookMs = await move(1000);
  assert.ok(tookMs <= 4000, `${tookMs} ms`);
});

test('media stops while signalling answers: a restart after 2 s, none after a pause of 1.5', async () => {
  const p = new Page();
  await p.pass(10_000, 50);
  alive.media = false;
  await p.pass(1500, 50);
  alive.media = true;
  await p.pass(5000, 50);
  assert.equal(restarts.length, 0);
  const deadMs = nowMs;
  alive.media = false;
  await p.pass(8000, 50);
  assert.equal(restarts.length, 1);
  const tookMs = (restarts[0] ?? Infinity) - deadMs;
  assert.ok(tookMs > 1800 && tookMs <= 2600, `${tookMs} ms`);
  p.end();
});

test('a path on which nothing helps is not restarted faster because signalling answers', async () => {
  const p = new Page();
  await p.pass(10_000, 50);
  dead = true;
  alive.media = false;
  await p.pass(20_000, 50);
  dead = false;
  const gaps = restarts.slice(1).map((at, i) => at - (restarts[i] ?? 0));
  assert.ok(gaps.length >= 1 && gaps.every((gap) => gap >= 7500), JSON.stringify(gaps));
  p.end();
});

test('media is dead, signalling lives: few questions, one restart, and what it lacked is not waited for', async () => {
  const p = new Page();
  await p.pass(10_000, 50);
  assert.equal(p.path.broken(8000), false);
  pings = [];
  alive.media = false;
  await p.pass(3000, 50);
  assert.ok(pings.length >= 1 && pings.length <= 4, `${pings.length} questions in 3 s`);
  await p.pass(1500, 50);
  assert.equal(restarts.length, 1);
  assert.equal(dials.length, 1, 'the socket is kept');
  assert.equal(p.path.broken(8000), true);
  await p.pass(4000, 50);
  assert.equal(p.path.broken(nowMs - 2000), false);
  p.end();
});
