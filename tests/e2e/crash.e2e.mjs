// crash - core and door die or hang in the middle of a class.
import fs from 'node:fs';
import { ClassRoom } from './lib/class.mjs';
import { full } from './lib/scenario.mjs';
import { now, percentile, until } from './lib/wait.mjs';

/** RESTART_WINDOW_US of server/app/restart.h, and some. */
const CRASH_LOOP_MS = 10500;

/** Kill the core, wait until everybody hears everybody again; milliseconds since the kill. */
async function killAndHear(room) {
    const voices = room.people.length - 1;
    const answers = await Promise.all(room.people.map(async (p) => (await p.counts()).got['media.answer']));
    const again = room.people.map((page, i) => page.eval((n, wanted) =>
        window.__e2e.hearsAgain(n, wanted, 60000), answers[i], voices));
    const killedAt = Date.now();
    const { pid, at } = room.server.signal('core', 'SIGKILL');
    await room.server.replaced('core', pid);
    const up_ms = now() - at;
    const heard = await Promise.all(again);
    for (const [i, page] of room.people.entries()) {
        room.t.log(`${page.name} heard after ${heard[i] - killedAt} ms: ${await page.eval(steps, killedAt)}`);
    }
    return { up_ms, heard_ms: Math.max(...heard) - killedAt };
}

/** What this page went through since a moment of the wall clock, in words. */
const steps = (since) => {
    const at = (when) => Math.round(when + performance.timeOrigin - since);
    const { messages, states } = window.__e2e;
    return [
        ...messages.filter((m) => at(m.at) > 0 && !/speaking|slots|delta/.test(m.message.t))
            .map((m) => [at(m.at), m.message.t + (m.message.code ?? '')]),
        ...states.filter((s) => at(s.at) > 0).map((s) => [at(s.at), s.state]),
    ].sort((a, b) => a[0] - b[0]).map(([when, what]) => `${what} ${when}`).join(', ');
};

async function killCore(t) {
    const room = await ClassRoom.start(t);
    const people = await room.three();
    await room.whole();
    const texts = [];
    for (let round = 1; round <= (full ? 3 : 2); round++) {
        for (const page of people) {
            const text = `round ${round} from ${page.name}`;
            await room.say(page, text);
            texts.push(text);
            await room.chatIs(texts);
        }
        const { up_ms, heard_ms } = await killAndHear(room);
        t.figure(`core_up_${round}_ms`, up_ms);
        t.figure(`heard_${round}_ms`, heard_ms);
        await room.whole();
        await room.chatIs(texts);
        for (const page of people) {
            await room.oneOffer(page, { epoch: round });
            t.equal((await page.view()).people.map((p) => p.name).sort(),
                people.map((p) => p.name).sort(), `${page.name}: people`);
        }
    }
    await chatThroughKill(room, texts);
}

/** Kill after kill, twenty in a full run: the figure we promise. */
async function killAfterKill(t) {
    const room = await ClassRoom.start(t);
    await room.enter('chromium', { role: 'host' });
    await room.enter('chromium');
    await room.whole();
    const heard = [];
    const up = [];
    const kills = full ? 20 : 3;
    for (let n = 0; n < kills; n++) {
        const killed = now();
        const { up_ms, heard_ms } = await killAndHear(room);
        heard.push(heard_ms);
        up.push(up_ms);
        t.log(`kill ${n}: core ${up_ms} ms, heard ${heard_ms} ms`);
        t.figures = [];
        t.figure('kills', heard.length);
        t.figure('core_up_p95_ms', percentile(up, 95));
        t.figure('heard_p50_ms', percentile(heard, 50));
        t.figure('heard_p95_ms', percentile(heard, 95));
        t.figure('heard_max_ms', Math.max(...heard));
        await room.whole();
        // Deaths close to each other are a crash loop, and the supervisor takes its time on purpose.
        if (n >= 2 && n + 1 < kills) {
            await until(() => now() - killed > CRASH_LOOP_MS, { what: 'not a loop', timeout: 2 * CRASH_LOOP_MS });
        }
    }
    t.figure('target_ms', 3000);
    t.equal((await room.people[0].view()).people.length, 2, 'people');
}

/** Texts typed while the core is down are neither lost nor doubled. */
async function chatThroughKill(room, texts) {
    const { people } = room;
    texts.push('while it was down', 'after');
    room.server.signal('core', 'SIGKILL');
    await room.say(people[1], 'while it was down');
    await room.chatIs(texts.slice(0, -1), { timeout: 15000 });
    await room.say(people[2], 'after');
    await room.chatIs(texts, { timeout: 15000 });
}

/** Datagrams for which a socket of this machine had no room so far: nobody's fault but the machine's. */
const machineLost = () => {
    const [names, values] = fs.readFileSync('/proc/net/snmp', 'utf8').split('\n')
        .filter((line) => line.startsWith('Udp:')).map((line) => line.split(' '));
    return Number(values[names.indexOf('RcvbufErrors')]);
};

/** Door trouble: no packet of media lost for it, signalling back by itself. */
async function doorTrouble(t, room, texts, name) {
    const { people } = room;
    texts.push(`before ${name}`);
    await room.say(people[0], texts.at(-1));
    await room.chatIs(texts);
    const without = machineLost();
    const first = await Promise.all(people.map((p) => p.stats()));
    const before = await Promise.all(people.map((p) => p.counts()));
    const { pid, at } = room.server.signal('door', name);
    await room.server.replaced('door', pid, { timeout: 30000 });
    t.figure(`${name}_door_up_ms`, now() - at);
    const up = now();
    await Promise.all(people.map((page, i) => page.waitFor('signalling is back', (opened, resumed) => {
        const { sockets, got } = window.__e2e.counts();
        return sockets.length > opened && sockets.at(-1) === null && (got.resumed ?? 0) > resumed;
    }, { args: [before[i].sockets.length, before[i].got.resumed ?? 0], timeout: 15000, every: 10 })));
    t.figure(`${name}_resume_ms`, now() - (name === 'SIGKILL' ? at : up));
    t.figure('target_ms', 1000);
    for (const page of people) await room.flows(page);
    const last = await Promise.all(people.map((p) => p.stats()));
    const lost = last.flatMap((stats, i) => stats.slots.map((s) =>
        s.lost - (first[i].slots.find((f) => f.ssrc === s.ssrc)?.lost ?? 0)));
    const all = lost.reduce((a, b) => a + b, 0);
    t.figure(`${name}_media_lost`, all);
    t.check(all <= machineLost() - without, `media packets lost: ${lost}`);
    texts.push(`after ${name}`);
    await room.say(people[1], texts.at(-1));
    await room.chatIs(texts);
    for (const page of people) await room.oneOffer(page);
}

/** SIGTERM: pages are told, the program ends in time with 0, and comes back with everything. */
async function drain(t, room, texts) {
    const { people } = room;
    texts.push('kept');
    await room.say(people[0], 'kept');
    await room.chatIs(texts);
    const opened = await Promise.all(people.map(async (p) => (await p.counts()).sockets.length));
    const start = now();
    const end = await room.server.child.stop({ grace: 10500 });
    t.figure('exit_ms', now() - start);
    t.equal(end, { code: 0, signal: null }, 'end of the program');
    for (const [i, page] of people.entries()) {
        const closed = await page.waitFor('told', (n) => window.__e2e.counts().sockets[n]?.code, { args: [opened[i] - 1] });
        t.equal(closed, 1001, `${page.name}: close code`);
    }
    await room.server.launch();
    await room.whole({ timeout: 30000 });
    await room.chatIs(texts);
}

/** One class through all that can happen to its door, and through the end of the program. */
async function door(t) {
    const room = await ClassRoom.start(t);
    await room.three();
    await room.whole();
    const texts = [];
    await doorTrouble(t, room, texts, 'SIGKILL');
    await doorTrouble(t, room, texts, 'SIGSTOP');
    await drain(t, room, texts);
}

export const scenarios = [
    { name: 'kill-core', timeout_s: 300, run: killCore },
    { name: 'kill-after-kill', timeout_s: 600, run: killAfterKill },
    { name: 'door', timeout_s: 300, run: door },
];
