// class - two Chromium and one Firefox in one class.
import { ClassRoom } from './lib/class.mjs';
import { ids } from './lib/contract.mjs';

async function three(t, room) {
    const { people } = room;
    for (const page of people) {
        const flows = await room.flows(page);
        t.equal(flows.length, 2, `${page.name}: pictures`);
        t.figure(`${page.browser}_fps`, Math.min(...flows.map((f) => f.fps)));
        t.figure(`${page.browser}_size`, flows.map((f) => f.size).join(','));
        await room.oneOffer(page);
        room.clean(page);
    }
    const stats = await people[0].stats();
    t.check(stats.senders.every((s) => s.kind !== 'video' || s.bytes >= 0), 'sender figures');
}

/** What was sent is what arrives: the largest layer in its own size when the tile asks for it. */
async function sizes(t) {
    const room = await ClassRoom.start(t);
    const host = await room.enter('chromium', { role: 'host', camera: [1280, 720] });
    const guest = await room.enter('chromium', { viewport: { width: 1600, height: 1000 } });
    await room.whole();
    const size = await guest.waitFor('the size as sent', async () => {
        const slot = (await window.__e2e.stats()).slots.find((s) => s.kind === 'video' && s.decoded);
        return slot?.height >= 360 ? `${slot.width}x${slot.height}` : '';
    }, { timeout: 20000 });
    const sent = (await host.stats()).senders.filter((s) => s.kind === 'video' && s.width);
    t.check(sent.some((s) => `${s.width}x${s.height}` === size), `${size} is not a size that was sent`);
    t.figure('size', size);
}

async function leaveAndRejoin(t, room) {
    const [host, second, third] = room.people;
    for (const page of [second, third]) {
        await room.leave(page);
        await room.whole();
        await page.goto('about:blank');
        await page.goto(room.links.participant);
        await room.join(page);
        await room.whole();
        await room.oneOffer(page);
    }
    // Somebody new takes a slot that has carried another before.
    await room.leave(second);
    await room.enter('chromium', { sender: 9, name: 'Grace Hopper' });
    await room.whole();
    for (const page of [host, third]) await room.oneOffer(page);
}

/** In-band FEC of Opus is agreed on, for what is sent and for what comes. */
async function fecAgreed(t, page) {
    const agreed = await page.eval(() => {
        const pc = window.__e2e.pcs.find((one) => one.connectionState === 'connected');
        return [pc.localDescription.sdp, pc.remoteDescription.sdp].map((sdp) => sdp.split('\nm=').slice(1)
            .filter((section) => section.startsWith('audio')).every((section) => /a=fmtp:\d+ .*useinbandfec=1/.test(section)));
    });
    t.equal(agreed, [true, true], `in-band FEC in every section of ${page.name}, both descriptions`);
}

/** What the browser keeps of how a screen is to be sent: full size, few pictures, details first. */
async function asScreen(t, page) {
    const kept = await page.eval(() => {
        const sender = window.__e2e.pcs.flatMap((pc) => pc.getSenders()).find((s) => s.track?.contentHint === 'detail');
        const { encodings, degradationPreference } = sender?.getParameters() ?? { encodings: [] };
        return { layers: encodings.map((e) => [e.active, e.scalabilityMode, e.maxFramerate, e.scaleResolutionDownBy ?? 1, e.rid ?? '']), degradationPreference };
    });
    t.equal(kept, { layers: [[true, 'L1T2', 15, 1, '']], degradationPreference: 'maintain-resolution' }, 'how a screen is sent');
}

async function screen(t, room) {
    const [host, second, third] = room.people;
    const start = performance.now();
    await host.click(ids.bar.screen);
    await room.whole({ screens: [host] });
    t.figure('screen_s', (performance.now() - start) / 1000);
    await asScreen(t, host);
    for (const page of [host, second, third]) await fecAgreed(t, page);
    for (const page of [second, third]) {
        const { video } = await page.read();
        const got = video.find((v) => v.id === host.options.sender + 128);
        t.figure(`${page.browser}_screen`, `${got.width}x${got.height}`);
    }
    await unshare(room, host);
    for (const page of room.people) await room.oneOffer(page);
}

async function unshare(room, host) {
    await host.click(ids.bar.screen);
    for (const page of room.people.filter((p) => p !== host)) {
        await page.waitFor('the screen is gone', () => !window.__e2e.view().video
            .some((v) => v.source === 'screen' && v.state === 'live'));
    }
    await room.whole();
}

/** Everything there is comes with one snapshot: people, devices, hands in order, chat. */
async function late(t, room) {
    const [host, second, third] = room.people;
    await room.say(host, 'Bonjour à tous');
    await room.say(second, 'Hello');
    await room.chatIs(['Bonjour à tous', 'Hello']);
    for (const page of [third, second]) {
        await page.click(ids.bar.hand);
        await page.waitFor('own hand is up', (name) => {
            const view = window.__e2e.view();
            return view.hands.some((h) => view.people.find((p) => p.id === h.person)?.name === name);
        }, { args: [page.name] });
    }
    await host.click(ids.bar.screen);
    await room.whole({ screens: [host] });
    const newcomer = await room.enter('chromium', { sender: 14, name: 'Katherine Johnson' });
    const view = await newcomer.view();
    const counts = await newcomer.counts();
    const nameOf = (id) => view.people.find((p) => p.id === id)?.name;
    t.equal(view.people.map((p) => p.name).sort(), room.people.map((p) => p.name).sort(), 'people');
    t.equal(view.chat.map((c) => c.text), ['Bonjour à tous', 'Hello'], 'chat');
    t.equal(view.hands.map((h) => nameOf(h.person)), [third.name, second.name], 'hands in order');
    t.check(view.people.find((p) => p.name === host.name).devices.some((d) => d.screen), 'screen state');
    t.equal(counts.got.snapshot, 1, 'snapshots');
    await room.whole({ screens: [host] });
    for (const page of room.people) await room.oneOffer(page);
    await unshare(room, host);
    await room.leave(newcomer);
    await room.whole();
}

async function reload(t, room) {
    const people = [...room.people];
    for (const page of people) {
        const before = (await page.view()).you;
        const start = performance.now();
        await page.reload();
        await page.waitFor('is back without the door', () => Boolean(window.__e2e.view().snapshotAt),
            { timeout: 15000 });
        await room.whole();
        t.figure(`${page.browser}_back_s`, (performance.now() - start) / 1000);
        const after = (await page.view()).you;
        t.equal(after.person, before.person, `${page.name}: same seat`);
        t.equal(after.role, before.role, `${page.name}: same role`);
        await room.oneOffer(page);
        const watcher = people.find((p) => p !== page);
        t.equal((await watcher.view()).people.length, 3, 'people seen by the others');
    }
}

/** A mute closes the stream for everybody at once; unmuting makes no offer. */
async function mute(t, room) {
    const [host, second, third] = room.people;
    await second.click(ids.bar.mic);
    for (const page of [host, third]) {
        await page.waitFor('silence of the muted', (name) => !window.__e2e.view().audio
            .some((a) => a.name === name), { args: [second.name] });
    }
    await second.click(ids.bar.mic);
    await second.click(ids.bar.camera);
    for (const page of [host, third]) {
        await page.waitFor('no picture of the hidden', (name) => !window.__e2e.view().video
            .some((v) => v.name === name && v.state === 'live'), { args: [second.name] });
    }
    await second.click(ids.bar.camera);
    await room.whole();
    for (const page of room.people) await room.oneOffer(page);
}

/** Steps in one class of three: each leaves the class whole to the next. */
const steps = (...parts) => async (t) => {
    const room = await ClassRoom.start(t);
    await room.three();
    await room.whole();
    for (const part of parts) {
        const start = performance.now();
        t.log(`step ${part.name}`);
        await part(t, room);
        t.figure(`${part.name}_s`, (performance.now() - start) / 1000);
    }
};

export const scenarios = [
    { name: 'three', timeout_s: 300, run: steps(three, mute, screen, late, reload, leaveAndRejoin) },
    { name: 'sizes', timeout_s: 90, run: sizes },
];
