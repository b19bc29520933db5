// selftest - the harness proves itself, without the product: coded media between two pages over a
// plain RTCPeerConnection, through the relay. What it measures, class tests can rely on.
import http from 'node:http';
import net from 'node:net';
import crypto from 'node:crypto';
import { during, until } from './lib/wait.mjs';

/** An empty page on 127.0.0.1, with the strict policy the product will have. */
async function emptySite(t) {
    const server = http.createServer((request, response) => {
        response.setHeader('Content-Type', 'text/html; charset=utf-8');
        response.setHeader('Content-Security-Policy',
            "default-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'");
        response.end('<!doctype html><html lang="en"><title>empty</title><main><h1>Empty</h1>'
            + '<button data-testid="go" type="button">go</button></main></html>');
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    t.defer(() => server.close());
    return `http://127.0.0.1:${server.address().port}/`;
}

/* The three steps of a call, run in the pages. */
const makeOffer = async () => {
    const pc = new RTCPeerConnection();
    const camera = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
    const screen = await navigator.mediaDevices.getDisplayMedia({ video: true, audio: true });
    for (const track of [camera, screen].flatMap((s) => [...s.getAudioTracks(), ...s.getVideoTracks()])) {
        pc.addTransceiver(track, { direction: 'sendrecv' });
    }
    await pc.setLocalDescription(await pc.createOffer());
    return pc.localDescription.sdp;
};
const makeAnswer = async (sdp) => {
    const pc = new RTCPeerConnection();
    await pc.setRemoteDescription({ type: 'offer', sdp });
    const camera = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
    const screen = await navigator.mediaDevices.getDisplayMedia({ video: true, audio: true });
    const tracks = [camera, screen].flatMap((s) => [...s.getAudioTracks(), ...s.getVideoTracks()]);
    for (const [i, transceiver] of pc.getTransceivers().entries()) {
        await transceiver.sender.replaceTrack(tracks[i]);
        transceiver.direction = 'sendrecv';
    }
    await pc.setLocalDescription(await pc.createAnswer());
    if (pc.iceGatheringState !== 'complete') {
        await new Promise((done) => {
            pc.addEventListener('icegatheringstatechange', () => {
                if (pc.iceGatheringState === 'complete') done();
            });
        });
    }
    return pc.localDescription.sdp;
};
const takeAnswer = async (sdp) => {
    await window.__e2e.pc().setRemoteDescription({ type: 'answer', sdp });
};

const withoutCandidates = (sdp) => sdp.replace(/^a=(candidate|end-of-candidates).*\r?\n/gm, '');

/** Connect two pages so that every packet passes the relay. Returns the relay. */
async function call(t, caller, callee, words) {
    const offer = await caller.eval(makeOffer);
    const answer = await callee.eval(makeAnswer, withoutCandidates(offer));
    const hosts = [...answer.matchAll(/^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host/gmi)];
    const loop = hosts.find(([, ip]) => ip === '127.0.0.1') ?? hosts[0];
    t.check(loop, `no usable candidate in ${answer.match(/^a=candidate.*$/gm)}`);
    const [, ip, port] = loop;
    const relay = await t.relay({ udp: [`${ip}:${port}`], words });
    const line = `a=candidate:1 1 udp 2130706431 ${ip} ${relay.port('udp', port)} typ host\r\n`;
    // The callee learns the caller's address from its checks; all sections share one transport.
    await caller.eval(takeAnswer, withoutCandidates(answer).replace(/^a=mid:/m, `${line}a=mid:`));
    for (const page of [caller, callee]) {
        await page.waitFor('connected', () => window.__e2e.pc().connectionState === 'connected',
            { timeout: 15000 });
    }
    return relay;
}

/** Wait until the page decodes this sender's camera, screen, voice and screen sound. */
async function decodes(t, page, sender) {
    const wanted = { pictures: [sender, sender + 128], tones: [`${sender % 32}`, `${sender % 32}s`] };
    return until(async () => {
        const got = await page.read();
        const pictures = got.video.filter((v) => v.counter >= 0).map((v) => v.id);
        const tones = got.audio.filter((a) => a.hz).map((a) => `${a.id}${a.sound ? 's' : ''}`);
        t.log(`${page.name} ${JSON.stringify(got)}`);
        return JSON.stringify({ pictures, tones }) === JSON.stringify(wanted) && got;
    }, { what: `${page.name} decodes sender ${sender}`, timeout: 20000, every: 200 });
}

async function media(t, kinds, senders) {
    const site = await emptySite(t);
    const a = await t.openPage(kinds[0], site, { name: 'a', sender: senders[0] });
    const b = await t.openPage(kinds[1], site, { name: 'b', sender: senders[1] });
    const relay = await call(t, a, b, ['seed=3']);
    const seenByA = await decodes(t, a, senders[1]);
    const seenByB = await decodes(t, b, senders[0]);
    t.figure('a_sees', seenByA.video.map((v) => `${v.id}@${v.width}x${v.height}`).join(','));
    t.figure('a_hears', seenByA.audio.map((v) => `${v.hz}Hz`).join(','));
    t.figure('b_sees', seenByB.video.map((v) => `${v.id}@${v.width}x${v.height}`).join(','));
    t.figure('b_hears', seenByB.audio.map((v) => `${v.hz}Hz`).join(','));
    t.equal((await a.counts()).offers, 1, 'offers counted');
    for (const page of [a, b]) {
        t.equal(page.csp, [], `${page.name}: policy violations`);
        t.equal(page.errors, [], `${page.name}: errors`);
    }
    return { a, b, relay };
}

/** The decoder must tell a wrong picture from a right one, or no class test means anything. */
async function wrongSender(t) {
    const site = await emptySite(t);
    const page = await t.openPage('chromium', site, { name: 'p', sender: 9 });
    const result = await page.eval(async () => {
        const stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
        const show = async (source) => {
            const video = document.createElement('video');
            video.muted = true;
            video.srcObject = source;
            await video.play();
            await new Promise((done) => video.requestVideoFrameCallback(done));
            return window.__e2e.readPicture(video);
        };
        const right = await show(stream);
        // The same picture with one cell painted over, blurred, and as noise.
        const forge = (paint) => {
            const canvas = document.createElement('canvas');
            canvas.width = 320;
            canvas.height = 180;
            const context = canvas.getContext('2d');
            const timer = setInterval(() => paint(context), 30);
            paint(context);
            const track = canvas.captureStream(30);
            return show(track).finally(() => clearInterval(timer));
        };
        const video = document.createElement('video');
        video.muted = true;
        video.srcObject = stream;
        await video.play();
        const colours = ['rgb(224,16,16)', 'rgb(16,200,32)', 'rgb(24,32,232)', 'rgb(240,232,16)'];
        const spoiled = [];
        for (const colour of colours) {
            spoiled.push(await forge((c) => {
                c.drawImage(video, 0, 0, 320, 180);
                c.fillStyle = colour;
                c.fillRect(0, 0, 80, 45);
            }));
        }
        const black = await forge((c) => c.fillRect(0, 0, 320, 180));
        const flat = [];
        for (const colour of colours) {
            flat.push(await forge((c) => {
                c.fillStyle = colour;
                c.fillRect(0, 0, 320, 180);
            }));
        }
        const silence = new MediaStreamAudioDestinationNode(new AudioContext()).stream.getAudioTracks()[0];
        return { right, spoiled, black, flat, silence: window.__e2e.readTone(silence) };
    });
    t.equal(result.right.id, 9, 'own picture');
    t.equal(result.spoiled.filter((r) => r.id === 9).length, 1, 'one of four colours is the true one');
    t.equal(result.spoiled.filter((r) => r.why === 'unreadable').length, 3, 'the others unreadable');
    t.equal(result.black.why, 'unreadable', 'black');
    t.equal(result.flat.filter((r) => r.why !== 'unreadable'), [], 'one colour');
    t.equal(result.silence.why, 'no tone', 'silence');
    t.figure('refused', `${result.spoiled.length + result.flat.length}/9`);
}

async function impaired(t) {
    const { a, b, relay } = await media(t, ['chromium', 'firefox'], [5, 6]);
    await relay.set('loss=5 delay=50');
    const first = { a: await a.stats(), b: await b.stats() };
    const states = new Set();
    const trips = [];
    await during(8000, 250, async () => {
        const stats = await a.stats();
        states.add(stats.state);
        trips.push(stats.path_rtt_ms || stats.rtt_ms || Infinity);
    });
    const last = { a: await a.stats(), b: await b.stats() };
    for (const page of ['a', 'b']) {
        const sum = (key, kind) => last[page].slots.filter((s) => s.kind === kind)
            .reduce((n, s) => n + s[key] - (first[page].slots.find((f) => f.ssrc === s.ssrc)?.[key] ?? 0), 0);
        t.figure(`${page}_fps`, sum('decoded', 'video') / 2 / 8);
        t.figure(`${page}_freezes`, sum('freezes', 'video'));
        t.figure(`${page}_frozen_s`, sum('frozen_s', 'video'));
        t.figure(`${page}_concealed_pct`, (100 * sum('concealed', 'audio')) / Math.max(1, sum('samples', 'audio')));
        t.figure(`${page}_lost`, sum('lost', 'audio') + sum('lost', 'video'));
        t.figure(`${page}_rtt_ms`, last[page].path_rtt_ms || last[page].rtt_ms);
        t.check(sum('decoded', 'video') > 8, `${page} decodes hardly anything`);
    }
    const { ab, ba } = await relay.stat();
    t.figure('relay_loss_pct', (100 * (ab.lost + ba.lost)) / (ab.in + ba.in));
    t.equal([...states], ['connected'], 'connection states seen');
    // The first samples were measured before the delay was set, and a busy machine adds to others:
    // the least of the later ones is what the link itself takes.
    const rtt = Math.min(...trips.slice(trips.length >> 1));
    t.figure('rtt_least_ms', rtt);
    t.check(rtt >= 95 && rtt <= 1000, `round trip ${rtt} ms, 100 wanted`);
    t.check(ab.lost > 0 && ba.lost > 0, 'the relay lost nothing');
}

/** firstMedia() sees the first picture and sound when they come, not before and not much later. */
async function firstMedia(t) {
    const site = await emptySite(t);
    for (const kind of ['chromium', 'firefox']) {
        const a = await t.openPage('chromium', site, { name: `a-${kind}`, sender: 3 });
        const b = await t.openPage(kind, site, { name: `b-${kind}`, sender: 4 });
        await b.eval(() => {
            window.__first = window.__e2e.firstMedia(20000);
        });
        const relay = await call(t, a, b, ['ba:delay=25', 'ab:loss=0 delay=25']);
        const { found, connected } = await b.eval(async () => ({
            found: await window.__first, connected: window.__e2e.marks.connected,
        }));
        for (const what of ['picture', 'sound']) {
            const after = found[what] - connected;
            t.check(after > 0 && after < 15000, `${kind}: ${what} ${after} ms after connecting`);
            t.figure(`${kind}_${what}_ms`, after);
        }
        // Nothing comes when nothing passes: the same ears and eyes on a cut link.
        await relay.set('loss=100');
        const silent = await b.waitFor('silence on a cut link', () => window.__e2e.read().audio
            .every((s) => s.why), { timeout: 10000 });
        t.check(silent, 'tones on a cut link');
        await a.close();
        await b.close();
    }
}

/** axe finds what is wrong with a page that is wrong. */
async function axeBites(t) {
    const site = await emptySite(t);
    const page = await t.openPage('chromium', site, { name: 'bad', media: 'none' });
    t.equal((await page.axe()).map((v) => v.id), [], 'violations on a good page');
    await page.eval(() => {
        const image = document.createElement('img');
        const button = document.createElement('button');
        document.querySelector('main').append(image, button);
        document.documentElement.removeAttribute('lang');
    });
    const found = (await page.axe()).map((v) => v.id).sort();
    const wanted = ['button-name', 'html-has-lang', 'image-alt'];
    t.equal(found.filter((id) => wanted.includes(id)), wanted, 'violations on a bad page');
    t.figure('found', found.join(','));
}

/** A NAT rebinding in the middle: the caller's checks make the new path good. */
async function rebinding(t) {
    const site = await emptySite(t);
    const a = await t.openPage('chromium', site, { name: 'a', sender: 11 });
    const b = await t.openPage('chromium', site, { name: 'b', sender: 12 });
    const relay = await call(t, a, b, []);
    await decodes(t, b, 11);
    await relay.rebind();
    const decoded = async () => (await b.stats()).slots.find((s) => s.kind === 'video').decoded;
    const before = await decoded();
    await until(async () => (await decoded()) > before + 10, { what: 'pictures go on', timeout: 20000 });
    t.figure('rebinds', (await relay.stat()).rebinds);
}

/** The TCP side: bytes arrive whole and in order, losses only make them late, ends are passed on. */
async function tcp(t) {
    const body = crypto.randomBytes(3 << 20);
    const hash = (data) => crypto.createHash('sha256').update(data).digest('hex');
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
        const got = [];
        socket.on('data', (d) => got.push(d));
        socket.on('end', () => socket.end(Buffer.concat([Buffer.from(hash(Buffer.concat(got))), body])));
        socket.on('error', () => {});
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    t.defer(() => server.close());
    const to = server.address().port;
    const relay = await t.relay({ tcp: [`127.0.0.1:${to}`], words: ['loss=1', 'delay=10', 'rate=40000'] });
    const start = performance.now();
    const answers = await Promise.all([1, 2, 3].map((n) => new Promise((done, fail) => {
        const socket = net.connect({ port: relay.port('tcp', to), allowHalfOpen: true });
        const got = [];
        socket.on('data', (d) => got.push(d));
        socket.on('end', () => done(Buffer.concat(got)));
        socket.on('error', fail);
        socket.end(body.subarray(0, n * 100000));
    })));
    const seconds = (performance.now() - start) / 1000;
    answers.forEach((answer, i) => {
        t.equal(answer.subarray(0, 64).toString(), hash(body.subarray(0, (i + 1) * 100000)), 'bytes up');
        t.equal(hash(answer.subarray(64)), hash(body), 'bytes down');
    });
    const stat = await relay.stat();
    t.figure('mbit_s', (stat.ba.in_bytes * 8) / seconds / 1e6);
    t.figure('late_segments', stat.ab.retransmitted + stat.ba.retransmitted);
    t.check(stat.ba.retransmitted > 10, 'no loss was modelled');
    // A server that is not there: the client is told, the relay goes on.
    server.close();
    const gone = await t.relay({ tcp: ['127.0.0.1:1'] });
    await new Promise((done) => net.connect(gone.port('tcp', 1)).on('error', done).on('close', done));
    t.equal((await gone.stat()).refused, 0, 'refused');
}

export const scenarios = [
    { name: 'tcp-relay', timeout_s: 60, run: tcp },
    { name: 'wrong-sender', timeout_s: 60, run: wrongSender },
    { name: 'chromium-chromium', timeout_s: 90, run: (t) => media(t, ['chromium', 'chromium'], [1, 2]) },
    { name: 'chromium-firefox', timeout_s: 90, run: (t) => media(t, ['chromium', 'firefox'], [31, 100]) },
    { name: 'first-media', timeout_s: 120, run: firstMedia },
    { name: 'axe-bites', timeout_s: 60, run: axeBites },
    { name: 'rebind', timeout_s: 90, run: rebinding },
    { name: 'loss-and-delay', timeout_s: 120, run: impaired },
];
