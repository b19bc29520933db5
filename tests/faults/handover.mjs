// Played by handover.sh in a namespace whose only address changes, as from Wi-Fi to mobile.
import { run as command } from '../e2e/lib/proc.mjs';
import { ClassRoom } from '../e2e/lib/class.mjs';
import { clock, comings, now, offers } from './lib.mjs';

const ip = async (...args) => {
    const { code, err } = await command('ip', args);
    if (code) throw new Error(`ip ${args.join(' ')}: ${err}`);
};

export async function run(t) {
    const room = await ClassRoom.start(t);
    for (const [i, kind] of ['chromium', 'firefox'].entries()) {
        await room.enter(kind, { role: i ? 'participant' : 'host' });
    }
    await room.whole({ timeout: 30000 });
    const seats = (view) => view.people.map((p) => p.id).sort().join();
    const before = await Promise.all(room.people.map(async (p) => seats(await p.view())));
    const from = await Promise.all(room.people.map(clock));
    const { FAULT_DEVICE: device, FAULT_OLD: old, FAULT_NEW: fresh, FAULT_GATEWAY: gateway } = process.env;
    const gaps = {};
    for (const [last, to] of [[old, fresh], [fresh, old]]) {
        await ip('addr', 'add', `${to}/24`, 'dev', device);
        await ip('addr', 'del', `${last}/24`, 'dev', device);
        await ip('addr', 'replace', `${to}/24`, 'dev', device);
        await ip('route', 'replace', 'default', 'via', gateway);
        const at = now();
        await Promise.all(room.people.map(async (page) => {
            await room.flows(page, { frames: 1, timeout: 30000 });
            (gaps[page.browser] ??= []).push(Math.round(now() - at));
        }));
        await room.whole({ timeout: 30000 });
    }
    const after = await Promise.all(room.people.map(async (p) => seats(await p.view())));
    const shown = await Promise.all(room.people.map((page, i) => comings(page, from[i])));
    const measured = {
        gap_ms: gaps, same_seats: before.join(';') === after.join(';'), offers: await offers(room),
        shown_as_gone: shown.reduce((n, m) => n + m, 0),
    };
    return { measured, ok: measured.same_seats && measured.shown_as_gone === 0 && Math.max(...Object.values(gaps).flat()) <= 3000 };
}
