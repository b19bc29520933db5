import { full, pair, seconds, watch } from './lib.mjs';

// accept: concealment beyond that of a good link in the same run <= 0.3/0.5/1/2/5/10 % at 1/2/5/10/20/30 % loss each way, freezes <= 0/0/1/2/2 a minute to 20 %, at 30 % >= 5 fps; 0 disconnects
const LIMITS = { 1: [0.3, 0], 2: [0.5, 0], 5: [1, 1], 10: [2, 2], 20: [5, 2], 30: [10, Infinity] };
export const timeout_s = 1500;

export async function run(t) {
    const room = await pair(t, { words: ['delay=25', 'seed=1'] });
    const measured = {};
    let ok = true;
    // What the browsers conceal by themselves here, on a machine that may have other things to do.
    const quiet = await watch(room, seconds(20, 60) * 1000);
    measured['0%'] = quiet;
    for (const seed of full ? [1, 2, 3] : [1]) {
        for (const loss of full ? [1, 2, 5, 10, 20, 30] : [5, 20, 30]) {
            for (const burst of full || loss === 5 ? [1, 5] : [1]) {
                await room.server.relay.set(`loss=${loss} burst=${burst} seed=${seed}`);
                const seen = await watch(room, seconds(20, 60) * 1000);
                measured[`${loss}%${burst > 1 ? ' bursts' : ''}${full ? ` seed ${seed}` : ''}`] = seen;
                const [concealed, freezes] = LIMITS[loss];
                ok &&= seen.concealed_pct - quiet.concealed_pct <= concealed && seen.freezes_per_min <= freezes && seen.fps >= 5
                    && seen.told === 'connected';
            }
        }
    }
    return { measured, ok };
}
