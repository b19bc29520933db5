// bandwidth - one sender of three sizes, three viewers each behind a link of its own: everybody gets
// what his link carries, and nobody's link changes what another gets. The sender is a load client
// with its film, real VP8 in three sizes at rates that never change: what the viewers get is the
// server's doing alone, not that of an encoder which shares the processor with them.
import path from 'node:path';
import { ids } from './lib/contract.mjs';
import { ClassRoom } from './lib/class.mjs';
import { crowd } from './lib/crowd.mjs';
import { root } from './lib/deps.mjs';
import { reach } from './lib/keyboard.mjs';
import { Look } from './lib/look.mjs';
import { until } from './lib/wait.mjs';

const LINKS = [['wide', 3000], ['middle', 500], ['narrow', 120]];
const SENDER = 'load 1';

/** A load client publishes until the scenario ends. */
async function publish(t, room, people = 1, how = ['--speaker-url', room.links.host]) {
    const args = ['load', '--url', room.links.participant, ...how,
        '--publishers', String(people), '--subscribers', '0', '--decoded', '0', '--sampled', '0', '--duration', '600', '--quiet'];
    const film = path.join(root, 'build/e2e/film'); // made once, kept between runs
    t.process(args, { env: { XDG_CACHE_HOME: film } });
}

/** A viewer whose media comes through a relay of that rate; the page itself does not. */
async function viewer(t, room, [name, rate], sender) {
    const host = room.server.portMap.host;
    const port = Number(Object.keys(room.server.portMap).find((k) => k.startsWith('udp:')).slice(4));
    const relay = await t.relay({ udp: [`${host}:${port}`], words: ['delay=20', `ba:rate=${rate}`, 'ba:queue=300'] });
    const page = await t.openPage('chromium', room.links.participant, {
        role: 'participant', name, sender, media: 'none', portMap: relay.onlyWay(host),
    });
    room.senders.set(name, sender);
    await room.join(page);
    // Pinned, the tile is large: the page asks for the best picture there is.
    await page.waitFor('the sender is seated', (who) => {
        const tile = [...document.querySelectorAll('.tile:not(.self)')].find((e) => e.textContent.includes(who));
        tile?.querySelector('.pin')?.click();
        return Boolean(tile?.querySelector('.pin'));
    }, { args: [SENDER], timeout: 60000 });
    return { name, page, relay };
}

/** What stands in the slot of the sender's camera, and how much sound came so far. */
async function look({ page }) {
    const [slots, stats] = await Promise.all([page.hook('slots'), page.hook('stats')]);
    const [slot] = slots.video;
    const figures = stats.slots.find((s) => s.kind === 'video' && s.slot === slot?.slot);
    const sound = stats.slots.filter((s) => s.kind === 'audio');
    return {
        life: slot?.life ?? 'none', height: figures?.height ?? 0, decoded: figures?.framesDecoded ?? 0,
        voice: sound.reduce((n, s) => n + s.packets, 0), freezes: figures?.freezes ?? 0,
    };
}

const layerOf = ({ life, height }) => (life !== 'live' ? 'paused' : height >= 540 ? 'high' : height >= 270 ? 'middle' : 'low');

const accepted = { wide: ['high'], middle: ['middle'], narrow: ['low', 'paused'] };

/** Looks until everybody has what is accepted; the changes on the way go into the log. */
async function settled(t, viewers, wanted, what) {
    const start = performance.now();
    let last = '';
    let wide = 0;
    await until(async () => {
        const seen = (await Promise.all(viewers.map(look))).map(layerOf);
        if (seen.join('+') !== last) t.log(`${Math.round(performance.now() - start)} ms ${seen.join('+')}`);
        wide += last && !last.startsWith(`${seen[0]}+`) ? 1 : 0;
        last = seen.join('+');
        return seen.every((layer, i) => wanted[viewers[i].name].includes(layer));
    }, { what, timeout: 60000, every: 250 });
    return { ms: performance.now() - start, layers: last, wide };
}

async function three(t) {
    const room = await ClassRoom.start(t, { impair: [] });
    await publish(t, room);
    const viewers = await Promise.all(LINKS.map((link, i) => viewer(t, room, link, 20 + i)));
    const first = await settled(t, viewers, accepted, 'everybody has what his link carries');
    t.figure('settled_ms', first.ms);
    t.figure('target_ms', 10000);
    await until(async () => (await Promise.all(viewers.map(look))).every((s) => s.voice > 100),
        { what: 'everybody hears the sender', timeout: 60000, every: 250 });
    const before = await Promise.all(viewers.map(look));
    // One link is tightened: the other two keep what they have.
    await viewers[1].relay.set('ba:rate=120');
    const tight = await settled(t, viewers, { ...accepted, middle: accepted.narrow }, 'the tightened link has less, the others the same');
    t.figure('tightened_ms', tight.ms);
    t.figure('changes_of_the_wide_one', tight.wide);
    t.figure('layers', tight.layers);
    await until(async () => (await Promise.all(viewers.map(look))).every((s, i) => s.voice > before[i].voice + 100),
        { what: 'sound goes on everywhere', timeout: 60000, every: 250 });
    // The page says why.
    await viewers[1].page.waitFor('the reason', () => ['connection', 'paused']
        .includes(document.querySelector('[data-testid=reason]')?.dataset.reason), { timeout: 60000 });
    // And gives it back when there is room again.
    await viewers[1].relay.set('ba:rate=500');
    t.figure('back_ms', (await settled(t, viewers, accepted, 'everybody has it back')).ms);
}

/**
 * Nothing but sound (or `kinds`) leaves the server, by its own count: `people` are all there are, and whoever has a
 * camera open is seen by nobody. Sound is counted over a little more time than what leaves.
 */
async function onlySound(t, room, people, what, kinds = ['audio']) {
    const heard = async () => (await Promise.all(people.map((page) => page.stats())))
        .flatMap((s) => s.slots.filter((row) => kinds.includes(row.kind))).reduce((n, row) => n + (row.packets ?? 0), 0);
    const left = async () => (await room.server.metrics()).amphi_forwarded_packets_total;
    // The server's count is a quarter of a second old, more on a busy machine: another stretch is judged then.
    await until(async () => {
        const before = await heard();
        const from = await left();
        await until(async () => (await heard()) >= before + 600, { what: `sound goes on, ${what}`, timeout: 60000, every: 250 });
        const sent = await left() - from;
        const sound = await heard() - before;
        t.log(`${what}: ${sent} packets left the server, ${sound} of sound came`);
        return sent <= sound + 40 || Promise.reject(new Error(`${sent} packets left the server, ${sound} of sound came`));
    }, { what: `only sound leaves, ${what}`, timeout: 60000 });
}

/**
 * The statistics panel without sight and without a mouse: axe in both languages, themes and sizes;
 * what is read is in the order of what is seen, each value behind its label, each card under its name;
 * Tab comes to it, End scrolls to its last line, Escape closes it.
 */
async function panel(t, guest) {
    const look = new Look(t);
    await look.at(guest, 'stats');
    look.clean();
    const read = await guest.eval(() => {
        const wrong = [];
        const root = document.querySelector('[data-testid=stats]');
        const rows = [...root.querySelectorAll('dt')].map((dt) => [dt, dt.nextElementSibling]);
        for (const [dt, dd] of rows) {
            if (dd?.tagName !== 'DD' || !dt.textContent.trim() || !dd.textContent.trim()) wrong.push(`no value behind ${dt.textContent}`);
        }
        for (const card of root.querySelectorAll('section')) {
            const [first] = card.children;
            if (first.tagName !== 'H3' || first.textContent !== card.getAttribute('aria-label')) wrong.push(`a card without its name: ${first.textContent}`);
        }
        let last = -Infinity;
        for (const part of root.querySelectorAll('p, .all, h3, section dl')) {
            const { top } = part.getBoundingClientRect();
            if (top < last) wrong.push(`read after what stands below it: ${part.textContent.slice(0, 30)}`);
            last = top;
        }
        return { wrong, values: rows.length, cards: root.querySelectorAll('section').length };
    });
    t.equal(read.wrong, [], 'what a screen reader reads');
    t.check(read.cards >= 2 && read.values >= 3 + 3 * read.cards, `values in the panel: ${JSON.stringify(read)}`);
    await guest.page.setViewportSize({ width: 1280, height: 360 }); // more than fits
    await reach(guest, 'stats', 'End');
    await guest.waitFor('its last line, by the keyboard', () => {
        const e = document.querySelector('[data-testid=stats]');
        return e.scrollHeight > e.clientHeight + 20 && e.scrollTop > 0;
    }, { timeout: 60000 });
    await guest.page.setViewportSize({ width: 1280, height: 720 });
}

/** The panel, the low-bandwidth mode and its end, by keyboard. */
async function page(t) {
    const room = await ClassRoom.start(t);
    const host = await room.enter('chromium', { role: 'host' });
    const guest = await room.enter('chromium');
    await room.whole();
    await guest.eval(() => document.dispatchEvent(new KeyboardEvent('keydown', { code: 'KeyN', ctrlKey: true, altKey: true, bubbles: true })));
    await guest.waitForTestId('stats');
    await guest.waitFor('a card per tile and voice', () => document.querySelectorAll('[data-testid=stats-card]').length >= 2
        && /kbit\/s/.test(document.querySelector('[data-testid=stats]').textContent), { timeout: 10000 });
    await panel(t, guest);
    await guest.click(ids.settings);
    await guest.eval(() => [...document.querySelectorAll('[data-testid=settings] input[role=switch]')].at(-1).click());
    await guest.waitForTestId('saver-badge');
    await until(async () => (await look({ page: guest })).life === 'off', { what: 'the picture rests', timeout: 15000 });
    // What was on its way may still be decoded: then comes a stretch of voice without one picture.
    const later = await until(async () => {
        const quiet = await look({ page: guest });
        const heard = await until(async () => {
            const seen = await look({ page: guest });
            return seen.voice > quiet.voice + 40 && seen;
        }, { what: 'the voice goes on' });
        if (heard.decoded !== quiet.decoded) throw new Error(`${heard.decoded - quiet.decoded} pictures`);
        return heard;
    }, { what: 'no picture is decoded while saving', timeout: 15000 });
    await onlySound(t, room, room.people, 'while saving');
    await guest.click('saver-stop');
    await until(async () => (await look({ page: guest })).decoded > later.decoded, { what: 'the picture is back', timeout: 15000 });
    // A tab nobody looks at gets no pictures; one that is seen again has them at once.
    const hide = (hidden) => guest.eval((h) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => h });
        document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
    await hide(true);
    await until(async () => (await look({ page: guest })).life === 'off', { what: 'the hidden tab rests', timeout: 10000 });
    await onlySound(t, room, room.people, 'for a hidden tab'); // his camera has stayed closed
    const hidden = await look({ page: guest });
    const start = performance.now();
    await hide(false);
    await until(async () => (await look({ page: guest })).decoded > hidden.decoded, { what: 'pictures again', timeout: 15000 });
    t.figure('back_ms', performance.now() - start);
    room.clean(host);
}

/**
 * Six people send, one looks, and a page of the grid holds fewer of them: by the server's own count
 * what is on the other pages is sent to nobody, and not a packet leaves but for what is shown and heard.
 */
async function pages(t) {
    const room = await ClassRoom.start(t);
    const guest = await room.enter('chromium', { role: 'host', sender: 9, media: 'none', viewport: { width: 360, height: 640 } });
    // Those who send neither look nor speak: whatever leaves the server is for the one who looks.
    const [staff] = await crowd(room, { role: 'host', count: 1 });
    await staff.send({ t: 'lock.set', id: 'lock', feature: 'mic', locked: true });
    // A speaker would be refused his microphone, and then sends no picture either.
    await publish(t, room, 6, ['--speakers', '0', '--tiles', '0']);
    const shown = () => guest.eval(() => document.querySelectorAll('.tile:not(.self) video').length);
    await guest.waitFor('more than one page of tiles', () => document.querySelectorAll('.pager button').length === 2
        && window.__e2e.view().people.length === 8, { timeout: 60000 });
    for (const turn of ['first', 'second']) {
        if (turn === 'second') await guest.eval(() => document.querySelectorAll('.pager button')[1].click());
        const seen = await until(async () => {
            const [slots, tiles, metrics] = await Promise.all([guest.hook('slots'), shown(), room.server.metrics()]);
            const live = slots.video.filter((slot) => slot.life === 'live').length;
            const sent = metrics.amphi_subscriptions;
            t.log(`${turn} page: ${tiles} tiles, ${live} pictures, the server sends ${sent}`);
            return live > 0 && live === tiles && live < 6 && sent === live && { live };
        }, { what: `the ${turn} page and nothing else`, timeout: 60000, every: 250 });
        t.figure(`pictures_${turn}`, seen.live);
        await onlySound(t, room, [guest], `but what the ${turn} page shows`, ['video']);
    }
}

export const scenarios = [
    { name: 'three-links', timeout_s: 180, run: three },
    { name: 'page', timeout_s: 90, run: page },
    { name: 'pages', timeout_s: 90, run: pages },
];
