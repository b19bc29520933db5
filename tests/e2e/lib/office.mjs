// office.mjs - the pages around the hour: a new server with its first administrator, and how a page
// is looked at (axe, a picture, nothing beyond the right edge).
import fs from 'node:fs';
import path from 'node:path';
import { full } from './scenario.mjs';

export const PASSWORD = 'petit poney bleu';
export const PATIENT = { timeout: 60000 };
const DESK = { width: 1280, height: 720 };
const PHONE = { width: 360, height: 740 };

/** A server whose mails go to `box` (or wait in the folder), and the way in of its first administrator. */
export async function startOffice(t, box, env = {}) {
    const smtp = box ? { AMPHI_MAIL__SMTP: `smtp://127.0.0.1:${box.port}`, AMPHI_MAIL__TLS: 'false' } : {};
    const server = await t.server({ env: { AMPHI_MAIL__FROM: 'classes@example.org', ...smtp, ...env } });
    const token = fs.readFileSync(path.join(server.data, 'keys/first-admin'), 'utf8');
    return { server, token, base: `https://127.0.0.1:${server.webPort}` };
}

/** axe, a picture, and nothing beyond the right edge. */
export async function look(t, page, what, found) {
    await page.screenshot(path.join(t.dir, `${what}.png`));
    for (const v of page.axe ? await page.axe() : []) {
        found.push(`${what}: ${v.id}`);
        fs.appendFileSync(path.join(t.dir, 'axe.txt'), `${what}: ${v.id} ${v.help}\n  ${v.nodes.join('\n  ')}\n`);
    }
    const over = await page.eval(() => document.documentElement.scrollWidth - innerWidth);
    if (over > 0) found.push(`${what}: ${over} pixels beyond the right edge`);
}

async function dress(page, { lang, theme, phone }) {
    await page.page.setViewportSize(phone ? PHONE : DESK);
    // Colours change at once, so that none is measured half-way.
    await page.page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    if (await page.eval(() => document.documentElement.lang) !== lang) {
        await page.click(`lang-${lang}`);
        await page.waitFor(`speaks ${lang}`, (to) => document.documentElement.lang === to, { args: [lang], ...PATIENT });
    }
}

/** Both themes, languages and ends of size: two opposite corners, all eight with AMPHI_FULL=1. */
export async function corners(t, page, what, found) {
    const all = ['fr', 'en'].flatMap((lang) => ['light', 'dark'].flatMap((theme) =>
        [false, true].map((phone) => ({ lang, theme, phone }))));
    for (const how of full ? all : [all[0], all[7]]) {
        await dress(page, how);
        await look(t, page, `${what}-${how.lang}-${how.theme}${how.phone ? '-phone' : ''}`, found);
    }
    await dress(page, all[0]);
}

export async function upload(page, text, name = 'classe.csv') {
    await page.page.setInputFiles('[data-testid="csv-file"]', { name, mimeType: 'text/csv', buffer: Buffer.from(text) });
}

/** From the printed link to the empty home page. */
export async function firstAdmin(t, base, token, { name = 'Claire Fontaine', mail = 'claire@example.org', ...options } = {}) {
    const page = await t.openPage('chromium', `${base}/welcome#${token}`, { lang: 'fr', media: 'none', name, ...options });
    await page.fill('name', name, PATIENT);
    await page.fill('mail', mail);
    await page.fill('password', PASSWORD);
    await page.click('go');
    await page.waitForTestId('home-empty', PATIENT);
    return page;
}
