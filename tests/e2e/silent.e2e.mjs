// silent - pictures that do not come while everything else goes on. A camera that gives nothing any more: whoever
// watches is told, and sees it again when it gives. A sender that has lost its track: it has it again by itself.
// A picture that is said to come, whose packets come, and of which nothing can be made: it is begun anew.
import { ClassRoom } from './lib/class.mjs';
import { ids } from './lib/contract.mjs';
import { Look } from './lib/look.mjs';
import { until } from './lib/wait.mjs';

/** What the tile of that person says of its picture, and how many were decoded of it. */
async function tileOf(page, name) {
    const [tile, slots, { slots: figures }] = await Promise.all([page.eval((tiles, who) => {
        const found = [...document.querySelectorAll(tiles)].find((e) => e.textContent.includes(who));
        const reason = found?.querySelector('[data-testid=reason]');
        return {
            device: found?.dataset.testid.match(/^tile-(.*)-cam$/)?.[1], video: Boolean(found?.querySelector('video')),
            reason: reason?.dataset.reason ?? '', sign: reason?.dataset.sign ?? '', words: reason?.title ?? '',
        };
    }, ids.tileSelector, name), page.hook('slots'), page.hook('stats')]);
    const slot = slots.video.find((s) => s.device === tile.device && s.source === 'cam');
    const decoded = figures.find((s) => s.kind === 'video' && s.slot === slot?.slot)?.framesDecoded ?? 0;
    return { ...tile, life: slot?.life ?? 'none', decoded };
}

const voice = async (page) => (await page.stats()).slots.filter((s) => s.kind === 'audio').reduce((n, s) => n + (s.packets ?? 0), 0);

/** The camera is open and its clock has stopped, as one that hangs. */
async function gives(t, room, host, viewer, look) {
    const heard = await voice(viewer);
    await host.eval(() => {
        window.__e2e.sending.still = true;
    });
    const start = performance.now();
    const told = await until(async () => {
        const tile = await tileOf(viewer, host.name);
        return tile.reason === 'source' && tile;
    }, { what: 'the tile says that nothing comes', timeout: 60000, every: 100 });
    t.figure('told_ms', performance.now() - start);
    t.equal([told.life, told.video, told.sign], ['waiting', false, 'circle-alert'], 'the tile');
    t.check(/sends no picture/.test(told.words), `the words: ${told.words}`);
    t.check(await voice(viewer) > heard, 'the voice has gone too');
    await look.at(viewer, 'silent');
    await host.eval(() => {
        window.__e2e.sending.still = false;
    });
    const again = performance.now();
    await room.whole({ timeout: 60000 });
    t.figure('seen_again_ms', performance.now() - again);
    t.equal((await tileOf(viewer, host.name)).reason, '', 'a reason is left');
}

/** Behind the page's back; the server insists, and the page looks. */
async function lost(t, room, host) {
    await host.eval(() => {
        const sender = window.__e2e.pc().getSenders().find((s) => s.track?.kind === 'video');
        window.__e2e.sender = sender;
        return sender.replaceTrack(null);
    });
    const start = performance.now();
    await host.waitFor('its sender has a track again', () => window.__e2e.sender.track !== null, { timeout: 60000 });
    t.figure('track_again_ms', performance.now() - start);
    await room.whole({ timeout: 60000 });
}

/** Until the slot is asked for anew nothing of what comes reaches the decoder. */
async function stuck(t, room, host, viewer) {
    await viewer.eval(() => {
        const { __e2e: e2e } = window;
        e2e.blind = true;
        let last = e2e.lastView;
        Object.defineProperty(e2e, 'lastView', {
            get: () => last,
            set: (view) => {
                last = view;
                if (view.want.some(([, , source, height]) => source === 'cam' && height === 0)) e2e.blind = false;
            },
        });
    });
    const start = performance.now();
    // What was on its way is seen; from then on the slot is live and shows nothing.
    let before;
    await until(async () => {
        const now = await tileOf(viewer, host.name);
        const stands = before && now.decoded === before.decoded && now.life === 'live';
        before = now;
        return stands;
    }, { what: 'told live, and nothing seen', timeout: 60000, every: 500 });
    await viewer.waitFor('its slot is asked for anew', () => !window.__e2e.blind, { timeout: 60000 });
    t.figure('anew_ms', performance.now() - start);
    await until(async () => (await tileOf(viewer, host.name)).decoded > before.decoded + 15, { what: 'pictures again', timeout: 60000 });
    await room.whole({ timeout: 60000 });
}

async function pictures(t) {
    const room = await ClassRoom.start(t);
    const look = new Look(t);
    const host = await room.enter('chromium', { role: 'host', e2ee: 7 });
    const viewer = await room.enter('chromium', { e2ee: 7 });
    await room.whole({ timeout: 60000 });
    await gives(t, room, host, viewer, look);
    await lost(t, room, host);
    await stuck(t, room, host, viewer);
    for (const page of room.people) {
        await room.oneOffer(page);
        room.clean(page);
    }
    look.clean();
}

export const scenarios = [{ name: 'pictures', timeout_s: 150, run: pictures }];
