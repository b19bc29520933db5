// office - the pages around the hour: from the printed link of a new server to a class whose people
// have their invitations, as somebody does it who sees them for the first time; axe and pictures.
import { corners, look, PASSWORD, startOffice, upload } from './lib/office.mjs';

const CSV = 'Nom;Courriel;Rôle;Groupe\nÉmile Zola;emile@example.org;;A\nLéa Martin;lea@example.org;animatrice;B\n';

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
    const { base, token } = await startOffice(t);
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
    await page.click('bin-yes');
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
