// conduct - a round table run by keyboard alone: floor, seats, turns, rules, rights, announcements; what
// screen readers are told of it; the digest of whoever comes late; axe over all of it.
//
// corners: every state in both languages, themes and sizes, everything reached by Tab.
import { ClassRoom } from './lib/class.mjs';
import { ids } from './lib/contract.mjs';
import { listen, pick, reach, told, unreached } from './lib/keyboard.mjs';
import { Look } from './lib/look.mjs';

const state = (page) => page.hook('state');
const idOf = async (page, name) => (await state(page)).people.find((p) => p.name === name)?.id;

async function byKeyboard(t, corners) {
    const room = await ClassRoom.start(t, { title: 'Table ronde', type: 'round-table' });
    const look = new Look(t, { corners });
    const tabbed = async (scope, what) => {
        if (corners) t.equal(await unreached(host, scope), [], `${what}: not reached by Tab`);
    };
    const host = await room.enter('chromium', { role: 'host', lang: 'fr', viewport: { width: 1366, height: 768 } });
    await listen(host);
    const ana = await room.enter('chromium', { lang: 'en', theme: 'dark', viewport: { width: 360, height: 740 }, name: 'Ana Costa' });
    await told(host, 'Ana Costa arrive');
    await listen(ana);
    const ana_id = await idOf(host, 'Ana Costa');

    // Seats: one place on with the arrow, the focus stays on the row, and everybody sees the same.
    await reach(host, 'open-conduct');
    await host.waitForTestId('conduct');
    const before = (await state(host)).floor.ring.indexOf(ana_id);
    await reach(host, `seat-${ana_id}-up`);
    for (const page of [host, ana]) {
        await page.waitFor('another place', (id, was) => window.amphi.state().floor.ring.indexOf(id) !== was && window.amphi.state().floor.ring.includes(id),
            { args: [ana_id, before], timeout: 60000 });
    }
    await told(host, 'Ana Costa');
    await tabbed('.staff, [data-testid="panel"]', 'Conduite');
    await look.at(host, 'conduct');

    // The floor: the round lists both; the next one, the rank and the turn are told.
    await pick(host, 'floor-mode', 'tour');
    await told(ana, 'Round the table');
    await host.waitForTestId('turns');
    await reach(host, 'floor-next');
    await host.waitFor('a turn', () => Boolean(window.amphi.state().floor.turn), { timeout: 60000 });
    if ((await state(host)).floor.turn.person !== ana_id) {
        await told(ana, 'You are next');
        await look.at(ana, 'rank');
        await reach(host, 'turn-done');
    }
    await ana.waitForTestId('turn-mine', { timeout: 60000 });
    await told(ana, 'It is your turn');
    await look.at(ana, 'turn');
    await reach(ana, 'turn-done');
    await ana.waitForGone('turn-mine', { timeout: 60000 });

    // Announcements are read out; a word on the table's hand and rank too.
    await reach(host, 'say-all', '');
    await host.type('Pause à dix heures');
    await host.press('Enter');
    await told(ana, 'Pause à dix heures');
    await pick(host, 'floor-mode', 'queue');
    await reach(ana, ids.bar.hand);
    await told(ana, 'Your hand is up');
    await told(host, 'Ana Costa lève la main');

    // Rules: a number and a choice, by keyboard; they hold for everybody.
    await reach(host, 'open-rules');
    await host.waitForTestId('rules');
    await tabbed('[data-testid="panel"]', 'rules');
    await look.at(host, 'rules');
    await reach(host, 'rule-floor-turn', '');
    await host.press('Control+A');
    await host.type('90');
    await host.press('Tab');
    await pick(host, 'rule-floor-overtime', 'yield');
    for (const [key, value] of [['floor-turn', '90'], ['floor-overtime', 'yield']]) {
        await ana.waitFor(`${key} is ${value}`, (k, v) => window.amphi.state().settings.some(([name, is]) => name === k && is === v),
            { args: [key, value], timeout: 60000 });
    }

    // A right for one person: given, told, taken back.
    await reach(host, ids.bar.people);
    await reach(host, ids.personMore(ana_id));
    await tabbed('[data-testid="panel"]', 'people');
    await look.at(host, 'grants');
    await pick(host, `grant-screen-${ana_id}`, 'granted');
    await told(ana, 'A trainer lets you');
    await ana.waitFor('may share', () => window.amphi.state().rights.includes('media.screen'), { timeout: 60000 });
    await pick(host, `grant-screen-${ana_id}`, 'role');
    await ana.waitFor('may not share', () => !window.amphi.state().rights.includes('media.screen'), { timeout: 60000 });

    // Whoever comes late is told where the class is, on one screen.
    const bea = await room.enter('chromium', { lang: 'fr', viewport: { width: 360, height: 740 }, name: 'Béa Roux' });
    await bea.waitForTestId('digest', { timeout: 60000 });
    const text = await bea.text('digest');
    for (const words of ['Pause à dix heures', '1 main levée', 'mains levées']) t.check(text.includes(words), `the digest says ${words}: ${text}`);
    await look.at(bea, 'digest');
    // A panel covers it on a phone, and has its way out.
    await bea.click('quality');
    await bea.click(ids.panelClose);
    await reach(bea, 'digest-close');
    await bea.waitForGone('digest', { timeout: 60000 });

    // On a phone the trainer has one row and everything behind it.
    await host.page.setViewportSize({ width: 360, height: 740 });
    await host.waitForTestId('staff-strip', { timeout: 60000 });
    const strip = await host.eval(() => document.querySelector('[data-testid="staff-strip"]').getBoundingClientRect().height);
    t.check(strip < 64, `the staff bar takes ${strip} pixels`);
    await reach(host, 'open-conduct');
    await host.waitForTestId('conduct', { timeout: 60000 });
    for (const testid of ['floor-mode', 'staff-workshops', 'say-all', 'open-rules']) t.check(await host.has(testid), `${testid} is in the panel`);
    await look.here(host, 'conduct-360');

    // The end leaves time, and may be taken back.
    await reach(host, 'conduct-end');
    await reach(host, 'leave-soft');
    await told(ana, 'The class closes in');
    await ana.waitForTestId('closing-left', { timeout: 60000 });
    await look.here(ana, 'closing-360');
    for (const page of [host, ana, bea]) room.clean(page);
    look.clean();
}

export const scenarios = [
    { name: 'keyboard', timeout_s: 200, run: (t) => byKeyboard(t, false) },
    { name: 'corners', timeout_s: 200, run: (t) => byKeyboard(t, true) },
];
