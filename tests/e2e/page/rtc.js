// rtc.js - injected before the page's own scripts. Keeps every RTCPeerConnection and the traffic
// of the signalling WebSocket in sight, so that a test does not depend on the page's own counting;
// sends media through the relay by rewriting candidates; reports CSP violations and errors.
(() => {
    const conf = window.__e2eConf ?? {};
    const e2e = {
        conf,
        loadedAt: performance.timeOrigin,
        pcs: [],
        offers: 0, // createOffer() calls of this page load, all connections
        restarts: 0, // of these, with iceRestart or after restartIce()
        negotiationNeeded: 0,
        states: [], // of all connections, with the time
        sockets: [],
        sent: {}, // messages by type
        lastSent: {}, // when, by type
        sends: [], // when, and what
        got: {},
        offersByCause: {},
        messages: [], // the last ones received, parsed, with the time
        csp: [],
        marks: {},
    };
    Object.defineProperty(window, '__e2e', { value: e2e });

    const report = (kind, value) => console.debug(`__e2e ${JSON.stringify({ kind, value })}`);
    document.addEventListener('securitypolicyviolation', (event) => {
        const value = {
            directive: event.effectiveDirective, blocked: event.blockedURI,
            sample: event.sample, source: event.sourceFile, line: event.lineNumber,
        };
        e2e.csp.push(value);
        report('csp', value);
    });

    // "candidate:1 1 udp 2130706431 192.0.2.2 9000 typ host ...": another address and port.
    const moveCandidate = (line) => {
        const part = line.split(' ');
        const port = conf.portMap?.[`${(part[2] ?? '').toLowerCase()}:${part[5]}`];
        if (!port) return line;
        part[4] = conf.portMap.host;
        part[5] = String(port);
        return part.join(' ');
    };
    const moveSdp = (sdp) => sdp.replace(/^(a=)(candidate:.*?)(\r?)$/gm,
        (_, a, line, end) => a + moveCandidate(line) + end);

    const Native = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Native {
        constructor(...args) {
            super(...args);
            e2e.pcs.push(this);
            this.addEventListener('negotiationneeded', () => e2e.negotiationNeeded++);
            this.addEventListener('icecandidate', ({ candidate }) => {
                if (candidate?.type === 'relay') e2e.marks[`relay_${candidate.relayProtocol}`] ??= performance.now();
            });
            this.addEventListener('connectionstatechange', () => {
                e2e.states.push({ at: performance.now(), state: this.connectionState });
                if (this.connectionState === 'connected') e2e.marks.connected ??= performance.now();
            });
        }

        createOffer(...args) {
            e2e.offers++;
            if (this.__restart || args[0]?.iceRestart) e2e.restarts++;
            this.__restart = false;
            return super.createOffer(...args);
        }

        restartIce() {
            this.__restart = true;
            return super.restartIce();
        }

        setRemoteDescription(description) {
            const moved = conf.portMap && description?.sdp
                ? { type: description.type, sdp: moveSdp(description.sdp) } : description;
            return super.setRemoteDescription(moved);
        }

        addIceCandidate(candidate) {
            if (!conf.portMap || !candidate?.candidate) return super.addIceCandidate(candidate);
            const { sdpMid, sdpMLineIndex, usernameFragment } = candidate;
            return super.addIceCandidate({
                sdpMid, sdpMLineIndex, usernameFragment, candidate: moveCandidate(candidate.candidate),
            });
        }
    };

    const note = (message) => {
        e2e.got[message.t] = (e2e.got[message.t] ?? 0) + 1;
        e2e.messages.push({ at: performance.now(), message });
        if (e2e.messages.length > 2000) e2e.messages.shift();
        e2e.class?.(message);
    };
    const NativeSocket = window.WebSocket;
    window.WebSocket = class extends NativeSocket {
        constructor(url, protocols) {
            super(url, protocols);
            const entry = { socket: this, openedAt: 0, closed: null };
            e2e.sockets.push(entry);
            this.addEventListener('open', () => {
                entry.openedAt = performance.now();
            });
            this.addEventListener('close', (event) => {
                entry.closed = { code: event.code, at: performance.now() };
            });
            this.addEventListener('message', (event) => {
                if (typeof event.data !== 'string') return;
                try {
                    note(JSON.parse(event.data));
                } catch {
                    report('bad-message', event.data.slice(0, 200));
                }
            });
        }

        send(data) {
            if (typeof data === 'string') {
                try {
                    const message = JSON.parse(data);
                    if (conf.loses === message.t) { // once: it goes into a line that dies
                        conf.loses = '';
                        this.close();
                        return undefined;
                    }
                    e2e.sent[message.t] = (e2e.sent[message.t] ?? 0) + 1;
                    e2e.lastSent[message.t] = performance.now();
                    e2e.sends.push([performance.now(), `sent ${message.t}`]);
                    if (message.t === 'view') e2e.lastView = message;
                    if (message.t === 'media.offer') {
                        const by = e2e.offersByCause;
                        by[message.cause] = (by[message.cause] ?? 0) + 1;
                    }
                } catch {
                    report('bad-message', data.slice(0, 200));
                }
            }
            return super.send(data);
        }
    };

    /** What the server said is going on, folded from its messages, without the page's help. */
    const view = { people: new Map(), hands: [], chat: [], audio: [], video: new Map(), seq: 0 };
    const join = (person) => view.people.set(person.id, structuredClone(person));
    const apply = {
        'person.joined': (e) => join(e.person),
        'person.left': (e) => view.people.delete(e.person),
        'person.moved': (e) => {
            const person = view.people.get(e.person);
            if (person) person.room = e.room;
        },
        'person.away': (e) => Object.assign(view.people.get(e.person) ?? {}, { away: e.away }),
        'person.renamed': (e) => Object.assign(view.people.get(e.person) ?? {}, { name: e.name }),
        'role.changed': (e) => Object.assign(view.people.get(e.person) ?? {}, { role: e.role }),
        'device.joined': (e) => {
            const devices = view.people.get(e.person)?.devices;
            if (devices && !devices.some((d) => d.id === e.device.id)) devices.push(e.device);
        },
        'device.left': (e) => {
            const person = view.people.get(e.person);
            if (person) person.devices = person.devices.filter((d) => d.id !== e.device);
        },
        'media.changed': (e) => {
            const device = view.people.get(e.person)?.devices.find((d) => d.id === e.device);
            if (device) Object.assign(device, { mic: e.mic, cam: e.cam, screen: e.screen, sound: e.sound });
        },
        'hand.raised': (e) => view.hands.push(e.hand),
        'hand.lowered': (e) => {
            view.hands = view.hands.filter((h) => h.person !== e.person);
        },
        'chat.posted': (e) => view.chat.push(e.chat),
        'session.changed': (e) => {
            view.state = e.state;
        },
    };
    e2e.class = (message) => {
        if (message.t === 'snapshot') {
            view.people = new Map();
            message.people.forEach(join);
            view.hands = [...message.hands];
            view.chat = [...message.chat];
            view.you = message.you;
            view.seq = message.seq;
            view.slots = message.slots;
            view.state = message.class.state;
            view.snapshotAt = performance.now();
        } else if (message.t === 'delta') {
            view.gap = message.prev !== view.seq ? (view.gap ?? 0) + 1 : view.gap;
            view.seq = message.seq;
            message.events.forEach((e) => apply[e.e]?.(e));
        } else if (message.t === 'slots') {
            view.audio = message.audio;
            view.video = new Map(message.video.map((row) => [row[0], row]));
        } else if (message.t === 'door') {
            view.door = message;
        }
    };
    /** As plain data: who is here, what is in which slot. */
    e2e.view = () => {
        const owner = new Map();
        for (const p of view.people.values()) for (const d of p.devices) owner.set(d.id, p.name);
        return {
            ...view,
            rows: [...view.video.values()],
            people: [...view.people.values()],
            audio: view.audio.map((device) => ({ device, name: owner.get(device) ?? '' })),
            video: [...view.video.values()].map(([slot, device, source, state]) => ({
                slot, device, source, state, name: owner.get(device) ?? '',
            })),
        };
    };
    e2e.counts = () => ({
        offers: e2e.offers, restarts: e2e.restarts, offersByCause: { ...e2e.offersByCause },
        negotiationNeeded: e2e.negotiationNeeded, connections: e2e.pcs.length,
        sockets: e2e.sockets.map((s) => s.closed), sent: { ...e2e.sent }, got: { ...e2e.got },
        gap: view.gap ?? 0,
    });
    /** The connection in use: the youngest one that is not closed. */
    e2e.pc = () => e2e.pcs.findLast((pc) => pc.connectionState !== 'closed');
})();
