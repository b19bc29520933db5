// e2ee - end-to-end encryption stays possible: two people whose browsers encrypt what they send see
// and hear each other through the server, which needs none of the payload; somebody with another key
// gets the same packets and can read nothing. Frames carry their place in their stream: what never came is
// found, and a viewer who is given another of the sender's pictures gets a whole one to begin with, and every
// frame of it where nobody tells him of too little room.
import { ClassRoom } from './lib/class.mjs';
import { during, until } from './lib/wait.mjs';

/** Ids of the senders a page can tell by picture and by tone. */
const readable = (page) => page.eval(() => {
    const { audio, video } = window.__e2e.read();
    return { heard: audio.map((a) => a.id), seen: video.map((v) => v.id) };
});

async function encrypted(t) {
    const room = await ClassRoom.start(t);
    const first = await room.enter('chromium', { role: 'host', sender: 1, e2ee: 91 });
    const second = await room.enter('chromium', { sender: 2, e2ee: 91 });
    for (const [page, other] of [[first, 2], [second, 1]]) {
        await until(async () => {
            const { heard, seen } = await readable(page);
            return heard.includes(other) && seen.includes(other);
        }, { what: `${page.name} sees and hears the other`, timeout: 60000, every: 250 });
    }
    for (const page of [first, second]) {
        await page.waitFor('encrypted and decrypted sound and pictures', () => {
            const { sealed, opened } = window.__e2e;
            return [sealed, opened].every((n) => n.audio > 20 && n.video > 30);
        }, { timeout: 60000, every: 250 });
    }
    for (const page of [first, second]) await inPlace(t, page);
    const stranger = await room.enter('chromium', { sender: 3, e2ee: 38 });
    const packets = async (kind) => (await stranger.stats()).slots.filter((s) => s.kind === kind)
        .reduce((n, s) => n + s.packets, 0);
    await until(async () => await packets('audio') > 150 && await packets('video') > 150,
        { what: 'packets for the one with another key', timeout: 60000, every: 250 });
    const known = (ids) => ids.some((id) => id === 1 || id === 2);
    const read = { looks: 0, heard: 0, seen: 0 };
    await during(3000, 200, async () => {
        const { heard, seen } = await readable(stranger);
        read.looks++;
        read.heard += known(heard); // noise may sound like a tone for once
        read.seen += known(seen);
    });
    t.check(read.seen === 0 && read.heard * 2 < read.looks, `without the key somebody read ${JSON.stringify(read)}`);
    t.figure('packets_unread', await packets('audio') + await packets('video'));
    const strange = await counts(stranger);
    t.check(strange.broken.audio > 20 && strange.opened.audio + strange.opened.video === 0,
        `the one with another key opened something: ${JSON.stringify(strange)}`);
    // The two were not disturbed by it.
    await until(async () => {
        const { heard, seen } = await readable(first);
        return heard.includes(2) && seen.includes(2);
    }, { what: 'the first still sees and hears the second', timeout: 60000, every: 250 });
}

/** What a page decrypted, by what it proved. */
const counts = (page) => page.eval(() => ({ opened: window.__e2e.opened, broken: window.__e2e.broken }));

/** Not a byte of any frame was changed on the way. */
async function whole(t, page) {
    const { opened, broken } = await counts(page);
    t.figure(`opened_${page.name}`, opened.audio + opened.video);
    t.check(broken.video + broken.audio === 0, `frames changed on the way: ${JSON.stringify({ opened, broken })}`);
}

/** So many frames of a stream that begins with what was there already may come without upper layers (2 s at 30). */
const PAST = 60;

/**
 * What a page opened, judged by the places of the frames: every stretch of a stream begins with a key frame, is in
 * order, and nothing of it is missing but what ends with a key frame (a loss that was given up: `given`) and frames
 * of upper layers: of a past that was sent at once (`past`), else of pictures that were thinned (`shed`).
 */
function judge(frames, kind) {
    const found = { frames: frames.length, stretches: 0, keyless: 0, disordered: 0, missing: 0, given: 0, past: 0, shed: 0 };
    const last = new Map(); // slot -> frame
    const begun = new Map(); // slot -> first frame of its stretch, until the highest layer has come: each is entered alone
    const top = new Map(); // stream -> its highest temporal layer
    for (const frame of frames) top.set(frame.stream, Math.max(top.get(frame.stream) ?? 0, frame.layer));
    for (const frame of frames) {
        const before = last.get(frame.slot);
        last.set(frame.slot, frame);
        if (before?.stream !== frame.stream) {
            found.stretches++;
            found.keyless += kind === 'video' && !frame.key;
            begun.set(frame.slot, frame.all);
            continue;
        }
        const hole = frame.all - before.all - 1;
        const base = Math.max(frame.base - before.base - (frame.layer === 0), 0);
        const past = frame.all - (begun.get(frame.slot) ?? -Infinity) <= PAST;
        if (frame.layer !== 0 && frame.layer === top.get(frame.stream)) begun.delete(frame.slot);
        if (hole < 0) found.disordered++;
        else if (frame.key) found.given += hole;
        else {
            found.missing += base;
            found[past && kind === 'video' ? 'past' : 'shed'] += hole - base;
        }
    }
    return found;
}

/** Was this page told that its path or the server has too little for what it wishes? */
const pressed = (page) => page.eval(() => window.__e2e.messages.some(({ message }) => message.t === 'slots'
    && message.video.some(([, , , , reason]) => ['connection', 'paused', 'server'].includes(reason))));

/** Every frame of this page so far: not one changed, misplaced or missing; upper layers too where there is plenty. */
async function inPlace(t, page) {
    const little = await pressed(page);
    for (const kind of ['audio', 'video']) {
        const found = judge(await page.eval((k) => window.__e2e.frames[k], kind), kind);
        const line = `${page.name} ${kind} ${JSON.stringify(found)}${little ? ', too little was told' : ''}`;
        t.log(line);
        const shed = kind === 'video' && little ? 0 : found.shed;
        t.check(found.keyless + found.disordered + found.missing + shed === 0, line);
        if (kind === 'video') t.figure(`shed_${page.name}`, found.shed);
    }
    await whole(t, page);
}

/** The viewer's window changes size, and so do the pictures he is given: each is whole from its first frame. */
async function layers(t) {
    const room = await ClassRoom.start(t);
    await room.enter('chromium', { role: 'host', sender: 1, e2ee: 91, camera: [1280, 720] });
    const viewer = await room.enter('chromium', { sender: 2, e2ee: 91, media: 'none', viewport: { width: 1366, height: 900 } });
    const newest = () => viewer.eval(() => window.__e2e.frames.video.at(-1)?.stream ?? 0);
    const sizes = [];
    let stream = 0;
    for (const [width, height] of [[1366, 900], [360, 640], [1366, 900], [360, 640], [1366, 900]]) {
        await viewer.page.setViewportSize({ width, height });
        await until(async () => {
            const now = await newest();
            return now !== 0 && now !== stream;
        }, { what: `another picture at ${width}x${height}`, timeout: 60000, every: 100 });
        stream = await newest();
        const from = await viewer.eval(() => window.__e2e.frames.video.length);
        await viewer.waitFor('30 frames of it', (n) => window.__e2e.frames.video.length >= n + 30, { args: [from], timeout: 60000 });
        await until(async () => (await readable(viewer)).seen.includes(1), { what: `it is seen at ${width}x${height}`, timeout: 60000, every: 250 });
        sizes.push((await viewer.stats()).slots.find((s) => s.kind === 'video' && s.decoded)?.height);
    }
    t.figure('heights', sizes.join('+'));
    await inPlace(t, viewer);
}

export const scenarios = [
    { name: 'encrypted', timeout_s: 120, run: encrypted },
    { name: 'layers', timeout_s: 120, run: layers },
];
