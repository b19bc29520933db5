// table.e2e.mjs - a round table in real browsers: turns, ranks, microphones that the floor closes,
// the time of a turn, locks, and what the people of the table see.
//   tests/e2e/run table        pictures into build/e2e/table
import path from 'node:path';
import { ClassRoom } from './lib/class.mjs';

const offers = (page) => page.eval(() => window.__e2e.view().offers ?? 1);
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

async function turns(t) {
    const room = await ClassRoom.start(t, { title: 'Table ronde', type: 'round-table' });
    const host = await room.enter('chromium', { role: 'host', lang: 'fr', viewport: { width: 1366, height: 768 } });
    const one = await room.enter('chromium', { lang: 'fr', viewport: { width: 1366, height: 768 } });
    await shot(t, host, 'open-host');
    await choose(host, 'tour');
    await mic(one, false);
    await seen(one, 'turn-card');
    await shot(t, one, 'tour-listed');
    await host.click('floor-next');
    await seen(host, 'turn-mine');
    await shot(t, host, 'tour-host-turn');
    await host.click('turn-done');
    await seen(one, 'turn-mine');
    await shot(t, one, 'your-turn');
    await one.click('turn-open');
    await mic(one, true);
    await shot(t, one, 'speaking');
    await one.page.setViewportSize({ width: 360, height: 740 });
    await shot(t, one, 'speaking-360');
    await host.click('floor-take');
    await gone(one, 'turn-mine');
    await mic(one, false);
    await host.page.setViewportSize({ width: 360, height: 740 });
    await shot(t, host, 'host-360');
    t.equal(await offers(one), 1, 'offers of the page');
}

export const scenarios = [{ name: 'turns', timeout_s: 120, run: turns }];
