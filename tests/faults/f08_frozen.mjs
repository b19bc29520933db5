import { full, now, pair, until } from './lib.mjs';

// accept: a tab frozen by its browser for 1 min (10 min in a full run) is not thrown out; on wake its state is the others' within 1 s
export const timeout_s = 900;

export async function run(t) {
    const room = await pair(t, { kinds: ['firefox', 'chromium'] });
    const [awake, frozen] = room.people;
    const seconds = full ? 600 : 60;
    await frozen.lifecycle('frozen');
    await new Promise((done) => setTimeout(done, seconds * 500));
    await room.say(awake, 'while it was frozen');
    await new Promise((done) => setTimeout(done, seconds * 500));
    const inside = (await awake.view()).people.length;
    await frozen.lifecycle('active');
    const at = now();
    const state = async (page) => {
        const { people, chat, hands } = await page.view();
        return JSON.stringify([people.map((p) => p.id).sort(), chat.map((c) => c.text), hands]);
    };
    await until(async () => (await frozen.view()).chat.some((c) => c.text === 'while it was frozen')
        && await state(frozen) === await state(awake), { what: 'the state of the others', timeout: 20000, every: 20 });
    const state_ms = Math.round(now() - at);
    await room.flows(frozen, { frames: 2, timeout: 20000 });
    return {
        measured: { seconds, inside, state_ms, media_ms: Math.round(now() - at) }, ok: inside === 2 && state_ms <= 1000,
    };
}
