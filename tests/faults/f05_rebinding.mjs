import { now, offers, pair, until } from './lib.mjs';

// accept: media gap <= 1 s after the first check by the new port; no renegotiation
export async function run(t) {
    const room = await pair(t, { words: ['delay=10'] });
    const checks = [];
    const gaps = [];
    const pictures = [];
    for (let n = 0; n < 3; n++) {
        await room.server.relay.rebind();
        const back = await until(async () => {
            const { rebound } = await room.server.relay.stat();
            return rebound.length >= room.people.length && rebound;
        }, { what: 'media by the new ports', timeout: 15000 });
        const at = now();
        await Promise.all(room.people.map((p) => room.flows(p, { frames: 3, timeout: 15000 })));
        pictures.push(Math.round(now() - at));
        checks.push(...back.map((b) => b.check_ms));
        gaps.push(...back.map((b) => b.media_ms));
    }
    const measured = {
        first_check_ms: checks, media_after_check_ms: gaps, pictures_after_media_ms: pictures, offers: await offers(room),
    };
    return { measured, ok: Math.max(...gaps) <= 1000 && measured.offers === 1 };
}
