// table - a round table in real browsers: turns, ranks, microphones that the floor closes,
// the time of a turn, locks, and what the people of the table see.
// `crowd` has Firefox and twelve scripted people around it too, and every state in all its corners.
//   tests/e2e/run table        pictures into build/e2e/table-*
import path from 'node:path';
import { ClassRoom } from './lib/class.mjs';
import { crowd } from './lib/crowd.mjs';
import { reach } from './lib/keyboard.mjs';
import { Look } from './lib/look.mjs';

const id = (testid) => `[data-testid="${testid}"]`;
const shot = (t, page, name) => page.screenshot(path.join(t.dir, `${name}.png`));

const choose = (page, mode) => page.eval((sel, value) => {
    const field = document.querySelector(sel);
    field.value = value;
    field.dispatchEvent(new Event('change', { bubbles: true }));
}, id('floor-mode'), mode);

const seen = (page, testid) => page.waitFor(testid, (sel) => document.querySelector(sel) !== null, { args: [id(testid)] });
const gone = (page, testid) => page.waitFor(`no ${testid}`, (sel) => document.querySelector(sel) === null, { args: [id(testid)] });
const mic = (page, on) => page.waitFor(`microphone ${on}`, (sel, want) =>
    document.querySelector(sel)?.dataset.on === String(want), { args: [id('bar-mic'), on] });

/** The scripted ones have their turn in the order of the table, each once. */
async function roundOfTheCrowd(t, host, others) {
    await host.click('floor-next');
    const ring = await host.eval(() => window.amphi.state().floor.ring);
    const seated = others.filter((o) => ring.includes(o.person));
    t.equal(seated.length, 9, 'twelve places around the table, the others listen');
    const spoke = [];
    for (let i = 0; i < seated.length; i++) {
        const person = await host.waitFor('the next of the crowd', (known, had) => {
            const turn = window.amphi.state().floor.turn;
            return turn && known.includes(turn.person) && !had.includes(turn.person) && turn.person;
        }, { args: [seated.map((o) => o.person), spoke], timeout: 60000 });
        spoke.push(person);
        await others.find((o) => o.person === person).send({ t: 'floor.done', id: `done${i}` });
    }
    t.equal(spoke, ring.filter((id) => spoke.includes(id)), 'the round follows the table');
}

async function turns(t) {
    const room = await ClassRoom.start(t, { title: 'Table ronde', type: 'round-table' });
    const host = await room.enter('chromium', { role: 'host', lang: 'fr', viewport: { width: 1366, height: 768 } });
    const one = await room.enter('chromium', { lang: 'fr', viewport: { width: 1366, height: 768 } });
    await firstTurn(t, host, one, (page, what) => shot(t, page, what));
    await one.page.setViewportSize({ width: 360, height: 740 });
    await shot(t, one, 'speaking-360');
    await host.click('floor-take');
    await gone(one, 'turn-mine');
    await mic(one, false);
    await host.page.setViewportSize({ width: 360, height: 740 });
    await shot(t, host, 'host-360');
    await room.oneOffer(one);
}

/** Whoever leads notes a decision; the others read it beside the order of those who spoke. */
async function minutes(t, host, one, look) {
    await host.page.setViewportSize({ width: 1366, height: 768 });
    await reach(host, 'open-conduct');
    await reach(host, 'open-minutes');
    await host.fill('minute-text', 'Le groupe relit la charte.');
    await reach(host, 'minute-send');
    await host.page.setViewportSize({ width: 1366, height: 768 });
    await one.click('bar-panel-people');
    await one.click('minutes-open');
    await one.waitFor('reads what was noted', () => document.querySelector('[data-testid="minutes-list"]')?.textContent.includes('relit la charte'),
        { timeout: 60000 });
    const spoke = await one.eval(() => document.querySelectorAll('[data-testid="minutes-turns"] li').length);
    t.check(spoke >= 2, `the order of ${spoke} turns`);
    t.check(!await one.has('minute-text'), 'only those who lead note');
    await look(host, 'minutes-host');
    await look(one, 'minutes');
}

/** The host begins the round and hands on; who comes next opens the microphone. */
async function firstTurn(t, host, one, look) {
    await look(host, 'table-host');
    await choose(host, 'tour');
    await mic(one, false);
    await seen(one, 'turn-card');
    await look(one, 'listed');
    await host.click('floor-next');
    await seen(host, 'turn-mine');
    await shot(t, host, 'host-turn');
    await host.click('turn-done');
    await seen(one, 'turn-mine');
    await look(one, 'your-turn');
    await one.click('turn-open');
    await mic(one, true);
    const told = await one.eval(() => [...document.querySelectorAll('.notice.attention')].map((n) => n.textContent));
    t.equal(told, [], 'what is said of a microphone that was closed goes with its opening');
    await shot(t, one, 'speaking');
}

async function crowded(t) {
    const room = await ClassRoom.start(t, { title: 'Table ronde', type: 'round-table' });
    const look = new Look(t);
    const host = await room.enter('chromium', { role: 'host', lang: 'fr', viewport: { width: 1366, height: 768 } });
    const one = await room.enter('chromium', { lang: 'fr', viewport: { width: 1366, height: 768 } });
    const fox = await room.enter('firefox', { lang: 'fr' });
    const others = await crowd(room);
    await host.waitFor('all around the table', (n) => window.amphi.state().people.length === n, { args: [others.length + 3], timeout: 60000 });
    await firstTurn(t, host, one, (page, what) => look.at(page, what));
    await look.at(host, 'turn-runs');
    await one.click('turn-done');
    await seen(fox, 'turn-mine');
    await mic(one, false);
    await fox.click('turn-open');
    await mic(fox, true);
    await shot(t, fox, 'firefox-speaks');
    // Taking the floor closes the microphone.
    await host.click('floor-take');
    await gone(fox, 'turn-mine');
    await mic(fox, false);
    await roundOfTheCrowd(t, host, others);
    await minutes(t, host, one, (page, what) => look.at(page, what));
    await shot(t, host, 'crowd-spoke');
    for (const page of [host, one, fox]) await room.oneOffer(page);
    for (const page of [host, one]) room.clean(page);
    look.clean();
}

async function kept(t) {
    const room = await ClassRoom.start(t, { title: 'Table ronde', type: 'round-table' });
    const host = await room.enter('chromium', { role: 'host', lang: 'fr', viewport: { width: 1366, height: 768 } });
    const one = await room.enter('chromium', { lang: 'en', theme: 'dark', viewport: { width: 360, height: 740 } });
    await firstTurn(t, host, one, async () => undefined);
    await one.click('turn-done');
    await gone(one, 'turn-mine');
    const look = new Look(t);
    await minutes(t, host, one, (page, what) => look.at(page, what));
    for (const page of [host, one]) room.clean(page);
    look.clean();
}

export const scenarios = [
    { name: 'turns', timeout_s: 120, run: turns },
    { name: 'minutes', timeout_s: 150, run: kept },
    { name: 'crowd', timeout_s: 150, run: crowded },
];
