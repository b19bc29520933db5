// webinar - backstage is not heard, the air is; somebody of the audience goes on stage and comes back,
// with the one offer of his page load. `crowd` has twelve scripted listeners too, every state in all its
// corners, and two lost connections and three moves after the visit. `table` has those without the visit:
// the audience speaks at a table, and is silent in the hall before and after.
import path from 'node:path';
import { ClassRoom, silentWhile } from './lib/class.mjs';
import { ids } from './lib/contract.mjs';
import { crowd, heardOf } from './lib/crowd.mjs';
import { unreached } from './lib/keyboard.mjs';
import { Look } from './lib/look.mjs';
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

/** Backstage to the way back; look(page, what) sees each state of a page. */
async function visit(t, room, { host, guest, other }, look) {
    for (const page of [guest, other]) {
        await page.waitForTestId('holding');
        t.equal(await page.eval(() => window.__e2e.sending.tracks.length), 0, `${page.name}: devices asked for`);
        const view = await page.view();
        t.check(!view.people.some((p) => p.name === (page === guest ? other : guest).name), 'no names of others');
    }
    await silentWhile(t, host, [guest, other], 'backstage is not heard', { kinds: ['audio', 'video'] });
    for (const page of [guest, other]) await hears(page, [], 'nobody before the air');
    await shoot(t, '1-doors', [host, guest, other]);
    await look(host, 'doors-host');
    await look(guest, 'holding');

    await host.click(air.go);
    await host.waitForTestId('countdown');
    await shoot(t, '2-countdown', [host, guest]);
    for (const page of [guest, other]) await hears(page, [1], 'the air');
    await until(async () => (await seen(other)).includes(1), { what: 'the picture of the stage', timeout: 20000 });
    await shoot(t, '3-air', [host, guest, other]);
    await look(guest, 'audience');

    await guest.click(ids.bar.hand);
    await host.click(air.scene);
    await look(host, 'scene');
    await host.click('invite-hand');
    await guest.waitForTestId('invite-accept', { timeout: 60000 });
    await shoot(t, '4-invitation', [guest]);
    await guest.click('invite-accept');
    await phaseIs(guest, 'wings');
    await look(guest, 'wings');
    await guest.click('wings-open');
    await guest.waitFor('microphone is checked', () => document.querySelector('[data-testid="check-mic"]')?.dataset.done === 'true',
        { timeout: 20000 });
    await hears(guest, [1], 'the stage from the wings');
    await hears(other, [1], 'the stage and not the wings, in the audience');
    await hears(host, [], 'nothing of the wings, on the stage');
    await guest.click('wings-ready');
    await shoot(t, '5-wings', [host, guest, other]);

    await host.click('to-stage');
    await phaseIs(guest, 'stage');
    await hears(other, [1, 3], 'host and guest');
    await hears(host, [3], 'the guest');
    await until(async () => (await seen(other)).includes(3), { what: 'the picture of the guest', timeout: 20000 });
    await shoot(t, '6-stage', [host, guest, other]);
    await look(guest, 'stage-guest');
    await look(host, 'stage-host');

    await host.click('to-audience');
    await phaseIs(guest, 'audience');
    await hears(other, [1], 'the host alone again');
    await hears(guest, [1], 'the host from the audience');
    t.equal(await guest.has(ids.bar.mic), false, 'no microphone in the audience');
    await guest.click('bar-react');
    await guest.click('react-clap');
    await host.waitFor('a reaction arrives', () => document.querySelector('.burst span') !== null, { timeout: 10000 });
    await shoot(t, '7-back', [host, guest, other]);
    for (const page of [host, guest, other]) {
        await room.oneOffer(page);
        room.clean(page);
    }
}

async function alone(t) {
    const { room, ...pages } = await start(t);
    await visit(t, room, pages, async () => {});
}

async function crowded(t) {
    const { room, ...pages } = await start(t);
    const { host, guest, other } = pages;
    const look = new Look(t);
    const house = await crowd(room, { role: 'listener' });
    await host.waitFor('the house is counted', (n) => document.querySelector('[data-testid="live-count"]')?.textContent === String(n),
        { args: [house.length + 2], timeout: 60000 });
    await visit(t, room, pages, async (page, what) => {
        await look.at(page, what);
        if (what === 'scene') t.equal(await unreached(host, '.staff, [data-testid="panel"]'), [], 'stage panel: not reached by Tab');
    });
    // The house knows who stood on the stage, and nobody else.
    for (const one of house) t.check(!await heardOf(one, other.name), `${one.name} was told of ${other.name}`);
    t.check(await heardOf(house[0], guest.name), 'the house knew the guest on the stage');
    await around(t, room, { guest, other }, look);
    look.clean();
}

/** Of the audience to a table, where one speaks, and back: no visit of the stage before. */
async function seated(t) {
    const { room, host, guest, other } = await start(t);
    const look = new Look(t, { corners: false });
    await host.click(air.go);
    for (const page of [guest, other]) await hears(page, [1], 'the air');
    await around(t, room, { guest, other }, look);
    look.clean();
}

const micShows = (page, on) => page.waitFor(`microphone ${on}`, (s, wanted) => document.querySelector(s)?.dataset.on === wanted,
    { args: [page.selector(ids.bar.mic), String(on)], timeout: 60000 });
const asked = (page) => page.eval(() => window.__e2e.sending.tracks.length);

/** The same page load: two lost connections, then three moves between rooms. At a table the audience speaks. */
async function around(t, room, { guest, other }, look) {
    for (let n = 1; n <= 2; n++) {
        await guest.eval(() => window.__e2e.sockets.at(-1).socket.close());
        await guest.waitFor(`is resumed ${n}`, (times) => (window.__e2e.got.resumed ?? 0) >= times, { args: [n], timeout: 60000 });
    }
    const [lead] = await crowd(room, { role: 'animator', count: 1 });
    const [person, mate] = await Promise.all([guest, other].map((p) => p.eval(() => window.amphi.state().you.person)));
    let n = 0;
    const order = async (command) => {
        const id = `order${n++}`;
        await lead.send({ ...command, id });
        await lead.answered(id, { timeout: 60000 });
    };
    await order({ t: 'workshop.create', title: 'Essais', names: ['Une', 'Deux'] });
    const set = (await sets(lead)).at(-1);
    const stands = (name, page = guest) => page.waitFor(`stands at ${name}`, (wanted) => {
        const { people, you, workshops } = window.amphi.state();
        const at = people.find((p) => p.id === you.person)?.room;
        return wanted === '' ? at === undefined : workshops.some((s) => s.rooms.some((r) => r.id === at && r.name === wanted));
    }, { args: [name], timeout: 60000 });
    await order({ t: 'workshop.change', set: set.id, notice: 0, closing: 0 });
    for (const who of [person, mate]) await order({ t: 'workshop.place', set: set.id, person: who, room: set.rooms[0].id });
    const before = await asked(other);
    await order({ t: 'workshop.open', set: set.id });
    for (const page of [guest, other]) {
        await stands('Une', page);
        await micShows(page, false);
        await hears(page, [], 'nobody yet at the table');
    }
    t.equal(await asked(other), before, 'no device is asked for on arrival');
    await look.at(guest, 'table');
    await guest.click(ids.bar.mic);
    await micShows(guest, true);
    await hears(other, [3], 'the guest at the table');
    await shoot(t, '8-table', [guest, other]);
    await order({ t: 'workshop.place', set: set.id, person, room: set.rooms[1].id });
    await stands('Deux');
    await micShows(guest, true);
    await hears(other, [], 'nobody: the guest went to another table');
    await order({ t: 'workshop.close', seconds: 0 });
    for (const page of [guest, other]) {
        await stands('', page);
        await page.waitForGone(ids.bar.mic, { timeout: 60000 });
    }
    await guest.waitFor('nothing listens in the audience', () => window.__e2e.sending.tracks.every((track) => track.readyState !== 'live'),
        { timeout: 60000 });
    await shoot(t, '9-hall', [guest, other]);
    for (const page of [guest, other]) {
        await hears(page, [1], 'the host from his seat again');
        await room.oneOffer(page);
        room.clean(page);
    }
}

/** The sets a scripted member of the staff was told of last. */
const sets = (client) => client.page.waitFor('the sets', (key) => window[key].got
    .flatMap((m) => m.events ?? []).findLast((e) => e.e === 'workshops.set')?.workshops, { args: [client.key], timeout: 60000 });

/** The house is full: whoever comes waits, and is offered sound and slides. */
async function light(t) {
    const room = await ClassRoom.start(t, { type: 'webinar', set: { seats: 6, 'reserved-seats': 5, 'light-seats': 3 } });
    room.links.listener = await room.server.link(room.id, { role: 'listener' });
    const host = await room.enter('chromium', { role: 'host', sender: 1 });
    await host.click(air.doors);
    await crowd(room, { role: 'listener', count: 1 });
    const late = await room.open('chromium', { role: 'listener', sender: 3, name: 'Grace Hopper', lang: 'fr', viewport: { width: 360, height: 740 } });
    await late.fill(ids.name, late.options.name, { timeout: 60000 });
    await late.click(ids.join);
    await late.waitForTestId('join-light', { timeout: 60000 });
    t.equal(await late.eval(() => window.__e2e.sending.tracks.length), 0, 'devices asked for');
    await late.screenshot(path.join(t.dir, 'full-360.png'));
    await late.click('join-light');
    await late.waitForTestId('holding', { timeout: 60000 });
    t.equal((await late.hook('state')).light, true, 'a seat with sound and slides');
    await late.screenshot(path.join(t.dir, 'light-360.png'));
    room.clean(late);
}

export const scenarios = [
    { name: 'visit', timeout_s: 150, run: alone },
    { name: 'table', timeout_s: 120, run: seated },
    { name: 'crowd', timeout_s: 200, run: crowded },
    { name: 'light', timeout_s: 90, run: light },
];
