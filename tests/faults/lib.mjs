// lib.mjs - what rows with browsers share: two or three people behind relays, and what they heard
// and saw for a while. Everything else is the harness of tests/e2e.
import { spawnSync } from 'node:child_process';
import { ClassRoom } from '../e2e/lib/class.mjs';
import { childrenOf, commandOf } from '../e2e/lib/proc.mjs';
import { during, now, until } from '../e2e/lib/wait.mjs';

/** The whole matrix (make faults AMPHI_FULL=1) or one seed of the cells that say most. */
export const full = process.env.AMPHI_FULL === '1';
export const seconds = (quick, whole) => (full ? whole : quick);

/** Chromium (host) and Firefox in one class, media behind one relay, the page behind another. */
export async function pair(t, { words = [], kinds = ['chromium', 'firefox'], env } = {}) {
    const room = await ClassRoom.start(t, { impair: words, split: true, env });
    for (const [i, kind] of kinds.entries()) await room.enter(kind, { role: i ? 'participant' : 'host' });
    await room.whole({ timeout: 30000 });
    return room;
}

/**
 * Somebody whose media has a link of its own: {page, relay}. `words` are the relay's; the class was
 * started with {impair: []}, so that its ports are known.
 */
export async function behind(t, room, kind, words, options = {}) {
    const { portMap } = room.server;
    const ports = Object.keys(portMap).filter((k) => k.startsWith('udp:')).map((k) => k.slice(4));
    const relay = await t.relay({ udp: ports.map((port) => `${portMap.host}:${port}`), words });
    const page = await room.open(kind, { ...options, portMap: relay.onlyWay(portMap.host) });
    return { page: await room.join(page), relay };
}

const total = (stats, key, kind) => stats.slots.filter((s) => s.kind === kind)
    .reduce((n, s) => n + (s[key] ?? 0), 0);

/** What each page heard and saw while `ms` went by; told = what it said about its connection. */
export async function watch(room, ms) {
    const pages = room.people;
    const first = await Promise.all(pages.map((p) => p.stats()));
    const told = new Set();
    let paused = false;
    const start = now();
    await during(ms, 500, async () => {
        for (const page of pages) {
            told.add(await page.eval(() => window.amphi.media().health));
            paused ||= await page.eval(() => Boolean(document.querySelector('[data-reason=connection],[data-reason=paused]')));
        }
    });
    const passed = (now() - start) / 1000;
    const last = await Promise.all(pages.map((p) => p.stats()));
    const rows = last.map((stats, i) => {
        const more = (key, kind) => Math.max(0, total(stats, key, kind) - total(first[i], key, kind));
        return {
            concealed_pct: (100 * more('concealed', 'audio')) / Math.max(1, more('samples', 'audio')),
            // What never came: without what the sender's and the player's clocks do by themselves.
            missing_pct: (100 * more('lost', 'audio')) / Math.max(1, more('lost', 'audio') + more('packets', 'audio')),
            delay_ms: (1000 * more('waited_s', 'audio')) / Math.max(1, more('played', 'audio')),
            freezes_per_min: (60 * more('freezes', 'video')) / passed,
            frozen_s: more('frozen_s', 'video'),
            fps: more('decoded', 'video') / passed,
        };
    });
    const each = (key) => Object.fromEntries(pages.map((p, i) => [`${p.browser}${i}`, Number(rows[i][key].toFixed(2))]));
    const worst = (key, pick = Math.max) => Number(pick(...rows.map((r) => r[key])).toFixed(2));
    return {
        concealed_pct: worst('concealed_pct'), freezes_per_min: worst('freezes_per_min'),
        frozen_s: worst('frozen_s'), fps: worst('fps', Math.min), told: [...told].join('+'),
        missing_pct: worst('missing_pct'), paused, // a picture less or smaller, and the page said so
        heard: Object.fromEntries(['concealed_pct', 'missing_pct', 'delay_ms', 'freezes_per_min'].map((key) => [key, each(key)])),
    };
}

/** Processes below ours that belong to the browser of this page, all of them. */
function processesOf(page) {
    const below = (pid) => [pid, ...childrenOf(pid).flatMap(below)];
    return childrenOf(process.pid).filter((pid) => commandOf(pid).join(' ').includes(page.browser)).flatMap(below);
}

/**
 * From now on these processes run before everything else, as on a machine of their own: what a
 * server adds is asked for, not how long browsers beside it hold the processor. Says whether it may.
 */
export const ahead = (...pids) => pids.every((pid) => spawnSync('chrt', ['-a', '-r', '-p', '10', String(pid)]).status === 0);

/** The machine of this page falls asleep; returns what wakes it. One page of its kind at a time. */
export function sleep(page) {
    const pids = processesOf(page);
    if (!pids.length) throw new Error(`no process of ${page.browser}`);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    return () => pids.forEach((pid) => {
        try {
            process.kill(pid, 'SIGCONT');
        } catch {
            // It ended meanwhile.
        }
    });
}

/** Milliseconds until `page` hears or sees something new again after `at` (a time of now()). */
export async function back(page, at, { timeout = 30000 } = {}) {
    const sum = (stats) => stats.slots.reduce((n, s) => n + (s.packets ?? 0), 0);
    const before = sum(await page.stats());
    await until(async () => sum(await page.stats()) > before + 5, {
        what: `${page.name}: media again`, timeout, every: 20,
    });
    return now() - at;
}

/** What this page was told of people who came or went since `at` (a time of its own clock). */
export const comings = (page, at) => page.eval((from) => window.__e2e.messages
    .filter((m) => m.at > from && m.message.t === 'delta')
    .flatMap((m) => m.message.events).filter((e) => /^person\.(joined|left)$/.test(e.e)).length, at);
export const clock = (page) => page.eval(() => performance.now());

export const offers = async (room) => {
    const all = await Promise.all(room.people.map((p) => p.counts()));
    return Math.max(...all.map((c) => c.offers));
};
export { during, now, until };
