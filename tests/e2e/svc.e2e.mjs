// svc - the camera in layers of one stream: a viewer gets every decode target by the width of his
// link, and what he gets is decoded. Chromium sends and receives; Firefox sends no layers and stays
// with VP8, it only receives.
import { ids } from './lib/contract.mjs';
import { ClassRoom } from './lib/class.mjs';
import { until } from './lib/wait.mjs';

/** A port nobody listens at. */
const CLOSED = 9;

/** Enters with a camera coded like this. */
async function sender(t, room, codec) {
    const page = await room.open('chromium', { role: 'host', name: 'sender', sender: 1, media: 'noise', camera: [1280, 720], fps: 15 });
    await page.eval((c) => localStorage.setItem('amphi.prefs', JSON.stringify({ camCodec: c })), codec);
    await page.reload();
    await page.waitForTestId(ids.name, { timeout: 30000 });
    return room.join(page);
}

async function viewer(t, room, kind) {
    const host = room.server.portMap.host;
    const port = Number(Object.keys(room.server.portMap).find((k) => k.startsWith('udp:')).slice(4));
    const relay = await t.relay({ udp: [`${host}:${port}`], words: ['delay=20', 'ba:rate=4000', 'ba:queue=300'] });
    // The link is the only way: the server's TCP port is not reached around it.
    const tcp = Object.fromEntries(Object.keys(room.server.portMap).filter((k) => k.startsWith('tcp:')).map((k) => [k, CLOSED]));
    const page = await t.openPage(kind, room.links.participant, {
        role: 'participant', name: 'viewer', sender: 20, media: 'none', portMap: { ...relay.map, ...tcp, host },
    });
    room.senders.set('viewer', 20);
    await room.join(page);
    await page.waitFor('the sender is seated', () => Boolean(document.querySelector('.tile:not(.self) .pin')), { timeout: 60000 });
    await page.eval(() => [...document.querySelectorAll('.tile')].find((tile) => /sender/.test(tile.textContent)).querySelector('.pin').click());
    return { page, relay };
}

/** The one coded picture of a page: its height, how many were coded or decoded, and by what. */
async function coded({ page }, type) {
    return page.eval(async (wanted) => {
        const rows = [];
        for (const pc of window.__e2e.pcs) {
            const report = await pc.getStats();
            for (const s of report.values()) {
                if (s.type !== wanted || s.kind !== 'video' || !(s.framesDecoded || s.framesEncoded)) continue;
                rows.push({
                    height: s.frameHeight ?? 0, frames: s.framesDecoded ?? s.framesEncoded, freezes: s.freezeCount ?? 0,
                    codec: report.get(s.codecId)?.mimeType ?? '', mode: s.scalabilityMode ?? '', pli: s.pliCount ?? 0,
                    bytes: (s.bytesReceived ?? 0) + (s.headerBytesReceived ?? 0), at: performance.now(),
                });
            }
        }
        return rows.sort((a, b) => b.frames - a.frames)[0] ?? { height: 0, frames: 0, codec: '', mode: '' };
    }, type);
}

/** What the sender's encodings do, for the log. */
const made = ({ page }) => page.eval(async () => {
    const rows = [];
    for (const pc of window.__e2e.pcs) {
        const report = await pc.getStats();
        for (const s of report.values()) {
            if (s.type === 'outbound-rtp' && s.kind === 'video' && s.framesEncoded) {
                const before = (window.__e2e.made ??= {})[s.id] ?? { bytes: 0, at: 0 };
                const bytes = s.bytesSent + s.headerBytesSent;
                const kbps = Math.round((bytes - before.bytes) * 8 / (s.timestamp - before.at));
                window.__e2e.made[s.id] = { bytes, at: s.timestamp };
                rows.push(`${s.rid ?? ''} ${s.scalabilityMode ?? ''} ${s.active} ${s.frameHeight} lines, ${kbps} k, ${s.framesEncoded} pictures, `
                    + `${s.keyFramesEncoded} key, target ${Math.round((s.targetBitrate ?? 0) / 1000)} k, ${s.qualityLimitationReason}`);
            }
        }
    }
    // What the server asked for last, and how often it asked.
    const asked = window.__e2e.messages.filter((m) => m.message.t === 'send').map((m) => JSON.stringify(m.message));
    return `${rows.sort().join(', ')}; asked ${asked.length} times, ${asked.at(-1) ?? ''}`;
});

/** What the server says of the viewer's slots: slot, device, source, state, reason, height. */
const told = ({ page }) => page.eval(() => JSON.stringify([...window.__e2e.view().rows ?? []]));

/** The pairs of the viewer by which something came, for the log. */
const paths = ({ page }) => page.eval(async () => {
    const rows = [];
    for (const pc of window.__e2e.pcs) {
        const all = await pc.getStats();
        for (const s of all.values()) {
            if (s.type !== 'candidate-pair' || !s.bytesReceived) continue;
            const there = all.get(s.remoteCandidateId);
            rows.push(`${there?.protocol}:${there?.port} ${s.bytesReceived}${s.nominated ? ' nominated' : ''}${s.selected ? ' selected' : ''}`);
        }
    }
    return rows.join(', ');
});

/** What the viewer decodes while his link narrows and widens again. */
async function follows(t, host, seen, codec, narrow = 280) {
    // Chromium codes H.264 without temporal layers: of 200 kbit/s the estimate finds 189, sound and room for
    // another voice take 96, and a picture of 160 begins at 288 (tests/sim/links.c, link_smallest). The lowest
    // layer of VP9 takes 60 to 106 with its key frames, and begins on 200 where that is 77 or less.
    const targets = [[4000, [720]], [600, [360]], [narrow, [180]], [4000, [720]]];
    for (const [rate, heights] of targets) {
        await seen.relay.set(`ba:rate=${rate}`);
        let last = 0;
        let tries = 0;
        let before = null;
        const now = await until(async () => {
            const s = await coded(seen, 'inbound-rtp');
            if (s.height !== last) t.log(`${rate} kbit/s: ${s.height} ${s.codec} ${s.frames}; ${await paths(seen)}; ${JSON.stringify(await seen.page.eval(() => window.__e2e.counts().offersByCause))}; ${await made({ page: host })}`);
            last = s.height;
            if (!heights.includes(s.height) && tries++ % 20 === 19) {
                const kbps = before ? Math.round((s.bytes - before.bytes) * 8 / (s.at - before.at)) : 0;
                t.log(`${rate} kbit/s, still ${s.height}: ${kbps} kbit/s, ${s.frames} pictures, ${await told(seen)}; ${await paths(seen)}; ${await made({ page: host })}`);
                before = s;
            }
            return heights.includes(s.height) && s;
        }, { what: `${heights.join(' or ')} lines at ${rate} kbit/s`, timeout: 60000, every: 250 });
        const more = await until(async () => {
            const s = await coded(seen, 'inbound-rtp');
            if (tries++ % 40 === 39) t.log(`${rate} kbit/s, ${s.frames} pictures of ${now.frames + 15}: ${await told(seen)}; ${await made({ page: host })}`);
            return s.frames >= now.frames + 15 && s;
        }, { what: `15 more pictures decoded at ${rate} kbit/s`, timeout: 60000, every: 250 });
        t.equal(more.codec.toLowerCase(), `video/${codec}`, 'the codec that was chosen');
        t.figure(`decoded_${codec}_${rate}k`, more.frames);
    }
}

async function layered(t, codec, kind) {
    const room = await ClassRoom.start(t, { impair: [] });
    const host = await sender(t, room, codec);
    const seen = await viewer(t, room, kind);
    await follows(t, host, seen, codec);
    const out = await coded({ page: host }, 'outbound-rtp');
    t.equal(out.mode, 'L3T3_KEY', 'how the sender codes');
    const metrics = await room.server.metrics();
    t.figure(`key_frames_asked_${codec}`, out.pli);
    t.figure('asked_by_the_viewer', metrics['amphi_keyframe_requests_total{direction="in"}']);
    t.figure('fast_starts', metrics.amphi_fast_starts_total ?? -1);
}

/** The page's own three encodings as it makes them, each in temporal layers: the smallest comes on 200 kbit/s. */
async function plain(t) {
    const room = await ClassRoom.start(t, { impair: [] });
    const host = await sender(t, room, 'vp8');
    await follows(t, host, await viewer(t, room, 'chromium'), 'vp8', 200);
}

/** The page's own three encodings, made by the browser's H.264 encoder: no offer is needed for it. */
async function encodings(t) {
    const room = await ClassRoom.start(t, { impair: [] });
    const host = await sender(t, room, 'vp8');
    const seen = await viewer(t, room, 'chromium');
    const set = await host.eval(async () => {
        for (const pc of window.__e2e.pcs) {
            for (const one of pc.getSenders()) {
                const p = one.getParameters();
                const codec = p.codecs.find((c) => c.mimeType === 'video/H264');
                if (p.encodings.length !== 3 || !codec) continue;
                for (const e of p.encodings) e.codec = codec;
                await one.setParameters(p);
                return true;
            }
        }
        return false;
    });
    t.check(set, 'the browser has an H.264 encoder');
    await until(async () => (await coded(seen, 'inbound-rtp')).codec === 'video/H264',
        { what: 'H.264 at the viewer', timeout: 60000, every: 250 });
    await follows(t, host, seen, 'h264');
    const rids = await host.eval(async () => {
        const made = [];
        for (const pc of window.__e2e.pcs) {
            const report = await pc.getStats();
            for (const s of report.values()) {
                if (s.type === 'outbound-rtp' && s.rid && report.get(s.codecId)?.mimeType === 'video/H264') made.push(s.rid);
            }
        }
        return made.sort().join(' ');
    });
    t.equal(rids, 'h l m', 'three encodings of H.264');
}

export const scenarios = [
    { name: 'vp8', timeout_s: 150, run: plain },
    { name: 'vp9', timeout_s: 150, run: (t) => layered(t, 'vp9', 'chromium') },
    { name: 'av1', timeout_s: 150, run: (t) => layered(t, 'av1', 'chromium') },
    { name: 'h264', timeout_s: 150, run: (t) => encodings(t) },
    { name: 'vp9-firefox', timeout_s: 150, run: (t) => layered(t, 'vp9', 'firefox') },
];
