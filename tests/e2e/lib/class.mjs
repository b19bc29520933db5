// class.mjs - people in a class: open a page, go through the door, and say whether everybody sees
// and hears whom the roster names.
import { ids } from './contract.mjs';
import { until } from './wait.mjs';

const names = ['Ada Lovelace', 'Blaise Pascal', 'Çelebi Évliya', 'Dorothy Hodgkin', 'Emmy Noether'];

/**
 * For as long as `page` sends this many more packets of sound, nobody of `others` gets one packet of the
 * kinds given: what does not arrive cannot be decoded.
 */
export async function silentWhile(t, page, others, what, { packets = 60, kinds = ['audio'] } = {}) {
    const count = (list) => list.filter((s) => kinds.includes(s.kind)).reduce((n, s) => n + (s.packets ?? 0), 0);
    const sent = async () => (await page.stats()).senders.filter((s) => s.kind === 'audio').reduce((n, s) => n + (s.packets ?? 0), 0);
    const got = async (other) => count((await other.stats()).slots);
    const before = await Promise.all(others.map(got));
    const from = await sent();
    await until(async () => (await sent()) >= from + packets, { what: `${page.name} sends`, timeout: 60000, every: 100 });
    for (const [i, other] of others.entries()) t.equal(await got(other) - before[i], 0, `${other.name}: packets, ${what}`);
}

/** The server knows people by name only, so names are how senders are found: keep them unique. */
export class ClassRoom {
    /**
     * @param {import('./scenario.mjs').Scenario} t
     * @param {{impair?: string[], env?: object, title?: string}} options
     */
    static async start(t, { title, type, set, ...options } = {}) {
        const room = new ClassRoom();
        room.t = t;
        room.server = await t.server(options);
        room.id = await room.server.createClass(title ?? `Class of ${t.name}`, type, set);
        room.links = {
            host: await room.server.link(room.id, { role: 'host' }),
            participant: await room.server.link(room.id, { role: 'participant' }),
        };
        room.people = []; // pages of those inside
        room.senders = new Map(); // name -> sender id
        return room;
    }

    /** Open a page at the door. */
    async open(kind, options = {}) {
        const sender = options.sender ?? this.senders.size + 1;
        const name = options.name ?? names[(sender - 1) % names.length];
        const { role = 'participant', link, ...rest } = options;
        const page = await this.t.openPage(kind, link ?? this.links[role], {
            portMap: this.server.portMap, ...rest, role, name, sender,
        });
        this.senders.set(name, sender);
        return page;
    }

    /** From the door into the class. */
    async join(page) {
        await page.fill(ids.name, page.options.name, { timeout: 15000 });
        await page.waitFor('join can be pressed', (s) => !document.querySelector(s)?.disabled,
            { args: [page.selector(ids.join)], timeout: 15000 });
        await page.click(ids.join);
        await page.waitFor('is in the class', () => Boolean(window.__e2e.view().snapshotAt),
            { timeout: 15000 });
        if (!this.people.includes(page)) this.people.push(page);
        // Whoever may start the session does, so that the others are not left waiting.
        if (page.options.role === 'host' && await page.has(ids.start)) await page.click(ids.start);
        return page;
    }

    async enter(kind, options) {
        return this.join(await this.open(kind, options));
    }

    /** Three browsers, the host first, all with camera and microphone. */
    async three() {
        await this.enter('chromium', { role: 'host' });
        await this.enter('chromium');
        await this.enter('firefox');
        return this.people;
    }

    async leave(page) {
        this.people = this.people.filter((p) => p !== page);
        await page.click(ids.bar.leave);
        await page.click(ids.leaveYes);
        await page.waitForTestId(ids.over('left'));
    }

    /** Why no tile shows this person: what his tile is read as, and the counter of the picture in his slot: does it go on? */
    seenOf(view, read, tiles, other) {
        const devices = view.people.find((p) => p.name === other.name)?.devices.map((d) => d.id) ?? [];
        const tile = tiles.find((one) => one.source === 'cam' && devices.includes(one.device));
        const slot = view.video.find((v) => v.name === other.name && v.source === 'cam');
        return `${tile ? tile.why ?? `reads ${tile.id}` : 'no tile'}; picture ${read.video[slot?.slot]?.counter ?? 'none'} in slot ${slot?.slot}`;
    }

    /**
     * Wrong or missing things in what this page gets, as text; '' when the class is whole: each
     * other person's voice in the audio slot the server named for it, each camera and screen in
     * its video slot, nothing of anybody else anywhere.
     */
    async faults(page, { others, screens = [] }) {
        const [view, read, tiles] = await Promise.all([page.view(), page.read(), page.tiles(ids.tileSelector)]);
        const wrong = [];
        const idOf = (entry) => (this.senders.get(entry.name) ?? -1) + (entry.source === 'screen' ? 128 : 0);
        const roster = view.people.map((p) => p.name).sort();
        const wanted = [...others, page].map((p) => p.name).sort();
        if (JSON.stringify(roster) !== JSON.stringify(wanted)) wrong.push(`roster ${roster}`);

        for (const entry of view.video) {
            const got = read.video[entry.slot] ?? {};
            if (entry.state === 'live' && got.id !== idOf(entry)) {
                wrong.push(`video slot ${entry.slot}: ${entry.name} ${entry.source} expected, got ${got.id ?? got.why}`);
            }
        }
        view.audio.forEach((entry, slot) => {
            const got = read.audio[slot] ?? {};
            if (entry.device && got.id !== idOf(entry) % 32) {
                wrong.push(`audio slot ${slot}: ${entry.name} expected, got ${got.id ?? got.why}`);
            }
        });
        for (const other of others) {
            if (!view.video.some((v) => v.name === other.name && v.source === 'cam' && v.state === 'live')) {
                wrong.push(`no live camera of ${other.name}`);
            }
            if (!view.audio.some((a) => a.name === other.name)) wrong.push(`${other.name} not heard`);
            const shown = tiles.filter((tile) => tile.id === other.options.sender);
            if (shown.length !== 1) wrong.push(`${shown.length} tiles show ${other.name} (${this.seenOf(view, read, tiles, other)})`);
        }
        for (const other of screens) {
            if (!view.video.some((v) => v.name === other.name && v.source === 'screen' && v.state === 'live')) {
                wrong.push(`no live screen of ${other.name}`);
            }
            if (!tiles.some((tile) => tile.id === other.options.sender + 128)) {
                wrong.push(`no tile shows the screen of ${other.name}`);
            }
        }
        for (const tile of tiles) {
            const person = view.people.find((p) => p.devices.some((d) => d.id === tile.device));
            if (tile.id === undefined || !person) continue;
            const expected = this.senders.get(person.name) + (tile.source === 'screen' ? 128 : 0);
            if (tile.id !== expected) wrong.push(`the tile of ${person.name} shows sender ${tile.id}`);
        }
        return wrong.join('; ');
    }

    /** Wait until everybody inside sees and hears everybody else, and only them. */
    async whole({ timeout = 20000, screens = [], people = this.people } = {}) {
        for (const page of people) {
            const others = people.filter((p) => p !== page);
            let last = '';
            await until(async () => {
                last = await this.faults(page, { others, screens: screens.filter((p) => p !== page) });
                this.t.log(`${page.name}: ${last || 'whole'}`);
                return last === '' || Promise.reject(new Error(last));
            }, { what: `${page.name} has the class whole`, timeout, every: 200 });
        }
    }

    /** framesDecoded and totalAudioEnergy of every live slot rise; returns frames per second. */
    async flows(page, { frames = 15, timeout = 10000 } = {}) {
        const live = (stats, view, read) => {
            const audio = read.audio.map((a) => a.mid);
            const video = read.video.map((v) => v.mid);
            const mids = [
                ...view.video.filter((v) => v.state === 'live').map((v) => video[v.slot]),
                ...view.audio.flatMap((a, i) => (a.device ? [audio[i]] : [])),
            ];
            return mids.map((mid) => stats.slots.find((s) => s.mid === mid) ?? { mid });
        };
        const [view, read, first] = [await page.view(), await page.read(), await page.stats()];
        const before = live(first, view, read);
        return until(async () => {
            const stats = await page.stats();
            const now = live(stats, view, read);
            const stuck = now.filter((s, i) => (s.kind === 'video'
                ? !(s.decoded - before[i].decoded >= frames) : !(s.energy > before[i].energy)));
            if (stuck.length) throw new Error(`stuck: ${JSON.stringify(stuck)}`);
            const seconds = (stats.at - first.at) / 1000;
            return now.filter((s) => s.kind === 'video').map((s) => ({
                fps: (s.decoded - before.find((b) => b.mid === s.mid).decoded) / seconds,
                size: `${s.width}x${s.height}`,
            }));
        }, { what: `${page.name}: pictures and sound flow`, timeout, every: 100 });
    }

    /** One offer per page load, whatever happened; other causes only as allowed. */
    async oneOffer(page, allowed = {}) {
        const counts = await page.counts();
        this.t.equal(counts.offersByCause, { load: 1, ...allowed }, `${page.name}: offers by cause`);
        const extra = Object.values(allowed).reduce((a, b) => a + b, 0);
        this.t.equal(counts.offers, 1 + extra, `${page.name}: createOffer calls`);
        this.t.equal(counts.gap, 0, `${page.name}: deltas out of order`);
        const own = await page.hook('offers');
        if (own !== undefined) this.t.log(`${page.name}: own count ${JSON.stringify(own)}`);
    }

    clean(page) {
        this.t.equal(page.csp, [], `${page.name}: policy violations`);
        this.t.equal(page.errors, [], `${page.name}: errors`);
    }

    async openPanel(page, which) {
        const isOpen = await page.eval((s) => document.querySelector(s)?.getAttribute('aria-expanded') === 'true',
            page.selector(ids.bar[which]));
        if (!isOpen) await page.click(ids.bar[which]);
    }

    async say(page, text) {
        await this.openPanel(page, 'chat');
        await page.fill(ids.chatInput, text);
        await page.press('Enter');
    }

    /** Everybody has these texts, each once and in this order. */
    async chatIs(texts, { people = this.people, timeout = 10000 } = {}) {
        for (const page of people) {
            await until(async () => {
                const got = (await page.view()).chat.map((c) => c.text);
                return JSON.stringify(got) === JSON.stringify(texts)
                    || Promise.reject(new Error(JSON.stringify(got)));
            }, { what: `${page.name} has the chat`, timeout });
        }
    }
}
