import { full, now, pair, until, watch } from './lib.mjs';

// accept: signalling dead for 5/30/60 s: 0 media packets lost for it, resume <= 1 s after the path is back, chat exactly once
export async function run(t) {
    const room = await pair(t);
    const signal = room.server.signalRelay;
    const [one, two] = room.people;
    const lost = async () => (await Promise.all(room.people.map((p) => p.stats())))
        .flatMap((s) => s.slots).reduce((n, s) => n + (s.lost ?? 0), 0);
    const measured = {};
    const texts = [];
    let ok = true;
    for (const s of full ? [5, 30, 60] : [5, 30]) {
        const before = await lost();
        signal.pause();
        await watch(room, s * 1000);
        signal.resume();
        const at = now();
        const text = `after ${s} s`;
        texts.push(text);
        await room.say(one, text);
        await until(async () => (await two.view()).chat.some((c) => c.text === text),
            { what: 'chat again', timeout: 20000, every: 20 });
        const resume_s = Number(((now() - at) / 1000).toFixed(2));
        const media_lost = (await lost()) - before;
        measured[`${s} s`] = { resume_s, media_lost };
        ok &&= resume_s <= 1 && media_lost === 0;
    }
    await room.chatIs(texts);
    return { measured, ok };
}
