// loss - two browsers behind the relay: 5 % loss and 50 ms each way for 60 s; and a rebinding; UDP that
// answers later than TCP.
import { ClassRoom } from './lib/class.mjs';
import { full } from './lib/scenario.mjs';
import { during, until } from './lib/wait.mjs';

async function sixty(t, room) {
    const { people } = room;
    const first = await Promise.all(people.map((p) => p.stats()));
    const counted = await room.server.metrics();
    await room.server.relay.set('loss=5 delay=50');
    const states = new Set();
    const raw = new Set();
    await during(60000, 500, async () => {
        for (const page of people) {
            states.add(await page.eval(() => window.amphi.media().health));
            raw.add((await page.stats()).state);
            (await page.counts()).sockets.forEach((s) => s && states.add(`socket closed ${s.code}`));
        }
    });
    const last = await Promise.all(people.map((p) => p.stats()));
    for (const [name, value] of Object.entries(await room.server.metrics())) {
        const more = value - (counted[name] ?? 0);
        if (more && /media|rtp|rtx|nack|pli|drop|key|srtp|udp|twcc/.test(name)) t.log(`${name} +${more}`);
    }
    people.forEach((page, i) => {
        t.log(`${page.browser} ${JSON.stringify(last[i])}`);
        const sum = (key, kind) => last[i].slots.filter((s) => s.kind === kind).reduce((n, s) => n
            + (s[key] ?? 0) - (first[i].slots.find((f) => f.ssrc === s.ssrc)?.[key] ?? 0), 0);
        const concealed = (100 * sum('concealed', 'audio')) / Math.max(1, sum('samples', 'audio'));
        t.figure(`${page.browser}_frozen_s`, sum('frozen_s', 'video'));
        t.figure(`${page.browser}_freezes`, sum('freezes', 'video'));
        t.figure(`${page.browser}_concealed_pct`, concealed);
        t.figure(`${page.browser}_fps`, sum('decoded', 'video') / 60);
        t.figure(`${page.browser}_rtt_ms`, last[i].path_rtt_ms || last[i].rtt_ms || 0);
        t.check(sum('decoded', 'video') > 60, `${page.name}: hardly any picture`); // fps says how many
    });
    const { ab, ba } = await room.server.relay.stat();
    t.figure('lost_pct', (100 * (ab.lost + ba.lost)) / (ab.in + ba.in));
    t.check(ab.lost > 100 && ba.lost > 100, 'the relay was not in the way');
    // Firefox says "disconnected" when one of its checks was lost; people are not told, nothing is done.
    t.figure('browser_states', [...raw].join('+'));
    t.equal([...states], ['connected'], 'what people were told in 60 s');
    await room.whole();
    for (const page of people) await room.oneOffer(page);
}

/** A home router forgets the binding: media comes from another port, nobody notices. */
async function rebind(t, room) {
    const { people } = room;
    await room.server.relay.set('loss=0 delay=10');
    await room.whole();
    await room.server.relay.rebind();
    // Browsers check when their time comes (Chromium within 2.5 s, Firefox within 6 s); from there on
    // it is ours. A page that heard nothing for so long that it restarted ICE comes by a new flow.
    const restarts = async () => (await Promise.all(people.map(async (page) =>
        (await page.counts()).offersByCause.ice ?? 0)));
    const back = await until(async () => {
        const { rebound } = await room.server.relay.stat();
        const other = (await restarts()).filter((n) => n > 0).length;
        return rebound.length > 0 && rebound.length + other >= people.length && rebound;
    }, { what: 'media by the new ports', timeout: 15000 });
    const restarted = await restarts();
    t.figure('restarted', restarted.reduce((a, b) => a + b, 0));
    t.figure('first_check_ms', back.map((b) => b.check_ms).join('+'));
    t.figure('media_after_check_ms', Math.max(...back.map((b) => b.media_ms)));
    t.figure('target_ms', 1000);
    const start = performance.now();
    await Promise.all(people.map((page) => room.flows(page, { frames: 3, timeout: 15000 })));
    t.figure('pictures_after_media_ms', performance.now() - start);
    await room.whole();
    for (const [i, page] of people.entries()) {
        await room.oneOffer(page, restarted[i] ? { ice: restarted[i] } : {});
    }
}

async function both(t) {
    const room = await ClassRoom.start(t, { impair: ['seed=5'] });
    await room.enter('chromium', { role: 'host' });
    await room.enter('firefox');
    await room.whole();
    await sixty(t, room);
    await rebind(t, room);
}

/** UDP takes 60 ms each way, TCP none: media takes UDP all the same, and stays there. */
async function udpFirst(t) {
    const room = await ClassRoom.start(t, { impair: [] });
    await room.enter('chromium', { role: 'host' });
    const { portMap } = room.server;
    const [rtc] = Object.keys(portMap).filter((k) => k.startsWith('udp:')).map((k) => k.slice(4));
    const slow = await t.relay({ udp: [`${portMap.host}:${portMap[`udp:${rtc}`]}`], words: ['delay=60'] });
    const udp = slow.port('udp', portMap[`udp:${rtc}`]);
    for (const kind of ['chromium', 'firefox']) {
        const page = await room.enter(kind, { portMap: { ...portMap, [`udp:${rtc}`]: udp } });
        const paths = new Set();
        const heard = async () => {
            const stats = await page.stats();
            if (stats.path) paths.add(stats.path.slice(0, 3));
            return stats.slots.filter((s) => s.kind === 'audio').reduce((n, s) => n + (s.packets ?? 0), 0);
        };
        await until(async () => await heard() > 250, { what: `${page.name} hears`, timeout: 60000, every: 100 });
        t.equal([...paths], ['udp'], `${kind}: paths taken`);
        t.check((await slow.stat()).ab.in > 0, 'the relay was not in the way');
    }
}

export const scenarios = [
    { name: 'udp-first', timeout_s: 120, run: udpFirst },
    { name: 'five-percent-and-rebind', timeout_s: 200, run: both },
];
