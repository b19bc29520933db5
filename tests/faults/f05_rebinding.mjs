import { away, sampling } from '../e2e/lib/story.mjs';
import { clock, now, offers, pair, until } from './lib.mjs';

// accept: media gap <= 1 s after the first check by the new port; heard and seen again within 6 s, by a check of the browser or a restart of the page, whichever comes first (Firefox checks every 4 to 6 s); same seat, one offer a change at most
const TIMES = 3;

/** A new port three times: when it is checked and how long media takes after that, by the relay. */
async function followed(t) {
    const room = await pair(t, { words: ['delay=10'], kinds: ['chromium', 'chromium'] });
    const measured = { first_check_ms: [], media_after_check_ms: [], pictures_after_media_ms: [] };
    for (let n = 0; n < TIMES; n++) {
        await room.server.relay.rebind();
        const back = await until(async () => {
            const { rebound } = await room.server.relay.stat();
            return rebound.length >= room.people.length && rebound;
        }, { what: 'media by the new ports', timeout: 15000 });
        const at = now();
        await Promise.all(room.people.map((p) => room.flows(p, { frames: 3, timeout: 15000 })));
        measured.pictures_after_media_ms.push(Math.round(now() - at));
        measured.first_check_ms.push(...back.map((b) => b.check_ms));
        measured.media_after_check_ms.push(...back.map((b) => b.media_ms));
    }
    measured.offers = await offers(room);
    for (const page of room.people) await page.close();
    await room.server.stop(); // the next pair has a server of its own
    return measured;
}

/** What people hear and see of it in either browser, and whether the page began its path anew. */
async function felt(t) {
    const room = await pair(t, { words: ['delay=10'] });
    const pages = room.people;
    for (const page of pages) await sampling(page);
    const measured = Object.fromEntries(pages.map((p) => [p.browser, { heard_ms: [], seen_ms: [], offers: 0 }]));
    for (let n = 0; n < TIMES; n++) {
        const clocks = await Promise.all(pages.map(clock));
        await room.server.relay.rebind();
        for (const [i, page] of pages.entries()) {
            // A gap in which nothing is missed is none: not every sound before the new port is the last.
            const gap = await until(async () => {
                const gaps = await away(page, clocks[i]);
                return Number.isFinite(gaps.heard) && Number.isFinite(gaps.seen) && gaps;
            }, { what: `${page.name}: sound and picture after a gap`, timeout: 20000 });
            measured[page.browser].heard_ms.push(gap.heard);
            measured[page.browser].seen_ms.push(gap.seen);
        }
        for (const page of pages) await room.flows(page, { frames: 15, timeout: 15000 });
    }
    for (const page of pages) measured[page.browser].offers = (await page.counts()).offers;
    return measured;
}

export async function run(t) {
    const measured = { chromium: await followed(t), felt: await felt(t) };
    const { media_after_check_ms: gaps, offers: made } = measured.chromium;
    const worst = Math.max(...Object.values(measured.felt).flatMap((m) => [...m.heard_ms, ...m.seen_ms]));
    return { measured, ok: Math.max(...gaps) <= 1000 && made <= 1 + TIMES && worst <= 6000 };
}
