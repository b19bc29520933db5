// crash - core and door die or hang in the middle of a class.
import { ClassRoom } from './lib/class.mjs';
import { now, percentile } from './lib/wait.mjs';

/** Kill the core, wait until everybody hears everybody again; milliseconds since the kill. */
async function killAndHear(room) {
    const voices = room.people.length - 1;
    const answers = await Promise.all(room.people.map(async (p) => (await p.counts()).got['media.answer']));
    const again = room.people.map((page, i) => page.eval((n, wanted) =>
        window.__e2e.hearsAgain(n, wanted, 20000), answers[i], voices));
    const killedAt = Date.now();
    const { pid, at } = room.server.signal('core', 'SIGKILL');
    await room.server.replaced('core', pid);
    const up_ms = now() - at;
    const heard = await Promise.all(again);
    return { up_ms, heard_ms: Math.max(...heard) - killedAt };
}

async function killCore(t) {
    const room = await ClassRoom.start(t);
    const people = await room.three();
    await room.whole();
    const texts = [];
    for (let round = 1; round <= 3; round++) {
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
}

/** Twenty kills: the figure we promise. */
async function twentyKills(t) {
    const room = await ClassRoom.start(t);
    await room.enter('chromium', { role: 'host' });
    await room.enter('chromium');
    await room.whole();
    const heard = [];
    const up = [];
    for (let n = 0; n < 20; n++) {
        const { up_ms, heard_ms } = await killAndHear(room);
        heard.push(heard_ms);
        up.push(up_ms);
        t.log(`kill ${n}: core ${up_ms} ms, heard ${heard_ms} ms`);
        t.figures = [];
        t.figure('kills', heard.length);
        t.figure('core_up_p95_ms', percentile(up, 95));
        t.figure('heard_p50_ms', percentile(heard, 50));
        t.figure('heard_p95_ms', percentile(heard, 95));
        await room.whole();
    }
    t.check(percentile(heard, 95) <= 3000, 'heard again p95 over 3 s');
    t.equal((await room.people[0].view()).people.length, 2, 'people');
}

/** Texts typed while the core is down are neither lost nor doubled. */
async function chatThroughKill(t) {
    const room = await ClassRoom.start(t);
    const people = await room.three();
    await room.whole();
    await room.say(people[0], 'before');
    await room.chatIs(['before']);
    room.server.signal('core', 'SIGKILL');
    await room.say(people[1], 'while it was down');
    await room.chatIs(['before', 'while it was down'], { timeout: 15000 });
    await room.say(people[2], 'after');
    await room.chatIs(['before', 'while it was down', 'after'], { timeout: 15000 });
}

/** Door trouble: no packet of media lost for it, signalling back by itself. */
async function doorTrouble(t, name, resumeMsMax) {
    const room = await ClassRoom.start(t);
    const people = await room.three();
    await room.whole();
    const texts = ['before'];
    await room.say(people[0], 'before');
    await room.chatIs(texts);
    const first = await Promise.all(people.map((p) => p.stats()));
    const opened = await Promise.all(people.map(async (p) => (await p.counts()).sockets.length));
    const { pid, at } = room.server.signal('door', name);
    await room.server.replaced('door', pid, { timeout: 30000 });
    t.figure('door_up_ms', now() - at);
    const up = now();
    await Promise.all(people.map((page, i) => page.waitFor('signalling is back', (n) => {
        const { sockets, got } = window.__e2e.counts();
        return sockets.length > n && sockets.at(-1) === null && (got.resumed ?? 0) > 0;
    }, { args: [opened[i]], timeout: 15000, every: 10 })));
    t.figure('resume_ms', now() - (name === 'SIGKILL' ? at : up));
    t.check(now() - (name === 'SIGKILL' ? at : up) <= resumeMsMax, `resume over ${resumeMsMax} ms`);
    for (const page of people) await room.flows(page);
    const last = await Promise.all(people.map((p) => p.stats()));
    const lost = last.flatMap((stats, i) => stats.slots.map((s) =>
        s.lost - (first[i].slots.find((f) => f.ssrc === s.ssrc)?.lost ?? 0)));
    t.figure('media_lost', lost.reduce((a, b) => a + b, 0));
    t.check(lost.every((n) => n === 0), `media packets lost: ${lost}`);
    await room.say(people[1], 'after');
    await room.chatIs([...texts, 'after']);
    for (const page of people) await room.oneOffer(page);
}

/** SIGTERM: pages are told, the program ends in time with 0, and comes back with everything. */
async function drain(t) {
    const room = await ClassRoom.start(t);
    const people = await room.three();
    await room.whole();
    await room.say(people[0], 'kept');
    await room.chatIs(['kept']);
    const start = now();
    const end = await room.server.child.stop({ grace: 10500 });
    t.figure('exit_ms', now() - start);
    t.equal(end, { code: 0, signal: null }, 'end of the program');
    for (const page of people) {
        const closed = await page.waitFor('told', () => window.__e2e.counts().sockets.find(Boolean)?.code);
        t.equal(closed, 1001, `${page.name}: close code`);
    }
    await room.server.launch();
    await room.whole({ timeout: 30000 });
    await room.chatIs(['kept']);
}

export const scenarios = [
    { name: 'kill-core', timeout_s: 240, run: killCore },
    { name: 'twenty-kills', timeout_s: 300, run: twentyKills },
    { name: 'chat-through-kill', timeout_s: 120, run: chatThroughKill },
    { name: 'kill-door', timeout_s: 120, run: (t) => doorTrouble(t, 'SIGKILL', 1000) },
    { name: 'hang-door', timeout_s: 150, run: (t) => doorTrouble(t, 'SIGSTOP', 1000) },
    { name: 'drain', timeout_s: 150, run: drain },
];
