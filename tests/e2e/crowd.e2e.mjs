// crowd - a full house of scripted listeners: every change reaches everybody, everybody comes back at
// once. 150 of them for each change of the code, 500 with AMPHI_FULL=1; times are printed.
import fs from 'node:fs';
import { load } from './lib/deps.mjs';
import { full } from './lib/scenario.mjs';
import { tokenOf } from './lib/raw.mjs';
import { until } from './lib/wait.mjs';

const people = full ? 500 : 150;
const changes = 40;
const batch = 25; // newcomers at once: one address may not do more before it shows a token

const percentile = (list, p) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * p))];

class Listener {
    constructor(WebSocket, server, name) {
        Object.assign(this, { WebSocket, server, name, marks: new Map(), leaks: 0 });
    }

    /** Resolves with the milliseconds until the class is here. */
    connect(hello) {
        const start = performance.now();
        return new Promise((done, fail) => {
            const socket = new this.WebSocket(`${this.server.url('/ws').replace(/^http/, 'ws')}`, 'amphi.1',
                { rejectUnauthorized: false, origin: this.server.url('').replace(/\/$/, '') });
            this.socket = socket;
            socket.on('open', () => this.send({ t: 'hello', v: 1, lang: 'fr', ...hello }));
            socket.on('error', fail);
            socket.on('message', (data) => this.hear(String(data), () => done(performance.now() - start)));
        });
    }

    hear(text, inside) {
        const t = text.slice(5, text.indexOf('"', 6));
        if (t.startsWith('"door')) this.send({ t: 'join', id: 'j', name: this.name, mic: false, cam: false });
        else if (t.startsWith('"snapshot') || t.startsWith('"resumed')) {
            this.resume = /"resume":"([^"]+)"/.exec(text)[1];
            inside();
        }
        const mark = /"holding":"(mark-\d+)"/.exec(text);
        if (mark && t.startsWith('"delta')) this.marks.set(mark[1], (this.marks.get(mark[1]) ?? []).concat(performance.now()));
        if (text.includes('Kanarienvogel') && this.name !== 'Kanarienvogel') this.leaks++;
        this.bytes = (this.bytes ?? 0) + text.length;
    }

    send(message) {
        this.socket.send(JSON.stringify(message));
    }
}

/** CPU seconds of each thread of a process. */
function threads(pid) {
    return Object.fromEntries(fs.readdirSync(`/proc/${pid}/task`).map((tid) => {
        const text = fs.readFileSync(`/proc/${pid}/task/${tid}/stat`, 'utf8');
        const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
        const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
        return [`${name}-${tid}`, (Number(fields[11]) + Number(fields[12])) / 100];
    }));
}

async function crowd(t) {
    const WebSocket = await load('ws');
    const server = await t.server();
    const id = await server.createClass('A full house', 'webinar');
    const host = new Listener(WebSocket, server, 'Host');
    await host.connect({ link: tokenOf(await server.link(id, { role: 'host' })) });
    host.send({ t: 'stage.phase', id: 'd', phase: 'doors' });
    const link = tokenOf(await server.link(id, { role: 'listener' }));
    const crowd = Array.from({ length: people }, (_, i) => new Listener(WebSocket, server, i === 7 ? 'Kanarienvogel' : `Auditeur ${i}`));
    t.defer(() => [host, ...crowd].forEach((l) => l.socket?.terminate()));
    const joins = [];
    for (let i = 0; i < people; i += batch) {
        joins.push(...await Promise.all(crowd.slice(i, i + batch).map((l) => l.connect({ link }))));
    }
    t.figure('people', people);
    t.figure('join_p95_ms', percentile(joins, 0.95));

    const { core } = server.pids();
    const before = threads(core);
    const start = performance.now();
    const late = [];
    for (let i = 0; i < changes; i++) {
        const sent = performance.now();
        const mark = `mark-${i}`;
        host.send({ t: 'stage.holding', id: `h${i}`, text: mark, music: false });
        await until(() => crowd.every((l) => l.marks.has(mark)), { what: `${mark} reaches everybody`, timeout: 20000, every: 2 });
        for (const l of crowd) {
            t.equal(l.marks.get(mark).length, 1, `${l.name}: ${mark} heard once`);
            late.push(l.marks.get(mark)[0] - sent);
        }
    }
    const seconds = (performance.now() - start) / 1000;
    const after = threads(core);
    const busiest = Math.max(...Object.keys(after).map((k) => (after[k] - (before[k] ?? 0)) / seconds));
    t.figure('change_p50_ms', percentile(late, 0.5));
    t.figure('change_p99_ms', percentile(late, 0.99));
    t.figure('target_ms', 50);
    t.figure('changes_per_s', changes / seconds);
    t.figure('core_cpu_percent', 100 * Object.keys(after).reduce((n, k) => n + after[k] - (before[k] ?? 0), 0) / seconds);
    t.figure('busiest_thread_percent', 100 * busiest);

    for (const l of crowd) l.socket.terminate();
    const back = await Promise.all(crowd.map((l) => l.connect({ resume: l.resume })));
    t.figure('rejoin_p95_ms', percentile(back, 0.95));
    t.figure('rejoin_target_ms', 5000);
    t.equal(crowd.reduce((n, l) => n + l.leaks, 0), 0, 'a hidden name was told');
}

export const scenarios = [
    { name: 'house', timeout_s: 120, run: crowd },
];
