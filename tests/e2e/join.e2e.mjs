// join - from the click on "join" to the first decoded picture and sound, 50 ms round trip.
import { ClassRoom } from './lib/class.mjs';
import { ids } from './lib/contract.mjs';
import { full } from './lib/scenario.mjs';
import { percentile } from './lib/wait.mjs';

const JOINS = full ? 20 : 4;

/** One join, timed inside the page; the page is at the door with its media connected. */
async function timedJoin(page) {
    await page.waitFor('connected at the door', () => window.__e2e.pc()?.connectionState === 'connected',
        { timeout: 15000 });
    await page.fill(ids.name, page.options.name);
    await page.eval((selector) => {
        document.querySelector(selector).addEventListener('click', () => {
            window.__e2e.marks.click = performance.now();
        }, { capture: true, once: true });
        window.__e2e.first = window.__e2e.firstMedia(45000);
    }, page.selector(ids.join));
    await page.click(ids.join);
    return page.eval(async () => {
        const found = await window.__e2e.first;
        const { click } = window.__e2e.marks;
        const { messages, lastSent } = window.__e2e;
        const heard = (what) => messages.find(({ at, message }) => at > click && what(message))?.at;
        const stats = await window.__e2e.stats();
        const steps = {
            join: lastSent.join,
            snapshot: heard((m) => m.t === 'snapshot'),
            view: lastSent.view,
            waiting: heard((m) => m.t === 'slots' && m.video.length > 0),
            live: heard((m) => m.t === 'slots' && m.video.some((v) => v[3] === 'live')),
            sound: found.sound,
            picture: found.picture,
        };
        return {
            picture: found.picture - click, sound: found.sound - click,
            steps: Object.entries(steps).map(([k, at]) => `${k} ${Math.round(at - click)}`).join(', '),
            sizes: stats.slots.filter((s) => s.decoded).map((s) => `${s.width}x${s.height} nack ${s.nack} pli ${s.pli}`),
        };
    });
}

async function times(t) {
    const room = await ClassRoom.start(t, { impair: ['delay=25', 'seed=1'] });
    await room.enter('chromium', { role: 'host' });
    await room.enter('chromium');
    await room.whole();
    const all = [];
    for (const kind of ['chromium', 'firefox']) {
        const page = await room.open(kind, { sender: kind === 'chromium' ? 20 : 21, name: `Joiner in ${kind}` });
        const both = [];
        for (let n = 0; n < JOINS / 2; n++) {
            const took = await timedJoin(page);
            t.log(`${kind} ${JSON.stringify(took)}`);
            t.check(took.picture > 0 && took.sound > 0, `join ${n}: no media ${JSON.stringify(took)}`);
            both.push(Math.max(took.picture, took.sound));
            t.figures = t.figures.filter((f) => !f.startsWith(`${kind}_`));
            t.figure(`${kind}_p50_ms`, percentile(both, 50));
            t.figure(`${kind}_max_ms`, Math.max(...both));
            await room.leave(page);
            await page.goto('about:blank');
            await page.goto(room.links.participant);
        }
        all.push(...both);
    }
    t.figure('joins', all.length);
    t.figure('p50_ms', percentile(all, 50));
    t.figure('p95_ms', percentile(all, 95));
    t.figure('target_ms', 500);
}

export const scenarios = [{ name: 'click-to-media', timeout_s: 300, run: times }];
