// shots_day.mjs - pictures of a whole day: waiting room, round table, webinar, workshops, end.
//   tests/e2e/shots day [words]   into build/e2e/day; only the parts whose name has one of the words
import path from 'node:path';
import { ClassRoom } from './lib/class.mjs';
import { ids } from './lib/contract.mjs';
import { RawClient, tokenOf } from './lib/raw.mjs';

const sizes = { 360: [360, 740], 768: [768, 1024], 1366: [1366, 768], 1920: [1920, 1080] };
const names = ['Claire Fontaine', 'Karim Benali', 'Monique Lefèvre', 'Inès Garcia', 'Thomas Roux',
    'Aminata Diallo', 'Marc Vasseur', 'Lucie Bernard', 'Paul Nguyen', 'Sofia Costa', 'Yann Le Goff',
    'Élodie Marchand de la Tour-Maubourg'];
const portrait = { media: 'portrait', camera: [640, 360], fps: 12, viewport: { width: 1366, height: 768 } };

class Day {
    constructor(t, room) {
        this.t = t;
        this.room = room;
        this.crowd = [];
    }

    static async start(t, title, type, set = {}) {
        const day = new Day(t, await ClassRoom.start(t, { title, type, set }));
        day.host = await day.enter(0, { role: 'host' });
        return day;
    }

    async enter(n, options = {}) {
        const page = await this.room.enter('chromium', { ...portrait, lang: 'fr', sender: n + 1, name: names[n], ...options });
        await page.eval(() => window.__e2e.setTone(0));
        return page;
    }

    /** People without a page, so that a class looks like one. */
    async fill(from, to, role = 'participant') {
        this.room.links[role] ??= await this.room.server.link(this.room.id, { role });
        for (let n = from; n < to; n++) {
            const client = await RawClient.open(this.host, { link: tokenOf(this.room.links[role]) });
            await client.send({ t: 'join', id: `j${n}`, name: names[n] ?? `Personne ${n}`, mic: n % 3 === 0, cam: false });
            client.person = (await client.got({ t: 'snapshot' })).you.person;
            this.crowd.push(client);
        }
    }

    hands(...which) {
        return Promise.all(which.map((n) => this.crowd[n].send({ t: 'hand.raise', id: `h${n}`, kind: 'speak' })));
    }

    /** The same state in the sizes wanted. */
    async look(page, name, widths = [360, 1366]) {
        for (const width of widths) {
            const [w, h] = sizes[width];
            await page.page.setViewportSize({ width: w, height: h });
            await page.eval(() => new Promise((done) => setTimeout(done, 250)));
            const { lang, theme } = page.options;
            await page.screenshot(path.join(this.t.dir, `${name}-${width}-${theme ?? 'light'}-${lang}.png`));
        }
        await page.page.setViewportSize({ width: 1366, height: 768 });
    }
}

const id = (testid) => `[data-testid="${testid}"]`;
const choose = (page, testid, value) => page.eval((sel, to) => {
    const field = document.querySelector(sel);
    field.value = to;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    field.dispatchEvent(new Event('change', { bubbles: true }));
}, id(testid), value);

async function waiting(t) {
    const day = await Day.start(t, 'Conduire un entretien, séance 2', 'standard', { 'waiting-room': 'manual' });
    const guest = await day.room.open('chromium', { ...portrait, lang: 'fr', sender: 4, name: names[3] });
    const dark = await day.room.open('chromium', { ...portrait, lang: 'en', theme: 'dark', sender: 5, name: names[4] });
    for (const page of [guest, dark]) {
        await page.fill(ids.name, page.options.name);
        await page.click(ids.join);
        await page.waitForTestId('waiting-room');
        await day.look(page, 'waiting', [360, 768, 1366, 1920]);
    }
    await guest.click('knock');
    await day.look(guest, 'waiting-knocked', [360]);
    await day.look(day.host, 'waiting-host', [360, 1366]);
    await day.host.click('waiting-open');
    await day.look(day.host, 'waiting-list', [360, 1366]);
}

async function table(t) {
    const day = await Day.start(t, 'Table ronde : insertion et apprentissage', 'round-table');
    const guest = await day.enter(1, { lang: 'en', theme: 'dark' });
    await day.fill(2, 12);
    await day.look(day.host, 'table-open-host', [360, 768, 1366, 1920]);
    await day.look(guest, 'table-open', [360, 768, 1366, 1920]);
    for (const mode of ['moderated', 'queue', 'tour', 'nomination', 'random']) {
        await choose(day.host, 'floor-mode', mode);
        await day.host.waitFor(mode, (m) => window.amphi.state().floor.mode === m, { args: [mode] });
        if (mode === 'queue') await day.hands(1, 3, 5);
        await day.host.click('floor-next');
        await day.host.waitFor('a turn', () => Boolean(window.amphi.state().floor.turn)).catch(() => undefined);
        await day.look(day.host, `table-${mode}-host`, mode === 'queue' || mode === 'tour' ? [360, 768, 1366, 1920] : [1366]);
        await day.look(guest, `table-${mode}`, mode === 'tour' || mode === 'nomination' ? [360, 768, 1366, 1920] : [360]);
    }
    await day.room.openPanel(day.host, 'people');
    await day.look(day.host, 'table-people-host');
    for (const panel of ['conduct', 'rules']) {
        if (!await day.host.has(`open-${panel}`)) continue;
        await day.host.click(`open-${panel}`);
        await day.look(day.host, `table-${panel}-host`, [360, 768, 1366]);
    }
    const late = await day.enter(12, { name: 'Léa Tardive' });
    await day.look(late, 'table-late');
}

async function webinar(t) {
    const day = await Day.start(t, 'Rentrée : ce qui change pour les formateurs', 'webinar', { audience: 'hidden' });
    day.room.links.listener = await day.room.server.link(day.room.id, { role: 'listener' });
    await day.look(day.host, 'webinar-backstage-host');
    await day.host.click('live-doors');
    const guest = await day.enter(1, { role: 'listener', lang: 'en', theme: 'dark' });
    await day.fill(2, 12, 'listener');
    await day.look(day.host, 'webinar-doors-host', [360, 768, 1366, 1920]);
    await day.look(guest, 'webinar-doors', [360, 768, 1366, 1920]);
    await day.host.click('live-go');
    await day.host.waitForTestId('countdown');
    await day.look(day.host, 'webinar-countdown-host', [1366]);
    await guest.waitFor('on air', () => window.amphi.state().stage.phase === 'air', { timeout: 20000 });
    await day.look(guest, 'webinar-air-hidden', [360, 768, 1366, 1920]);
    await day.host.click('live-scene');
    await day.hands(1, 2);
    await guest.click(ids.bar.hand);
    await day.look(day.host, 'webinar-air-host', [360, 768, 1366, 1920]);
    await day.host.click('invite-hand');
    const asked = day.crowd[1];
    await asked.got({ t: 'delta' });
    const state = await day.host.hook('state');
    const person = state.people.find((p) => p.name === names[1]).id;
    if (!await guest.has('invite-accept')) {
        const hostRaw = await day.host.eval(() => window.amphi.state().you.person);
        day.t.log(`${hostRaw} invites ${person}`);
        await day.host.eval((p) => document.querySelector(`[data-testid="invite-${p}"]`)?.click(), person);
    }
    if (await guest.has('invite-accept')) {
        await day.look(guest, 'webinar-invite', [360, 1366]);
        await guest.click('invite-accept');
        await guest.waitForTestId('wings-open');
        await day.look(guest, 'webinar-wings', [360, 768, 1366]);
        await guest.click('wings-open');
        await guest.waitForTestId('wings-ready');
        await guest.click('wings-ready');
        await day.look(day.host, 'webinar-wings-host', [1366]);
        await day.host.click('to-stage');
        await guest.waitForTestId(ids.bar.mic);
        await day.look(guest, 'webinar-stage', [360, 1366]);
        await day.look(day.host, 'webinar-stage-host', [360, 1366, 1920]);
    }
}

async function workshops(t) {
    const day = await Day.start(t, 'Conduire un entretien, séance 2', 'standard');
    const guest = await day.enter(1);
    const dark = await day.enter(2, { lang: 'en', theme: 'dark' });
    await day.fill(3, 12);
    const { host } = day;
    await host.click('staff-workshops');
    await day.look(host, 'ws-none-host', [360, 1366]);
    await host.click('set-new');
    await day.look(host, 'ws-new-host', [360, 1366]);
    await host.fill('set-title', 'Études de cas');
    await host.click('set-create');
    await host.waitForTestId('plan-count');
    await host.eval(() => document.querySelector('[data-testid="deal-random"], [data-testid="deal"]')?.click());
    await day.look(host, 'ws-draft-host', [360, 768, 1366, 1920]);
    await host.click('set-open');
    await guest.waitForTestId('ws-notice').catch(() => undefined);
    await day.look(guest, 'ws-notice', [360, 1366]);
    for (const page of [guest, dark]) {
        if (await page.has('ws-go')) await page.click('ws-go').catch(() => undefined);
        await page.waitForTestId('own-table', { timeout: 20000 }).catch((e) => t.log(e.message));
    }
    await day.look(guest, 'ws-table', [360, 768, 1366, 1920]);
    await day.look(dark, 'ws-table', [360, 1366]);
    if (await guest.has('help-ask')) {
        await guest.click('help-ask');
        await guest.fill('help-text', 'Quel fichier faut-il ouvrir ?');
        await guest.click('help-send');
        await day.look(guest, 'ws-help', [360, 1366]);
    }
    if (await host.has('panel-close')) await host.click('panel-close');
    await host.waitForTestId('desk');
    await day.look(host, 'ws-desk-host', [360, 768, 1366, 1920]);
    await host.fill('announce-text', 'Encore cinq minutes : préparez votre synthèse.');
    await host.click('announce-send');
    await guest.waitForTestId('announcement');
    await day.look(guest, 'ws-announce', [360, 1366]);
    await host.click('desk-close');
    await host.click('desk-close-now').catch(() => undefined);
    await day.look(guest, 'ws-closing', [360, 1366]);
    await day.look(host, 'ws-closing-host', [1366]);
    const late = await day.enter(12, { name: 'Léa Tardive' });
    await day.look(late, 'ws-late', [360, 1366]);
}

async function end(t) {
    const day = await Day.start(t, 'Conduire un entretien, séance 2', 'standard', { closing: 600 });
    const guest = await day.enter(1);
    const dark = await day.enter(2, { lang: 'en', theme: 'dark' });
    const person = (await day.host.hook('state')).people.find((p) => p.name === names[2]).id;
    await day.room.openPanel(day.host, 'people');
    await day.host.click(`person-more-${person}`);
    await day.look(day.host, 'person-actions', [360, 1366]);
    await day.host.click('person-remove');
    await day.look(day.host, 'person-remove', [360]);
    await day.host.click('remove-ban');
    await dark.waitForTestId(ids.over('removed'));
    await day.look(dark, 'removed', [360, 1366]);
    await day.look(day.host, 'person-banned', [360, 1366]);
    await day.host.click('top-settings');
    await day.look(day.host, 'settings', [360, 1366]);
    await day.host.click(ids.bar.leave);
    await day.look(day.host, 'leave', [360, 1366]);
    await day.host.click('leave-soft');
    await day.look(day.host, 'closing-host', [360, 1366]);
    await day.look(guest, 'closing', [360, 1366]);
    await day.room.server.stop?.();
    await guest.waitForTestId(ids.reconnecting, { timeout: 20000 });
    await day.look(guest, 'reconnecting', [360, 1366]);
}

export const parts = { waiting, table, webinar, workshops, end };
