// bandwidth - one sender of three sizes, three viewers each behind a link of its own: everybody gets
// what his link carries, and nobody's link changes what another gets. The sender is a load client
// with its film, real VP8 in three sizes at rates that never change: what the viewers get is the
// server's doing alone, not that of an encoder which shares the processor with them.
import path from 'node:path';
import { ids } from './lib/contract.mjs';
import { ClassRoom } from './lib/class.mjs';
import { root } from './lib/deps.mjs';
import { until } from './lib/wait.mjs';

const LINKS = [['wide', 3000], ['middle', 500], ['narrow', 120]];
const SENDER = 'load 1';

/** A load client publishes until the scenario ends. */
async function publish(t, room) {
    const args = ['load', '--url', room.links.participant, '--speaker-url', room.links.host,
        '--publishers', '1', '--subscribers', '0', '--decoded', '0', '--sampled', '0', '--duration', '600', '--quiet'];
    const film = path.join(root, 'build/e2e/film'); // made once, kept between runs
    t.process(args, { env: { XDG_CACHE_HOME: film } });
}

/** A viewer whose media comes through a relay of that rate; the page itself does not. */
async function viewer(t, room, [name, rate], sender) {
    const host = room.server.portMap.host;
    const port = Number(Object.keys(room.server.portMap).find((k) => k.startsWith('udp:')).slice(4));
    const relay = await t.relay({ udp: [`${host}:${port}`], words: ['delay=20', `ba:rate=${rate}`, 'ba:queue=300'] });
    const page = await t.openPage('chromium', room.links.participant, {
        role: 'participant', name, sender, media: 'none', portMap: { ...relay.map, host },
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
 * Nothing but sound leaves the server, by its own count: `people` are all there are, and whoever has a
 * camera open is seen by nobody. Sound is counted over a little more time than what leaves.
 */
async function onlySound(t, room, people, what) {
    const heard = async () => (await Promise.all(people.map((page) => page.stats())))
        .flatMap((s) => s.slots.filter((row) => row.kind === 'audio')).reduce((n, row) => n + (row.packets ?? 0), 0);
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

export const scenarios = [
    { name: 'three-links', timeout_s: 180, run: three },
    { name: 'page', timeout_s: 90, run: page },
];
