// media.js - injected: devices that send coded pictures and tones instead of a camera and a
// microphone, so that whoever decodes them knows whose they are.
//
// Picture: a 4x4 grid of one-of-four colours, two bits a cell, row by row:
//   cells 0-3 sender id, 4-7 CRC-8 of it, 8-13 frame counter (12 bits), 14-15 its check nibble.
// Ids 1-127 are cameras; a screen has its owner's id + 128.
// Tone: a sine of 300 + 75 * (id mod 32) Hz; screen sound lies 37 Hz above its owner's.
(() => {
    const { conf } = window.__e2e;
    const e2e = window.__e2e;
    const palette = [[224, 16, 16], [16, 200, 32], [24, 32, 232], [240, 232, 16]];
    e2e.palette = palette;
    e2e.crc8 = (id) => {
        let c = id ^ 0x5a;
        for (let i = 0; i < 8; i++) c = c & 0x80 ? ((c << 1) ^ 0x07) & 0xff : (c << 1) & 0xff;
        return c;
    };
    e2e.nibble = (counter) => ((counter >> 8) ^ (counter >> 4) ^ counter ^ 0x6) & 0xf;
    e2e.toneOf = (id, isSound) => 300 + 75 * ((id & 127) % 32) + (isSound ? 37 : 0);
    e2e.sending = { tracks: [], toneGain: 0.25, frames: 0 };

    const cellsOf = (id, counter) => {
        const cells = [];
        const push = (value, bits) => {
            for (let shift = bits - 2; shift >= 0; shift -= 2) cells.push((value >> shift) & 3);
        };
        push(id, 8);
        push(e2e.crc8(id), 8);
        push(counter & 0xfff, 12);
        push(e2e.nibble(counter & 0xfff), 4);
        return cells;
    };
    const draw = (context, width, height, id, counter) => {
        cellsOf(id, counter).forEach((value, i) => {
            const x = i % 4;
            const y = i >> 2;
            context.fillStyle = `rgb(${palette[value].join()})`;
            context.fillRect((x * width) / 4, (y * height) / 4, width / 4 + 1, height / 4 + 1);
        });
    };

    // A picture that costs what a real one costs: a texture that moves, so that rates are used.
    let texture;
    const noise = (context, width, height, counter) => {
        if (!texture) {
            texture = document.createElement('canvas');
            texture.width = 256;
            texture.height = 256;
            const inner = texture.getContext('2d');
            const image = inner.createImageData(256, 256);
            for (let i = 0; i < image.data.length; i++) image.data[i] = i % 4 === 3 ? 255 : 96 + ((i * 7919) >> 3) % 97;
            inner.putImageData(image, 0, 0);
        }
        const shift = (counter * 37) % 256;
        for (let y = -shift; y < height; y += 256) {
            for (let x = -((shift * 3) % 256); x < width; x += 256) context.drawImage(texture, x, y);
        }
    };

    const wanted = (constraint, fallback) => {
        const value = typeof constraint === 'object'
            ? constraint?.exact ?? constraint?.ideal ?? constraint?.max : constraint;
        return Number(value ?? fallback);
    };
    const describe = (track, settings, constraints) => {
        const native = track.getSettings.bind(track);
        track.getSettings = () => ({ ...native(), ...settings });
        track.getConstraints = () => (typeof constraints === 'object' ? constraints : {});
        track.applyConstraints = async () => {};
        Object.defineProperty(track, 'label', { value: settings.label });
        e2e.sending.tracks.push(track);
        return track;
    };

    const picture = (id, constraints, limit, settings) => {
        const c = typeof constraints === 'object' ? constraints : {};
        // The page asks for as much as it can get; a test machine gives what it can encode.
        const width = Math.min(wanted(c.width, limit[0]), limit[0]);
        const height = Math.min(wanted(c.height, Math.round((width * 9) / 16)), limit[1]);
        const fps = Math.min(wanted(c.frameRate, conf.fps ?? 15), conf.fps ?? 15);
        const canvas = document.createElement('canvas');
        canvas.width = width;
        canvas.height = height;
        const context = canvas.getContext('2d', { alpha: false });
        // Every drawing is a frame: two clocks of one rate would miss each other's beats.
        const stream = canvas.captureStream();
        const [track] = stream.getVideoTracks();
        let counter = 0;
        const paint = () => {
            if (conf.media === 'noise') noise(context, canvas.width, canvas.height, counter++);
            else if (conf.media !== 'portrait') draw(context, canvas.width, canvas.height, id, counter++);
            else if (id > 127) e2e.drawSlide(context, canvas.width, canvas.height);
            else e2e.drawPortrait(context, canvas.width, canvas.height, id, performance.now());
        };
        const timer = setInterval(() => {
            if (track.readyState === 'ended' || !canvas.width) return clearInterval(timer);
            if (e2e.sending.still) return undefined; // a camera that hangs
            paint();
            e2e.sending.frames++;
        }, 1000 / fps);
        paint();
        return describe(track, { width, height, frameRate: fps, ...settings }, constraints);
    };

    let audio;
    let gain;
    const tone = (hz, settings, constraints) => {
        audio ??= new AudioContext({ sampleRate: 48000 });
        audio.resume();
        gain ??= [];
        const oscillator = new OscillatorNode(audio, { frequency: hz });
        const level = new GainNode(audio, { gain: e2e.sending.toneGain });
        const out = new MediaStreamAudioDestinationNode(audio, { channelCount: settings.channels });
        oscillator.connect(level).connect(out);
        oscillator.start();
        gain.push(level);
        const [track] = out.stream.getAudioTracks();
        track.__keep = [oscillator, level, out];
        return describe(track, settings, constraints);
    };
    /** Loudness of the tones from now on: 0 is silence, 0.25 ordinary speech. */
    e2e.setTone = (value) => {
        e2e.sending.toneGain = value;
        gain?.forEach((node) => {
            node.gain.value = value;
        });
    };

    const list = [
        ['videoinput', 'cam-1', 'Coded camera'], ['videoinput', 'cam-2', 'Second camera'],
        ['audioinput', 'mic-1', 'Coded microphone'], ['audioinput', 'mic-2', 'Second microphone'],
        ['audiooutput', 'out-1', 'Speaker'],
    ];
    const refuse = () => {
        if (conf.media === 'denied') throw new DOMException('denied', 'NotAllowedError');
        if (conf.media === 'busy') throw new DOMException('in use', 'NotReadableError');
        throw new DOMException('no device', 'NotFoundError');
    };
    const media = navigator.mediaDevices;
    if (!media || conf.media === 'native') return;
    const id = conf.sender ?? 1;
    const pick = (c, kind) => list.find(([k, device]) => k === kind
        && device === (c?.deviceId?.exact ?? c?.deviceId?.ideal ?? c?.deviceId))
        ?? list.find(([k]) => k === kind);

    media.getUserMedia = async (constraints = {}) => {
        if (conf.media && !['coded', 'portrait', 'noise'].includes(conf.media)) refuse();
        if (!constraints.audio && !constraints.video) throw new TypeError('nothing asked for');
        const tracks = [];
        if (constraints.audio) {
            const [, deviceId, label] = pick(constraints.audio, 'audioinput');
            tracks.push(tone(e2e.toneOf(id, false), { deviceId, label, channels: 1 }, constraints.audio));
        }
        if (constraints.video) {
            const [, deviceId, label] = pick(constraints.video, 'videoinput');
            tracks.push(picture(id, constraints.video, conf.camera ?? [640, 360],
                { deviceId, label, facingMode: 'user' }, constraints.video));
        }
        return new MediaStream(tracks);
    };
    media.getDisplayMedia = async (constraints = {}) => {
        if (conf.media && !['coded', 'portrait', 'noise'].includes(conf.media)) refuse();
        const tracks = [picture(id + 128, {}, conf.screen ?? [1280, 720],
            { label: 'Coded screen', displaySurface: 'window' })];
        if (constraints.audio) {
            tracks.push(tone(e2e.toneOf(id, true), { label: 'Screen sound', channels: 2 }));
        }
        return new MediaStream(tracks);
    };
    media.enumerateDevices = async () => (conf.media && conf.media === 'none' ? [] : list)
        .map(([kind, deviceId, label]) => ({
            kind, deviceId, label, groupId: deviceId.slice(-1), toJSON() { return { ...this }; },
        }));
})();
