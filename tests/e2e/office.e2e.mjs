// office - the pages around the hour: from the printed link of a new server to a class whose people
// have their invitations, as somebody does it who sees them for the first time; axe and pictures.
import fs from 'node:fs';
import path from 'node:path';
import { bundle, outside, publish } from './lib/eyevinn.mjs';
import { reach, walk } from './lib/keyboard.mjs';
import { Mailbox } from './lib/mailbox.mjs';
import { corners, firstAdmin, look, PASSWORD, startOffice, upload } from './lib/office.mjs';
import { does, past, person } from './lib/past.mjs';
import { until } from './lib/wait.mjs';

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
    await page.fill('csv-paste', 'Zoé Roux <zoe@example.org>, lea.martin@example.org');
    await page.click('csv-look');
    await page.waitFor('a pasted list is read', () => document.querySelector('[data-testid="csv-ready"]')?.textContent.includes('2 personnes'), { timeout: 60000 });
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

/** Whoever never came is found here too, with a copy of what is kept. */
async function enrolled(t, page) {
    await page.waitFor('all who are enrolled can be chosen', () =>
        document.querySelectorAll('[data-testid="kept-person"] option').length === 4, { timeout: 60000 });
    await page.page.selectOption('[data-testid="kept-person"]', { label: 'Émile Zola' });
    await page.waitForTestId('kept-export', { timeout: 60000 });
    const [file] = await Promise.all([page.page.waitForEvent('download', { timeout: 60000 }), page.click('kept-export')]);
    t.equal(fs.readFileSync(await file.path(), 'utf8').includes('emile@example.org'), true, 'the copy of a person who never came');
}

async function administration(t, base, page, id, found) {
    const pages = [['accounts', 'accounts'], ['audit', 'audit'], ['mails', 'me'], ['me', 'new'], ['limits', 'limits-save'],
        ['templates', 'template-preview'], ['kept', 'keep-save'], [`class/${id}/kept`, 'kept-person']];
    for (const [where, wait] of pages) {
        await page.goto(`${base}/home/${where}`);
        await page.waitForTestId(wait, { timeout: 60000 });
        await page.waitFor('the page is whole', () => !document.querySelector('main [role="status"] + .wait'), { timeout: 60000 });
        if (wait === 'kept-person') await enrolled(t, page);
        await corners(t, page, where.replace(/^class.*kept/, 'class-kept'), found);
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
    await administration(t, base, page, id, found);
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

/** One class with its people and an open registration, made without the page: what the walks look at. */
async function furnish(page) {
    return page.eval(async () => {
        const ask = async (path, body, type = 'application/json') => (await fetch(path, {
            method: 'POST', headers: { 'content-type': type }, body: type === 'text/csv' ? body : JSON.stringify(body),
        })).json();
        const { classes } = await ask('/api/classes', {
            title: 'Conduire un entretien', type: 'standard', minutes: 60, zone: 'Europe/Paris', starts: [Date.now() + 86400000],
            open: true, capacity: 3, settings: {},
        });
        const id = classes[0];
        await ask(`/api/classes/${id}/roster?apply=1`, 'Nom;Courriel\nÉmile Zola;emile@example.org\n', 'text/csv');
        await ask(`/api/classes/${id}/invite`, { since: 1 });
        const { people } = await (await fetch(`/api/classes/${id}/people`)).json();
        const { token } = await ask(`/api/classes/${id}/people/${people[0].person}/link`, {});
        return { id, token };
    });
}

/** What a class that has taken place left for its people: where, and what shows that it is there. */
const leftPages = ({ id, tokens }) => [['after-own', `/after/${id}#${tokens['Amélie']}`, 'own-record'],
    ['after-missed', `/after/${id}#${tokens.Monique}`, 'after-missed'], ['invitation-over', `/i/${id}#${tokens['Amélie']}`, 'inv-after']];

/** Pages of a trainer and of a participant: where, and what shows that they are there. */
const staffPages = ({ id }) => [['home', '/home', 'class-card'], ['new', '/home/new', 'save'], ['edit', `/home/class/${id}/edit`, 'save'],
    ['class', `/home/class/${id}`, 'people'], ['accounts', '/home/accounts', 'accounts'], ['audit', '/home/audit', 'audit'],
    ['mails', '/home/mails', 'me'], ['me', '/home/me', 'new'], ['after', `/after/${id}`, 'ready-board'], ['limits', '/home/limits', 'limits-save'],
    ['templates', '/home/templates', 'template-preview'], ['kept', '/home/kept', 'keep-save'],
    ['class-kept', `/home/class/${id}/kept`, 'kept-person']];
const guestPages = ({ id, token }) => [['signin', '/signin', 'sign-in'], ['registration', `/r/${id}`, 'reg-go'], ['my', '/my', 'my-mail'],
    ['invitation', `/i/${id}#${token}`, 'inv-enter'], ['check', `/check/${id}#${token}`, 'heard-yes'], ['own', `/after/${id}#${token}`, 'lang-fr']];

/** Without a mouse: the first administrator comes in and makes a class, then every page is walked through. */
async function keyboard(t) {
    const { base, token } = await startOffice(t);
    const page = await t.openPage('chromium', `${base}/welcome#${token}`, { lang: 'fr', media: 'none' });
    const found = [];
    const walked = async (one, what) => {
        for (const wrong of await walk(one)) found.push(`${what}: ${wrong}`);
    };
    await page.waitForTestId('name', { timeout: 60000 });
    await walked(page, 'welcome');
    for (const [field, text] of [['name', 'Claire Fontaine'], ['mail', 'claire@example.org'], ['password', PASSWORD]]) {
        await reach(page, field, '');
        await page.type(text);
    }
    await page.press('Enter');
    await reach(page, 'new-class');
    await page.waitForTestId('title', { timeout: 60000 });
    await page.type('Par le clavier'); // the title has the focus
    await reach(page, 'type-standard', 'ArrowRight');
    await reach(page, 'save');
    await page.waitForTestId('created', { timeout: 60000 });
    await reach(page, 'csv-open');
    await reach(page, 'csv-file', '');
    await upload(page, CSV);
    await reach(page, 'csv-apply');
    await reach(page, 'invite');
    await page.waitForTestId('invite-again', { timeout: 60000 });
    t.equal(await page.eval(() => document.querySelector('h1').textContent), 'Par le clavier', 'the class made by keyboard');
    const made = await furnish(page);
    for (const [what, where, sign] of staffPages(made)) {
        await page.goto(base + where);
        await page.waitForTestId(sign, { timeout: 60000 });
        await walked(page, what);
    }
    const guest = await t.openPage('chromium', null, { lang: 'en', theme: 'dark', media: 'none', viewport: { width: 360, height: 740 } });
    for (const [what, where, sign] of guestPages(made)) {
        await guest.goto('about:blank'); // a page of the same path with another # would stay as it is
        await guest.goto(base + where);
        await guest.waitForTestId(sign, { timeout: 60000 });
        await walked(guest, what);
    }
    await guest.goto(`${base}/signin`);
    const gone = await past(page, guest);
    for (const [what, where, sign] of [['after-staff', `/after/${gone.id}`, 'after-groups'], ['after-class', `/home/class/${gone.id}`, 'after-open']]) {
        await page.goto(base + where);
        await page.waitForTestId(sign, { timeout: 60000 });
        if (sign === 'after-groups') await page.click('correct');
        await walked(page, what);
    }
    for (const [what, where, sign] of leftPages(gone)) {
        await guest.goto('about:blank');
        await guest.goto(base + where);
        await guest.waitForTestId(sign, { timeout: 60000 });
        await walked(guest, what);
    }
    t.figure('pages', 3 + staffPages(made).length + guestPages(made).length + leftPages(gone).length);
    t.equal(found, [], 'what the keyboard does not do');
}

/** After the class: what each one finds there; a contest, a correction, the seal, one person's erasure. */
async function after(t) {
    const found = [];
    const box = await Mailbox.start();
    t.defer(() => box.stop());
    const { base, token } = await startOffice(t, box);
    const page = await firstAdmin(t, base, token);
    const guest = await t.openPage('chromium', `${base}/signin`, { lang: 'fr', media: 'none' });
    await guest.waitForTestId('sign-in', { timeout: 60000 });
    const made = await past(page, guest);
    await visit(guest, `${base}/after/${made.id}#${made.tokens.Monique}`, 'after-missed');
    const missed = await guest.text('after-missed');
    for (const words of ['Bonjour à tous', 'Retour en plénière']) t.check(missed.includes(words), `who was absent reads "${words}"`);
    t.check(!missed.includes('Page 12'), 'but not what a table wrote to itself');
    await guest.waitForTestId('after-groups', { timeout: 60000 });
    t.check((await guest.text('after-groups')).includes('Nous avons trois questions'), 'and the report that is for everybody');
    await corners(t, guest, 'after-missed', found);
    await guest.click('contest-open');
    await guest.fill('contest-text', 'J’étais dans la salle, sur le poste de Karim.');
    await guest.click('contest-send');
    await guest.waitForTestId('contest-sent', { timeout: 60000 });
    for (const [what, where, sign] of leftPages(made)) {
        await visit(guest, base + where, sign);
        await corners(t, guest, what, found);
    }
    await visit(guest, `${base}/my`, 'my-mail');
    await guest.fill('my-mail', 'amelie@example.org');
    await guest.press('Enter');
    await visit(guest, (await box.mail('amelie@example.org', 'classes')).link, 'my-next');
    await corners(t, guest, 'my-list', found);
    await page.goto(`${base}/home`);
    await page.waitForTestId('home-seal', { timeout: 60000 });
    await corners(t, page, 'home-seal', found);
    await page.click('card-after');
    await page.waitForTestId('after-groups', { timeout: 60000 });
    await correct(page, t);
    await corners(t, page, 'sheet-corrected', found);
    await page.click('seal');
    await page.click('seal-yes', { timeout: 60000 });
    await page.waitForTestId('sealed', { timeout: 60000 });
    await corners(t, page, 'sheet-sealed', found);
    await erase(page, base, made);
    await corners(t, page, 'erased', found);
    t.equal([...page.errors, ...guest.errors], [], 'errors');
    t.equal(found, [], 'axe and layout');
}

/** Another address of the page: also when only what is behind # differs. */
async function visit(page, url, sign) {
    await page.goto('about:blank');
    await page.goto(url);
    await page.waitForTestId(sign, { timeout: 60000 });
}

async function correct(page, t) {
    const rows = () => page.texts('sheet-row');
    t.check((await rows()).some((r) => r.includes('sur le poste de Karim')), 'staff reads the contest');
    await page.eval(() => [...document.querySelectorAll('[data-testid="sheet-row"]')].find((r) => r.textContent.includes('Monique'))
        .querySelector('[data-testid="correct"]').click());
    await page.waitForTestId('correct-status', { timeout: 60000 });
    await page.page.selectOption('[data-testid="correct-status"]', 'present');
    await page.fill('correct-reason', 'Vue au poste de Karim par l’animatrice');
    await page.click('correct-save');
    await page.waitFor('the correction stands', () => [...document.querySelectorAll('[data-testid="sheet-row"]')]
        .some((r) => r.textContent.includes('Vue au poste')), { timeout: 60000 });
}

/** Her name goes, the sheet keeps its counts and its seal. */
async function erase(page, base, { id }) {
    await page.goto(`${base}/home/class/${id}/kept`);
    await page.waitFor('all can be chosen', () => document.querySelectorAll('[data-testid="kept-person"] option').length > 3, { timeout: 60000 });
    await page.page.selectOption('[data-testid="kept-person"]', { label: 'Karim Benali' });
    await page.click('kept-forget');
    await page.click('kept-forget-yes', { timeout: 60000 });
    await page.goto(`${base}/after/${id}`);
    await page.waitFor('the name is gone, the seal holds', () => {
        const rows = [...document.querySelectorAll('[data-testid="sheet-row"]')].map((r) => r.textContent);
        return rows.length === 4 && !rows.some((r) => r.includes('Karim Benali'))
            && document.querySelector('[data-testid="sealed"]')?.textContent.includes('Le sceau tient');
    }, { timeout: 60000 });
}

/** Every page once in Firefox, signed in by keyboard; a picture of each. */
async function firefox(t) {
    const { base, token } = await startOffice(t);
    const found = [];
    const chrome = await firstAdmin(t, base, token);
    const made = await furnish(chrome);
    const page = await t.openPage('firefox', `${base}/signin`, { lang: 'fr', media: 'none' });
    await page.waitForTestId('mail', { timeout: 60000 });
    await page.fill('mail', 'claire@example.org');
    await page.fill('password', PASSWORD);
    await page.press('Enter');
    await page.waitForTestId('class-card', { timeout: 60000 });
    for (const [what, where, sign] of [...staffPages(made), ...guestPages(made).slice(1)]) {
        await page.goto('about:blank');
        await page.goto(base + where);
        await page.waitForTestId(sign, { timeout: 60000 });
        await look(t, page, `firefox-${what}`, found);
    }
    // Whoever is signed in does not stay there: the sockets are lent by a page that is not.
    const stage = await t.openPage('chromium', `${base}/signin`, { lang: 'fr', media: 'none' });
    await stage.waitForTestId('sign-in', { timeout: 60000 });
    const gone = await past(chrome, stage);
    for (const [what, where, sign] of [['after-staff', `/after/${gone.id}`, 'after-groups'], ...leftPages(gone)]) {
        await page.goto('about:blank');
        await page.goto(base + where);
        await page.waitForTestId(sign, { timeout: 60000 });
        await look(t, page, `firefox-${what}`, found);
    }
    await page.goto(`${base}/home/new`);
    await page.fill('title', 'Avec Firefox', { timeout: 60000 });
    await page.click('save');
    await page.waitForTestId('created', { timeout: 60000 });
    t.equal(page.errors, [], 'errors in Firefox');
    t.equal(found, [], 'layout in Firefox');
}

/** A live class made without its buttons, led by somebody whose socket `stage` lends. */
async function liveClass(page, stage) {
    const id = await page.eval(async () => {
        const made = await fetch('/api/classes', {
            method: 'POST', headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ title: 'Gestes techniques', type: 'standard', minutes: 60, zone: 'Europe/Paris', starts: [], settings: {} }),
        });
        return (await made.json()).classes[0];
    });
    const lead = async () => {
        const { link } = await page.eval(async (of) => (await fetch(`/api/classes/${of}/enter`, { method: 'POST', body: '' })).json(), id);
        const host = await person(stage, link, 'Claire Fontaine');
        await does(host, 'session.start');
        return host;
    };
    return { id, lead };
}

/** The corners, and the whole card in both ends of size, of which a page shows a part. */
async function doorCorners(t, page, what, found) {
    await corners(t, page, what, found);
    const was = page.page.viewportSize();
    for (const width of [360, was.width]) {
        await page.page.setViewportSize({ width, height: 1400 });
        await page.page.locator('[aria-labelledby="doors-title"]').screenshot({ path: path.join(t.dir, `${what}-card-${width}.png`) });
    }
    await page.page.setViewportSize(was);
}

/** A name that does not do is said, at the field it was typed into and at no other. */
async function refusedName(t, page, field, found) {
    await page.press('Enter');
    await page.waitFor('a name is refused', () => document.getElementById('doors-error').textContent !== '', { timeout: 60000 });
    const marked = await page.eval(() => [...document.querySelectorAll('[aria-invalid="true"]')].map((e) => [e.dataset.testid,
        e.getAttribute('aria-describedby').split(' ').includes('doors-error'), e === document.activeElement]));
    t.equal(marked, [[field, true, true]], 'the field a refusal is about');
    await doorCorners(t, page, `doors-refused-${field}`, found);
    await page.eval((id) => document.querySelector(`[data-testid="${id}"]`).focus(), field); // languages were changed by mouse
}

const listed = (page, what, wanted) => page.waitFor(what, (list) =>
    [...document.querySelectorAll('[data-testid="door-list"] strong')].map((e) => e.textContent).sort().join() === list,
{ args: [wanted.join()], timeout: 60000 });

/** Accesses of a camera and of a player, by keyboard: each is refused a name, then made. Returns the camera's. */
async function makeDoors(t, page, found) {
    await reach(page, 'door-name', '');
    await refusedName(t, page, 'door-name', found);
    await page.type('Caméra du fond');
    await page.press('Enter');
    await listed(page, 'the camera is listed', ['Caméra du fond']);
    t.equal(await page.eval(() => document.querySelectorAll('[aria-invalid="true"]').length), 0, 'fields marked once it is made');
    const camera = await page.eval(() => document.querySelector('[data-testid="door-token"]').value);
    await reach(page, 'door-player', '');
    await page.type('名'.repeat(40)); // more bytes than a token holds
    await refusedName(t, page, 'door-player', found);
    await page.press('Control+a');
    await page.type('Salle B');
    await page.press('Enter');
    await listed(page, 'the player, too', ['Caméra du fond', 'Salle B']);
    await doorCorners(t, page, 'doors-made', found);
    t.check(!(await page.text('door-list')).includes(camera), 'the list holds no token');
    return camera;
}

/** By keyboard: to the button of this one, away again, and then for good. */
async function withdrawByKeys(t, page, name, found) {
    const focus = () => page.eval(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.dataset.testid ?? '');
    const button = `Retirer l’accès : ${name}`;
    for (let i = 0; i < 160 && await focus() !== button; i++) await page.press('Tab');
    t.equal(await focus(), button, 'reached by Tab');
    await page.press('Enter');
    await page.waitFor('asks first', () => document.activeElement?.dataset.testid === 'door-withdraw-yes', { timeout: 60000 });
    await doorCorners(t, page, 'doors-sure', found);
    await reach(page, 'door-keep');
    await page.waitFor('back where one was', (label) => document.activeElement?.getAttribute('aria-label') === label, { args: [button], timeout: 60000 });
    await page.press('Enter');
    await reach(page, 'door-withdraw-yes');
}

/**
 * The accesses of cameras and players on the page of a class, by keyboard: made, listed, still there when
 * the server was killed, and withdrawn, which ends what an encoder sends.
 */
async function doors(t) {
    const found = [];
    const { server, base, token } = await startOffice(t);
    const page = await firstAdmin(t, base, token);
    const stage = await t.openPage('chromium', `${base}/signin`, { lang: 'fr', media: 'none' });
    await stage.waitForTestId('sign-in', { timeout: 60000 });
    const { id, lead } = await liveClass(page, stage);
    const address = `${base}/home/class/${id}`;
    await page.goto(address);
    const camera = await makeDoors(t, page, found);
    await server.killed();
    await page.goto('about:blank');
    await page.goto(address);
    await listed(page, 'both, after the server was killed', ['Caméra du fond', 'Salle B']);

    const host = await lead();
    const encoder = await outside(t, server, await bundle(t.dir), { sender: 7 });
    await publish(encoder, server.url(`/whip/${id}`), camera);
    const roster = async () => (await host.all()).flatMap((m) => m.events ?? []);
    const joined = await until(async () => (await roster()).find((e) => e.e === 'person.joined' && e.person.name === 'Caméra du fond'),
        { what: 'the camera is in the class', timeout: 60000 });
    const sends = () => encoder.eval(() => window.__e2e.pcs.flatMap((pc) => pc.getSenders().map((s) => s.transport?.state)));
    await until(async () => (await sends()).includes('connected'), { what: 'the camera sends', timeout: 60000 });
    await page.waitFor('the list says who is in the class by itself', () => [...document.querySelectorAll('[data-testid="door-list"] li')]
        .find((li) => li.textContent.includes('Caméra du fond'))?.textContent.includes('dans la classe'), { timeout: 60000 });
    await doorCorners(t, page, 'doors-list', found);
    await withdrawByKeys(t, page, 'Caméra du fond', found);
    await until(async () => (await roster()).some((e) => e.e === 'person.left' && e.person === joined.person.id),
        { what: 'the camera has left the class', timeout: 60000 });
    await until(async () => !(await sends()).includes('connected'), { what: 'it sends no more', timeout: 60000 });
    await listed(page, 'the player stays', ['Salle B']);
    t.equal(await page.eval(() => document.activeElement.id), 'doors-title', 'where the focus is then');
    t.check((await page.text('door-told')).includes('Caméra du fond'), 'says what is withdrawn');
    await doorCorners(t, page, 'doors-gone', found);
    const again = await encoder.eval(async (to, bearer) => (await fetch(to, {
        method: 'POST', headers: { 'content-type': 'application/sdp', authorization: `Bearer ${bearer}` }, body: 'v=0',
    })).status, server.url(`/whip/${id}`), camera);
    t.equal(again, 401, 'its token');
    await server.killed();
    await page.goto('about:blank');
    await page.goto(address);
    await listed(page, 'what was withdrawn stays so', ['Salle B']);
    // A browser tells of the two refusals by itself.
    t.equal(page.errors.filter((e) => !/status of 422 .*\/links$/.test(e)), [], 'errors of the page');
    t.equal(found, [], 'axe and layout');
}

export const scenarios = [
    { name: 'prepare', timeout_s: 180, run: prepare },
    { name: 'after', timeout_s: 180, run: after },
    { name: 'keyboard', timeout_s: 180, run: keyboard },
    { name: 'doors', timeout_s: 120, run: doors },
    { name: 'firefox', timeout_s: 180, run: firefox },
];
