// overload - a server with a tenth of a core (small.sh) under a load client that brings it through
// every step of shedding: staff reads each step, sound goes on, whoever comes is refused with words
// and comes in by himself when the load has gone.
import path from 'node:path';
import { ids } from './lib/contract.mjs';
import { ClassRoom } from './lib/class.mjs';
import { root } from './lib/deps.mjs';
import { Look } from './lib/look.mjs';
import { until } from './lib/wait.mjs';

export const needs = 'AMPHI_E2E_SMALL';
const STEPS = ['', 'fewer', 'slower', 'still', 'shut'];

async function voice(page) {
    const { slots } = await page.hook('stats');
    return slots.filter((s) => s.kind === 'audio').reduce((n, s) => n + s.packets, 0);
}

/** More of what the other says arrives. */
async function hears(page, what) {
    const before = await voice(page);
    await until(async () => (await voice(page)) >= before + 100, { what: `${page.name} hears ${what}`, timeout: 60000, every: 250 });
}

const stepOf = (metrics) => Math.max(...Object.entries(metrics)
    .filter(([name]) => name.startsWith('amphi_shard_overload')).map(([, value]) => value));

const told = (page) => page.eval(() => document.querySelector('[data-testid=server-busy]')?.dataset.step ?? '');

/** What the tiles say of pictures that are smaller or rest, "reason sign" each. */
const reasons = (page) => page.eval(() => [...document.querySelectorAll('[data-testid=reason]')].map((e) => `${e.dataset.reason} ${e.dataset.sign}`));

/** Whatever is late or smaller now is the server's doing: nobody is told that his connection is weak. */
async function blames(t, page, step) {
    t.log(`${page.name}, ${step}: ${(await reasons(page)).join('; ')}`);
    t.check(!await page.has('saver-propose'), `${page.name}, ${step}: the connection is blamed`);
}

async function steps(t) {
    const room = await ClassRoom.start(t);
    const look = new Look(t);
    const host = await room.enter('chromium', { role: 'host', viewport: { width: 1366, height: 768 } });
    const guest = await room.enter('chromium', { viewport: { width: 360, height: 740 } });
    await room.whole({ timeout: 60000 });
    const load = t.process(['load', '--url', room.links.participant, '--speaker-url', room.links.participant,
        '--publishers', '8', '--subscribers', '70', '--tiles', '8', '--camera-height', '360', '--num-per-second', '4',
        '--duration', '900', '--quiet'], { env: { XDG_CACHE_HOME: path.join(root, 'build/e2e/film') } });
    const seen = [];
    await until(async () => {
        const step = await told(host);
        if (step !== '' && seen.at(-1) !== step) {
            seen.push(step);
            await host.screenshot(path.join(t.dir, `host-${step}-1366.png`));
            await guest.screenshot(path.join(t.dir, `guest-${step}-360.png`));
            t.equal(await told(guest), '', 'a participant is not told');
            for (const page of [host, guest]) await blames(t, page, step);
        }
        return step === 'shut';
    }, { what: 'every step is told', timeout: 60000, every: 50 });
    t.figure('told', seen.join('+'));
    t.check(seen.every((step, i) => i === 0 || STEPS.indexOf(step) > STEPS.indexOf(seen[i - 1])), `steps in order: ${seen}`);
    await hears(host, 'on the busiest server');
    await hears(guest, 'on the busiest server');
    for (const page of [host, guest]) {
        await until(async () => (await reasons(page)).some((sign) => sign.startsWith('server ')),
            { what: `${page.name}: a tile says that the server is busy`, timeout: 60000, every: 250 });
        await blames(t, page, 'shut');
        await page.screenshot(path.join(t.dir, `${page === host ? 'host' : 'guest'}-heard.png`));
    }

    const late = await room.open('chromium', { name: 'Late', viewport: { width: 360, height: 740 } });
    // The door says so by itself, when it asks for its media connection, or when he wants to come in.
    await until(async () => {
        if (await late.has(ids.over('loaded'))) return true;
        await late.fill(ids.name, 'Late', { timeout: 1000 });
        await late.click(ids.join);
        return false;
    }, { what: 'the door answers', timeout: 60000, every: 100 });
    await look.at(late, 'refused');
    await look.at(host, 'host-shut');
    load.stop();
    // Who had pressed the button is taken in; who had not stands at the door again.
    await until(async () => {
        if ((await late.view())?.snapshotAt) return true;
        if (!await late.has(ids.name)) return false;
        await late.fill(ids.name, 'Late', { timeout: 1000 });
        await late.click(ids.join);
        return false;
    }, { what: 'the refused one is in', timeout: 120000, every: 500 });
    await late.screenshot(path.join(t.dir, 'late-in-360.png'));
    await until(async () => (await told(host)) === '' && stepOf(await room.server.metrics()) === 0,
        { what: 'all steps come back', timeout: 120000, every: 250 });
    await host.screenshot(path.join(t.dir, 'host-over-1366.png'));
    for (const page of [host, guest]) {
        await until(async () => !(await reasons(page)).some((sign) => sign.startsWith('server ')),
            { what: `${page.name}: no tile says that the server is busy`, timeout: 60000, every: 250 });
    }
    room.people.push(late);
    await room.whole({ timeout: 60000 });
    for (const page of room.people) room.clean(page);
    look.clean();
}

export const scenarios = [{ name: 'steps', timeout_s: 240, run: steps }];
