import { full, pair, seconds, watch } from './lib.mjs';
import { browserSaid, explain, gather, said, sending, spy } from './why.mjs';

// accept: two Chromium: concealment <= 0.3/0.5/1/2/5/10 % at 1/2/5/10/20/30 % loss each way, freezes <= 0/0/1/2/2 a minute to 20 %, at 30 % >= 5 fps or paused with notice; 0 disconnects; with Firefox (no RED) the same to 10 %, its uplink to 15 % (3.5 %), beyond measured only
const LIMITS = { 0: [0.3, 0], 1: [0.3, 0], 2: [0.5, 0], 5: [1, 1], 10: [2, 2], 15: [3.5, 2], 20: [5, 2], 30: [10, Infinity] };
const JUDGED_WITH_FIREFOX = 10;
const UPLINK_OF_FIREFOX = 15;
export const timeout_s = 3600;
// One pair and some of its cells, to look for a cause: AMPHI_F1=chromium:0,5,20 [AMPHI_F1_S=30];
// AMPHI_F1=firefox:up15,up30 for uplinks.
const [only, some] = (process.env.AMPHI_F1 ?? '').split(':');
const CELL_MS = 1000 * Number(process.env.AMPHI_F1_S ?? seconds(20, 60));

const COUNTED = /^amphi_(nacks|rtx|retransmi|audio_repair|keyframe|drops|media_packets|plis|fast)/;

/** A cell: what was heard and seen, and why pictures stood still. */
async function cell(t, room, name) {
    for (const page of room.people) await gather(page);
    const before = await room.server.metrics();
    const seen = await watch(room, CELL_MS);
    const after = await room.server.metrics();
    seen.server = Object.fromEntries(Object.keys(after).filter((key) => COUNTED.test(key) && after[key] > (before[key] ?? 0))
        .map((key) => [key.replace(/^amphi_|_total/g, ''), after[key] - (before[key] ?? 0)]));
    const rows = await Promise.all(room.people.map(gather));
    seen.why = room.people.map((_, i) => explain(rows[i], rows[1 - i]).causes);
    seen.sent = rows.map(sending);
    room.people.forEach((page, i) => explain(rows[i], rows[1 - i]).lines.forEach((line) => t.log(`${name} ${page.browser}${i} ${line}`)));
    // Which page said that it was cut off, when and why; and what its browser said meanwhile.
    seen.said = room.people.flatMap((page, i) => said(rows[i]).map((line) => `${page.browser}${i} ${line}`));
    seen.browser_off_ms = rows.map(browserSaid);
    t.log(`${name} ${JSON.stringify(seen)}`);
    return seen;
}

async function cells(t, room, losses, bursts, judged, measured) {
    // What the browsers conceal by themselves here, on a machine that may have other things to do.
    await room.server.relay.set('loss=0');
    measured['0%'] = await cell(t, room, '0%');
    let ok = true;
    for (const loss of losses) {
        for (const burst of bursts(loss)) {
            await room.server.relay.set(`loss=${loss} burst=${burst}`);
            await watch(room, seconds(4, 8) * 1000); // what repairs it must first be told of it
            const name = `${loss}%${burst > 1 ? ' bursts' : ''}`;
            const seen = measured[name] = await cell(t, room, name);
            const [concealed, freezes] = LIMITS[loss] ?? [Infinity, Infinity];
            ok &&= loss > judged || (seen.concealed_pct <= concealed && seen.freezes_per_min <= freezes
                && (seen.fps >= 5 || seen.paused) && seen.told === 'connected');
        }
    }
    return ok;
}

/** What Chromium hears and sees of Firefox, whose uplink alone is bad. */
async function uplink(t, room, loss, measured) {
    const name = `uplinks ${loss}%`;
    await room.server.relay.set('loss=0');
    await room.server.relay.set(`ab:loss=${loss} ab:burst=1`);
    await watch(room, seconds(4, 8) * 1000);
    const seen = measured[name] = await cell(t, room, name);
    const [concealed, freezes] = LIMITS[loss] ?? [Infinity, Infinity];
    return seen.heard.concealed_pct.chromium0 <= concealed && seen.heard.freezes_per_min.chromium0 <= freezes
        && seen.told === 'connected';
}

export async function run(t) {
    const measured = {};
    let ok = true;
    for (const seed of full ? [1, 2, 3] : [1]) {
        for (const kinds of [['chromium', 'chromium'], ['chromium', 'firefox']]) {
            if (only && !kinds.includes(only) || only === 'chromium' && kinds.includes('firefox')) continue;
            const room = await pair(t, { words: ['delay=25', `seed=${seed}`], kinds });
            const firefox = kinds.includes('firefox');
            for (const page of room.people) await spy(page);
            const wanted = some?.split(',') ?? [];
            const losses = some ? wanted.map(Number).filter(Boolean) : full ? [1, 2, 5, 10, 20, 30] : firefox ? [5, 20] : [5, 20, 30];
            const row = measured[`${kinds.join(' + ')}${full ? ` seed ${seed}` : ''}`] = {};
            ok = await cells(t, room, losses, (loss) => (full || (loss === 5 && !firefox && !some) ? [1, 5] : [1]),
                firefox ? JUDGED_WITH_FIREFOX : 100, row) && ok;
            const uplinks = some ? wanted.flatMap((word) => word.match(/(?<=^up)\d+$/) ?? []).map(Number) : firefox ? [UPLINK_OF_FIREFOX] : [];
            for (const loss of uplinks) ok = await uplink(t, room, loss, row) && ok;
            for (const page of room.people) await page.close();
            await room.server.stop(); // the next pair has a server of its own
        }
    }
    return { measured, ok };
}
