// read.js - injected: says whose picture and whose tone arrives, and how well.
(() => {
    const e2e = window.__e2e;
    const size = 32;
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = size;
    const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });

    const nearest = (r, g, b) => {
        let best = 0;
        let least = Infinity;
        e2e.palette.forEach(([pr, pg, pb], i) => {
            const d = (r - pr) ** 2 + (g - pg) ** 2 + (b - pb) ** 2;
            if (d < least) [least, best] = [d, i];
        });
        return best;
    };
    /** Decode what a video element shows: {id, counter} or the reason why not. */
    e2e.readPicture = (video) => {
        const width = video.videoWidth;
        const height = video.videoHeight;
        if (!width || video.readyState < 2) return { why: 'no picture' };
        context.drawImage(video, 0, 0, size, size);
        const { data } = context.getImageData(0, 0, size, size);
        const cells = [];
        const step = size / 4;
        for (let cell = 0; cell < 16; cell++) {
            const sum = [0, 0, 0];
            let n = 0;
            for (let y = step / 4; y < (step * 3) / 4; y++) {
                for (let x = step / 4; x < (step * 3) / 4; x++) {
                    const at = (((cell >> 2) * step + y) * size + (cell % 4) * step + x) * 4;
                    for (let i = 0; i < 3; i++) sum[i] += data[at + i];
                    n++;
                }
            }
            cells.push(nearest(sum[0] / n, sum[1] / n, sum[2] / n));
        }
        const take = (from, to) => cells.slice(from, to).reduce((v, c) => (v << 2) | c, 0);
        const id = take(0, 4);
        const counter = take(8, 14);
        if (take(4, 8) !== e2e.crc8(id)) return { why: 'unreadable', width, height };
        return { id, counter: take(14, 16) === e2e.nibble(counter) ? counter : -1, width, height };
    };

    let audio;
    const ears = new Map();
    /** An analyser on a track; a muted element keeps Chromium pulling it, and counts as silence. */
    const listen = (track) => {
        let ear = ears.get(track);
        if (ear) return ear;
        audio ??= new AudioContext({ sampleRate: 48000 });
        audio.resume();
        const stream = new MediaStream([track]);
        const element = document.createElement('audio');
        element.__e2e = true;
        element.muted = true;
        element.srcObject = stream;
        element.play().catch(() => {});
        const source = new MediaStreamAudioSourceNode(audio, { mediaStream: stream });
        const analyser = new AnalyserNode(audio, { fftSize: 8192, smoothingTimeConstant: 0.3 });
        source.connect(analyser);
        ear = { analyser, source, element, bins: new Float32Array(analyser.frequencyBinCount) };
        ears.set(track, ear);
        return ear;
    };
    /** The loudest line of the spectrum: {hz, db, id, sound} or the reason why not. */
    e2e.readTone = (track) => {
        const { analyser, bins } = listen(track);
        analyser.getFloatFrequencyData(bins);
        const width = audio.sampleRate / analyser.fftSize;
        let best = 0;
        const from = Math.round(200 / width);
        const to = Math.round(2800 / width);
        for (let i = from; i <= to; i++) if (bins[i] > bins[best] || best === 0) best = i;
        const db = bins[best];
        const sorted = [...bins.slice(from, to)].sort((a, b) => a - b);
        if (!(db > -75) || db < sorted[sorted.length >> 1] + 20) {
            return { why: 'no tone', db: Number.isFinite(db) ? Math.round(db) : -999 };
        }
        // Between two bins the neighbours tell where the line truly is.
        const [l, r] = [10 ** (bins[best - 1] / 20), 10 ** (bins[best + 1] / 20)];
        const hz = (best + (r - l) / (2 * (2 * 10 ** (db / 20) - l - r))) * width;
        const offset = (hz - 300) / 75;
        const id = Math.round(offset);
        const isSound = Math.abs(hz - (300 + 75 * Math.floor(offset) + 37)) < 12;
        const off = Math.abs(hz - (300 + 75 * id));
        if (!isSound && off > 12) return { why: 'between tones', hz: Math.round(hz) };
        return { hz: Math.round(hz), db: Math.round(db), id: isSound ? Math.floor(offset) : id, sound: isSound };
    };

    const eyes = new Map();
    const watch = (track) => {
        let video = eyes.get(track);
        if (!video) {
            video = document.createElement('video');
            video.__e2e = true;
            video.muted = true;
            video.playsInline = true;
            video.srcObject = new MediaStream([track]);
            video.play().catch(() => {});
            eyes.set(track, video);
        }
        return video;
    };

    /** What each receive section of the connection carries, in the order of the sections. */
    e2e.read = () => {
        const pc = e2e.pc();
        if (!pc) return { audio: [], video: [] };
        const receiving = pc.getTransceivers().filter((t) => t.receiver.track && t.mid !== null
            && /recv/.test(t.currentDirection ?? ''));
        return {
            state: pc.connectionState,
            audio: receiving.filter((t) => t.receiver.track.kind === 'audio')
                .map((t) => ({ mid: t.mid, ...e2e.readTone(t.receiver.track) })),
            video: receiving.filter((t) => t.receiver.track.kind === 'video')
                .map((t) => ({ mid: t.mid, ...e2e.readPicture(watch(t.receiver.track)) })),
        };
    };

    /** What the page itself shows: each tile of the product with the decoded sender. */
    e2e.readTiles = (selector) => [...document.querySelectorAll(selector)].map((tile) => {
        const video = tile.querySelector('video');
        const [, device, source] = tile.dataset.testid?.match(/^tile-(.*)-(cam|screen)$/) ?? [];
        return {
            device,
            source,
            ...(video ? e2e.readPicture(video) : { why: 'no video element' }),
        };
    });

    /** Figures per receive section, and of the path. */
    e2e.stats = async () => {
        const pc = e2e.pc();
        const result = { at: performance.now(), slots: [], senders: [] };
        if (!pc) return result;
        const all = new Map();
        (await pc.getStats()).forEach((s) => all.set(s.id, s));
        // Firefox nominates every pair that answers and says which one it goes by.
        const pairs = [...all.values()].filter((s) => s.type === 'candidate-pair' && s.state === 'succeeded');
        const chosen = pairs.find((s) => s.selected) ?? pairs.find((s) => s.nominated);
        for (const s of all.values()) {
            if (s.type === 'inbound-rtp') {
                result.slots.push({
                    kind: s.kind, mid: s.mid, ssrc: s.ssrc, packets: s.packetsReceived,
                    lost: s.packetsLost, bytes: s.bytesReceived, nack: s.nackCount ?? 0,
                    pli: s.pliCount ?? 0, decoded: s.framesDecoded ?? 0, fps: s.framesPerSecond ?? 0, dropped: s.framesDropped ?? 0,
                    width: s.frameWidth, height: s.frameHeight, freezes: s.freezeCount ?? 0,
                    frozen_s: s.totalFreezesDuration ?? 0, energy: s.totalAudioEnergy ?? 0,
                    samples: s.totalSamplesReceived ?? 0,
                    concealed: (s.concealedSamples ?? 0) - (s.silentConcealedSamples ?? 0),
                    late: s.packetsDiscarded ?? 0, waited_s: s.jitterBufferDelay ?? 0, played: s.jitterBufferEmittedCount ?? 0,
                    fec: s.fecPacketsReceived ?? 0, target_s: s.jitterBufferTargetDelay ?? 0,
                    rtx: s.retransmittedPacketsReceived ?? 0, codec: all.get(s.codecId)?.mimeType,
                });
            } else if (s.type === 'outbound-rtp') {
                result.senders.push({
                    kind: s.kind, mid: s.mid, rid: s.rid, ssrc: s.ssrc, packets: s.packetsSent,
                    bytes: s.bytesSent, encoded: s.framesEncoded ?? 0, width: s.frameWidth,
                    height: s.frameHeight, nack: s.nackCount ?? 0, pli: s.pliCount ?? 0,
                    limited: s.qualityLimitationReason,
                });
            } else if (s.type === 'remote-inbound-rtp' && s.roundTripTime !== undefined) {
                result.rtt_ms = Math.round(s.roundTripTime * 1000);
            } else if (s === chosen) {
                result.path_rtt_ms = Math.round((s.currentRoundTripTime ?? 0) * 1000);
                const remote = all.get(s.remoteCandidateId);
                const local = all.get(s.localCandidateId);
                result.local_port = local?.port;
                result.local = local?.address ?? local?.ip;
                result.via = [local?.candidateType, local?.relayProtocol].filter(Boolean).join(' ');
                result.path = `${remote?.protocol} ${remote?.address ?? remote?.ip}:${remote?.port}`;
            }
        }
        result.state = pc.connectionState;
        return result;
    };

    const hears = (track) => {
        const { analyser } = listen(track);
        const wave = new Float32Array(analyser.fftSize);
        analyser.getFloatTimeDomainData(wave);
        return wave.some((v) => Math.abs(v) > 0.01);
    };
    /**
     * Wait here, in the page, for the first picture and the first sound to come out of the
     * decoders. Call it before the click: all receive sections get their ear and eye at once, so
     * that attaching one does not cost the frame that is looked for. getStats() would not do:
     * Chromium answers it from a 50 ms old cache. Times are milliseconds of performance.now().
     */
    e2e.firstMedia = async (limitMs) => {
        const start = performance.now();
        const found = {};
        while (performance.now() - start < limitMs && !(found.picture && found.sound)) {
            const tracks = (e2e.pc()?.getReceivers() ?? []).map((r) => r.track);
            for (const track of tracks) {
                if (track.kind === 'video' && watch(track).readyState >= 2 && watch(track).videoWidth) {
                    found.picture ??= performance.now();
                }
                if (track.kind === 'audio' && hears(track)) found.sound ??= performance.now();
            }
            await new Promise((done) => setTimeout(done, 4));
        }
        return found;
    };

    /**
     * After the server went away: wait for a new answer, then until `voices` sections take audio
     * again over a connected connection. Wall-clock milliseconds, to compare across processes.
     */
    e2e.hearsAgain = async (answersBefore, voices, limitMs) => {
        const end = performance.now() + limitMs;
        const audio = async () => new Map((await e2e.stats()).slots
            .filter((s) => s.kind === 'audio').map((s) => [s.ssrc, s.packets]));
        let first = null;
        while (performance.now() < end) {
            if ((e2e.got['media.answer'] ?? 0) > answersBefore) {
                const now = await audio();
                first ??= now;
                const fresh = [...now].filter(([ssrc, n]) => n > (first.get(ssrc) ?? 0)).length;
                if (fresh >= voices && e2e.pc().connectionState === 'connected') return Date.now();
            }
            await new Promise((done) => setTimeout(done, 10));
        }
        throw new Error(`not heard again: ${JSON.stringify([...await audio()])}`);
    };
})();
