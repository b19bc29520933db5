import { back, now, offers, pair, until } from './lib.mjs';

// accept: media dead, signalling alive: people are told <= 5 s, media <= 3 s after the path is back, by itself
export async function run(t) {
    const room = await pair(t);
    const relay = room.server.relay;
    const measured = {};
    let ok = true;
    for (const s of [8, 20]) {
        const cut = now();
        relay.pause(); // UDP and TCP: nothing of media passes any more
        const told = await Promise.all(room.people.map(async (page) => {
            await until(() => page.eval(() => window.amphi.media().health !== 'connected'),
                { what: `${page.name} is told`, timeout: 15000, every: 50 });
            return Math.round(now() - cut);
        }));
        await until(() => now() - cut > s * 1000, { what: 'the end of the outage', timeout: 60000 });
        relay.resume();
        const at = now();
        const again = await Promise.all(room.people.map((page) => back(page, at)));
        measured[`${s} s`] = {
            told_ms: Object.fromEntries(room.people.map((p, i) => [p.browser, told[i]])),
            back_ms: Object.fromEntries(room.people.map((p, i) => [p.browser, Math.round(again[i])])),
        };
        ok &&= Math.max(...told) <= 5000 && Math.max(...again) <= 3000;
        await room.whole({ timeout: 30000 });
    }
    measured.offers = await offers(room);
    return { measured, ok };
}
