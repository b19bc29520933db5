// One connection of a page to the scripted class.
import type { WebSocket } from 'ws';
import type { ClientMessage, Command, ServerMessage, VideoSlot, Want } from '../../src/wire/messages.ts';
import { pulseOf } from './webinar.ts';
import { World } from './world.ts';

const FINGERPRINT = '6f'.repeat(32);

export class Session {
  private readonly ws: WebSocket;
  private readonly worlds: Map<string, World>;
  private world: World | undefined;
  private readonly send = (m: ServerMessage): void => this.ws.send(JSON.stringify(m));
  private talk: ReturnType<typeof setInterval> | undefined;

  constructor(ws: WebSocket, worlds: Map<string, World>) {
    this.ws = ws;
    this.worlds = worlds;
    ws.on('message', (data) => this.take(JSON.parse(String(data)) as ClientMessage));
    ws.on('close', () => {
      this.world?.listeners.delete(this.send);
      clearInterval(this.talk);
    });
  }

  private take(m: ClientMessage): void {
    if (m.t === 'hello') return this.hello(m);
    const world = this.world;
    if (!world) return;
    if (m.t === 'media.offer') {
      world.offers.push(m.cause);
      if (world.script.get('media') === 'never') return;
      // Only who is in already is refused: nobody would get past the door.
      if (world.script.get('media') === 'full' && world.offers.length > 1) {
        return this.send({ t: 'error', id: m.id, code: 'full', why: 'no room' });
      }
      const answer = { u: 'mock', p: 'mockpasswordmockpassword', f: FINGERPRINT, c: [[4, '127.0.0.1', 9, 'udp']], b: 1000 };
      return this.send({ t: 'media.answer', id: m.id, answer } as ServerMessage);
    }
    if (m.t === 'view') return this.view(world, m.want);
    if (m.t === 'sync') return this.send(world.snapshot());
    if (m.t === 'ping') return this.send({ t: 'pong', epoch: world.epoch });
    if (m.t === 'relays') return this.send({ t: 'relays' });
    if (m.t === 'media.ready' || m.t === 'workshop.report') return;
    this.command(world, m);
  }

  private hello(m: Extract<ClientMessage, { t: 'hello' }>): void {
    const link = m.link ?? '';
    if (link.startsWith('bad')) {
      this.send({ t: 'error', code: 'auth', why: 'bad link' });
      this.ws.close(4003);
      return;
    }
    if (m.resume !== undefined) {
      const world = [...this.worlds.values()].find((w) => w.resume === m.resume);
      if (!world) {
        this.send({ t: 'error', code: 'auth', why: 'unknown resume token' });
        this.ws.close(4003);
        return;
      }
      this.enter(world);
      world.resume = `r_${Math.random().toString(36).slice(2)}`;
      this.send({ t: 'resumed', epoch: world.epoch, resume: world.resume, seq: world.state.seq, clock: Date.now() });
      if (m.have === undefined) this.send(world.snapshot());
      else for (const delta of world.since(m.have)) this.send(delta);
      this.speak(world);
      return;
    }
    const world = this.worlds.get(link) ?? new World(link);
    world.resume = `r_${Math.random().toString(36).slice(2)}`;
    this.worlds.set(link, world);
    this.world = world;
    this.send({
      t: 'door', class: world.state.class, you: { role: world.role, person: 'p_you' }, guest: 'g_1', epoch: world.epoch,
      count: world.state.people.length,
    });
  }

  private enter(world: World): void {
    this.world = world;
    world.listeners.add(this.send);
  }

  private command(world: World, m: Command): void {
    if (m.t === 'join') {
      const hurdle = world.script.get('refuse');
      if (hurdle === 'full' || hurdle === 'state') {
        return this.send({ t: 'error', id: m.id, code: hurdle, why: hurdle });
      }
      world.enter(m.name, m.mic, m.cam);
      this.enter(world);
      this.send(world.snapshot());
      const pulse = pulseOf(world.script);
      if (pulse) this.send(pulse);
      const load = world.script.get('load');
      if (load !== null) this.send({ t: 'load', step: Number(load) });
      return this.speak(world);
    }
    const seq = world.done.has(m.id) ? world.state.seq : this.effect(world, m);
    world.done.add(m.id);
    if (seq !== undefined) this.send({ t: 'ack', id: m.id, seq });
  }

  private effect(world: World, m: Exclude<Command, { t: 'join' }>): number | undefined {
    const id = `m_${world.state.seq}x`;
    const name = world.state.people.find((p) => p.id === 'p_you')?.name ?? '';
    switch (m.t) {
      case 'chat.send':
        return world.emit([{ e: 'chat.posted', chat: { id, from: 'p_you', name, at: Date.now(), text: m.text } }]);
      case 'hand.raise':
        return world.emit([{ e: 'hand.raised', hand: { person: 'p_you', kind: 'speak', at: Date.now() } }]);
      case 'hand.lower':
        return world.emit([{ e: 'hand.lowered', person: m.person ?? 'p_you', by: 'p_you' }]);
      case 'hand.clear':
        return world.emit(world.state.hands.map((h) => ({ e: 'hand.lowered', person: h.person, by: 'p_you' })));
      case 'media.state': {
        const { mic, cam, screen, sound } = m;
        return world.emit([{ e: 'media.changed', person: 'p_you', device: 'd_you', mic, cam, screen, sound }]);
      }
      case 'role.set':
        return world.emit([{ e: 'role.changed', person: m.person, role: m.role }]);
      case 'person.remove':
        return world.emit([{ e: 'person.left', person: m.person, reason: 'removed' }]);
      case 'person.unmute':
      case 'person.mute': {
        const target = world.state.people.find((p) => p.id === m.person)?.devices[0];
        if (!target) {
          this.send({ t: 'error', id: m.id, code: 'not_found', why: 'nobody' });
          return undefined;
        }
        return world.emit([{ e: 'media.changed', person: m.person, device: target.id, mic: m.t === 'person.mute' ? 'off' : 'on', cam: target.cam, screen: target.screen, sound: target.sound }]);
      }
      case 'session.start':
        return world.emit([{ e: 'session.changed', state: 'live', at: Date.now() }]);
      case 'session.end':
        setTimeout(() => this.ws.close(4002), 20);
        return world.emit([{ e: 'session.changed', state: 'closed', at: Date.now() }]);
      case 'leave':
        return world.emit([{ e: 'person.left', person: 'p_you', reason: 'left' }]);
    }
  }

  private view(world: World, want: Want[]): void {
    world.want = want;
    world.views.push(want);
    const pictures = world.script.get('pictures');
    const life = pictures === 'waiting' || pictures === 'silent' ? 'waiting' : pictures === 'off' ? 'off' : 'live';
    const reason = pictures === 'paused' ? 'paused' : pictures === 'silent' ? 'source' : 'full';
    const video = want.map(([slot, device, source]): VideoSlot => [slot, device, source, life, reason, life === 'live' ? 360 : 0]);
    this.send({ t: 'slots', audio: ['', '', '', '', ''], video });
  }

  private speak(world: World): void {
    const who = world.script.get('speaks');
    if (who === null) return;
    clearInterval(this.talk);
    const say = (): void => this.send({ t: 'speaking', list: [[who, 30]], recent: [who] });
    say();
    this.talk = setInterval(say, 300);
  }
}
