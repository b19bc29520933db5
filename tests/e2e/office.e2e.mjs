// office - the pages around the hour: from the printed link of a new server to a class whose people
// have their invitations, as somebody does it who sees them for the first time; axe and pictures.
import fs from 'node:fs';
import path from 'node:path';

const PASSWORD = 'petit poney bleu';
const CSV = 'Nom;Courriel;Rôle;Groupe\nÉmile Zola;emile@example.org;;A\nLéa Martin;lea@example.org;animatrice;B\n';

const start = async (t) => {
    const server = await t.server({ env: { AMPHI_MAIL__FROM: 'classes@example.org' } });
    const token = fs.readFileSync(path.join(server.data, 'keys/first-admin'), 'utf8');
    const base = `https://127.0.0.1:${server.webPort}`;
    return { server, base, token };
};

/** axe, a picture, and nothing beyond the right edge. */
async function look(t, page, what, found) {
    await page.screenshot(path.join(t.dir, `${what}.png`));
    for (const v of await page.axe()) {
        found.push(`${what}: ${v.id}`);
        fs.appendFileSync(path.join(t.dir, 'axe.txt'), `${what}: ${v.id} ${v.help}\n  ${v.nodes.join('\n  ')}\n`);
    }
    const over = await page.eval(() => document.documentElement.scrollWidth - innerWidth);
    if (over > 0) found.push(`${what}: ${over} pixels beyond the right edge`);
}

/** In both themes and languages, on a desk and on a phone: two opposite corners. */
async function corners(t, page, what, found) {
    // Colours change at once, so that none is measured half-way.
    await page.page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    await look(t, page, `${what}-fr-light`, found);
    await page.page.setViewportSize({ width: 360, height: 740 });
    await page.page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
    await page.click('lang-en');
    await page.waitFor('speaks English', () => document.documentElement.lang === 'en', { timeout: 60000 });
    await look(t, page, `${what}-en-dark-phone`, found);
    await page.click('lang-fr');
    await page.waitFor('speaks French', () => document.documentElement.lang === 'fr', { timeout: 60000 });
    await page.page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    await page.page.setViewportSize({ width: 1280, height: 720 });
}

async function upload(page, text) {
    await page.page.setInputFiles('[data-testid="csv-file"]', {
        name: 'classe.csv', mimeType: 'text/csv', buffer: Buffer.from(text),
    });
}

async function firstClass(t, base, token, found) {
    const page = await t.openPage('chromium', `${base}/welcome#${token}`, { lang: 'fr', media: 'none' });
    await page.waitForTestId('name', { timeout: 60000 });
    await corners(t, page, 'welcome', found);
    await page.fill('name', 'Claire Fontaine');
    await page.fill('mail', 'claire@example.org');
    await page.fill('password', PASSWORD);
    await page.click('go');
    await page.waitForTestId('home-empty', { timeout: 60000 });
    await look(t, page, 'home-empty', found);
    const began = performance.now();
    let clicks = 0;
    const click = (id) => { clicks += 1; return page.click(id); };
    await click('new-class');
    await page.waitForTestId('title', { timeout: 60000 });
    await page.fill('title', 'Conduire un entretien');
    await page.page.selectOption('[data-testid="repeat"]', 'weekly');
    await page.waitForTestId('dates');
    await corners(t, page, 'editor', found);
    await page.page.selectOption('[data-testid="repeat"]', 'once');
    await click('save');
    await page.waitForTestId('created', { timeout: 60000 });
    await click('csv-open');
    await upload(page, 'Nom;Courriel\n=1+1;b@example.org\n');
    await page.waitForTestId('csv-bad', { timeout: 60000 });
    await upload(page, CSV);
    await page.waitForTestId('csv-apply', { timeout: 60000 });
    await corners(t, page, 'csv', found);
    await click('csv-apply');
    await page.waitForTestId('invite', { timeout: 60000 });
    await click('invite');
    await page.waitForTestId('invite-again', { timeout: 60000 });
    await corners(t, page, 'class', found);
    t.figure('clicks', clicks);
    t.figure('seconds', ((performance.now() - began) / 1000).toFixed(1));
    return page;
}

/** A participant: registers, opens the invitation, says yes, enters. */
async function participant(t, base, id, found) {
    const page = await t.openPage('chromium', `${base}/r/${id}`, { lang: 'fr', media: 'none' });
    await page.waitForTestId('reg-name', { timeout: 60000 });
    await corners(t, page, 'registration', found);
    await page.fill('reg-name', 'Jean Moulin');
    await page.fill('reg-mail', 'jean@example.org');
    await page.click('reg-go');
    await page.waitForTestId('my-invitation', { timeout: 60000 });
    await page.click('my-invitation');
    await page.waitForTestId('will-no', { timeout: 60000 });
    await page.click('will-no');
    await page.waitFor('the answer is kept', () =>
        document.querySelector('[data-testid="will-no"]')?.getAttribute('aria-pressed') === 'true', { timeout: 60000 });
    await page.click('will-yes');
    await page.waitFor('it can be changed', () =>
        document.querySelector('[data-testid="will-yes"]')?.getAttribute('aria-pressed') === 'true', { timeout: 60000 });
    await corners(t, page, 'invitation', found);
    await page.click('inv-enter');
    await page.waitFor('stands at the door of the class', () => Boolean(document.querySelector('[data-testid="door-join"]')), { timeout: 60000 });
    await page.goto(`${base}/my`);
    await page.waitForTestId('my-mail', { timeout: 60000 });
    await corners(t, page, 'my', found);
    t.equal(page.errors, [], 'errors of the participant');
}

async function administration(t, base, page, found) {
    for (const [where, wait] of [['accounts', 'accounts'], ['audit', 'audit'], ['mails', 'me'], ['me', 'new']]) {
        await page.goto(`${base}/home/${where}`);
        await page.waitForTestId(wait, { timeout: 60000 });
        await page.waitFor('the page is whole', () => !document.querySelector('main [role="status"] + .wait'), { timeout: 60000 });
        await corners(t, page, where, found);
    }
}

async function prepare(t) {
    const found = [];
    const { base, token } = await start(t);
    const page = await firstClass(t, base, token, found);
    const id = /c_[a-z2-7]{26}/.exec(await page.eval(() => location.pathname))[0];
    await page.click('edit');
    await page.waitForTestId('open', { timeout: 60000 });
    await page.page.locator('[data-testid="open"]').check({ force: true });
    await page.fill('places', '3');
    await page.click('save');
    await page.waitForTestId('link-registration', { timeout: 60000 });
    await participant(t, base, id, found);
    await page.goto(`${base}/home`);
    await page.waitForTestId('home-next', { timeout: 60000 });
    await corners(t, page, 'home', found);
    await administration(t, base, page, found);
    await page.goto(`${base}/home/class/${id}`);
    await page.waitForTestId('enter', { timeout: 60000 });
    await page.click('enter');
    await page.waitFor('the trainer stands at his door', () => Boolean(document.querySelector('[data-testid="door-join"]')), { timeout: 60000 });
    await page.goto(`${base}/home/class/${id}`);
    await page.waitForTestId('bin', { timeout: 60000 });
    await page.click('bin');
    await page.waitForTestId('home-bin', { timeout: 60000 });
    await page.click('sign-out');
    await page.waitForTestId('sign-in', { timeout: 60000 });
    await corners(t, page, 'signin', found);
    await page.goto(`${base}/home/me`);
    await page.waitForTestId('sign-in', { timeout: 60000 });
    await page.fill('mail', 'claire@example.org');
    await page.fill('password', PASSWORD);
    await page.press('Enter');
    await page.waitForTestId('new', { timeout: 60000 });
    t.equal(page.errors, [], 'errors of the trainer');
    t.equal(page.csp, [], 'breaches of the policy');
    t.figure('violations', found.length);
    t.equal(found, [], 'axe and layout');
}

export const scenarios = [{ name: 'prepare', timeout_s: 180, run: prepare }];
