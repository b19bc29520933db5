// probe.mjs - a UDP echo and what asks it, for relay_test.sh.
//   probe.mjs echo PORT                         answers with the port it saw, padded to the question
//   probe.mjs ask HOST PORT COUNT GAP_MS SIZE   one JSON line: answers, round trips, time taken
//   probe.mjs rebind HOST PORT CONTROL          own port, port seen before and after "rebind"
import dgram from 'node:dgram';
import fs from 'node:fs';

const [verb, ...rest] = process.argv.slice(2);

const round = (ms) => Number((ms ?? 0).toFixed(2));

function open(host) {
    return dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
}

function echo(port) {
    const socket = dgram.createSocket({ type: 'udp6', ipv6Only: false });
    socket.on('message', (m, from) => {
        m.write(String(from.port).padEnd(6), 4);
        socket.send(m, from.port, from.address);
    });
    socket.bind(Number(port), () => console.log('listening'));
}

/** Send COUNT datagrams, GAP_MS apart, wait for the answers (at most 2 s after the last). */
function ask(host, port, count, gapMs, size) {
    const socket = open(host);
    const sentAt = [];
    const rtt = [];
    let last = 0;
    const finish = () => {
        socket.close();
        rtt.sort((a, b) => a - b);
        console.log(JSON.stringify({
            sent: Number(count), got: rtt.length, min_ms: round(rtt[0]),
            p50_ms: round(rtt[rtt.length >> 1]), took_ms: round(last - sentAt[0]),
        }));
    };
    socket.on('message', (m) => {
        last = performance.now();
        rtt.push(last - sentAt[m.readUInt32BE(0)]);
        if (rtt.length >= Number(count)) finish();
    });
    let n = 0;
    const timer = setInterval(() => {
        const m = Buffer.alloc(Number(size));
        m.writeUInt32BE(n, 0);
        sentAt[n] = performance.now();
        socket.send(m, Number(port), host);
        if (++n === Number(count)) {
            clearInterval(timer);
            setTimeout(() => rtt.length < Number(count) && finish(), 2000).unref?.();
        }
    }, Number(gapMs));
}

function rebind(host, port, control) {
    const socket = open(host);
    const once = () => new Promise((done, fail) => {
        const m = Buffer.alloc(16);
        const again = setInterval(() => socket.send(m, Number(port), host), 50);
        const limit = setTimeout(() => fail(new Error('no answer')), 3000);
        socket.once('message', (answer) => {
            clearInterval(again);
            clearTimeout(limit);
            done(Number(answer.subarray(4, 10).toString()));
        });
        socket.send(m, Number(port), host);
    });
    socket.bind(0, async () => {
        const before = await once();
        fs.writeFileSync(control, 'rebind\n');
        let after = before;
        for (let i = 0; i < 50 && after === before; i++) after = await once();
        console.log(socket.address().port, before, after);
        socket.close();
    });
}

({ echo, ask, rebind })[verb](...rest);
