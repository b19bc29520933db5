// live_table - a round table in real browsers: turns, ranks, microphones that the floor closes,
// the time of a turn, locks, and what the people of the table see.
//   tests/e2e/run live_table
import path from 'node:path';
import { ClassRoom } from './lib/class.mjs';
import { crowd } from './lib/crowd.mjs';
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
    const look = new Look(t);
    const host = await room.enter('chromium', { role: 'host', lang: 'fr', viewport: { width: 1366, height: 768 } });
    const one = await room.enter('chromium', { lang: 'fr', viewport: { width: 1366, height: 768 } });
    const fox = await room.enter('firefox', { lang: 'fr' });
    await shot(t, host, 'open-host');
    const others = await crowd(room);
    await host.waitFor('all around the table', (n) => window.amphi.state().people.length === n, { args: [others.length + 3], timeout: 60000 });
    await look.at(host, 'table-host');
    await choose(host, 'tour');
    await mic(one, false);
    await mic(fox, false);
    await seen(one, 'turn-card');
    await look.at(one, 'listed');
    await host.click('floor-next');
    await seen(host, 'turn-mine');
    await shot(t, host, 'host-turn');
    await host.click('turn-done');
    await seen(one, 'turn-mine');
    await look.at(one, 'your-turn');
    await one.click('turn-open');
    await mic(one, true);
    await shot(t, one, 'speaking');
    await shot(t, host, 'turn-runs');
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
    await shot(t, host, 'crowd-spoke');
    for (const page of [host, one, fox]) await room.oneOffer(page);
    for (const page of [host, one]) room.clean(page);
    look.clean();
}

export const scenarios = [{ name: 'turns', timeout_s: 150, run: turns }];
