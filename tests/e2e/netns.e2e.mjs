// netns - the program on another machine, in small: run by tests/e2e/netns.sh, which puts this
// process into a client's namespace and tells where the server is to be started.
import { ClassRoom } from './lib/class.mjs';
import { run } from './lib/proc.mjs';
import { away, sampled, sampling, told } from './lib/story.mjs';
import { until } from './lib/wait.mjs';

export const needs = 'AMPHI_E2E_NETNS';

/** Two people through whatever lies between; media must have taken the path that was announced. */
async function across(t, pathPattern) {
    t.check(process.env[needs], 'run tests/e2e/netns.sh');
    const room = await ClassRoom.start(t);
    const people = [await room.enter('chromium', { role: 'host' }), await room.enter('firefox')];
    await room.whole();
    for (const page of people) {
        const path = await until(async () => (await page.stats()).path,
            { what: `${page.name}: its browser names the path`, timeout: 60000 });
        t.figure(`${page.browser}_path`, path.replace(/ /g, ':'));
        t.figure(`${page.browser}_connected_after_load_ms`, await page.eval(() => window.__e2e.marks.connected));
        t.check(pathPattern.test(path), `${page.name}: media goes to ${path}`);
        await room.flows(page);
        await room.oneOffer(page);
    }
}

const ip = async (...words) => {
    const { code, err } = await run('ip', words);
    if (code) throw new Error(`ip ${words.join(' ')}: ${err}`);
};

/** Who everybody is to everybody: the people with their devices, as each page knows them. */
const seats = (pages) => Promise.all(pages.map(async (page) => (await page.view()).people
    .map((p) => `${p.id} ${p.devices.map((d) => d.id).sort()}`).sort().join('; ')));

/** Everybody hears and sees everybody again; milliseconds since `since` for each browser. */
async function backAgain(t, room, what, since) {
    await Promise.all(room.people.map(async (page) => {
        await room.flows(page, { frames: 1, timeout: 60000 });
        t.figure(`${page.browser}_${what}_ms`, performance.now() - since);
    }));
    await room.whole({ timeout: 60000 });
}

/** No new page load, no new connection, nobody shown as having left: offers are those of ICE alone. */
async function sameSeats(t, room, before) {
    t.equal(await seats(room.people), before, 'people and devices');
    for (const page of room.people) {
        const { connections, offersByCause, got } = await page.counts();
        t.equal(connections, 1, `${page.name}: connections`);
        t.equal({ ...offersByCause, ice: 0 }, { load: 1, ice: 0 }, `${page.name}: offers by cause`);
        t.figure(`${page.browser}_restarts`, offersByCause.ice ?? 0);
        t.check((got['media.answer'] ?? 0) <= 1 + (offersByCause.ice ?? 0), `${page.name}: answers`);
        const seen = await page.eval(() => window.__e2e.messages.flatMap(({ message }) =>
            (message.t === 'delta' ? message.events.map((e) => e.e) : [])));
        t.check(!seen.includes('person.left') && !seen.includes('device.left'), `${page.name}: somebody left`);
    }
}

/** The interface of the Wi-Fi goes, that of the mobile network comes up; when, of our clock. */
async function moves() {
    const [wifi, mobile, gateway] = process.env.AMPHI_E2E_HANDOVER.split(' ');
    await ip('link', 'set', wifi, 'down');
    const at = performance.now();
    await ip('link', 'set', mobile, 'up');
    await ip('route', 'replace', 'default', 'via', gateway, 'dev', mobile);
    return at;
}

/** The same while another tab is in front: the page has its timers once a second, and sound must come back. */
async function hidden(t) {
    t.check(process.env[needs], 'run tests/e2e/netns.sh');
    const room = await ClassRoom.start(t);
    await room.enter('chromium', { role: 'host' });
    const guest = await room.enter('background');
    await room.whole({ timeout: 60000 });
    const front = await guest.hide();
    const heard = async (page) => (await page.stats()).slots.filter((s) => s.kind === 'audio').reduce((n, s) => n + (s.packets ?? 0), 0);
    const hears = (page, more, what) => heard(page).then((from) => until(async () => (await heard(page)) > from + more,
        { what: `${page.name} ${what}`, timeout: 60000 }));
    // The tab has been hidden for as long as its pictures take to rest.
    await guest.waitFor('its pictures rest', () => window.amphi.slots().video.every((s) => s.life === 'off'), { timeout: 60000 });
    await guest.eval(() => {
        const ticks = [];
        setInterval(() => ticks.push(performance.now()), 50);
        window.__e2e.ticks = ticks;
    });
    await guest.waitFor('timers tick', () => window.__e2e.ticks.length > 4, { timeout: 60000 });
    const gaps = await guest.eval(() => window.__e2e.ticks.slice(1).map((at, i) => at - window.__e2e.ticks[i]));
    t.check(Math.max(...gaps) > 500, `timers of a hidden page came every ${gaps} ms`);
    const before = await seats(room.people);
    const paths = await Promise.all(room.people.map(async (page) => (await page.stats()).local));
    const at = await moves();
    for (const [i, page] of room.people.entries()) {
        await until(async () => (await page.stats()).local !== paths[i], { what: `${page.name}: leaves ${paths[i]}`, timeout: 60000 });
    }
    await Promise.all(room.people.map((page) => hears(page, 5, 'hears again').then(() =>
        t.figure(`${page === guest ? 'hidden' : 'seen'}_gap_ms`, performance.now() - at))));
    t.equal(await guest.eval(() => document.visibilityState), 'hidden', 'the page is');
    t.figure('target_ms', 8000);
    await guest.show(front);
    await room.whole();
    await sameSeats(t, room, before);
}

/** From Wi-Fi to mobile: one interface goes, another one comes up. */
async function handover(t) {
    t.check(process.env[needs], 'run tests/e2e/netns.sh');
    const room = await ClassRoom.start(t);
    await room.enter('chromium', { role: 'host' });
    await room.enter('firefox');
    await room.whole();
    const before = await seats(room.people);
    const paths = await Promise.all(room.people.map(async (page) => (await page.stats()).local));
    const clocks = await Promise.all(room.people.map((page) => page.eval(() => performance.now())));
    const at = await moves();
    await backAgain(t, room, 'gap', at);
    for (const [i, page] of room.people.entries()) t.log(`${page.browser}: ${(await told(page, clocks[i])).join('; ')}`);
    t.figure('target_ms', 6000);
    for (const [i, page] of room.people.entries()) {
        await until(async () => (await page.stats()).local !== paths[i], { what: `${page.name}: leaves ${paths[i]}`, timeout: 30000 });
    }
    await sameSeats(t, room, before);
}

/** UDP stops passing in the middle of a class: media goes on over TCP. */
async function udpDies(t) {
    t.check(process.env[needs], 'run tests/e2e/netns.sh');
    const room = await ClassRoom.start(t);
    await room.enter('chromium', { role: 'host' });
    await room.enter('firefox');
    await room.whole();
    for (const page of room.people) await sampling(page);
    const clocks = await Promise.all(room.people.map((page) => page.eval(() => performance.now())));
    for (const page of room.people) t.check(/^udp/.test((await page.stats()).path), `${page.name}: no UDP`);
    const before = await seats(room.people);
    await ip('netns', 'exec', process.env.AMPHI_E2E_ROUTER, 'iptables', '-A', 'FORWARD', '-p', 'udp', '-j', 'DROP');
    const at = performance.now();
    for (const page of room.people) {
        await until(async () => /^tcp/.test((await page.stats()).path), {
            what: `${page.name} takes TCP`, timeout: 60000, every: 100,
        });
    }
    await backAgain(t, room, 'fallback', at);
    for (const [i, page] of room.people.entries()) t.log(`${page.browser}: ${(await told(page, clocks[i])).join('; ')}`);
    for (const [i, page] of room.people.entries()) {
        t.log(`${page.browser}: ${(await sampled(page, clocks[i])).join('\n  ')}`);
        const { heard, seen } = await away(page, clocks[i]);
        t.figure(`${page.browser}_heard_ms`, heard);
        t.figure(`${page.browser}_seen_ms`, seen);
    }
    t.figure('target_ms', 5000);
    await sameSeats(t, room, before);
}

export const scenarios = [
    { name: 'dnat', timeout_s: 120, run: (t) => across(t, /^udp 203\.0\.113\.9:/) },
    { name: 'ipv6', timeout_s: 120, run: (t) => across(t, /^udp \[?fd/) },
    { name: 'udp-dies', timeout_s: 120, run: udpDies },
    { name: 'tcp-only', timeout_s: 120, run: (t) => across(t, /^tcp 203\.0\.113\.9:/) },
    { name: 'hidden', timeout_s: 120, run: hidden },
    { name: 'handover', timeout_s: 120, run: handover },
];
