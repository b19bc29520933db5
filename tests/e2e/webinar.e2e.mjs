// webinar - backstage is not heard, the air is; somebody of the audience goes on stage and comes back,
// with the one offer of his page load.
import path from 'node:path';
import { ClassRoom } from './lib/class.mjs';
import { ids } from './lib/contract.mjs';
import { until } from './lib/wait.mjs';

const air = { doors: 'live-doors', go: 'live-go', scene: 'live-scene', phase: 'live-phase' };

/** A picture of what every page shows at this step, kept as files of the run. */
async function shoot(t, step, pages) {
    for (const page of pages) await page.screenshot(path.join(t.dir, `${step}-${page.role}.png`));
}

/** Sender ids whose tone arrives decodable, in any audio section. */
const heard = async (page) => (await page.read()).audio.map((a) => a.id).filter((id) => id !== undefined).sort();
const seen = async (page) => (await page.read()).video.map((v) => v.id).filter((id) => id !== undefined).sort();

const hears = (page, wanted, what) => until(async () => {
    const got = await heard(page);
    return JSON.stringify(got) === JSON.stringify(wanted) || Promise.reject(new Error(`hears ${JSON.stringify(got)}`));
}, { what: `${page.name}: ${what}`, timeout: 20000, every: 100 });

/** For as long as `page` sends this many more packets, nobody of `others` gets one. */
async function silentWhile(t, page, others, what, packets = 60) {
    const sent = async () => (await page.stats()).senders.filter((s) => s.kind === 'audio')
        .reduce((n, s) => n + (s.packets ?? 0), 0);
    const got = async (other) => (await other.stats()).slots.reduce((n, s) => n + (s.packets ?? 0), 0);
    const before = await Promise.all(others.map(got));
    const from = await sent();
    await until(async () => (await sent()) >= from + packets, { what: `${page.name} sends`, timeout: 20000, every: 100 });
    for (const [i, other] of others.entries()) {
        t.equal(await heard(other), [], `${other.name}: ${what}`);
        t.equal(await got(other), before[i], `${other.name}: packets, ${what}`);
    }
}

async function start(t) {
    const room = await ClassRoom.start(t, { type: 'webinar' });
    room.links.listener = await room.server.link(room.id, { role: 'listener' });
    const host = await room.enter('chromium', { role: 'host', sender: 1 });
    host.role = 'host';
    await host.click(air.doors);
    await host.waitFor('doors are open', (s) => document.querySelector(s)?.dataset.phase === 'doors',
        { args: [host.selector(air.phase)] });
    const guest = await room.enter('chromium', { role: 'listener', sender: 3, name: 'Grace Hopper' });
    guest.role = 'guest';
    const other = await room.enter('firefox', { role: 'listener', sender: 5, name: 'Katherine Johnson' });
    other.role = 'other';
    return { room, host, guest, other };
}

const phaseIs = (page, place) => page.waitFor(`stands in ${place}`,
    (wanted) => document.querySelector('.theatre')?.dataset.place === wanted, { args: [place], timeout: 15000 });

async function visit(t) {
    const { room, host, guest, other } = await start(t);
    for (const page of [guest, other]) {
        await page.waitForTestId('holding');
        t.equal(await page.eval(() => window.__e2e.sending.tracks.length), 0, `${page.name}: devices asked for`);
        const view = await page.view();
        t.check(!view.people.some((p) => p.name === (page === guest ? other : guest).name), 'no names of others');
    }
    await silentWhile(t, host, [guest, other], 'backstage is not heard');
    await shoot(t, '1-doors', [host, guest, other]);

    await host.click(air.go);
    await host.waitForTestId('countdown');
    await shoot(t, '2-countdown', [host, guest]);
    for (const page of [guest, other]) await hears(page, [1], 'the air');
    await until(async () => (await seen(other)).includes(1), { what: 'the picture of the stage', timeout: 20000 });
    await shoot(t, '3-air', [host, guest, other]);

    await guest.click(ids.bar.hand);
    await host.click(air.scene);
    await host.click('invite-hand');
    await guest.click('invite-accept', { timeout: 15000 });
    await phaseIs(guest, 'wings');
    await guest.click('wings-open');
    await guest.waitFor('microphone is checked', () => document.querySelector('[data-testid="check-mic"]')?.dataset.done === 'true',
        { timeout: 20000 });
    await hears(guest, [1], 'the stage from the wings');
    t.equal(await heard(other), [1], 'the wings are not heard in the audience');
    t.equal(await heard(host), [], 'the wings are not heard on the stage');
    await guest.click('wings-ready');
    await shoot(t, '4-wings', [host, guest, other]);

    await host.click('to-stage');
    await phaseIs(guest, 'stage');
    await hears(other, [1, 3], 'host and guest');
    await hears(host, [3], 'the guest');
    await until(async () => (await seen(other)).includes(3), { what: 'the picture of the guest', timeout: 20000 });
    await shoot(t, '5-stage', [host, guest, other]);

    await host.click('to-audience');
    await phaseIs(guest, 'audience');
    await hears(other, [1], 'the host alone again');
    await hears(guest, [1], 'the host from the audience');
    t.equal(await guest.has(ids.bar.mic), false, 'no microphone in the audience');
    await guest.click('bar-react');
    await guest.click('react-clap');
    await host.waitFor('a reaction arrives', () => document.querySelector('.burst span') !== null, { timeout: 10000 });
    await shoot(t, '6-back', [host, guest, other]);
    for (const page of [host, guest, other]) {
        await room.oneOffer(page);
        room.clean(page);
    }
}

export const scenarios = [
    { name: 'visit', timeout_s: 150, run: visit },
];
