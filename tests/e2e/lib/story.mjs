// story.mjs - what happened in a page, in milliseconds: for whoever wants a gap shorter.

/** States, sockets, offers and answers since `since` of the page's own clock. */
export const told = (page, since) => page.eval((from) => {
    const e2e = window.__e2e;
    const events = [
        ...e2e.states.map(({ at, state }) => [at, `media ${state}`]),
        ...e2e.sockets.flatMap(({ openedAt, closed }) => [
            [openedAt, 'socket open'], ...(closed ? [[closed.at, `socket closed ${closed.code}`]] : []),
        ]),
        ...(e2e.sends ?? []),
        ...e2e.messages.filter(({ message }) => /^(resumed|media|snapshot|send)/.test(message.t)).map(({ at, message }) => [at, `got ${message.t}`]),
        ...(e2e.trace ?? []),
    ];
    return events.filter(([at]) => at >= from).sort(([a], [b]) => a - b)
        .map(([at, what]) => `${Math.round(at - from)} ${what}`);
}, since);

/** Begins to note, every `every` milliseconds, how much of each thing came. */
export const sampling = (page, every = 100) => page.eval((period) => {
    const e2e = window.__e2e;
    e2e.samples = [];
    const look = async () => {
        const waits = e2e.pc().getReceivers().map((r) => r.jitterBufferTarget ?? 0);
        const row = { at: performance.now(), wait: Math.max(0, ...waits) };
        for (const r of (await e2e.pc().getStats()).values()) {
            if (r.type === 'inbound-rtp' && r.packetsReceived > 0) {
                row[`${r.kind}_in`] = (row[`${r.kind}_in`] ?? 0) + r.packetsReceived;
                if (r.kind === 'video') Object.assign(row, { decoded: (row.decoded ?? 0) + r.framesDecoded, keys: r.keyFramesDecoded, nacks: r.nackCount, plis: r.pliCount });
            } else if (r.type === 'outbound-rtp' && r.packetsSent > 0) {
                row[`${r.kind}_out`] = (row[`${r.kind}_out`] ?? 0) + r.packetsSent;
                if (r.kind === 'video') {
                    row.again = (row.again ?? 0) + (r.retransmittedPacketsSent ?? 0);
                    row.asked = (row.asked ?? 0) + (r.pliCount ?? 0);
                    row.encoded = (row.encoded ?? 0) + (r.framesEncoded ?? 0);
                    row.made = (row.made ?? 0) + (r.keyFramesEncoded ?? 0); // key frames
                }
            } else if (r.type === 'candidate-pair' && r.nominated) {
                row.pair_in = (row.pair_in ?? 0) + r.bytesReceived;
                row.bps = r.availableOutgoingBitrate;
            }
        }
        e2e.samples.push(row);
    };
    setInterval(() => void look(), period);
    return true;
}, every);

/** The samples since `since`, each as its time and what grew; equal ones left out. */
export const sampled = (page, since) => page.eval((from) => {
    const rows = window.__e2e.samples.filter((row) => row.at >= from);
    let last = {};
    return rows.flatMap((row) => {
        const { at, ...rest } = row;
        const more = Object.entries(rest).filter(([key, n]) => n !== last[key]);
        const line = `${Math.round(at - from)} ${more.map(([key, n]) => (last[key] === undefined ? `${key}=${n}` : `${key}+${Math.round(n - last[key])}`)).join(' ')}`;
        last = rest;
        return more.length ? [line] : [];
    });
}, since);

/**
 * How long sound and pictures were away after `at` of the page's own clock, in milliseconds since the
 * last sound before it, by the samples; a picture counts when it is shown.
 */
export const away = (page, at) => page.eval((from) => {
    const ENDED_MS = 400;
    const rows = window.__e2e.samples;
    const more = (key, than) => (row) => (row[key] ?? 0) > (than[key] ?? 0);
    const heardAfter = (i) => rows.findIndex((row, k) => k > i && more('audio_in', rows[i])(row));
    let last = Math.max(0, rows.findLastIndex((row) => row.at <= from));
    for (let next = heardAfter(last); next > 0 && rows[next].at - rows[last].at < ENDED_MS; next = heardAfter(last)) last = next;
    const heard = heardAfter(last);
    const came = rows.findIndex((row, k) => k > last && row.at > rows[last].at + ENDED_MS && more('video_in', rows[k - 1])(row));
    const seen = came < 0 ? -1 : rows.findIndex((row, k) => k >= came && more('decoded', rows[came - 1])(row));
    const since = (k) => (k < 0 ? Infinity : Math.round(rows[k].at - rows[last].at));
    return { heard: since(heard), seen: since(seen) };
}, at);
