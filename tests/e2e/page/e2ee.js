// e2ee.js - injected: what people send is encrypted before it is packed into RTP and decrypted after,
// by encoded transforms of the browser with a key the server never has. Left in clear is what a
// browser itself needs to pack and unpack: nothing of sound; of a VP8 picture its frame header (RFC
// 6386 9.1: 10 bytes of a key frame, else 3); of AV1 the headers of its OBUs (AV1 5.3), whose frames
// are encrypted. Every frame ends with the number its mask begins from, its place in its stream (how many
// frames came before it, and how many of those were of the base layer) and a sum over all of it: one
// changed byte, clear ones included, is a broken frame, and one that never came leaves a hole.
(() => {
    const e2e = window.__e2e;
    const key = e2e.conf.e2ee;
    if (!key) return;
    const TAIL = 24; // mask, sum, then what `place` writes
    const PLACE = 8;
    const METADATA = (5 << 3) | 2; // an OBU with a size that decoders pass over (AV1 5.8)
    e2e.sealed = { audio: 0, video: 0 };
    e2e.opened = { audio: 0, video: 0 };
    e2e.broken = { audio: 0, video: 0 };
    /** What was opened, in the order in which it came: { slot, stream, all, base, layer, key }. */
    e2e.frames = { audio: [], video: [] };

    /** Every bit of every byte changes with the key and the number. */
    const mask = (data, from, to, nonce) => {
        let x = (Math.imul(key, 0x9e3779b1) ^ nonce) >>> 0 || 1;
        for (let i = from; i < to; i++) {
            x ^= x << 13;
            x ^= x >>> 17;
            x = (x ^ (x << 5)) >>> 0;
            data[i] ^= x >>> 11;
        }
    };
    /** Of the frame and of its place, which stands behind the sum. */
    const sum = (data, end) => {
        let h = (0x811c9dc5 ^ key) >>> 0;
        const take = (from, to) => {
            for (let i = from; i < to; i++) h = Math.imul(h ^ data[i], 0x01000193) >>> 0;
        };
        take(0, end);
        take(data.length - TAIL + PLACE, data.length);
        return h;
    };
    const sent = new Map(); // stream -> { all, base }
    const place = (frame, tail) => {
        const { synchronizationSource: stream = 0, temporalIndex = 0, spatialIndex = 0 } = frame.getMetadata();
        const counts = sent.get(stream) ?? { all: 0, base: 0 };
        sent.set(stream, counts);
        counts.all++;
        counts.base += temporalIndex + spatialIndex === 0;
        [stream, counts.all, counts.base].forEach((n, i) => tail.setUint32(PLACE + 4 * i, n));
        tail.setUint16(PLACE + 12, temporalIndex * 16 + spatialIndex);
        tail.setUint16(PLACE + 14, frame.type === 'key' ? 1 : 0);
    };
    const placeOf = (tail) => {
        const [stream, all, base] = [0, 4, 8].map((at) => tail.getUint32(PLACE + at));
        return { stream, all, base, layer: tail.getUint16(PLACE + 12), key: tail.getUint16(PLACE + 14) === 1 };
    };
    /** Stretches of an AV1 temporal unit that are frames: what stands behind each OBU's header. */
    const frames = (data, end) => {
        const found = [];
        for (let at = 0; at < end;) {
            const type = (data[at] >> 3) & 15;
            let from = at + 1 + ((data[at] >> 2) & 1);
            let size = end - from;
            if (data[at] & 2) {
                size = 0;
                for (let shift = 0, more = true; more && from < end; shift += 7) {
                    size += (data[from] & 127) * 2 ** shift;
                    more = data[from++] > 127;
                }
            }
            if (type === 3 || type === 4 || type === 6) found.push([from, Math.min(end, from + size)]);
            at = from + size;
        }
        return found;
    };
    const av1 = (frame) => /av1/i.test(frame.getMetadata().mimeType ?? '');
    const secret = (kind, frame, data, end) => {
        if (kind === 'audio') return [[0, end]];
        return av1(frame) ? frames(data, end) : [[Math.min(end, frame.type === 'key' ? 10 : 3), end]];
    };
    const turn = (kind, frame, data, end, nonce) => secret(kind, frame, data, end)
        .forEach(([from, to], i) => mask(data, from, to, (nonce + i * 0x61c88647) >>> 0));

    const seal = (kind) => (frame) => {
        const plain = new Uint8Array(frame.data);
        const head = kind === 'video' && av1(frame) ? [METADATA, TAIL] : [];
        const data = new Uint8Array(plain.length + head.length + TAIL);
        data.set(plain);
        data.set(head, plain.length);
        const nonce = crypto.getRandomValues(new Uint32Array(1))[0];
        const tail = new DataView(data.buffer, data.length - TAIL);
        tail.setUint32(0, nonce);
        place(frame, tail);
        tail.setUint32(4, sum(data, plain.length));
        turn(kind, frame, data, plain.length, nonce);
        frame.data = data.buffer;
        e2e.sealed[kind]++;
        return frame;
    };
    const open = (kind, slot) => (frame) => {
        if (kind === 'video' && e2e.blind) return null; // as a decoder that can make nothing of it
        const data = new Uint8Array(frame.data.slice(0));
        const end = data.length - TAIL - (kind === 'video' && av1(frame) ? 2 : 0);
        const tail = end < 0 ? null : new DataView(data.buffer, data.length - TAIL);
        if (tail) turn(kind, frame, data, end, tail.getUint32(0));
        const good = tail !== null && sum(data, end) === tail.getUint32(4);
        (good ? e2e.opened : e2e.broken)[kind]++;
        if (good) e2e.frames[kind].push({ slot, ...placeOf(tail) });
        frame.data = data.slice(0, Math.max(end, 0)).buffer;
        return frame; // what is broken too: a decoder shows whether anything of it can be read
    };
    const pass = (end, step) => {
        const { readable, writable } = end.createEncodedStreams();
        const work = new TransformStream({
            transform: (frame, to) => {
                const out = step(frame);
                if (out) to.enqueue(out);
            },
        });
        readable.pipeThrough(work).pipeTo(writable).catch(() => undefined);
    };

    let slots = 0;
    const Native = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Native {
        constructor(configuration = {}, ...rest) {
            super({ ...configuration, encodedInsertableStreams: true }, ...rest);
        }

        addTransceiver(kind, init) {
            const transceiver = super.addTransceiver(kind, init);
            pass(transceiver.sender, seal(kind));
            pass(transceiver.receiver, open(kind, slots++));
            if (kind === 'audio') {
                // A packet that repeats others is taken apart on the way, which needs to see it: such
                // people do not offer redundancy.
                const plain = RTCRtpReceiver.getCapabilities('audio').codecs.filter((c) => c.mimeType !== 'audio/red');
                transceiver.setCodecPreferences(plain);
            }
            return transceiver;
        }
    };
})();
