// day - a training day from the class editor to the sealed sheet, as trainer and participants live it:
// everything is reached from the page before it or from a mail that arrived. Pictures of each step in
// build/e2e/day-training.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Mailbox } from './lib/mailbox.mjs';
import { firstAdmin, look, PATIENT, startOffice, upload } from './lib/office.mjs';
import { until } from './lib/wait.mjs';

const WIDE = { width: 1366, height: 768 };
const PEOPLE = [['Amélie Dupont-Lefèvre', 'amelie@example.org'], ['Karim Benali', 'karim@example.org'], ['Zoë Łukasiewicz', 'zoe@example.org']];
const ABSENT = ['Monique Absente', 'monique@example.org'];
const TITLE = 'Conduire un entretien';
const sel = (testid) => `[data-testid="${testid}"]`;

async function choose(page, testid, value) {
    await page.waitForTestId(testid, PATIENT);
    await page.eval((s, to) => {
        const field = document.querySelector(s);
        field.value = to;
        field.dispatchEvent(new Event('input', { bubbles: true }));
        field.dispatchEvent(new Event('change', { bubbles: true }));
    }, sel(testid), value);
}

/** Until something that is on the page says so. */
const says = (page, testid, words) => page.waitFor(`${testid} says "${words}"`, (s, text) =>
    [...document.querySelectorAll(s)].some((e) => e.textContent.includes(text)), { args: [sel(testid), words], ...PATIENT });

const inside = (page) => page.waitFor('is in the class', () => Boolean(window.__e2e.view().snapshotAt), PATIENT);

class Day {
    constructor(t) {
        this.t = t;
        this.found = [];
        this.step = 0;
    }

    /** A numbered picture, so that the folder reads like the day. */
    look(page, what) {
        this.step += 1;
        return look(this.t, page, `${String(this.step).padStart(2, '0')}-${what}`, this.found);
    }

    async start() {
        this.box = await Mailbox.start();
        this.t.defer(() => this.box.stop());
        Object.assign(this, await startOffice(this.t, this.box));
        this.host = await firstAdmin(this.t, this.base, this.token, {
            viewport: WIDE, media: 'portrait', camera: [640, 360], fps: 10, sender: 1, portMap: this.server.portMap,
        });
    }

    /** The days before: a class, its people, their invitations. */
    async prepare() {
        const { host } = this;
        await host.click('new-class');
        await host.fill('title', TITLE, PATIENT);
        await host.click('type-round-table');
        // It begins in a minute: browsers of these tests live in UTC.
        const start = new Date(Date.now() + 60000).toISOString();
        await host.fill('date', start.slice(0, 10));
        await host.fill('time', start.slice(11, 16));
        await choose(host, 'minutes', '30');
        await choose(host, 'template', 'watched');
        await this.look(host, 'editor');
        await host.click('save');
        await host.waitForTestId('created', PATIENT);
        this.id = /c_[a-z2-7]{26}/.exec(await host.eval(() => location.pathname))[0];
        await host.click('csv-open');
        await upload(host, `Nom;Courriel;Groupe\n${[...PEOPLE, ABSENT].map(([n, m], i) => `${n};${m};${'AB'[i % 2]}\n`).join('')}`);
        await host.waitForTestId('csv-apply', PATIENT);
        await this.look(host, 'roster');
        await host.click('csv-apply');
        await host.waitForTestId('invite', PATIENT);
        await host.click('invite');
        await host.waitForTestId('invite-again', PATIENT);
        await this.look(host, 'invited');
    }

    /** By the mail: the invitation, the answer, the check of devices. */
    async answer() {
        const mail = await this.box.mail(PEOPLE[0][1], TITLE);
        this.t.check(mail.ics.includes('METHOD:REQUEST'), 'the mail brings an appointment');
        const page = await this.guest(0, mail.link);
        await page.click('will-yes', PATIENT);
        await page.waitFor('the answer is kept', (s) => document.querySelector(s)?.getAttribute('aria-pressed') === 'true', { args: [sel('will-yes')], ...PATIENT });
        await this.look(page, 'invitation');
        await page.click('inv-check');
        await page.click('heard-yes', PATIENT);
        await page.waitFor('the check can begin', (s) => document.querySelector(s)?.disabled === false, { args: [sel('check-go')], ...PATIENT });
        await page.click('check-go');
        await page.waitForTestId('check-sent', PATIENT);
        await this.look(page, 'check');
        this.amelie = page;
        await this.host.goto(`${this.base}/home/class/${this.id}`);
        await says(this.host, 'ready-row', PEOPLE[0][0]);
        await says(this.host, 'people', 'Viendra');
        await this.host.eval((s) => document.querySelector(s).scrollIntoView(), sel('ready-board'));
        await this.look(this.host, 'readiness');
    }

    guest(n, link, options = {}) {
        return this.t.openPage('chromium', link, {
            lang: 'fr', viewport: WIDE, media: 'portrait', camera: [640, 360], fps: 10, sender: n + 2, name: PEOPLE[n][0],
            portMap: this.server.portMap, ...options,
        });
    }

    async toDoor(page) {
        await page.click('inv-enter', PATIENT);
        await page.waitFor('can join', (s) => document.querySelector(s)?.disabled === false, { args: [sel('door-join')], ...PATIENT });
    }

    /** The doors: the trainer from his page, everybody else from the mail, one by one past the waiting room. */
    async doors() {
        const { host } = this;
        await host.click('enter', PATIENT);
        await host.waitFor('can join', (s) => document.querySelector(s)?.disabled === false, { args: [sel('door-join')], ...PATIENT });
        await this.look(host, 'door-trainer');
        await host.click('door-join');
        await inside(host);
        await this.amelie.goto((await this.box.mail(PEOPLE[0][1], TITLE)).link);
        await this.toDoor(this.amelie);
        await this.look(this.amelie, 'door');
        await this.amelie.click('door-join');
        this.karim = await this.guest(1, (await this.box.mail(PEOPLE[1][1], TITLE)).link, { viewport: { width: 360, height: 740 }, theme: 'dark' });
        await this.toDoor(this.karim);
        await this.karim.click('door-join');
        for (const page of [this.amelie, this.karim]) await page.waitForTestId('waiting-room', PATIENT);
        await this.look(this.karim, 'waiting-room');
        // The planned minute may have come meanwhile: then the class is under way by itself.
        if (await host.has('class-begin')) await host.click('class-begin', PATIENT);
        await host.click('waiting-open', PATIENT);
        await host.waitForTestId('admit-all', PATIENT);
        await this.look(host, 'somebody-waits');
        await host.click('admit-all');
        for (const page of [this.amelie, this.karim]) await inside(page);
        if (await host.has('panel-close')) await host.click('panel-close');
        await this.rules();
    }

    /** Present from one percent on: a training day of a minute is one too. */
    async rules() {
        const { host } = this;
        await host.click('open-conduct', PATIENT);
        await host.click('open-rules', PATIENT);
        await host.fill('rule-attendance-share', '1', PATIENT);
        await host.press('Tab');
        await host.waitFor('the rule holds', () => window.amphi.state().settings.some(([k, v]) => k === 'attendance-share' && v === '1'), PATIENT);
        await this.look(host, 'rules');
        await host.click('panel-close');
    }

    /** A turn of the table; then two workshops and back. */
    async table() {
        const { host, amelie } = this;
        await choose(host, 'floor-mode', 'tour');
        await amelie.waitFor('a round', () => window.amphi.state().floor.mode === 'tour', PATIENT);
        await host.click('floor-next', PATIENT);
        await host.waitFor('a turn', () => Boolean(window.amphi.state().floor.turn), PATIENT);
        await this.look(host, 'round-table');
        await this.look(this.karim, 'round-table-phone');
        await host.click('floor-take', PATIENT);
        await choose(host, 'floor-mode', 'open');
        await host.click('staff-workshops', PATIENT);
        await host.click('set-new', PATIENT);
        await host.fill('set-title', 'Études de cas', PATIENT);
        await host.click('set-create');
        await host.waitForTestId('plan-count', PATIENT);
        await host.click('deal');
        await this.look(host, 'workshops-planned');
        await host.click('set-open');
        for (const page of [amelie, this.karim]) {
            await page.click('ws-go', PATIENT);
            await page.waitForTestId('own-table', PATIENT);
        }
        await this.look(amelie, 'workshop');
        if (await host.has('panel-close')) await host.click('panel-close');
        await host.waitForTestId('desk', PATIENT);
        await this.look(host, 'desk');
        await host.click('desk-close');
        await host.click('desk-close-now', PATIENT);
        for (const page of [amelie, this.karim]) await page.waitForGone('own-table', PATIENT);
    }

    /** Whoever comes late reads what was missed; everybody says "here"; the end. */
    async end() {
        const { host, amelie, karim } = this;
        await host.click('open-conduct', PATIENT);
        await host.fill('say-all', 'Pause à dix heures', PATIENT);
        await host.press('Enter');
        this.zoe = await this.guest(2, (await this.box.mail(PEOPLE[2][1], TITLE)).link);
        await this.toDoor(this.zoe);
        await this.zoe.click('door-join');
        await this.zoe.waitForTestId('waiting-room', PATIENT);
        await host.click('waiting-open', PATIENT);
        await host.click('admit-one', PATIENT);
        await this.zoe.waitForTestId('digest', PATIENT);
        await says(this.zoe, 'digest', 'Pause à dix heures');
        await this.look(this.zoe, 'missed');
        await this.zoe.click('digest-close');
        await host.click('roll-open');
        await host.click('check-ask', PATIENT);
        for (const page of [amelie, karim, this.zoe]) await page.waitForTestId('check', PATIENT);
        await this.look(karim, 'presence-check');
        for (const page of [amelie, karim]) {
            await page.click('check-here');
            await page.waitForGone('check', PATIENT);
        }
        await says(host, 'check-tally', '2');
        // Whoever came on time has been there long enough for the rule: the sheet itself says so.
        await until(async () => (await this.sheet()).filter((p) => p.status === 'present').length >= 3, { what: 'three are present', timeout: 60000, every: 500 });
        await this.look(host, 'sheet-live');
        await host.click('bar-leave');
        await host.click('leave-end', PATIENT);
        for (const page of [host, amelie, karim, this.zoe]) {
            await page.waitFor('the class is over', () => Boolean(document.querySelector('[data-testid^="over-"]')), PATIENT);
        }
        await this.look(amelie, 'over');
    }

    sheet() {
        return this.host.eval(async (id) => (await (await fetch(`/api/classes/${id}/attendance?again=1`)).json()).sheet.people, this.id);
    }

    /** After it: a contest, a correction, the seal, the files, the certificate by mail. */
    async after() {
        const { host, amelie } = this;
        await this.zoe.click('over-after', PATIENT);
        await this.zoe.waitForTestId('own-record', PATIENT);
        await this.zoe.click('contest-open');
        await this.zoe.fill('contest-text', 'J’étais en panne de réseau la première heure.');
        await this.zoe.click('contest-send');
        await this.zoe.waitForTestId('contest-sent', PATIENT);
        await this.look(this.zoe, 'own-record');
        await host.goto(`${this.base}/home`);
        await host.waitForTestId('home-seal', PATIENT);
        await this.look(host, 'home-after');
        await host.click('card-after');
        await says(host, 'sheet-row', 'J’étais en panne');
        await this.look(host, 'sheet-provisional');
        await host.eval((s, name) => [...document.querySelectorAll(s)].find((row) => row.textContent.includes(name))
            .querySelector('[data-testid="correct"]').click(), sel('sheet-row'), ABSENT[0]);
        await choose(host, 'correct-status', 'excused');
        await host.fill('correct-reason', 'Arrêt de travail transmis le jour même', PATIENT);
        await this.look(host, 'correction');
        await host.click('correct-save');
        await says(host, 'sheet-row', 'Arrêt de travail');
        await host.click('seal');
        await this.look(host, 'seal');
        await host.click('seal-yes', PATIENT);
        await says(host, 'sealed', 'Le sceau tient');
        await this.look(host, 'sheet-sealed');
        await this.files();
        const mail = await this.box.mail(PEOPLE[0][1], 'attestation');
        await amelie.goto(mail.link);
        await amelie.waitForTestId('certificate', PATIENT);
        await this.look(amelie, 'certificate-page');
        const certificate = await this.saved(amelie, 'certificate', 'attestation.pdf');
        this.t.check(this.pdf(certificate).includes(PEOPLE[0][0]), 'the certificate names who was there');
    }

    /** What the page offers to save, as a file of this run. */
    async saved(page, testid, name) {
        const [download] = await Promise.all([page.page.waitForEvent('download', { timeout: 240000 }), page.click(testid)]);
        const file = path.join(this.t.dir, name);
        await download.saveAs(file);
        return file;
    }

    /** The text in reading order: a name of two lines stands together. */
    pdf(file) {
        execFileSync('pdftoppm', ['-r', '60', '-png', file, file.replace(/\.pdf$/, '')]);
        this.t.check(execFileSync('pdfinfo', [file]).toString().includes('Tagged:          yes'), `${path.basename(file)} is tagged`);
        return execFileSync('pdftotext', ['-raw', file, '-']).toString().replace(/\s+/g, ' ');
    }

    async files() {
        const csv = fs.readFileSync(await this.saved(this.host, 'save-csv', 'emargement.csv'), 'utf8');
        const sheet = this.pdf(await this.saved(this.host, 'save-pdf', 'emargement.pdf'));
        const flat = (text) => text.replace(/\s/g, '');
        for (const [name] of [...PEOPLE, ABSENT, ['Claire Fontaine']]) {
            this.t.check(csv.includes(`"${name}"`), `the CSV has ${name}`);
            this.t.check(flat(sheet).includes(flat(name)), `the PDF has ${name}`);
        }
        for (const words of ['Arrêt de travail', 'excusé']) {
            this.t.check(csv.includes(words), `the CSV says ${words}`);
            this.t.check(flat(sheet).includes(flat(words)), `the PDF says ${words}`);
        }
        const seal = /[0-9a-f]{64}/.exec(await this.host.text('sealed'))[0];
        this.t.check(flat(sheet).includes(seal), 'the PDF has the seal of the page');
    }
}

async function training(t) {
    const day = new Day(t);
    await day.start();
    await day.prepare();
    await day.answer();
    await day.doors();
    await day.table();
    await day.end();
    await day.after();
    for (const page of t.pages) {
        t.equal(page.errors, [], `${page.name}: errors`);
        t.equal(page.csp, [], `${page.name}: breaches of the policy`);
    }
    t.figure('pictures', day.step);
    t.equal(day.found, [], 'axe and layout');
}

export const scenarios = [{ name: 'training', timeout_s: 240, run: training }];
