import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { Signal } from '../../src/app/signal.ts';
import { ANSWER_MS, QUIET_MS, silentAnswerMs } from '../../src/core/watchdog.ts';

/** A socket whose network is in the test's hand: nothing comes back by itself. */
class Socket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static all: Socket[] = [];
  readyState = 0;
  said: { t: string; resume?: string }[] = [];
  closes = 0;
  onopen: () => void = () => undefined;
  onmessage: (event: { data: string }) => void = () => undefined;
  onclose: (event: { code: number }) => void = () => undefined;
  constructor() {
    Socket.all.push(this);
  }
  send(text: string): void {
    this.said.push(JSON.parse(text) as { t: string });
  }
  /** As a browser does on a dead path: no event follows. */
  close(): void {
    this.closes += 1;
  }
  open(): void {
    this.readyState = Socket.OPEN;
    this.onopen();
  }
  hear(message: object): void {
    this.onmessage({ data: JSON.stringify(message) });
  }
  asked(): number {
    return this.said.filter((m) => m.t === 'ping').length;
  }
}

const snapshot = { t: 'snapshot', seq: 7, epoch: 3, resume: 'R1', class: {}, you: {}, slots: {}, now: 0, people: [],
  hands: [], chat: [], rights: [] };
let nowMs = 0;

function pass(ms: number): void {
  for (let left = ms; left > 0; left -= 100) {
    nowMs += 100;
    mock.timers.tick(100);
  }
}

function inClass(): { signal: Signal; socket: Socket } {
  const signal = new Signal({ link: 'L', guest: '', resume: '', lang: 'fr' }, 'x', {
    message: () => undefined, changed: () => undefined });
  signal.start();
  const socket = newest();
  socket.open();
  socket.hear(snapshot);
  return { signal, socket };
}

function newest(): Socket {
  const socket = Socket.all.at(-1);
  assert.ok(socket);
  return socket;
}

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
  nowMs = 0;
  Socket.all = [];
  Object.assign(globalThis, { WebSocket: Socket, location: { protocol: 'https:', host: 'h' } });
  mock.method(performance, 'now', () => nowMs);
});

test('a WebSocket that dies without a word is replaced by one that resumes', () => {
  const { signal, socket } = inClass();
  pass(QUIET_MS);
  assert.equal(socket.asked(), 1);
  assert.equal(signal.live, true);
  pass(ANSWER_MS + 200);
  assert.equal(socket.closes, 1);
  assert.equal(signal.live, false);
  assert.equal(Socket.all.length, 2);
  newest().open();
  assert.deepEqual(newest().said[0], { t: 'hello', v: 1, lang: 'fr', resume: 'R1', have: 7, epoch: 3 });
  socket.hear({ t: 'error', code: 'internal', why: 'late' });
  socket.onclose({ code: 1006 });
  assert.equal(Socket.all.length, 2, 'what comes of the old socket now changes nothing');
});

test('a quiet class whose server answers keeps its WebSocket', () => {
  const { signal, socket } = inClass();
  for (let minute = 0; minute < 10; minute += 1) {
    const before = socket.asked();
    for (let s = 0, answered = before; s < 60; s += 1) {
      pass(1000);
      if (socket.asked() > answered) socket.hear({ t: 'pong', epoch: 3 });
      answered = socket.asked();
    }
    assert.ok(socket.asked() > before);
  }
  assert.equal(Socket.all.length, 1);
  assert.equal(signal.live, true);
});

test('when media falls silent the page asks at once and does not wait long', () => {
  const { signal, socket } = inClass();
  pass(2000);
  signal.doubt('silent', 40);
  assert.equal(socket.asked(), 1);
  pass(silentAnswerMs(40) + 200);
  assert.equal(Socket.all.length, 2);
});

test('while the door says that its core is away, silent media says nothing about the path', () => {
  const { signal, socket } = inClass();
  socket.hear({ t: 'busy' });
  signal.doubt('silent', 40);
  assert.equal(socket.asked(), 0);
  socket.hear({ t: 'epoch', epoch: 4 });
  socket.hear({ t: 'resumed', epoch: 4, resume: 'r', seq: 1, clock: 0 });
  signal.doubt('silent', 40);
  assert.equal(socket.asked(), 1);
  assert.equal(Socket.all.length, 1);
});

test('a machine that slept gives a living connection the time to say so', () => {
  const { socket } = inClass();
  nowMs += 60_000;
  mock.timers.tick(QUIET_MS + 100);
  assert.equal(socket.asked(), 1);
  socket.hear({ t: 'pong', epoch: 3 });
  pass(ANSWER_MS);
  assert.equal(Socket.all.length, 1);
});

test('while nothing answers, attempts go on', () => {
  const { signal } = inClass();
  pass(QUIET_MS + ANSWER_MS + 200);
  for (let i = 2; i < 6; i += 1) {
    assert.equal(Socket.all.length, i);
    newest().onclose({ code: 1006 });
    pass(7000);
  }
  newest().open();
  newest().hear(snapshot);
  assert.equal(signal.live, true);
});

test('whoever waits at the door can knock; inside, that knock is not repeated', () => {
  const signal = new Signal({ link: 'L', guest: '', resume: '', lang: 'fr' }, 'x', { message: () => undefined, changed: () => undefined });
  signal.start();
  const socket = newest();
  socket.open();
  socket.hear({ t: 'door', epoch: 3, class: {}, you: {}, guest: 'G', ice: [], people: 0 });
  void signal.command({ t: 'join', name: 'Ana', mic: false, cam: false });
  void signal.command({ t: 'knock' });
  void signal.command({ t: 'hand.raise', kind: 'speak' });
  assert.deepEqual(socket.said.map((m) => m.t).filter((t) => t !== 'hello'), ['join', 'knock']);
  socket.hear(snapshot);
  signal.resend();
  assert.equal(socket.said.filter((m) => m.t === 'knock').length, 1);
});

test('in another network: a dial of the old one is given up, a pause is cut short', () => {
  const { signal, socket } = inClass();
  socket.readyState = Socket.CONNECTING + 3;
  socket.onclose({ code: 1006 });
  pass(100);
  const dial = newest();
  assert.notEqual(dial, socket);
  signal.doubt('moved');
  assert.equal(newest(), dial, 'a fresh dial is left alone');
  pass(600);
  signal.doubt();
  assert.equal(newest(), dial, 'a mere doubt changes no dial');
  signal.doubt('moved');
  pass(100);
  assert.equal(dial.closes, 1);
  const next = newest();
  assert.notEqual(next, dial);
  next.onclose({ code: 1006 });
  pass(100);
  newest().onclose({ code: 1006 });
  pass(100);
  const count = Socket.all.length;
  signal.doubt('moved'); // waits for its third try: now is better
  pass(100);
  assert.equal(Socket.all.length, count + 1);
});
