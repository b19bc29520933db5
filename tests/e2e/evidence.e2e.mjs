// evidence.e2e.mjs - from a presence check to a sealed sheet: the check answered by key, one's own record
// live, the page after the class for staff and for whoever was there, in both languages and themes.
//   tests/e2e/run evidence        pictures into build/e2e/evidence
import fs from 'node:fs';
import path from 'node:path';
import { ClassRoom } from './lib/class.mjs';

const id = (testid) => `[data-testid="${testid}"]`;
const WIDE = { width: 1366, height: 900 };
const PHONE = { width: 360, height: 740 };
const PATIENT = { timeout: 60000 };

const seen = (page, testid) => page.waitForTestId(testid, PATIENT);
const gone = (page, testid) => page.waitFor(`no ${testid}`, (sel) => document.querySelector(sel) === null,
    { args: [id(testid)], ...PATIENT });
const text = (page, testid) => page.eval((sel) => document.querySelector(sel)?.textContent ?? '', id(testid));

async function look(t, page, name, found) {
    await page.screenshot(path.join(t.dir, `${name}.png`));
    for (const v of await page.axe()) {
        found.push(`${name}: ${v.id}`);
        fs.appendFileSync(path.join(t.dir, 'axe.txt'), `${name}: ${v.id} ${v.help}\n  ${v.nodes.join('\n  ')}\n`);
    }
}

const choose = (page, testid, value) => page.eval((sel, to) => {
    const field = document.querySelector(sel);
    field.value = to;
    field.dispatchEvent(new Event('change', { bubbles: true }));
}, id(testid), value);

const write = (page, testid, words) => page.eval((sel, to) => {
    const field = document.querySelector(sel);
    field.value = to;
    field.dispatchEvent(new Event('input', { bubbles: true }));
}, id(testid), words);

/** While the class runs: a check, its answer by key, one's own record, the sheet of staff. */
async function live(t, host, one, found) {
    await host.click('roll-open');
    await seen(host, 'roll-row');
    await host.click('check-ask');
    await seen(one, 'check');
    await look(t, one, 'check-fr', found);
    await one.page.setViewportSize(PHONE);
    await look(t, one, 'check-360', found);
    await one.page.setViewportSize(WIDE);
    await one.press('Control+Alt+j');
    await gone(one, 'check');
    await seen(host, 'roll-row');
    await look(t, host, 'panel-host', found);
    await one.click('bar-panel-people');
    await one.click('roll-own-open');
    await seen(one, 'roll-own');
    await look(t, one, 'panel-own', found);
}

/** The page after the class, by the link of staff: a correction with its reason, then the seal. */
async function staff(t, room, found) {
    const at = room.links.host.replace('/c/', '/after/');
    const page = await t.openPage('chromium', at, { lang: 'fr', viewport: WIDE, name: 'after' });
    await seen(page, 'sheet-row');
    await look(t, page, 'after-fr', found);
    await page.click('correct');
    await choose(page, 'correct-status', 'excused');
    await write(page, 'correct-reason', 'Panne de réseau, signalée par téléphone');
    await look(t, page, 'after-correct', found);
    await page.click('correct-save');
    await page.waitFor('the correction stands', (sel) => [...document.querySelectorAll(sel)]
        .some((row) => row.textContent.includes('Panne de réseau')), { args: [id('sheet-row')], ...PATIENT });
    await page.click('seal');
    await page.click('seal-yes');
    await seen(page, 'sealed');
    t.equal((await text(page, 'sealed')).includes('Le sceau tient'), true, 'the seal holds');
    await gone(page, 'correct');
    await page.eval((sel) => { document.querySelector(sel).open = true; }, id('kept'));
    await look(t, page, 'after-sealed', found);
    await page.page.setViewportSize(PHONE);
    await look(t, page, 'after-360', found);
    const dark = await t.openPage('chromium', at, { lang: 'en', theme: 'dark', viewport: WIDE, name: 'dark' });
    await seen(dark, 'sealed');
    await look(t, dark, 'after-dark-en', found);
}

/** Before the day: the real path, and its result on the board of staff. */
async function before(t) {
    const found = [];
    const room = await ClassRoom.start(t, { title: 'Évaluer par compétences' });
    const page = await t.openPage('chromium', room.links.participant.replace('/c/', '/check/'),
        { lang: 'fr', viewport: WIDE, name: 'Amélie', sender: 5, portMap: room.server.portMap });
    await seen(page, 'check-go');
    await write(page, 'check-name', 'Amélie Dupont-Lefèvre');
    await page.click('heard-yes');
    await page.click('check-go');
    await seen(page, 'check-sent');
    const figures = await text(page, 'check-figures');
    t.log(figures);
    t.equal(figures.includes('direct'), true, 'the way is direct');
    t.equal(figures.includes('0.0 Mbit/s'), false, 'something went both ways');
    await look(t, page, 'check-page', found);
    await page.page.setViewportSize(PHONE);
    await look(t, page, 'check-page-360', found);
    const board = await t.openPage('chromium', room.links.host.replace('/c/', '/after/'), { lang: 'en', viewport: WIDE, name: 'board' });
    await seen(board, 'ready-row');
    t.equal((await text(board, 'ready-row')).includes('Amélie Dupont-Lefèvre'), true, 'by name');
    await look(t, board, 'ready-board', found);
    t.equal(found.length, 0, `violations of axe ${found.join(', ')}`);
}

async function day(t) {
    const found = [];
    const room = await ClassRoom.start(t, { title: 'Évaluer par compétences' });
    const host = await room.enter('chromium', { role: 'host', lang: 'fr', viewport: WIDE, name: 'Claire Fontaine' });
    const one = await room.enter('chromium', { lang: 'fr', viewport: WIDE, name: 'Amélie Dupont-Lefèvre' });
    await live(t, host, one, found);
    await room.server.command(['class', 'end', room.id, '--json']);
    await staff(t, room, found);
    await one.goto(room.server.url(`/after/${room.id}`));
    await seen(one, 'own-record');
    await look(t, one, 'after-own', found);
    t.equal(found.length, 0, `violations of axe ${found.join(', ')}`);
}

export const scenarios = [{ name: 'before', timeout_s: 180, run: before }, { name: 'day', timeout_s: 240, run: day }];
