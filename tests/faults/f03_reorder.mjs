import { pair, seconds, watch } from './lib.mjs';
import { explain, gather, sending, spy } from './why.mjs';

// accept: at 5 % reordered (<= 50 ms) and 5 % doubled: 0 doubled packets forwarded, 0 extra key frame requests, NACKs <= 1.2 x reordered
export async function run(t) {
    const room = await pair(t, { words: ['delay=20', 'seed=3'] });
    const count = async () => {
        const m = await room.server.metrics();
        return {
            refused: m['amphi_drops_total{reason="srtp_replay"}'], keys: m['amphi_keyframe_requests_total{direction="out"}'], asked: m['amphi_keyframe_requests_total{direction="in"}'],
            nacks: m['amphi_nacks_total{direction="out"}'], in: m['amphi_media_packets_total{direction="in"}'],
        };
    };
    // Pictures change their size on a machine that has other things to do, and that asks for key frames, too.
    for (const page of room.people) await spy(page);
    const first = await count();
    await watch(room, seconds(20, 60) * 1000);
    const before = await count();
    const link = (await room.server.relay.stat()).ab;
    const calm = (await Promise.all(room.people.map(gather))).map(sending);
    await room.server.relay.set('reorder=5 hold=50 dup=5');
    const seen = await watch(room, seconds(20, 60) * 1000);
    const after = await count();
    const moved = (await room.server.relay.stat()).ab;
    const rows = await Promise.all(room.people.map(gather));
    // Who wanted key frames: viewers themselves, or the share-out that went to another size.
    const why = { calm, bad: rows.map(sending), freezes: rows.map((own, i) => explain(own, rows[1 - i]).causes) };
    t.log(JSON.stringify(why));
    const measured = {
        ...seen, viewers_asked: after.asked - before.asked, why, reordered: moved.reordered - link.reordered, doubled: moved.duplicated - link.duplicated,
        refused: after.refused - before.refused, nacks: after.nacks - before.nacks, key_requests: after.keys - before.keys, key_requests_before: before.keys - first.keys,
    };
    return {
        measured, ok: measured.key_requests <= measured.key_requests_before && measured.nacks <= 1.2 * measured.reordered
            // Of every pair one is refused unseen; checks and reports of the path are doubled, too.
            && measured.doubled > 100 && measured.refused >= 0.9 * measured.doubled && seen.told === 'connected',
    };
}
