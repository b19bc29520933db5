// access - axe over door and class in both languages and themes, and a whole visit by keyboard.
import fs from 'node:fs';
import path from 'node:path';
import { ClassRoom } from './lib/class.mjs';
import { ids } from './lib/contract.mjs';
import { full } from './lib/scenario.mjs';

async function axe(t) {
    const room = await ClassRoom.start(t, { title: 'Conduire un entretien' });
    const host = await room.enter('chromium', { role: 'host' });
    const sizes = { wide: { width: 1280, height: 720 }, phone: { width: 360, height: 740 } };
    let views = 0;
    const found = [];
    const look = async (page, what) => {
        views++;
        await page.screenshot(path.join(t.dir, `${what}.png`));
        for (const v of await page.axe()) {
            found.push(`${what}: ${v.id}`);
            fs.appendFileSync(path.join(t.dir, 'axe.txt'), `${what}: ${v.id} (${v.impact}) ${v.help}\n  ${v.nodes.join('\n  ')}\n`);
        }
    };
    let sender = 60;
    for (const lang of ['en', 'fr']) {
        for (const theme of ['light', 'dark']) {
            for (const [size, viewport] of Object.entries(sizes)) {
                // Every language meets every theme and every size; a full run has all the corners.
                if (!full && (lang === 'en') === (theme === 'dark') !== (size === 'phone')) continue;
                const tag = `${lang}-${theme}-${size}`;
                const page = await room.open('chromium', { lang, theme, viewport, sender: sender++, name: `Visitor ${tag}` });
                await page.waitForTestId(ids.join);
                t.equal(await page.eval(() => document.documentElement.lang), lang, `${tag}: language of the page`);
                await look(page, `door-${tag}`);
                await room.join(page);
                await room.whole({ people: [page, host] });
                await look(page, `class-${tag}`);
                for (const panel of ['people', 'chat']) {
                    await room.openPanel(page, panel);
                    await page.waitForTestId(ids.panel);
                    await look(page, `${panel}-${tag}`);
                    await page.press('Escape');
                }
                const overflow = await page.eval(() => document.documentElement.scrollWidth - innerWidth);
                t.check(overflow <= 0, `${tag}: ${overflow} pixels beyond the right edge`);
                room.clean(page);
                await room.leave(page);
                await page.close();
            }
        }
    }
    t.figure('views', views);
    t.figure('violations', found.length);
    t.equal(found, [], 'axe');
}

/** What has the focus: its test id or a description, and whether one can see that it has it. */
const focused = () => {
    const e = document.activeElement;
    const style = getComputedStyle(e);
    const rect = e.getBoundingClientRect();
    return {
        id: e.dataset.testid ?? `${e.localName} ${e.getAttribute('aria-label') ?? e.textContent.trim().slice(0, 30)}`,
        name: e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.[0]?.textContent.trim() || '',
        visible: e === document.body || (rect.width > 0 && rect.bottom > 0 && rect.top < innerHeight),
        ring: e === document.body || style.outlineStyle !== 'none' || style.boxShadow !== 'none',
    };
};

/** Closing something gives the focus back, in a moment. */
const focusIs = (page, id, when) => page.waitFor(`focus ${when}`,
    (wanted) => document.activeElement?.dataset.testid === wanted, { args: [id] });

/** Press Tab until the wanted element has the focus; everything on the way must be usable. */
async function tabTo(t, page, wanted, key = 'Tab') {
    const way = [];
    for (let i = 0; i < 80; i++) {
        const here = await page.eval(focused);
        t.check(here.visible, `focus out of sight: ${here.id}`);
        t.check(here.ring, `no focus ring: ${here.id}`);
        if (here.id !== 'body') way.push(here);
        if (here.id === wanted) return way;
        await page.press(key);
    }
    throw new Error(`no way by ${key} to ${wanted}: ${way.map((w) => w.id).join(' > ')}`);
}

async function keyboard(t) {
    const room = await ClassRoom.start(t);
    const host = await room.enter('chromium', { role: 'host' });
    const page = await room.open('chromium', { name: 'Keyboard Only', sender: 33 });
    await page.waitForTestId(ids.join);

    // The door: microphone and camera off and on again, the name, then in.
    for (const toggle of [ids.doorMic, ids.doorCamera]) {
        await tabTo(t, page, toggle);
        const pressed = () => page.eval((s) => document.querySelector(s).getAttribute('aria-pressed'), page.selector(toggle));
        const before = await pressed();
        await page.press('Space');
        await page.waitFor('it toggles', (s, b) => document.querySelector(s).getAttribute('aria-pressed') !== b,
            { args: [page.selector(toggle), before] });
        await page.press('Space');
        await page.waitFor('and back', (s, b) => document.querySelector(s).getAttribute('aria-pressed') === b,
            { args: [page.selector(toggle), before] });
    }
    await tabTo(t, page, ids.name);
    await page.press('Control+A');
    await page.type(page.options.name);
    await page.press('Enter');
    await page.waitFor('is in the class', () => Boolean(window.__e2e.view().snapshotAt));
    room.people.push(page);
    await room.whole();

    // Every action of the bar can be reached and does what it says.
    let stops = 0;
    for (const action of [ids.bar.mic, ids.bar.camera, ids.bar.hand, ids.bar.people, ids.bar.chat, ids.bar.leave]) {
        const way = await tabTo(t, page, action);
        stops += way.length;
        t.check(way.every((w) => w.name), `nameless stop: ${way.find((w) => !w.name)?.id}`);
    }
    await tabTo(t, page, ids.bar.hand, 'Shift+Tab');
    await page.press('Enter');
    await host.waitFor('the hand is up', () => window.__e2e.view().hands.length === 1);
    // The key takes down what the page itself knows to be up.
    await page.waitFor('its own hand is up', () => window.__e2e.view().hands.length === 1);
    await page.press('Enter');
    await host.waitFor('the hand is down', () => window.__e2e.view().hands.length === 0);

    await tabTo(t, page, ids.bar.chat);
    await page.press('Enter');
    await page.waitForTestId(ids.chatInput);
    await tabTo(t, page, ids.chatInput);
    await page.type('typed without a mouse');
    await page.press('Enter');
    await room.chatIs(['typed without a mouse']);
    await page.press('Escape');
    await page.waitForGone(ids.panel);
    await focusIs(page, ids.bar.chat, 'after closing the panel');

    await tabTo(t, page, ids.bar.leave);
    await page.press('Enter');
    await page.waitForTestId(ids.leaveYes);
    await page.press('Escape');
    await page.waitForGone(ids.leaveYes);
    await focusIs(page, ids.bar.leave, 'after staying');
    await page.press('Enter');
    await tabTo(t, page, ids.leaveYes);
    await page.press('Enter');
    await page.waitForTestId(ids.over('left'));
    room.people = [host];
    await room.whole();
    room.clean(page);
    t.figure('stops', stops);
}

export const scenarios = [
    { name: 'axe', timeout_s: 300, run: axe },
    { name: 'keyboard', timeout_s: 120, run: keyboard },
];
