// paths - people whose network lets hardly anything pass: run by tests/e2e/paths.sh, which builds
// the network, sets the server up as README.md says and puts this process where the people are.
import { ClassRoom } from './lib/class.mjs';
import { ids } from './lib/contract.mjs';
import { until } from './lib/wait.mjs';

export const needs = 'AMPHI_E2E_PATHS';
const TARGET_MS = 8000;

/** Enter without waiting for anything a person would not wait for; time until the first sound. */
async function enterAndHear(room, kind) {
    const page = await room.open(kind);
    await page.fill(ids.name, page.options.name, { timeout: 15000 });
    await page.waitFor('join can be pressed', (s) => !document.querySelector(s)?.disabled,
        { args: [page.selector(ids.join)], timeout: 15000 });
    await page.eval((selector) => {
        document.querySelector(selector).addEventListener('click', () => {
            window.__e2e.marks.click = performance.now();
        }, { capture: true, once: true });
        window.__e2e.first = window.__e2e.firstMedia(60000);
    }, page.selector(ids.join));
    await page.click(ids.join);
    const { found, marks, steps } = await page.eval(async () => ({
        found: await window.__e2e.first,
        marks: window.__e2e.marks,
        steps: ['door', 'media.answer'].map((kind) => window.__e2e.messages.find(({ message }) => message.t === kind)?.at),
    }));
    // Which step took the time: the page and its socket, the offer, what the relay gave, the checks.
    room.t.figure('door_after_load_ms', steps[0]);
    room.t.figure('answer_after_load_ms', steps[1]);
    room.t.figure('relay_after_load_ms', marks.relay_tls);
    room.t.figure('connected_after_load_ms', marks.connected);
    room.t.figure('click_after_load_ms', marks.click);
    room.t.figure('heard_after_load_ms', found.sound);
    room.t.figure('heard_after_click_ms', found.sound - marks.click);
    room.t.figure('target_ms', TARGET_MS);
    room.t.check(found.sound > 0, `${page.name} hears nothing within 60 s`);
    room.people.push(page);
    return page;
}

function byRelay(page) {
    return until(async () => {
        const { path, via } = await page.stats();
        return via === 'relay tls' || Promise.reject(new Error(`to ${path} by ${via}`));
    }, { what: `${page.name}: media goes by the relay`, timeout: 60000 });
}

/** Two people who have nothing but TLS to port 443 of the server, straight or through a proxy. */
async function through443(t) {
    t.check(process.env[needs], 'run tests/e2e/paths.sh');
    const room = await ClassRoom.start(t);
    await room.enter('chromium', { role: 'host' });
    await enterAndHear(room, 'chromium');
    await room.whole({ timeout: 60000 });
    for (const page of room.people) {
        await byRelay(page);
        await room.flows(page, { timeout: 30000 });
        await room.oneOffer(page);
    }
}

/** What a relay gives for these credentials: its candidates and the errors it answered. */
const gathers = async (ice) => {
    // Not the one the tests watch: it would count as a connection of the page.
    const Native = Object.getPrototypeOf(window.RTCPeerConnection);
    const urls = ice.urls.filter((url) => url.startsWith('turns:'));
    const pc = new Native({ iceServers: [{ ...ice, urls }], iceTransportPolicy: 'relay' });
    const got = { relays: 0, errors: [] };
    pc.onicecandidateerror = (event) => got.errors.push(event.errorCode);
    pc.createDataChannel('x');
    const done = new Promise((end) => {
        pc.onicecandidate = ({ candidate }) => {
            got.relays += candidate?.type === 'relay';
            if (!candidate) end();
        };
    });
    await pc.setLocalDescription(await pc.createOffer());
    await done;
    pc.close();
    return got;
};

/** The credentials people came with end; the class goes on, and a new path finds the relay again. */
async function renewal(t) {
    t.check(process.env[needs], 'run tests/e2e/paths.sh');
    const room = await ClassRoom.start(t);
    await room.enter('chromium', { role: 'host' });
    const guest = await room.enter('chromium');
    await room.whole({ timeout: 60000 });
    for (const page of room.people) await byRelay(page);
    const first = (await guest.view()).door.ice;
    const end = Number(first.username.split(':')[0]) * 1000;
    t.check(end - Date.now() < 25000, 'the credentials are not short-lived');
    await until(() => Date.now() > end + 1000, { what: 'the credentials end', timeout: 30000, every: 250 });
    const dead = await guest.eval(gathers, first);
    t.equal(dead.relays, 0, 'candidates for dead credentials');
    t.check(dead.errors.includes(401), `the relay said ${dead.errors}`);
    t.figure('asked_for_new_ones', (await guest.counts()).got.relays ?? 0);
    for (const page of room.people) await room.flows(page, { timeout: 30000 });
    await room.oneOffer(guest);
    // A new path, as after a change of the network: only fresh credentials lead to the relay.
    const { local_port: old } = await guest.stats();
    await guest.eval(() => window.dispatchEvent(new Event('online')));
    await guest.waitFor('a restart is answered', () => (window.__e2e.counts().got['media.answer'] ?? 0) > 1,
        { timeout: 15000 });
    await guest.waitFor('the path is a new one', async (port) => {
        const { via, local_port } = await window.__e2e.stats();
        return via === 'relay tls' && local_port !== port;
    }, { args: [old], timeout: 60000 });
    for (const page of room.people) await room.flows(page, { timeout: 30000 });
    await room.whole({ timeout: 60000 });
    const { offersByCause } = await guest.counts();
    t.equal(offersByCause.load, 1, 'offers of the load');
    t.equal((await guest.counts()).connections, 1, 'connections of the page');
}

export const scenarios = [
    { name: 'only-443', timeout_s: 90, run: through443 },
    { name: 'proxy', timeout_s: 90, run: through443 },
    { name: 'renewal', timeout_s: 150, run: renewal },
];
