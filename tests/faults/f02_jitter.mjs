import { pair, seconds, watch } from './lib.mjs';

// accept: concealment <= 1 % at +-30 ms, <= 3 % at +-100 ms
export async function run(t) {
    const room = await pair(t, { words: ['delay=120', 'seed=2'] });
    const measured = {};
    let ok = true;
    for (const [jitter, limit] of [[30, 1], [100, 3]]) {
        await room.server.relay.set(`jitter=${jitter}`);
        await watch(room, 3000); // the jitter buffer may grow first
        const seen = await watch(room, seconds(20, 60) * 1000);
        measured[`+-${jitter} ms`] = seen;
        ok &&= seen.concealed_pct <= limit && seen.told === 'connected';
    }
    return { measured, ok };
}
