import { full, now, pair, sleep, until } from './lib.mjs';

// accept: a machine asleep 10 s is back within 1 s, 60 s within 3 s, 10 min within 5 s; missed chat exactly once; same seat
export const timeout_s = 1200;

export async function run(t) {
    const room = await pair(t, { kinds: ['chromium', 'firefox'] });
    const [awake, asleep] = room.people;
    const seat = (await asleep.view()).people.find((p) => p.name === asleep.name).id;
    const measured = {};
    let ok = true;
    const texts = [];
    for (const [s, limit] of full ? [[10, 1], [60, 3], [600, 5]] : [[10, 1], [60, 3]]) {
        const wake = sleep(asleep);
        t.defer(wake);
        await new Promise((done) => setTimeout(done, s * 500));
        const text = `said while asleep for ${s} s`;
        texts.push(text);
        await room.say(awake, text);
        await new Promise((done) => setTimeout(done, s * 500));
        wake();
        const at = now();
        await until(async () => (await asleep.view()).chat.filter((c) => c.text === text).length === 1,
            { what: 'the missed text', timeout: 20000, every: 20 });
        const chat_s = (now() - at) / 1000;
        await room.flows(asleep, { frames: 2, timeout: 20000 });
        const media_s = (now() - at) / 1000;
        measured[`${s} s`] = { chat_s: Number(chat_s.toFixed(2)), media_s: Number(media_s.toFixed(2)) };
        ok &&= media_s <= limit;
    }
    await room.chatIs(texts);
    const same = (await asleep.view()).people.find((p) => p.name === asleep.name)?.id === seat;
    return { measured: { ...measured, same_seat: same }, ok: ok && same };
}
