import dgram from 'node:dgram';
import { back, now, offers, pair, until } from './lib.mjs';

// accept: media dead, signalling alive: people are told <= 5 s, media <= 3 s after the path is back, by itself; where UDP goes nowhere, by TCP <= 8 s
/** Milliseconds from entering until everybody is heard, in a network that swallows UDP. */
async function without_udp(t, room, kind) {
    const hole = dgram.createSocket('udp4');
    const { host } = room.server.portMap;
    await new Promise((bound) => hole.bind(0, host, bound));
    t.defer(() => new Promise((closed) => hole.close(closed)));
    const { portMap } = room.server;
    const nowhere = Object.fromEntries(Object.keys(portMap).filter((k) => k.startsWith('udp:')).map((k) => [k, hole.address().port]));
    const page = await room.open(kind, { portMap: { ...portMap, ...nowhere } });
    const at = now();
    await room.join(page);
    const voices = room.people.length - 1;
    await until(async () => (await page.stats()).slots.filter((s) => s.kind === 'audio' && s.energy > 0).length >= voices,
        { what: `${kind} hears everybody by TCP`, timeout: 30000, every: 20 });
    const ms = Math.round(now() - at);
    await room.leave(page);
    return ms;
}

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
    measured.tcp_ms = { chromium: await without_udp(t, room, 'chromium'), firefox: await without_udp(t, room, 'firefox') };
    ok &&= Math.max(...Object.values(measured.tcp_ms)) <= 8000;
    measured.offers = await offers(room);
    return { measured, ok };
}
