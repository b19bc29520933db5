// e2ee.js - injected: what people send is encrypted before it is packed into RTP and decrypted after,
// by encoded transforms of the browser with a key the server never has. All of the sound; of a VP8
// picture all but its frame header (RFC 6386 9.1: 10 bytes of a key frame, else 3), which says whether
// it is a key frame and its size: metadata the server routes by.
(() => {
    const e2e = window.__e2e;
    const key = e2e.conf.e2ee;
    if (!key) return;
    e2e.sealed = { audio: 0, video: 0 };
    e2e.opened = { audio: 0, video: 0 };
    const clearOf = (kind, frame) => (kind === 'audio' ? 0 : frame.type === 'key' ? 10 : 3);
    const apply = (kind, count) => new TransformStream({
        transform(frame, controller) {
            const data = new Uint8Array(frame.data.slice(0));
            for (let i = clearOf(kind, frame); i < data.length; i++) data[i] ^= (key * (i + 7)) & 0xff;
            frame.data = data.buffer;
            count[kind]++;
            controller.enqueue(frame);
        },
    });
    const pass = (end, kind, count) => {
        const { readable, writable } = end.createEncodedStreams();
        readable.pipeThrough(apply(kind, count)).pipeTo(writable).catch(() => undefined);
    };

    const Native = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Native {
        constructor(configuration = {}, ...rest) {
            super({ ...configuration, encodedInsertableStreams: true }, ...rest);
        }

        addTransceiver(kind, init) {
            const transceiver = super.addTransceiver(kind, init);
            pass(transceiver.sender, kind, e2e.sealed);
            pass(transceiver.receiver, kind, e2e.opened);
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
