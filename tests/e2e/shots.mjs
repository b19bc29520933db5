// shots.mjs - pictures of a real class for people to look at: drawn portraits over the real server.
//   tests/e2e/shots day [parts]  waiting, table, webinar, workshops, end: every state (shots_day.mjs)
//   tests/e2e/shots [words]     into build/e2e/shots; only those whose name has one of the words
// `readme` is the picture of README.md (1366x768): copy it to packaging/readme/class.png.
import fs from 'node:fs';
import path from 'node:path';
import { ClassRoom } from './lib/class.mjs';
import { ids } from './lib/contract.mjs';
import { RawClient, tokenOf } from './lib/raw.mjs';
import { Scenario } from './lib/scenario.mjs';
import { until } from './lib/wait.mjs';
import { parts } from './shots_day.mjs';

const words = process.argv.slice(2);
const wanted = (name) => !words.length || words.some((w) => name.includes(w));
const people = ['Claire Fontaine', 'Karim Benali', 'Monique Lefèvre', 'Inès Garcia', 'Thomas Roux',
    'Aminata Diallo', 'Marc Vasseur', 'Lucie Bernard', 'Paul Nguyen', 'Sofia Costa', 'Yann Le Goff',
    'Élodie Marchand de la Tour-Maubourg'];
const sizes = { 360: [360, 740], 768: [768, 1024], 1366: [1366, 768], 1920: [1920, 1080] };

const t = new Scenario('shots');
const portrait = { media: 'portrait', camera: [640, 360], fps: 12 };

const shot = async (page, name) => {
    if (wanted(name)) await page.screenshot(path.join(t.dir, `${name}.png`));
};

/** Everybody who sends a picture is seen on this page. */
const settled = (page, pictures) => until(() => page.eval((n) => {
    const tiles = [...document.querySelectorAll('[data-testid^="tile-"] video')];
    return tiles.filter((v) => v.videoWidth && v.readyState >= 2).length >= n && document.fonts.ready.then(() => true);
}, pictures), { what: `${page.name}: ${pictures} pictures`, timeout: 30000 });

async function run() {
    const room = await ClassRoom.start(t, { title: 'Conduire un entretien, séance 2' });
    const enter = (n, options = {}) => room.enter('chromium', {
        ...portrait, lang: 'fr', viewport: { width: 1366, height: 768 }, sender: n + 1, name: people[n], ...options,
    });
    const door = await room.open('chromium', { ...portrait, lang: 'fr', sender: 1, name: people[0], role: 'host' });
    await door.waitForTestId(ids.join);
    await door.fill(ids.name, people[0]);
    for (const [width, [w, h]] of Object.entries(sizes)) {
        await door.page.setViewportSize({ width: w, height: h });
        await door.waitFor('a preview', () => [...document.querySelectorAll('video')].some((v) => v.videoWidth));
        await shot(door, `door-${width}-light-fr`);
    }
    await door.page.setViewportSize({ width: 1366, height: 768 });
    const host = await room.join(door);
    await shot(host, 'alone-1366-light-fr');
    const guests = [];
    for (const n of [1, 2, 3]) guests.push(await enter(n, { theme: n === 2 ? 'dark' : 'light', lang: n === 2 ? 'en' : 'fr' }));
    for (const page of [host, ...guests]) await page.eval(() => window.__e2e.setTone(0));
    await settled(host, 4);
    const around = async (tag, page) => {
        const { lang, theme } = page.options;
        for (const [width, [w, h]] of Object.entries(sizes)) {
            await page.page.setViewportSize({ width: w, height: h });
            await settled(page, 3).catch((e) => t.log(e.message));
            await shot(page, `${tag}-${width}-${theme ?? 'light'}-${lang}`);
        }
        await page.page.setViewportSize({ width: 1366, height: 768 });
    };
    await around('four', host);
    await around('four', guests[1]);
    await guests[0].eval(() => window.__e2e.setTone(0.25));
    await guests[2].click(ids.bar.hand);
    await room.say(guests[0], 'Bonjour à toutes et à tous, le support est dans le cours.');
    await room.say(guests[1], 'Merci, je le vois très bien.');
    await host.waitFor('the hand', () => window.__e2e.view().hands.length === 1);
    await shot(host, 'speaking-1366-light-fr');
    await room.openPanel(guests[0], 'chat');
    // Nobody blinks, nobody types, and the line has had time to show what it can.
    for (const page of [host, ...guests]) await page.eval(() => { window.__e2e.calm = true; });
    await guests[0].eval(() => document.activeElement?.blur());
    await guests[0].waitFor('a good line', () => Boolean(document.querySelector('[data-testid="quality"].q3')),
        { timeout: 8000 }).catch((error) => t.log(error.message));
    await shot(guests[0], 'readme');
    for (const which of ['people', 'chat']) {
        await room.openPanel(host, which);
        await around(`${which}`, host);
        await host.press('Escape');
    }
    await host.click(ids.bar.screen);
    await guests[0].waitFor('the slide', () => window.__e2e.view().video.some((v) => v.source === 'screen' && v.state === 'live'));
    await settled(guests[0], 5);
    await shot(guests[0], 'slide-chat-1366-light-fr');
    for (const page of guests.slice(0, 2)) {
        await page.press('Escape');
        await page.waitForGone(ids.panel);
        await around('slide', page);
    }
    await host.click(ids.bar.screen);
    const clients = [];
    for (let n = 4; n < 12; n++) {
        const client = await RawClient.open(host, { link: tokenOf(room.links.participant) });
        await client.send({ t: 'join', id: `j${n}`, name: people[n], mic: n % 3 === 0, cam: false });
        await client.got({ t: 'snapshot' });
        if (n % 4 === 0) await client.send({ t: 'hand.raise', id: `h${n}`, kind: 'speak' });
        clients.push(client);
    }
    await host.waitFor('twelve', () => window.__e2e.view().people.length === 12);
    await around('twelve', host);
    await around('twelve', guests[1]);
    await room.openPanel(host, 'people');
    await around('twelve-people', host);
}

let failed = false;
if (words[0] === 'day') {
    for (const [name, part] of Object.entries(parts)) {
        if (words.length > 1 && !words.slice(1).some((w) => name.includes(w))) continue;
        const scene = new Scenario(`day-${name}`);
        try {
            await part(scene);
        } catch (error) {
            failed = true;
            console.error(`${name}: ${error.message}`);
        }
        await scene.end(false);
        console.log(fs.readdirSync(scene.dir).filter((f) => f.endsWith('.png')).length, 'pictures in', scene.dir);
    }
    process.exit(failed ? 1 : 0);
}
try {
    await run();
} catch (error) {
    failed = true;
    console.error(error);
}
await t.end(failed);
console.log(fs.readdirSync(t.dir).filter((f) => f.endsWith('.png')).length, 'pictures in', t.dir);
process.exit(failed ? 1 : 0);
