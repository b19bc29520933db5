// badlink - links that lead nowhere, and classes one is no longer in: the page says so, and nobody
// else notices.
import { ClassRoom } from './lib/class.mjs';
import { ids } from './lib/contract.mjs';
import { tokenOf } from './lib/raw.mjs';

async function links(t) {
    const room = await ClassRoom.start(t);
    const host = await room.enter('chromium', { role: 'host' });
    const good = room.links.participant;
    const token = tokenOf(good);
    const middle = token.length >> 1;
    const other = await room.server.createClass('Another class');
    const withToken = (text) => good.replace(/#.*/, `#${text}`);
    const swap = (text, at) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
    const bad = {
        changed: withToken(swap(token, middle)),
        cut: withToken(token.slice(0, -4)),
        longer: withToken(`${token}A`),
        empty: withToken(''),
        junk: withToken('%00%ff<script>'),
        'of another class': good.replace(room.id, other),
        'of no class': good.replace(room.id, 'c_nothingnothingnothing'),
    };
    const page = await t.openPage('chromium', null, { name: 'stranger', sender: 50, portMap: room.server.portMap });
    for (const [what, url] of Object.entries(bad)) {
        await page.goto('about:blank');
        await page.goto(url);
        await page.waitFor(`${what}: told`, (over, landing) => Boolean(document.querySelector(over)
            ?? document.querySelector(landing)),
        { args: [page.selector(ids.over('auth')), page.selector(ids.landingLink)], timeout: 10000 });
        t.check(!(await page.has(ids.join)), `${what}: the door opens`);
    }
    page.failed.length = 0;
    t.equal((await host.view()).people.length, 1, 'people inside');
    room.clean(host);
    t.figure('links', Object.keys(bad).length);
}

/** The server's clock goes on by three minutes: a link of a minute is no longer good, another is. */
async function expired(t) {
    const room = await ClassRoom.start(t);
    const link = await room.server.link(room.id, { role: 'participant', ttl_s: 60 });
    const page = await t.openPage('chromium', null, { name: 'tardy', sender: 51 });
    // The door is drawn before the server has answered: its answer counts.
    const answer = async (url, wanted) => {
        const what = url === link ? 'the short link' : 'the long link';
        await page.goto('about:blank');
        await page.goto(url);
        if (wanted === ids.join) {
            await page.waitFor(`${what} is let in`, () => (window.__e2e.counts().got.door ?? 0) > 0);
            t.check(await page.has(ids.join), `${what}: no way in`);
        } else {
            await page.waitForTestId(wanted);
            t.check(!(await page.has(ids.join)), `${what}: the door opens`);
        }
    };
    await answer(link, ids.join);
    await room.server.later(180); // clocks may differ by a minute, so a link lives that much longer
    await answer(link, ids.over('auth'));
    await answer(room.links.participant, ids.join);
}

async function removed(t) {
    const room = await ClassRoom.start(t);
    const host = await room.enter('chromium', { role: 'host' });
    const guest = await room.enter('chromium');
    await room.whole();
    const { you } = await guest.view();
    await room.openPanel(host, 'people');
    await host.click(ids.personMore(you.person));
    await host.click(ids.personRemove);
    const start = performance.now();
    await host.click(ids.removeBan);
    await guest.waitForTestId(ids.over('removed'));
    t.figure('removed_ms', performance.now() - start);
    t.equal((await guest.counts()).sockets.map((s) => s?.code), [4001], 'close code');
    // Coming back by the same link, as the same guest, is refused.
    await guest.goto('about:blank');
    await guest.goto(room.links.participant);
    await guest.waitFor('refused', (a, b) => Boolean(document.querySelector(a) ?? document.querySelector(b)),
        { args: [guest.selector(ids.over('removed')), guest.selector(ids.over('auth'))] });
    room.people = [host];
    await room.whole();
    room.clean(host);
}

async function ended(t) {
    const room = await ClassRoom.start(t);
    const host = await room.enter('chromium', { role: 'host' });
    const guest = await room.enter('firefox');
    await room.whole();
    await host.click(ids.bar.leave);
    await host.click('leave-end');
    for (const page of [host, guest]) await page.waitForTestId(ids.over('ended'));
    t.equal((await guest.counts()).sockets.map((s) => s?.code), [4002], 'close code');
}

/** No camera, no microphone, refused, in use: everybody can still enter and hear. */
async function devices(t) {
    const room = await ClassRoom.start(t);
    const host = await room.enter('chromium', { role: 'host' });
    for (const [i, media] of ['none', 'denied', 'busy'].entries()) {
        const page = await room.enter('chromium', { media, name: `With ${media}`, sender: 40 + i });
        await page.waitFor('hears and sees the host', () => {
            const { audio, video } = window.__e2e.read();
            return audio.some((a) => a.id === 1) && video.some((v) => v.id === 1);
        }, { timeout: 20000, every: 200 });
        room.clean(page);
        await room.leave(page);
    }
    room.people = [host];
    room.clean(host);
}

/** The line dies with the word that media is ready: pictures come all the same once there is another. */
async function readyLost(t) {
    const room = await ClassRoom.start(t);
    await room.enter('chromium', { role: 'host' });
    const page = await room.enter('chromium', { media: 'none', name: 'Unlucky', sender: 40, loses: 'media.ready' });
    // At the door everything begins anew with the next line; who comes back to his seat keeps the media.
    await page.reload();
    await page.waitFor('the line has died', () => window.__e2e.sockets.length > 1, { timeout: 20000 });
    await page.waitFor('hears and sees the host', () => {
        const { audio, video } = window.__e2e.read();
        return audio.some((a) => a.id === 1) && video.some((v) => v.id === 1);
    }, { timeout: 20000, every: 200 });
    await room.oneOffer(page);
}

export const scenarios = [
    { name: 'links', timeout_s: 120, run: links },
    { name: 'expired', timeout_s: 90, run: expired },
    { name: 'removed', timeout_s: 90, run: removed },
    { name: 'ended', timeout_s: 90, run: ended },
    { name: 'ready-lost', timeout_s: 90, run: readyLost },
    { name: 'devices', timeout_s: 120, run: devices },
];
