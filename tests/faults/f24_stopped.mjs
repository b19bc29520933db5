import { now, offers, pair, until } from './lib.mjs';

// accept: the server stands still for 3 s (SIGSTOP): nobody is thrown out, all are back <= 2 s after SIGCONT, no burst over twice the usual rate, no process replaced
export async function run(t) {
    const room = await pair(t);
    const relay = room.server.relay;
    const pids = room.server.pids();
    const all = [room.server.pid, pids.core, pids.door];
    const rate = async (ms) => {
        const [a, at] = [(await relay.stat()).ba, now()];
        await until(() => now() - at >= ms, { what: 'time', timeout: 60000, every: 10 });
        return ((await relay.stat()).ba.in - a.in) / (now() - at);
    };
    const usual = await rate(3000);
    for (const pid of all) process.kill(pid, 'SIGSTOP');
    t.defer(() => all.forEach((pid) => {
        try {
            process.kill(pid, 'SIGCONT');
        } catch {
            // It ended with the server.
        }
    }));
    await new Promise((done) => setTimeout(done, 3000));
    for (const pid of all.reverse()) process.kill(pid, 'SIGCONT');
    const at = now();
    const burst = rate(1000);
    const back = await Promise.all(room.people.map(async (page) => {
        await room.flows(page, { frames: 1, timeout: 15000 });
        return Math.round(now() - at);
    }));
    const measured = {
        back_ms: back, burst_ratio: Number(((await burst) / usual).toFixed(2)), offers: await offers(room),
        replaced: JSON.stringify(room.server.pids()) !== JSON.stringify(pids),
    };
    await room.whole({ timeout: 20000 });
    return { measured, ok: Math.max(...back) <= 2000 && measured.burst_ratio <= 2 && !measured.replaced };
}
