// why.mjs - what stood still when a picture froze. Every page writes down what its connection says
// of pictures a few times a second; afterwards each freeze is given one cause, the first that holds:
//   machine   the page itself did not run for a while: nothing can be told of it
//   source    the encoder of that size stood still or was switched off by its own browser
//   switch    another size came: by the share-out here or because its sender sends less
//   key       a key frame was asked for or waited for
//   missing   a packet was asked for and came too late, or was asked for several times
//   late      none of it
// And what a page said of its connection when it was not "connected" (`said`), and for which reason:
//   machine   it did not run for a while
//   silence   nothing had come by any pair it uses
//   checks    its browser missed answers to its own checks while everything else came
const PERIOD_MS = 100;
const BEFORE_MS = 1000; // a freeze is counted when the next picture is shown

/** Starts to write down; `gather` gives the lines. */
export async function spy(page) {
    await page.eval((period) => {
        const rows = [];
        window.__why = rows;
        let busy = false;
        const pick = (s, keys) => Object.fromEntries(keys.map((key) => [key, s[key] ?? 0]));
        const read = async () => {
            if (busy) return;
            busy = true;
            const row = { at: performance.timeOrigin + performance.now(), in: [], out: [], pairs: [], health: window.amphi.media().health, cs: window.__e2e.pc()?.connectionState, ice: window.__e2e.pc()?.iceConnectionState };
            // What the server says is in the slots: [slot, device, source, state, reason, ...].
            row.slots = JSON.stringify(window.__e2e.messages.findLast((m) => m.message.t === 'slots')?.message.video.map((v) => v.slice(2)) ?? []);
            (await window.__e2e.pc()?.getStats() ?? []).forEach((s) => {
                if (s.kind === 'video' && s.type === 'inbound-rtp' && s.packetsReceived) {
                    row.in.push(pick(s, ['mid', 'packetsReceived', 'packetsLost', 'retransmittedPacketsReceived', 'nackCount', 'pliCount',
                        'firCount', 'framesReceived', 'framesDecoded', 'framesDropped', 'keyFramesDecoded', 'frameHeight', 'freezeCount',
                        'totalFreezesDuration', 'jitterBufferDelay', 'jitterBufferTargetDelay', 'jitterBufferMinimumDelay', 'jitterBufferEmittedCount']));
                } else if (s.kind === 'video' && s.type === 'outbound-rtp' && s.packetsSent) {
                    row.out.push({
                        ...pick(s, ['rid', 'framesEncoded', 'framesSent', 'frameHeight', 'keyFramesEncoded', 'packetsSent',
                            'retransmittedPacketsSent', 'nackCount', 'pliCount', 'targetBitrate', 'bytesSent', 'qpSum', 'framesPerSecond']),
                        limited: s.qualityLimitationReason, active: s.active,
                    });
                } else if (s.type === 'candidate-pair') {
                    if (s.bytesReceived) row.pairs.push(pick(s, ['id', 'nominated', 'bytesReceived', 'requestsSent', 'responsesReceived']));
                    if (!s.availableOutgoingBitrate) return;
                    row.can = s.availableOutgoingBitrate ?? 0;
                    row.rtt = s.currentRoundTripTime ?? 0;
                }
            });
            rows.push(row);
            busy = false;
        };
        window.__whyTimer = setInterval(read, period);
    }, PERIOD_MS);
}

/** What was written down since the last call. */
export const gather = (page) => page.eval(() => window.__why?.splice(0) ?? []);

const near = (rows, from, to) => rows.filter((r) => r.at >= from && r.at <= to);
const span = (rows, of) => (rows.length ? of(rows.at(-1)) - of(rows[0]) : 0);
const mid = (row, m) => row.in.find((s) => s.mid === m) ?? {};

function causeOf(rows, sent, at, m) {
    const around = near(rows, at - BEFORE_MS, at);
    const gap = around.slice(1).reduce((most, r, i) => Math.max(most, r.at - around[i].at), 0);
    if (gap > 4 * PERIOD_MS) return 'machine';
    const heights = new Set(around.map((r) => mid(r, m).frameHeight).filter(Boolean));
    const height = mid(around[0] ?? {in: []}, m).frameHeight;
    // The encoder of what was shown: did it give pictures all the time?
    const encoder = (r) => r.out.find((s) => s.frameHeight === height) ?? {};
    const stood = near(sent, at - BEFORE_MS, at).slice(1)
        .reduce((run, r, i, all) => {
            const before = i ? all[i - 1] : null;
            const still = before && (encoder(r).framesSent ?? 0) === (encoder(before).framesSent ?? 0);
            run.now = still ? run.now + (r.at - before.at) : 0;
            run.most = Math.max(run.most, run.now);
            return run;
        }, { now: 0, most: 0 }).most;
    const grew = (key) => span(around, (r) => mid(r, m)[key] ?? 0);
    if (heights.size > 1) return stood > 300 ? 'source' : 'switch';
    if (stood > 300) return 'source';
    if (grew('keyFramesDecoded') > 0 || grew('pliCount') > 0) return 'key';
    if (grew('nackCount') > 0) return 'missing';
    return 'late';
}

/** Causes of the freezes one page saw, given what the other one sent: {missing: 2, ...}, and a line each. */
export function explain(rows, sent) {
    const causes = {};
    const lines = [];
    rows.slice(1).forEach((row, i) => {
        for (const s of row.in) {
            const before = mid(rows[i], s.mid);
            if (before.freezeCount === undefined || s.freezeCount <= before.freezeCount) continue;
            const cause = causeOf(rows, sent, row.at, s.mid);
            causes[cause] = (causes[cause] ?? 0) + s.freezeCount - before.freezeCount;
            const first = near(rows, row.at - BEFORE_MS, row.at)[0] ?? row;
            const was = mid(first, s.mid);
            const d = (key) => Math.round(100 * ((s[key] ?? 0) - (was[key] ?? 0))) / 100;
            const emitted = Math.max(1, d('jitterBufferEmittedCount'));
            const ms = (key) => Math.round((1000 * (s[key] - was[key])) / emitted);
            lines.push(`${new Date(row.at).toISOString().slice(17, 23)} ${cause} stood ${Math.round(1000 * (s.totalFreezesDuration - before.totalFreezesDuration))} ms`
                + ` h ${was.frameHeight}>${s.frameHeight} nack ${d('nackCount')} pli ${d('pliCount')} key ${d('keyFramesDecoded')} rtx ${d('retransmittedPacketsReceived')}`
                + ` packets ${d('packetsReceived')} lost ${d('packetsLost')} whole ${d('framesReceived')} decoded ${d('framesDecoded')} dropped ${d('framesDropped')}`
                + ` target ${ms('jitterBufferTargetDelay')} least ${ms('jitterBufferMinimumDelay')} was ${ms('jitterBufferDelay')} ms`);
        }
    });
    return { causes, lines };
}

/** A line for each time this page said that it was not connected: when, how long, why. */
export function said(rows) {
    const bytes = (r) => r.pairs.reduce((n, p) => n + p.bytesReceived, 0);
    let came = rows[0]?.at; // when the last byte did
    let missed = 0; // since when the browser does not call it connected
    const lines = [];
    rows.forEach((row, i) => {
        const before = rows[i - 1] ?? row;
        if (bytes(row) > bytes(before)) came = row.at;
        if (row.cs === 'connected') missed = 0;
        else missed ||= row.at;
        if (row.health === 'connected' || before.health === row.health && i > 0) return;
        const until = rows.slice(i).find((r) => r.health !== row.health) ?? rows.at(-1);
        const gap = Math.max(...near(rows, row.at - 2000, row.at).map((r, k, all) => (k ? r.at - all[k - 1].at : 0)));
        const why = gap > 10 * PERIOD_MS ? 'machine' : row.at - came > 1000 ? 'silence' : missed ? 'checks' : 'unknown';
        lines.push(`${new Date(row.at).toISOString().slice(17, 23)} said ${row.health} for ${Math.round(until.at - row.at)} ms: ${why};`
            + ` browser ${row.cs}/${row.ice} for ${missed ? Math.round(row.at - missed) : 0} ms, last byte ${Math.round(row.at - came)} ms before,`
            + ` longest ${Math.round(gap)} ms without a look, pairs ${row.pairs.map((p) => `${p.nominated ? '+' : '-'}${p.requestsSent}/${p.responsesReceived}`).join(' ')}`);
    });
    return lines;
}

/** For how long its browser, not the page, called the connection something else, each time. */
export function browserSaid(rows) {
    const spells = [];
    rows.forEach((row, i) => {
        if (row.cs === 'connected') return;
        if (i === 0 || rows[i - 1].cs === 'connected') spells.push([row.at, 0]);
        spells.at(-1)[1] = Math.round(row.at - spells.at(-1)[0]);
    });
    return spells.map(([, ms]) => ms);
}

/** What the encoders did: heights that came and went, their share of the time, the rate they thought they had. */
export function sending(rows) {
    const encoders = {};
    for (const s of rows.at(-1)?.out ?? []) {
        const was = rows[0].out.find((o) => o.rid === s.rid) ?? {};
        encoders[s.rid] = {
            height: s.frameHeight, frames: s.framesSent - (was.framesSent ?? 0), keys: s.keyFramesEncoded - (was.keyFramesEncoded ?? 0),
            plis: s.pliCount - (was.pliCount ?? 0), kbps: Math.round((8 * (s.bytesSent - (was.bytesSent ?? 0))) / Math.max(1, rows.at(-1).at - rows[0].at)), limited: s.limited,
        };
    }
    const can = rows.map((r) => Math.round((r.can ?? 0) / 1000));
    const seen = [];
    for (const r of rows) if (seen.at(-1)?.[1] !== r.slots) seen.push([Math.round(r.at - rows[0].at), r.slots]);
    return { encoders, slots: seen, can_kbps: [Math.min(...can), can[can.length >> 1], Math.max(...can)] };
}
