// workshops - three workshops with help, listening, announcement and return, in three Chromium and
// one Firefox: nobody makes a second offer, nobody's microphone opens, nobody hears another table.
import path from 'node:path';
import { ClassRoom } from './lib/class.mjs';
import { ids } from './lib/contract.mjs';
import { until } from './lib/wait.mjs';

const personOf = (page, who) => page.eval((name) => window.__e2e.view().people.find((p) => p.name === name)?.id, who.name);
const roomOf = (page, who) => page.eval((name) => window.__e2e.view().people.find((p) => p.name === name)?.room ?? '', who.name);

/** Names this page hears now, by what the server said and by the tones that truly arrive. */
async function heard(room, page) {
    const [view, read] = await Promise.all([page.view(), page.read()]);
    const said = view.audio.filter((a) => a.device).map((a) => a.name).sort();
    const tones = read.audio.map((a) => a.id).filter((id) => id !== undefined);
    const known = tones.map((id) => [...room.senders].find(([, sender]) => sender % 32 === id)?.[0] ?? `?${id}`);
    return { said, tones: [...new Set(known)].sort() };
}

async function hears(room, page, whom, { timeout = 15000 } = {}) {
    const wanted = whom.map((p) => p.name).sort();
    await until(async () => {
        const { said, tones } = await heard(room, page);
        return (JSON.stringify(said) === JSON.stringify(wanted) && JSON.stringify(tones) === JSON.stringify(wanted))
            || Promise.reject(new Error(`hears ${tones}, said ${said}, not ${wanted}`));
    }, { what: `${page.name} hears ${wanted.join(' and ') || 'nobody'}`, timeout });
}

/** Every step is kept as a picture of the run. */
const shot = (t, page, name) => page.screenshot(path.join(t.dir, `${name}.png`));

const hold = (page, testid, down) => page.eval((selector, type) => {
    document.querySelector(selector).dispatchEvent(new KeyboardEvent(type, { code: 'Space', key: ' ', bubbles: true, cancelable: true }));
}, page.selector(testid), down ? 'keydown' : 'keyup');

async function choose(page, testid, value) {
    await page.eval((selector, to) => {
        const field = document.querySelector(selector);
        field.value = to;
        field.dispatchEvent(new Event('input', { bubbles: true }));
        field.dispatchEvent(new Event('change', { bubbles: true }));
    }, page.selector(testid), value);
}

async function draft(host, guests) {
    await host.click('staff-workshops');
    await host.click('set-new');
    await host.fill('set-title', 'Études de cas');
    await host.click('set-create');
    await host.waitForTestId('plan-count');
    const rooms = await host.eval(() => [...document.querySelectorAll('[data-testid^="plan-r_"]')].map((e) => e.dataset.testid.slice(5)));
    await host.click(`room-edit-${rooms[0]}`);
    await choose(host, `task-${rooms[0]}`, 'Lisez le cas et préparez une réponse.');
    for (const [i, guest] of guests.entries()) {
        const person = await personOf(host, guest);
        await host.click(`chip-${person}`);
        await host.click(`to-${rooms[i]}`);
        await host.waitFor('the person is planned', (id, to) => Boolean(document.querySelector(`[data-testid="plan-${to}"] [data-testid="chip-${id}"]`)),
            { args: [person, rooms[i]] });
    }
    return rooms;
}

async function day(t) {
    const room = await ClassRoom.start(t);
    const host = await room.enter('chromium', { role: 'host' });
    const ana = await room.enter('chromium');
    const bea = await room.enter('chromium');
    const cyd = await room.enter('firefox');
    const guests = [ana, bea, cyd];
    await hears(room, host, guests);
    await cyd.click(ids.bar.mic); // muted before, muted throughout
    await hears(room, host, [ana, bea]);

    const rooms = await draft(host, guests);
    await host.click('set-open');
    for (const guest of guests) await guest.waitForTestId('ws-notice');
    await shot(t, ana, 'notice');
    const start = performance.now();
    for (const guest of guests) await guest.click('ws-go');
    for (const [i, guest] of guests.entries()) {
        await guest.waitForTestId('own-table');
        t.equal(await roomOf(guest, guest), rooms[i], `${guest.name}: own table`);
    }
    t.figure('moves_s', (performance.now() - start) / 1000);
    for (const guest of guests) await hears(room, guest, []);
    await hears(room, host, []);

    // A call for help reaches the trainer in another room; listening is announced.
    await host.waitForTestId('desk');
    await ana.click('help-ask');
    await ana.fill('help-text', 'Quel fichier ?');
    await ana.click('help-send');
    await host.waitForTestId(`help-${rooms[0]}`);
    await host.click(`listen-${rooms[0]}`);
    await ana.waitForTestId('listened');
    await hears(room, host, [ana]);
    await hears(room, ana, []);
    await shot(t, ana, 'listened');
    await shot(t, host, 'desk');

    // Hold to talk: heard at that table alone.
    await hold(host, `talk-${rooms[0]}`, true);
    await ana.waitForTestId('voice-here');
    await hears(room, ana, [host]);
    await hears(room, bea, []);
    await hold(host, `talk-${rooms[0]}`, false);
    await hears(room, ana, []);
    await host.click(`listen-${rooms[0]}`);

    // Two at a table, then a voice to all: everybody hears it, and the table steps back.
    const person = await personOf(host, bea);
    await host.click(`chip-${person}`);
    await host.click(`to-${rooms[0]}`);
    await hears(room, ana, [bea]);
    await hears(room, bea, [ana]);
    await hold(host, 'announce-voice', true);
    await hears(room, ana, [bea, host]);
    await hears(room, cyd, [host]);
    await ana.waitFor('the table is lowered', () => [...document.querySelectorAll('audio[data-slot]')]
        .some((e) => e.volume < 0.5) && [...document.querySelectorAll('audio[data-slot]')].some((e) => e.volume === 1));
    await hold(host, 'announce-voice', false);
    await hears(room, ana, [bea]);
    await hears(room, cyd, []);
    await host.fill('announce-text', 'Encore cinq minutes');
    await host.click('announce-send');
    for (const guest of guests) await guest.waitForTestId('announcement');
    await shot(t, ana, 'announcement');

    // Entering takes the call; a lost connection comes back to the own table.
    await host.click(`enter-${rooms[0]}`);
    await host.waitForTestId('own-table');
    await hears(room, ana, [bea, host]);
    await ana.waitFor('the call is taken', () => !document.querySelector('[data-testid="help-withdraw"]'));
    await host.click('table-return');
    await hears(room, ana, [bea]);
    await bea.eval(() => window.__e2e.sockets.at(-1).socket.close());
    await bea.waitFor('is resumed', () => (window.__e2e.got.resumed ?? 0) > 0, { timeout: 15000 });
    t.equal(await roomOf(bea, bea), rooms[0], 'back at the own table');
    await hears(room, bea, [ana]);

    await host.click('desk-toggle');
    await host.click('desk-close');
    await host.click('desk-close-now');
    for (const guest of guests) await guest.waitForGone('own-table');
    await hears(room, host, [ana, bea]);
    for (const page of room.people) {
        await room.oneOffer(page);
        room.clean(page);
    }
    const mic = await host.eval((name) => window.__e2e.view().people.find((p) => p.name === name).devices[0].mic, cyd.name);
    t.equal(mic, 'off', 'the muted one is still muted');
}

/** Tab until the element is reached, then a key: nothing is done by pointer. */
async function reach(page, testid, key = 'Enter') {
    await page.waitForTestId(testid);
    for (let i = 0; i < 160; i++) {
        if (await page.eval((id) => document.activeElement?.dataset?.testid === id, testid)) {
            if (key) await page.press(key);
            return;
        }
        await page.press('Tab');
    }
    throw new Error(`${testid} is not reached by Tab`);
}

/** The whole desk by keyboard, with axe at each stop, in both languages, themes and ends of size. */
async function keyboard(t) {
    const room = await ClassRoom.start(t);
    const host = await room.enter('chromium', { role: 'host', lang: 'fr', viewport: { width: 1920, height: 1080 } });
    const ana = await room.enter('chromium', { lang: 'en', theme: 'dark', viewport: { width: 360, height: 740 } });
    const found = [];
    const look = async (page, what) => {
        await shot(t, page, what);
        for (const v of await page.axe()) found.push(`${what}: ${v.id} ${v.nodes[0]}`);
        const overflow = await page.eval(() => document.documentElement.scrollWidth - innerWidth);
        if (overflow > 0) found.push(`${what}: ${overflow} pixels beyond the right edge`);
    };
    await reach(host, 'staff-workshops');
    await reach(host, 'set-new');
    await look(host, 'new');
    await reach(host, 'set-create');
    await host.waitForTestId('plan-count');
    const person = await personOf(host, ana);
    const rooms = await host.eval(() => [...document.querySelectorAll('[data-testid^="plan-r_"]')].map((e) => e.dataset.testid.slice(5)));
    await reach(host, `chip-${person}`);
    await reach(host, `to-${rooms[1]}`);
    await reach(host, `room-edit-${rooms[0]}`);
    await look(host, 'draft');
    await reach(host, 'set-open');
    await ana.waitForTestId('ws-notice');
    await look(ana, 'notice-360');
    await reach(ana, 'ws-go');
    await ana.waitForTestId('own-table');
    await reach(ana, 'help-ask');
    await reach(ana, 'help-text', '');
    await ana.type('Une question');
    await reach(ana, 'help-send');
    await ana.waitForTestId('help-withdraw');
    await look(ana, 'table-360');
    await host.waitForTestId(`help-${rooms[1]}`);
    await look(host, 'desk-1920');
    await reach(host, `listen-${rooms[1]}`);
    await ana.waitForTestId('listened');
    await reach(host, `chip-${person}`);
    await reach(host, `to-${rooms[2]}`);
    await until(async () => (await roomOf(ana, ana)) === rooms[2] || Promise.reject(new Error('not moved')), { what: 'moved by keyboard', timeout: 8000 });
    await reach(host, 'desk-time');
    await host.waitForTestId('desk-more');
    await reach(host, 'announce-text', '');
    await host.type('Bonjour');
    await host.press('Enter');
    await ana.waitForTestId('announcement');
    await reach(host, `enter-${rooms[2]}`);
    await host.waitForTestId('own-table');
    await reach(host, 'table-return');
    await reach(host, 'desk-toggle');
    await reach(host, 'desk-close');
    await reach(host, 'desk-close-now');
    await ana.waitForGone('own-table');
    await reach(host, 'staff-workshops');
    const set = await host.eval(() => document.querySelector('[data-testid^="report-w_"]')?.dataset.testid
        ?? document.querySelector('[data-testid="sets-back"]')?.dataset.testid);
    await reach(host, set);
    if (set === 'sets-back') await reach(host, await host.eval(() => document.querySelector('[data-testid^="report-w_"]').dataset.testid));
    await host.waitForTestId('report');
    await look(host, 'report');
    t.equal(found, [], 'axe and width');
}

export const scenarios = [
    { name: 'day', timeout_s: 150, run: day },
    { name: 'keyboard', timeout_s: 90, run: keyboard },
];
