import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reconnectDelay } from '../../src/core/backoff.ts';
import { CommandQueue } from '../../src/core/commands.ts';
import type { Outcome } from '../../src/core/commands.ts';
import { Link } from '../../src/core/link.ts';
import { MediaDoctor } from '../../src/core/rejoin.ts';
import type { ServerMessage } from '../../src/wire/messages.ts';

const setup = { link: 'L', guest: '', resume: '', lang: 'fr' } as const;
const door = { t: 'door', guest: 'G', epoch: 3, count: 0, class: {}, you: {} } as unknown as ServerMessage;
const snapshot = { t: 'snapshot', seq: 12, epoch: 3, resume: 'R1' } as unknown as ServerMessage;

test('first hello carries the link, later ones the newest resume token and what we have', () => {
  const link = new Link(setup);
  assert.deepEqual(link.opened().send, { t: 'hello', v: 1, lang: 'fr', link: 'L' });
  link.message(door);
  assert.equal(link.phase, 'door');
  assert.deepEqual(link.opened().send, { t: 'hello', v: 1, lang: 'fr', link: 'L', guest: 'G', epoch: 3 });
  link.message(snapshot);
  link.message({ t: 'resumed', epoch: 3, resume: 'R2', seq: 14, clock: 0 });
  link.remember({ seq: 14 });
  assert.deepEqual(link.opened().send, { t: 'hello', v: 1, lang: 'fr', resume: 'R2', have: 14, epoch: 3 });
});

test('delays are 0, .3, 1.2, 2.7, 4.8, then 5 to 6 s, and start again after success', () => {
  const link = new Link(setup);
  const delays = Array.from({ length: 7 }, () => link.closed(1006, 0.5).connectInMs);
  assert.deepEqual(delays, [0, 300, 1200, 2700, 4800, 5500, 5500]);
  link.message(door);
  assert.equal(link.closed(1006, 0.5).connectInMs, 0);
  assert.ok(reconnectDelay(50, 0.999) <= 6000);
});

test('a server going down on purpose is left a random moment', () => {
  assert.equal(new Link(setup).closed(1001, 0.75).connectInMs, 1500);
});

test('removed, ended and moved are final; nothing more is sent', () => {
  for (const [code, reason] of [[4001, 'removed'], [4002, 'ended'], [4004, 'moved']] as const) {
    const link = new Link(setup);
    link.closed(code, 0);
    assert.equal(link.over, reason);
    assert.deepEqual(link.closed(1006, 0), {});
  }
});

test('a refused resume falls back to the link once, then it is over', () => {
  for (const closing of [1000, 4003]) {
    const link = new Link({ ...setup, resume: 'old' });
    assert.equal(link.opened().send?.resume, 'old');
    assert.equal(link.message({ t: 'error', code: 'auth', why: '' }).close, true);
    assert.equal(link.closed(closing, 0).connectInMs, 0);
    assert.equal(link.opened().send?.link, 'L');
    link.message({ t: 'error', code: 'auth', why: '' });
    assert.equal(link.over, 'auth');
  }
});

test('4003 without a message counts too', () => {
  const link = new Link({ ...setup, resume: 'old' });
  assert.equal(link.closed(4003, 0).connectInMs, 0);
  assert.equal(link.closed(4003, 0).close, true);
  assert.equal(link.over, 'auth');
});

test('a new epoch says hello again on the same socket and is stale until answered', () => {
  const link = new Link(setup);
  link.message(snapshot);
  assert.equal(link.message({ t: 'epoch', epoch: 4 }).send?.resume, 'R1');
  assert.equal(link.stale, true);
  link.message({ t: 'resumed', epoch: 4, resume: 'R2', seq: 12, clock: 0 });
  assert.equal(link.stale, false);
});

test('an error of one command does not end the link', () => {
  const link = new Link(setup);
  link.message(snapshot);
  assert.deepEqual(link.message({ t: 'error', id: 'x', code: 'auth', why: '' }), {});
  assert.equal(link.phase, 'class');
});

test('commands are repeated with the same id until settled, once', () => {
  const queue = new CommandQueue('abc');
  const seen: Outcome[] = [];
  const a = queue.add({ t: 'chat.send', text: 'un' }, (o) => seen.push(o));
  const b = queue.add({ t: 'hand.clear' }, (o) => seen.push(o));
  assert.match(a.id, /^[A-Za-z0-9_-]{1,40}$/);
  assert.notEqual(a.id, b.id);
  assert.deepEqual(queue.pending(), [a, b]);
  assert.equal(queue.settle(a.id, { ok: true, seq: 3 }), true);
  assert.equal(queue.settle(a.id, { ok: true, seq: 3 }), false);
  assert.deepEqual(queue.pending(), [b]);
  assert.deepEqual(seen, [{ ok: true, seq: 3 }]);
});

test('only the newest state of our own media is repeated', () => {
  const queue = new CommandQueue('abc');
  const state = { t: 'media.state', cam: false, screen: false, sound: false } as const;
  queue.add({ ...state, mic: 'on' }, () => undefined);
  const last = queue.add({ ...state, mic: 'off' }, () => undefined);
  assert.deepEqual(queue.pending(), [last]);
});

test('media: 3 s of grace, two ICE restarts, then a new connection; never while unreachable', () => {
  const doctor = new MediaDoctor();
  doctor.state('connected', 0);
  doctor.state('disconnected', 1000);
  assert.equal(doctor.remedy(3900, 1), 'none');
  assert.equal(doctor.remedy(4000, 0), 'none');
  assert.equal(doctor.remedy(4000, 1), 'ice');
  assert.equal(doctor.remedy(5000, 1), 'none');
  assert.equal(doctor.remedy(12_000, 1), 'ice');
  assert.equal(doctor.remedy(20_000, 1), 'epoch');
  doctor.state('connected', 21_000);
  assert.equal(doctor.remedy(90_000, 1), 'none');
  doctor.state('failed', 91_000);
  assert.equal(doctor.remedy(91_000, 1), 'ice');
});

test('another network: one ICE restart at once, as soon as the server can be reached', () => {
  const doctor = new MediaDoctor();
  doctor.moved(0); // nothing to move yet
  doctor.state('connected', 0);
  assert.equal(doctor.remedy(1000, 1), 'none');
  doctor.moved(1000);
  assert.equal(doctor.remedy(1000, 0), 'none');
  assert.equal(doctor.remedy(1200, 1), 'ice');
  assert.equal(doctor.remedy(90_000, 1), 'none');
});

test('several signs of one move are one restart; a later one is another move', () => {
  const doctor = new MediaDoctor();
  doctor.state('connected', 0);
  doctor.moved(1000);
  assert.equal(doctor.remedy(1400, 1), 'ice');
  doctor.moved(1900);
  assert.equal(doctor.remedy(2000, 1), 'none');
  doctor.moved(9000);
  assert.equal(doctor.remedy(9000, 1), 'ice');
});

test('silence right after a restart gives it its time', () => {
  const doctor = new MediaDoctor();
  doctor.state('connected', 0);
  doctor.moved(1000);
  assert.equal(doctor.remedy(1000, 1), 'ice');
  doctor.silent(1700); // a path of many round trips
  assert.equal(doctor.remedy(3200, 1), 'none');
  assert.equal(doctor.remedy(5000, 1), 'ice');
});

test('an offer that went into a dying signalling connection is made again by the next one', () => {
  const doctor = new MediaDoctor();
  doctor.state('connected', 0);
  doctor.remedy(500, 1);
  doctor.moved(900);
  assert.equal(doctor.remedy(1000, 1), 'ice'); // the socket does not know yet that it is dead
  doctor.offered('ice', 1);
  assert.equal(doctor.remedy(2500, 0), 'none');
  assert.equal(doctor.remedy(2600, 2), 'ice');
  doctor.offered('ice', 2);
  assert.equal(doctor.remedy(2700, 2), 'none');
  doctor.answered();
  assert.equal(doctor.remedy(2800, 3), 'none');
});

test('a lost offer of a whole connection is made again as one', () => {
  const doctor = new MediaDoctor();
  doctor.offered('epoch', 4);
  assert.equal(doctor.remedy(1000, 0), 'none');
  assert.equal(doctor.remedy(1500, 5), 'epoch');
  doctor.offered('epoch', 5);
  doctor.answered();
  assert.equal(doctor.remedy(3000, 6), 'none');
});

test('media and signalling broken together: no grace', () => {
  const doctor = new MediaDoctor();
  doctor.state('connected', 0);
  assert.equal(doctor.remedy(500, 1), 'none');
  doctor.state('disconnected', 1000);
  assert.equal(doctor.remedy(2000, 0), 'none');
  assert.equal(doctor.remedy(2900, 2), 'ice');
  const other = new MediaDoctor();
  other.state('connected', 0);
  assert.equal(other.remedy(500, 1), 'none');
  assert.equal(other.remedy(1500, 2), 'none'); // signalling alone: media goes on
  other.silent(2000);
  assert.equal(other.remedy(2000, 2), 'ice');
});

test('the browser says disconnected, nothing arrives, signalling is new: no grace', () => {
  const doctor = new MediaDoctor();
  doctor.state('connected', 0);
  assert.equal(doctor.remedy(500, 1), 'none');
  doctor.state('disconnected', 1000);
  assert.equal(doctor.remedy(1700, 2), 'ice');
  const heard = new MediaDoctor();
  heard.state('connected', 0);
  heard.remedy(500, 1);
  heard.state('disconnected', 1000);
  heard.heard(1300);
  assert.equal(heard.remedy(1700, 2), 'none');
  const last = new MediaDoctor();
  last.state('connected', 0);
  last.remedy(500, 1);
  last.state('disconnected', 1000);
  last.heard(1200); // what was read late of the old path
  assert.equal(last.remedy(1700, 2), 'ice');
});

test('silence that lasts until signalling is back: one restart at once, not two', () => {
  for (const health of ['connected', 'disconnected'] as const) {
    const doctor = new MediaDoctor();
    doctor.state('connected', 0);
    assert.equal(doctor.remedy(500, 1), 'none');
    doctor.state(health, 1000);
    assert.equal(doctor.remedy(1400, 0), 'none');
    doctor.heard(1500); // the last of the old path
    assert.equal(doctor.remedy(1850, 2), 'none'); // back before anything was called silent
    doctor.silent(1860);
    assert.equal(doctor.remedy(1860, 2), 'ice');
    doctor.offered('ice', 2);
    doctor.silent(2100);
    assert.equal(doctor.remedy(2100, 2), 'none');
    doctor.answered();
    doctor.silent(2400);
    assert.equal(doctor.remedy(2400, 2), 'none');
  }
});

test('a disconnection after a silence is not waited for once more', () => {
  const doctor = new MediaDoctor();
  doctor.state('connected', 0);
  doctor.silent(4000);
  doctor.state('disconnected', 4800);
  assert.equal(doctor.remedy(5500, 1), 'ice');
});

test('a short disconnection heals without an offer', () => {
  const doctor = new MediaDoctor();
  doctor.state('connected', 0);
  doctor.state('disconnected', 1000);
  doctor.state('connected', 2500);
  assert.equal(doctor.remedy(60_000, 1), 'none');
});

/** The browser misses answers to its checks from 1 s on while media comes, every 250 ms, until `endMs`; does ours? */
function unanswered(endMs: number, taken: boolean): { doctor: MediaDoctor; said: Set<string>; treatedMs: number[] } {
  const doctor = new MediaDoctor();
  const [said, treatedMs] = [new Set<string>(), [] as number[]];
  doctor.state('connected', 0);
  doctor.state('disconnected', 1000);
  for (let now = 1250; now <= endMs; now += 250) {
    if (taken) doctor.taken(now);
    doctor.heard(now);
    said.add(doctor.shown(now));
    if (doctor.remedy(now, 1) === 'none') continue;
    treatedMs.push(now);
    doctor.state('connecting', now);
  }
  return { doctor, said, treatedMs };
}

test('checks that are lost are not told while media comes and ours comes too, and a restart makes new ones', () => {
  const { doctor, said, treatedMs } = unanswered(20_000, true);
  assert.deepEqual([...said], ['connected']);
  assert.deepEqual(treatedMs, [16_000]);
  assert.equal(doctor.shown(21_750), 'connecting', 'nothing comes any more');
  doctor.state('failed', 22_000);
  doctor.heard(22_000);
  assert.equal(doctor.shown(22_000), 'failed');
});

test('a path is dead when it was one and nothing comes; one that never was is only new', () => {
  const doctor = new MediaDoctor();
  doctor.state('connecting', 0);
  assert.equal(doctor.dead(5000), false);
  doctor.state('connected', 5000);
  doctor.heard(5100);
  assert.equal(doctor.dead(6500), false);
  assert.equal(doctor.dead(6600), true);
  doctor.state('failed', 6600);
  assert.equal(doctor.dead(6600), true);
});

test('a connection that never was one is not called connected because bytes come', () => {
  const doctor = new MediaDoctor();
  doctor.state('connecting', 0);
  doctor.heard(100);
  assert.equal(doctor.shown(100), 'connecting');
});

test('the same is told after 12 s when nobody says that ours comes', () => {
  assert.deepEqual([...unanswered(13_000, false).said], ['connected']);
  assert.deepEqual([...unanswered(13_500, false).said], ['connected', 'disconnected']);
});

test('disconnected while media arrives is shown as connected and not treated, for 12 s at most', () => {
  const doctor = new MediaDoctor();
  doctor.state('connected', 0);
  doctor.state('disconnected', 1000);
  for (let now = 1500; now <= 13_000; now += 500) {
    doctor.heard(now);
    assert.equal(doctor.shown(now), 'connected');
    assert.equal(doctor.remedy(now, 1), 'none');
  }
  doctor.heard(13_500);
  assert.equal(doctor.shown(14_500), 'disconnected');
  assert.equal(doctor.remedy(16_000, 1), 'ice');
});

test('silence where media is due is shown at once, treated after 1.5 s and over with the first packet', () => {
  const doctor = new MediaDoctor();
  doctor.state('connected', 0);
  doctor.silent(4000);
  assert.equal(doctor.shown(4000), 'disconnected');
  assert.equal(doctor.remedy(5400, 1), 'none');
  doctor.heard(5450);
  assert.equal(doctor.shown(5450), 'connected');
  assert.equal(doctor.remedy(60_000, 1), 'none');
  doctor.silent(61_000);
  assert.equal(doctor.remedy(62_500, 1), 'ice');
});

test('a silent disconnection is shown after 1.5 s', () => {
  const doctor = new MediaDoctor();
  doctor.state('connected', 0);
  doctor.state('disconnected', 1000);
  assert.equal(doctor.shown(2400), 'connected');
  assert.equal(doctor.shown(2500), 'disconnected');
});

test('a guest token the server does not know is dropped, the link still opens', () => {
  const link = new Link({ link: 'L', guest: 'G', resume: '', lang: 'fr' });
  assert.equal(link.opened().send?.guest, 'G');
  assert.equal(link.message({ t: 'error', code: 'auth', at: 'guest', why: 'not valid' }).close, true);
  assert.equal(link.closed(4003, 0).connectInMs, 0);
  assert.equal(link.opened().send?.guest, undefined);
  link.message({ t: 'error', code: 'auth', at: 'link', why: 'not valid' });
  assert.equal(link.over, 'auth');
});

test('a session that is over stays so when the code of the close is lost', () => {
  for (const lose of [(l: Link) => l.closed(1006, 0), (l: Link) => l.message({ t: 'error', code: 'auth', at: 'resume', why: '' })]) {
    const link = new Link(setup);
    link.message(snapshot);
    link.sessionOver();
    lose(link);
    assert.equal(link.over, 'ended');
  }
  const again = new Link(setup);
  again.message(snapshot);
  again.sessionOver();
  again.message(snapshot); // another session began and this page is in it
  assert.equal(again.closed(1006, 0).connectInMs, 0);
});
