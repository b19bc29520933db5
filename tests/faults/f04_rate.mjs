import path from 'node:path';
import { ClassRoom } from '../e2e/lib/class.mjs';
import { root } from '../e2e/lib/deps.mjs';
import { behind, during, now, until, watch } from './lib.mjs';

// accept: one viewer's link 3 Mbit/s to 500 k, to 150 k, back, its page with a large picture of 1 Mbit/s and one voice: within 2 s <= 110 % of the link, queue delay p95 <= 300 ms after 5 s, concealment <= 2 %, >= 80 % of what it had 15 s after it returns (of the link itself: simulator, f4_changing_link); the other viewer's picture keeps its layer throughout
export const timeout_s = 600;

/** A camera of constant rate in three sizes: what is measured is no encoder that lacks processor time. One
 * voice: three of them, which are never shed, are more than 150 kbit/s. */
function publish(t, room) {
    const args = ['load', '--url', room.links.participant, '--speaker-url', room.links.host, '--publishers', '1',
        '--subscribers', '0', '--decoded', '0', '--sampled', '0', '--duration', '600', '--quiet'];
    t.process(args, { env: { XDG_CACHE_HOME: path.join(root, 'build/e2e/film') } });
}

/** Height of the largest picture this page decodes. */
const tallest = async (page) => Math.max(0, ...(await page.hook('stats')).slots.map((s) => s.height ?? 0));

/** Kilobits per second offered to the link, and its queue, sampled for a while. */
async function look(relay, ms) {
    const start = await relay.stat();
    const at = now();
    const queue = [];
    await during(ms, 100, async () => queue.push((await relay.stat()).ba.backlog_us / 1000));
    const end = await relay.stat();
    queue.sort((a, b) => a - b);
    return {
        kbps: Math.round((8 * (end.ba.in_bytes - start.ba.in_bytes)) / (now() - at)),
        queue_p95_ms: Math.round(queue[Math.floor(queue.length * 0.95)] ?? 0),
    };
}

/** Both inside, each on a link of its own, the same camera pinned: the large picture of both. */
async function people(t, room) {
    const words = ['delay=20', 'ba:rate=3000', 'ba:queue=1000'];
    const one = await behind(t, room, 'chromium', words, { role: 'host' });
    publish(t, room);
    const other = await behind(t, room, 'chromium', words, { media: 'none' });
    for (const { page } of [one, other]) {
        await page.waitFor('a camera to be pinned', () => {
            const tile = [...document.querySelectorAll('.tile:not(.self)')].find((e) => e.textContent.includes('load 1'));
            tile?.querySelector('.pin')?.click();
            return Boolean(tile?.querySelector('.pin'));
        }, { timeout: 20000 });
        await until(async () => await tallest(page) >= 540, { what: `${page.name} sees it large`, timeout: 20000, every: 250 });
    }
    return { one, other };
}

export async function run(t) {
    const room = await ClassRoom.start(t, { impair: [] });
    const { one, other } = await people(t, room);
    const measured = {};
    let ok = true;
    await watch(room, 10000);
    const heights = []; // [seconds, height] each time it changes
    let over = false;
    const from = now();
    const guard = during(600000, 250, async () => {
        if (over) throw new Error('over');
        const height = await tallest(other.page);
        if (heights.at(-1)?.[1] !== height) heights.push([Math.round((now() - from) / 100) / 10, height]);
    }).catch(() => {});
    const before = await look(one.relay, 5000);
    for (const rate of [500, 150]) {
        await one.relay.set(`ba:rate=${rate}`);
        await during(2000, 500, async () => {});
        const early = await look(one.relay, 3000);
        const [late, heard] = await Promise.all([look(one.relay, 10000), watch(room, 10000)]);
        measured[`${rate} kbit/s`] = { after_2_s: early, after_5_s: late, concealed_pct: heard.heard.concealed_pct };
        ok &&= early.kbps <= 1.1 * rate && late.queue_p95_ms <= 300 && heard.concealed_pct <= 2;
    }
    await one.relay.set('ba:rate=3000');
    await during(15000, 1000, async () => {});
    const after = await look(one.relay, 5000);
    over = true;
    await guard;
    Object.assign(measured, { before, returned: after, other_heights: heights });
    return { measured, ok: ok && before.kbps >= 900 && after.kbps >= 0.8 * before.kbps && heights.every(([, height]) => height >= 540) };
}
