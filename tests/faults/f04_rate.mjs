import { during, now, pair, watch } from './lib.mjs';

// accept: 3 Mbit/s to 500 k, to 150 k, back: within 2 s <= 110 % of the link, queue delay p95 <= 300 ms after 5 s, concealment <= 2 %, >= 80 % of what was sent before 15 s after it returns
export async function run(t) {
    const room = await pair(t, { words: ['delay=20', 'ba:rate=3000', 'ba:queue=1000'], kinds: ['chromium', 'chromium'] });
    const relay = room.server.relay;
    const measured = {};
    let ok = true;
    await watch(room, 10000);
    /** Kilobits per second offered to the link, and its queue, sampled for a while. */
    const look = async (ms) => {
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
    };
    const before = await look(5000);
    for (const rate of [500, 150]) {
        await relay.set(`ba:rate=${rate}`);
        await during(2000, 500, async () => {});
        const early = await look(3000);
        const [late, heard] = await Promise.all([look(10000), watch(room, 10000)]);
        measured[`${rate} kbit/s`] = { after_2_s: early, after_5_s: late, concealed_pct: heard.concealed_pct };
        ok &&= early.kbps <= 1.1 * rate && late.queue_p95_ms <= 300 && heard.concealed_pct <= 2;
    }
    await relay.set('ba:rate=3000');
    await during(15000, 1000, async () => {});
    const after = await look(5000);
    measured.before = before;
    measured.returned = after;
    return { measured, ok: ok && after.kbps >= 0.8 * before.kbps };
}
