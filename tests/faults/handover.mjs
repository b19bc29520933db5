// Played by handover.sh in a namespace whose only address changes, as from Wi-Fi to mobile.
import { run as command } from '../e2e/lib/proc.mjs';
import { ClassRoom } from '../e2e/lib/class.mjs';
import { clock, comings, now, offers, until } from './lib.mjs';
import { away, sampled, sampling, told } from '../e2e/lib/story.mjs';

const ip = async (...args) => {
    const { code, err } = await command('ip', args);
    if (code) throw new Error(`ip ${args.join(' ')}: ${err}`);
};

/** Everything that came before has something new; what was on its way at `at` is not new. */
async function again(page, at) {
    const counts = async () => (await page.stats()).slots.map((s) => s.packets ?? 0);
    await until(() => now() - at > 300, { what: 'the last of the old path', timeout: 60000, every: 20 });
    const before = await counts();
    await until(async () => {
        const after = await counts();
        return before.every((n, i) => n === 0 || after[i] > n + 2);
    }, { what: `${page.name}: packets by the new path`, timeout: 30000, every: 20 });
}

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
    const heard = {};
    const origins = await Promise.all(room.people.map((page) => page.eval(() => performance.timeOrigin)));
    await Promise.all(room.people.map((page) => sampling(page)));
    for (const [last, to] of [[old, fresh], [fresh, old]]) {
        const since = await Promise.all(room.people.map(clock));
        await ip('addr', 'add', `${to}/24`, 'dev', device);
        const at = now();
        await ip('addr', 'del', `${last}/24`, 'dev', device);
        await ip('addr', 'replace', `${to}/24`, 'dev', device);
        await ip('route', 'replace', 'default', 'via', gateway);
        const done = now();
        await Promise.all(room.people.map(async (page) => {
            await again(page, at);
            await room.flows(page, { frames: 1, timeout: 30000 });
        }));
        // By the pages' own samples: looking at them from here takes a loaded machine a second.
        for (const [i, page] of room.people.entries()) {
            const gap = await until(async () => {
                const seen = await away(page, performance.timeOrigin + at - origins[i]);
                return Number.isFinite(Math.max(seen.heard, seen.seen)) && seen;
            }, { what: `${page.name}: sound and pictures again`, timeout: 30000 });
            (heard[page.browser] ??= []).push(gap.heard);
            (gaps[page.browser] ??= []).push(Math.max(gap.heard, gap.seen));
        }
        t.log(`changed in ${Math.round(done - at)} ms`);
        for (const [i, page] of room.people.entries()) {
            t.log(`${page.browser}: ${(await told(page, since[i])).join('; ')}`);
            t.log(`${page.browser}: ${JSON.stringify(await sampled(page, since[i]))}`);
        }
        await room.whole({ timeout: 30000 });
    }
    const after = await Promise.all(room.people.map(async (p) => seats(await p.view())));
    const shown = await Promise.all(room.people.map((page, i) => comings(page, from[i])));
    const measured = {
        gap_ms: gaps, heard_ms: heard, same_seats: before.join(';') === after.join(';'), offers: await offers(room),
        shown_as_gone: shown.reduce((n, m) => n + m, 0),
    };
    return { measured, ok: measured.same_seats && measured.shown_as_gone === 0 && Math.max(...Object.values(gaps).flat()) <= 3000 };
}
