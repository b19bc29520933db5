// e2ee - end-to-end encryption stays possible: two people whose browsers encrypt what they send see
// and hear each other through the server, which needs none of the payload; somebody with another key
// gets the same packets and can read nothing.
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
    for (const page of [first, second]) await whole(t, page);
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

export const scenarios = [{ name: 'encrypted', timeout_s: 120, run: encrypted }];
