import { binary } from '../e2e/lib/server.mjs';
import { root } from '../e2e/lib/deps.mjs';
import { run as command } from '../e2e/lib/proc.mjs';
import { ahead, pair, seconds, watch } from './lib.mjs';
import { explain, gather, sending, spy } from './why.mjs';

// accept: concealment <= 1 % at +-30 ms, <= 3 % at +-100 ms; the server adds <= 2 ms p99
/**
 * Delay through the server of packets that no relay has held, while the others' jitter. Server and
 * clients of the load go before the browsers, whose decoding fills this machine and is nobody's
 * forwarding; `ahead` tells whether they could.
 */
async function added(room, s) {
    const first = ahead(...Object.values(room.server.pids()), process.pid); // the load inherits ours
    const { code, out, err } = await command(binary, ['load', '--url', room.links.participant, '--speaker-url', room.links.host,
        '--publishers', '1', '--subscribers', '2', '--decoded', '0', '--duration', String(s), '--quiet', '--json'], { cwd: root, timeout: 120000 });
    if (code !== 0 && code !== 2 && code !== 3) throw new Error(`load: exit ${code}: ${err}`);
    return { ...JSON.parse(out).delay_ms, ahead: first };
}

export async function run(t) {
    const room = await pair(t, { words: ['delay=120', 'seed=2'] });
    const measured = {};
    let ok = true;
    for (const page of room.people) await spy(page);
    for (const [jitter, limit] of [[30, 1], [100, 3]]) {
        await room.server.relay.set(`jitter=${jitter}`);
        await watch(room, 3000); // the jitter buffer may grow first
        for (const page of room.people) await gather(page);
        const seen = await watch(room, seconds(20, 60) * 1000);
        const rows = await Promise.all(room.people.map(gather));
        const why = rows.map((own, i) => ({ sends: sending(own), stood: explain(own, rows[1 - i]).causes }));
        measured[`+-${jitter} ms`] = { ...seen, why };
        ok &&= seen.concealed_pct <= limit && seen.told === 'connected';
    }
    measured.added_ms = await added(room, 10);
    return { measured, ok: ok && measured.added_ms.p99 <= 2 };
}
