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
    await page.waitFor('the seal holds', (sel) => document.querySelector(sel)?.textContent.includes('Le sceau tient'),
        { args: [id('sealed')], ...PATIENT });
    await gone(page, 'correct');
    await page.eval((sel) => { document.querySelector(sel).open = true; }, id('kept'));
    await look(t, page, 'after-sealed', found);
    await page.page.setViewportSize(PHONE);
    await look(t, page, 'after-360', found);
    const dark = await t.openPage('chromium', at, { lang: 'en', theme: 'dark', viewport: WIDE, name: 'dark' });
    await seen(dark, 'sealed');
    await look(t, dark, 'after-dark-en', found);
}

/** One person's check of devices and path; what the page says in the end. */
async function checks(t, room, kind, who, options, heard = 'yes') {
    const page = await t.openPage(kind, room.links.participant.replace('/c/', '/check/'),
        { lang: 'fr', viewport: WIDE, name: who, portMap: room.server.portMap, ...options });
    await seen(page, 'check-go');
    await write(page, 'check-name', who);
    await page.click(`heard-${heard}`);
    await page.waitFor('the check can begin', (sel) => document.querySelector(sel)?.disabled === false, { args: [id('check-go')], ...PATIENT });
    await page.click('check-go');
    await seen(page, 'check-sent');
    const said = await page.eval((sel) => Object.fromEntries([...document.querySelectorAll(`${sel} dl div, ${sel} > div`)]
        .map((row) => [row.querySelector('dt').textContent, row.querySelector('dd').textContent])), id('check-figures'));
    t.log(`${who} ${JSON.stringify(said)}`);
    return { page, said, verdict: await text(page, 'check-verdict') };
}

const rate = (text) => Number(text.replace(',', '.').replace(/[^0-9.]/g, ''));

/** Before the day: the real path of four people, each as it is, and all of it on the board of staff. */
async function before(t) {
    const found = [];
    const room = await ClassRoom.start(t, { title: 'Évaluer par compétences' });
    // UDP goes nowhere for whoever sits behind such a wall.
    const walled = { [`udp:${room.server.ports.rtc}`]: 9, host: '127.0.0.1' };
    const [amelie, karim, zoe, fox] = await Promise.all([
        checks(t, room, 'chromium', 'Amélie Dupont-Lefèvre', { sender: 5 }),
        checks(t, room, 'chromium', 'Karim Benali', { media: 'denied' }, 'no'),
        checks(t, room, 'chromium', 'Zoé Roux', { sender: 6, portMap: walled }),
        checks(t, room, 'firefox', 'Renard Feu', { sender: 7 }),
    ]);
    for (const { said, page } of [amelie, fox]) {
        for (const device of ['Micro', 'Caméra', 'Haut-parleur']) t.equal(said[device], 'fonctionne', `${page.name}: ${device}`);
        t.check(said.Chemin.startsWith('direct'), `${page.name}: the way is direct, not ${said.Chemin}`);
        for (const way of ['Envoi', 'Réception']) t.check(rate(said[way]) > 0, `${page.name}: something goes through, ${way} ${said[way]}`);
    }
    t.check(amelie.said.Navigateur.startsWith('Chrome') && fox.said.Navigateur.startsWith('Firefox'), 'each browser by its name');
    for (const device of ['Micro', 'Caméra', 'Haut-parleur']) t.check(karim.said[device] !== 'fonctionne', `${device} of Karim is missing`);
    t.check(karim.verdict.includes('manque'), `Karim is told that something is missing: ${karim.verdict}`);
    t.check(zoe.said.Chemin.startsWith('par TCP'), `Zoé comes by TCP, not ${zoe.said.Chemin}`);
    await look(t, amelie.page, 'check-page', found);
    await look(t, karim.page, 'check-missing', found);
    await amelie.page.page.setViewportSize(PHONE);
    await look(t, amelie.page, 'check-page-360', found);
    const board = await t.openPage('chromium', room.links.host.replace('/c/', '/after/'), { lang: 'en', viewport: WIDE, name: 'board' });
    await seen(board, 'ready-row');
    const rows = await board.eval((sel) => [...document.querySelectorAll(sel)].map((row) => row.textContent), id('ready-row'));
    for (const [who, ...words] of [['Amélie Dupont-Lefèvre', 'direct', 'work', 'Mbit/s', 'Chrome'], ['Karim Benali', 'not ready', 'missing: Microphone, Camera', 'Chrome'],
        ['Zoé Roux', 'TCP', 'Chrome'], ['Renard Feu', 'direct', 'Firefox']]) {
        const row = rows.find((one) => one.includes(who)) ?? '';
        for (const word of words) t.check(row.includes(word), `the board says ${word} of ${who}: "${row}"`);
    }
    t.check(rows[0].includes('Karim Benali'), 'who needs help stands first');
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
