// workshops - three workshops with help, listening, announcement and return, in three Chromium and
// one Firefox: nobody makes a second offer, nobody's microphone opens, nobody hears another table.
// `crowd` has twelve scripted people at the tables too; `corners` sees every state in all its corners.
import path from 'node:path';
import { ClassRoom, silentWhile } from './lib/class.mjs';
import { crowd, heardOf } from './lib/crowd.mjs';
import { ids } from './lib/contract.mjs';
import { holding, listen, reach, told, unreached } from './lib/keyboard.mjs';
import { Look } from './lib/look.mjs';
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

async function draft(host, guests, crowded) {
    await host.click('staff-workshops');
    await host.click('set-new');
    await host.fill('set-title', 'Études de cas');
    await host.click('set-create');
    await host.waitForTestId('plan-count');
    if (crowded) await host.click('deal');
    if (crowded) await host.waitFor('all are dealt', () => /^(\d+)\D+\1\b/.test(document.querySelector('[data-testid="plan-count"]').textContent), { timeout: 60000 });
    const rooms = await host.eval(() => [...document.querySelectorAll('[data-testid^="plan-r_"]')].map((e) => e.dataset.testid.slice(5)));
    await host.click(`room-edit-${rooms[0]}`);
    await choose(host, `task-${rooms[0]}`, 'Lisez le cas et préparez une réponse.');
    // Time enough for a slow machine to press the button before the move comes by itself.
    await choose(host, 'rule-notice', '60');
    for (const [i, guest] of guests.entries()) {
        const person = await personOf(host, guest);
        if (await host.eval((id, to) => Boolean(document.querySelector(`[data-testid="plan-${to}"] [data-testid="chip-${id}"]`)), person, rooms[i])) continue;
        await host.click(`chip-${person}`);
        await host.click(`to-${rooms[i]}`);
        await host.waitFor('the person is planned', (id, to) => Boolean(document.querySelector(`[data-testid="plan-${to}"] [data-testid="chip-${id}"]`)),
            { args: [person, rooms[i]] });
    }
    return rooms;
}

/** The scripted ones are where the plan has them, and what is written stays at its table. */
async function crowdAtTables(t, host, others) {
    await host.waitFor('the crowd is at its tables', (crowd) => {
        const { people, places, workshops } = window.amphi.state();
        const set = workshops.find((s) => s.state === 'open').id;
        return crowd.every((id) => people.find((p) => p.id === id)?.room === places.find((p) => p.set === set && p.person === id)?.room);
    }, { args: [others.map((o) => o.person)], timeout: 60000 });
    const where = await host.eval(() => Object.fromEntries(window.amphi.state().people.map((p) => [p.id, p.room ?? ''])));
    const [speaker, ...rest] = others;
    const acked = async (client, command) => {
        await client.send(command);
        await client.got({ t: 'ack', id: command.id }, { timeout: 60000 });
    };
    await acked(speaker, { t: 'chat.send', id: 'canary', text: 'canari de la table' });
    for (const mate of rest.filter((o) => where[o.person] === where[speaker.person])) {
        await mate.page.waitFor(`${mate.name} reads it`, (key) => JSON.stringify(window[key].got).includes('canari de la table'), { args: [mate.key], timeout: 60000 });
    }
    // What was said before has come before: a later command of theirs is answered.
    for (const [i, far] of rest.filter((o) => where[o.person] !== where[speaker.person]).entries()) {
        await acked(far, { t: 'chat.send', id: `far${i}`, text: `from ${far.name}` });
        t.check(!await heardOf(far, 'canari de la table'), `${far.name} reads another table`);
    }
}

/** A call for help reaches the trainer in another room, who listens and speaks there, and there alone. */
async function help(t, room, [host, ana, bea], table) {
    await host.waitForTestId('desk');
    await ana.click('help-ask');
    await ana.fill('help-text', 'Quel fichier ?');
    await ana.click('help-send');
    await host.waitForTestId(`help-${table}`);
    await told(host, 'calls for help');
    await host.click(`listen-${table}`);
    await ana.waitForTestId('listened');
    await told(ana, 'is listening to your table');
    await hears(room, host, [ana]);
    await hears(room, ana, []);
    await shot(t, ana, 'listened');
    await shot(t, host, 'desk');
    await hold(host, `talk-${table}`, true);
    await ana.waitForTestId('voice-here');
    await hears(room, ana, [host]);
    await hears(room, bea, []);
    await hold(host, `talk-${table}`, false);
    await hears(room, ana, []);
    await host.click(`listen-${table}`);
}

/** One voice to all: at every table; where people talk, they are lowered meanwhile. And one in writing. */
async function announcements(t, room, [host, ana, bea, cyd], table) {
    await hold(host, 'announce-voice', true);
    for (const guest of [ana, bea, cyd]) await hears(room, guest, [host]);
    await shot(t, cyd, 'voice');
    await hold(host, 'announce-voice', false);
    for (const guest of [ana, bea, cyd]) await hears(room, guest, []);
    const person = await personOf(host, bea);
    await host.click(`chip-${person}`);
    await host.click(`to-${table}`);
    await hears(room, ana, [bea]);
    await hears(room, bea, [ana]);
    await hold(host, 'announce-voice', true);
    await hears(room, ana, [bea, host]);
    await hears(room, cyd, [host]);
    await ana.waitFor('the table is lowered', () => [...document.querySelectorAll('audio[data-slot]')]
        .some((e) => e.volume < 0.5) && [...document.querySelectorAll('audio[data-slot]')].some((e) => e.volume === 1), { timeout: 60000 });
    await hold(host, 'announce-voice', false);
    await hears(room, ana, [bea]);
    await hears(room, cyd, []);
    await host.fill('announce-text', 'Encore cinq minutes');
    await host.click('announce-send');
    for (const guest of [ana, bea, cyd]) await guest.waitForTestId('announcement');
    await told(ana, 'Encore cinq minutes');
    await shot(t, ana, 'announcement');
}

async function day(t, crowded) {
    const room = await ClassRoom.start(t);
    const host = await room.enter('chromium', { role: 'host' });
    const ana = await room.enter('chromium');
    const bea = await room.enter('chromium');
    const cyd = await room.enter('firefox');
    const guests = [ana, bea, cyd];
    const others = crowded ? await crowd(room) : [];
    for (const page of [host, ana]) await listen(page);
    await hears(room, host, guests);
    await cyd.click(ids.bar.mic); // muted before, muted throughout
    await hears(room, host, [ana, bea]);

    const rooms = await draft(host, guests, crowded);
    await shot(t, host, 'draft');
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
    for (const page of [host, ...guests]) await hears(room, page, []);
    for (const page of guests) await shot(t, page, `table-${page.options.sender}`);
    // Not one packet of a table comes to another one, nor to the plenary.
    await silentWhile(t, ana, [bea, cyd, host], 'from the first table');
    await silentWhile(t, bea, [ana, cyd, host], 'from the second table');
    if (crowded) await crowdAtTables(t, host, others);
    await help(t, room, [host, ana, bea], rooms[0]);
    await announcements(t, room, [host, ...guests], rooms[0]);

    // Entering takes the call; a lost connection comes back to the own table, twice.
    await host.click(`enter-${rooms[0]}`);
    await host.waitForTestId('own-table');
    await hears(room, ana, [bea, host]);
    await ana.waitFor('the call is taken', () => !document.querySelector('[data-testid="help-withdraw"]'), { timeout: 60000 });
    await shot(t, host, 'entered');
    await host.click('table-return');
    await hears(room, ana, [bea]);
    for (let n = 1; n <= 2; n++) {
        await bea.eval(() => window.__e2e.sockets.at(-1).socket.close());
        await bea.waitFor(`is resumed ${n}`, (times) => (window.__e2e.got.resumed ?? 0) >= times, { args: [n], timeout: 60000 });
        t.equal(await roomOf(bea, bea), rooms[0], 'back at the own table');
    }
    await hears(room, bea, [ana]);

    await host.click('desk-toggle');
    await host.click('desk-close');
    await host.click('desk-close-now');
    for (const guest of guests) await guest.waitForGone('own-table', { timeout: 60000 });
    await host.waitFor('the crowd is back', (crowd) => crowd.every((id) => window.amphi.state().people.find((p) => p.id === id)?.room === undefined),
        { args: [others.map((o) => o.person)], timeout: 60000 });
    await hears(room, host, [ana, bea]);
    for (const page of [host, ana]) await shot(t, page, `back-${page.options.sender}`);
    for (const page of room.people) {
        await room.oneOffer(page);
        room.clean(page);
    }
    const mic = await host.eval((name) => window.__e2e.view().people.find((p) => p.name === name).devices[0].mic, cyd.name);
    t.equal(mic, 'off', 'the muted one is still muted');
}

/** Preparing a set without a pointer. */
async function keyboardDraft(t, host, ana, look) {
    await reach(host, 'staff-workshops');
    await reach(host, 'set-new');
    await reach(host, 'set-create');
    await host.waitForTestId('plan-count');
    const person = await personOf(host, ana);
    const rooms = await host.eval(() => [...document.querySelectorAll('[data-testid^="plan-r_"]')].map((e) => e.dataset.testid.slice(5)));
    await reach(host, `chip-${person}`);
    await reach(host, `to-${rooms[1]}`);
    await reach(host, `room-edit-${rooms[0]}`);
    await reach(host, 'set-rules');
    // Long enough for a slow machine to look at it.
    for (const [rule, seconds] of [['rule-notice', '60'], ['rule-closing', '300']]) {
        await reach(host, rule, '');
        await host.press('Control+A');
        await host.type(seconds);
        await host.press('Tab');
    }
    await host.waitFor('the rules', () => window.amphi.state().workshops.some((s) => s.notice === 60 && s.closing === 300), { timeout: 60000 });
    t.equal(await unreached(host, '[data-testid="panel"]'), [], 'draft: not reached by Tab');
    await look.at(host, 'draft');
    return { person, rooms };
}

/** The whole desk by keyboard, with axe at each stop, in both languages, themes and ends of size. */
async function keyboard(t, corners) {
    const room = await ClassRoom.start(t);
    const look = new Look(t, { corners });
    const host = await room.enter('chromium', { role: 'host', lang: 'fr', viewport: { width: 1920, height: 1080 } });
    const ana = await room.enter('chromium', { lang: 'en', theme: 'dark', viewport: { width: 360, height: 740 } });
    for (const page of [host, ana]) await listen(page);
    const { person, rooms } = await keyboardDraft(t, host, ana, look);
    await reach(host, 'set-open');
    await ana.waitForTestId('ws-notice');
    await told(ana, 'You are going to');
    await look.at(ana, 'notice');
    await reach(ana, 'ws-go');
    await ana.waitForTestId('own-table');
    await told(ana, 'You are at your table');
    await reach(ana, 'help-ask');
    await reach(ana, 'help-text', '');
    await ana.type('Une question');
    await reach(ana, 'help-send');
    await ana.waitForTestId('help-withdraw');
    await look.at(ana, 'table');
    await host.waitForTestId(`help-${rooms[1]}`);
    await told(host, 'appelle à l’aide');
    t.equal(await unreached(host, '[data-testid="desk"]'), [], 'desk: not reached by Tab');
    await look.at(host, 'desk');
    await reach(host, `listen-${rooms[1]}`);
    await ana.waitForTestId('listened');
    await holding(host, `talk-${rooms[1]}`, 'Space', () => ana.waitForTestId('voice-here', { timeout: 60000 }));
    await ana.waitForGone('voice-here', { timeout: 60000 });
    await holding(host, 'announce-voice', 'Space', () => ana.waitForTestId('voice-here', { timeout: 60000 }));
    await ana.waitForGone('voice-here', { timeout: 60000 });
    await reach(host, `take-${rooms[1]}`);
    await told(ana, 'is coming to your table');
    await reach(host, `done-${rooms[1]}`);
    await reach(host, `chip-${person}`);
    await reach(host, `to-${rooms[2]}`);
    await until(async () => (await roomOf(ana, ana)) === rooms[2] || Promise.reject(new Error('not moved')), { what: 'moved by keyboard', timeout: 60000 });
    await reach(host, 'desk-time');
    await host.waitForTestId('desk-more');
    await reach(host, 'staff-input', '');
    await host.type('Tout va bien');
    await host.press('Enter');
    await reach(host, 'announce-text', '');
    await host.type('Bonjour');
    await host.press('Enter');
    await ana.waitForTestId('announcement');
    await told(ana, 'Bonjour');
    await reach(host, `enter-${rooms[2]}`);
    await host.waitForTestId('own-table');
    await look.at(host, 'entered');
    await reach(host, 'table-return');
    await reach(host, 'desk-toggle');
    await reach(host, 'desk-close');
    await told(ana, 'The workshops close in');
    await look.at(ana, 'closing');
    await reach(host, 'desk-close-now');
    await ana.waitForGone('own-table', { timeout: 60000 });
    await reach(host, 'staff-workshops');
    const set = await host.eval(() => document.querySelector('[data-testid^="report-w_"]')?.dataset.testid
        ?? document.querySelector('[data-testid="sets-back"]')?.dataset.testid);
    await reach(host, set);
    if (set === 'sets-back') await reach(host, await host.eval(() => document.querySelector('[data-testid^="report-w_"]').dataset.testid));
    await host.waitForTestId('report');
    await look.at(host, 'report');
    look.clean();
}

export const scenarios = [
    { name: 'day', timeout_s: 150, run: (t) => day(t, false) },
    { name: 'keyboard', timeout_s: 120, run: (t) => keyboard(t, false) },
    { name: 'crowd', timeout_s: 200, run: (t) => day(t, true) },
    { name: 'corners', timeout_s: 200, run: (t) => keyboard(t, true) },
];
