// server.mjs - the product under test: started on free ports with a folder of its own, asked for
// classes and links through its commands, killed by process id.
import fs from 'node:fs';
import path from 'node:path';
import { commands, configured, parse, roleOf, settings } from './contract.mjs';
import { root } from './deps.mjs';
import {
    Child, childrenOf, commandOf, freePort, isAlive, mediaAddress, nameOf, run,
} from './proc.mjs';
import { Relay } from './relay.mjs';
import { now, until } from './wait.mjs';

/** The program. */
export const binary = process.env.AMPHI_E2E_BINARY ?? path.join(root, 'build/amphi');

const list = (text) => (text ?? '').split(',').filter(Boolean);

/**
 * Where the program runs and how it is reached: on loopback, or in the network namespace that
 * tests/e2e/netns.sh has built around this process.
 */
const place = {
    netns: process.env.AMPHI_E2E_NETNS ?? '',
    host: process.env.AMPHI_E2E_HOST ?? '127.0.0.1',
    admin: process.env.AMPHI_E2E_ADMIN ?? '127.0.0.1',
    media: list(process.env.AMPHI_E2E_MEDIA ?? mediaAddress()),
    external: list(process.env.AMPHI_E2E_EXTERNAL),
    listen: process.env.AMPHI_E2E_NETNS ? ['0.0.0.0', '[::]'] : ['127.0.0.1'],
    // A server set up as administrators do: its own file says everything but where its data is.
    config: process.env.AMPHI_E2E_CONFIG ?? '',
    webPort: Number(process.env.AMPHI_E2E_WEB_PORT ?? 0),
};

/** A command line of the program, to be run where the program runs. */
const there = (args) => (place.netns
    ? ['ip', ['netns', 'exec', place.netns, binary, ...args]] : [binary, args]);

export class Server {
    /**
     * @param {object} options
     * @param {string} options.dir      logs and data go here
     * @param {string[]} [options.impair]  words for a relay in front of page and media
     * @param {boolean} [options.split] the page gets a relay of its own, signalRelay
     * @param {object} [options.env]    more settings, AMPHI_SECTION__KEY
     */
    static async start({ dir, impair, split = false, env = {} }) {
        if (!fs.existsSync(binary)) throw new Error(`${binary} is missing: run "make"`);
        const server = new Server();
        server.dir = dir;
        server.log = path.join(dir, 'server.txt');
        server.ports = { web: await freePort(), rtc: await freePort(), admin: await freePort() };
        server.data = path.join(dir, 'data');
        fs.mkdirSync(server.data, { recursive: true });
        server.webPort = place.webPort || server.ports.web;
        const origins = [];
        if (impair) {
            const { web, rtc } = server.ports;
            server.relay = await Relay.start({
                udp: [`${place.media[0]}:${rtc}`],
                tcp: [...(split ? [] : [`127.0.0.1:${web}`]), `${place.media[0]}:${rtc}`],
                words: impair, log: path.join(dir, 'relay.txt'),
            });
            server.signalRelay = split
                ? await Relay.start({ tcp: [`127.0.0.1:${web}`], log: path.join(dir, 'relay-page.txt') }) : server.relay;
            server.webPort = server.signalRelay.port('tcp', web);
            const { [`tcp:${web}`]: _, ...media } = server.relay.map;
            server.portMap = { ...media, host: place.media[0] };
            origins.push(`https://127.0.0.1:${server.webPort}`);
        }
        const own = place.config ? configured : settings;
        server.env = { ...own({ dir: server.data, origins, place, ...server.ports }), ...env };
        await server.launch();
        return server;
    }

    async launch() {
        this.child = new Child(...there(commands.serve()), { log: this.log, env: this.env, cwd: root });
        this.pid = this.child.pid;
        await this.ready();
    }

    async get(what) {
        const there = `http://${place.admin}:${this.ports.admin}${what}`;
        if (place.netns && place.admin === '127.0.0.1') {
            const words = ['netns', 'exec', place.netns, 'curl', '-s', '-w', '\n%{http_code}', there];
            const text = (await run('ip', words)).out;
            const end = text.lastIndexOf('\n');
            return { status: Number(text.slice(end + 1)), text: text.slice(0, end) };
        }
        const response = await fetch(there);
        return { status: response.status, text: await response.text() };
    }

    ready({ timeout = 15000 } = {}) {
        return until(async () => {
            if (this.child.end) {
                throw new Error(`server ended ${JSON.stringify(this.child.end)}: ${this.child.err.slice(-400)}`);
            }
            return (await this.get('/readyz')).status === 200;
        }, { what: '/readyz answers 200', timeout, every: 20 });
    }

    /** Metrics as name{labels} -> number. */
    async metrics() {
        const { text } = await this.get('/metrics');
        const all = {};
        for (const line of text.split('\n')) {
            const at = line.lastIndexOf(' ');
            if (at > 0 && line[0] !== '#') all[line.slice(0, at)] = Number(line.slice(at + 1));
        }
        return all;
    }

    async command(args) {
        const { code, out, err } = await run(...there(args), { env: this.env, cwd: root });
        if (code !== 0) throw new Error(`amphi ${args.join(' ')}: exit ${code}: ${err || out}`);
        return JSON.parse(out);
    }

    async createClass(title = 'End to end', type = 'standard', set = {}) {
        return parse.classId(await this.command(commands.classCreate(title, type, set)));
    }

    /** A link as a page would open it, through the relay when there is one. */
    async link(classId, { role = 'participant', ...more } = {}) {
        const url = new URL(parse.linkUrl(await this.command(commands.link(classId, { role, ...more }))));
        url.protocol = 'https:';
        url.hostname = place.host;
        url.port = String(this.webPort);
        return url.href;
    }

    url(pathname = '/') {
        return `https://${place.host}:${this.webPort}${pathname}`;
    }

    /** Pids of core and door as they are now. */
    pids() {
        const found = {};
        for (const pid of childrenOf(this.pid)) {
            const role = roleOf(commandOf(pid), nameOf(pid));
            if (role && isAlive(pid)) found[role] = pid;
        }
        return found;
    }

    /** Wait until a process of this role runs that is not `old`. */
    replaced(role, old, { timeout = 10000 } = {}) {
        return until(() => {
            const pid = this.pids()[role];
            return pid && pid !== old ? pid : 0;
        }, { what: `a new ${role}`, timeout, every: 5 });
    }

    /** Signal core or door; returns {pid, at}. */
    signal(role, name) {
        const pid = this.pids()[role];
        if (!pid) throw new Error(`no ${role} process under ${this.pid}`);
        const at = now();
        process.kill(pid, name);
        return { pid, at };
    }

    async restart() {
        await this.child.stop({ grace: 11000 });
        await this.launch();
    }

    /** All of it dies at once, without a word, and is started again. */
    async killed() {
        const all = [this.pid, ...Object.values(this.pids())];
        for (const pid of all) process.kill(pid, 'SIGKILL');
        await until(() => !all.some(isAlive), { what: 'all processes of the server are gone' });
        await this.launch();
    }

    /** Starts again with a wall clock that is so many seconds ahead. */
    async later(seconds) {
        const library = path.join(this.dir, 'later.so');
        const { code, err } = await run('cc', ['-shared', '-fPIC', '-o', library, path.join(root, 'tests/app/later.c'), '-ldl'], {});
        if (code !== 0) throw new Error(`later.c: ${err}`);
        Object.assign(this.env, { LD_PRELOAD: library, LATER_S: String(seconds) });
        await this.restart();
    }

    async stop() {
        const end = await this.child?.stop({ grace: 11000 });
        await this.relay?.stop();
        if (this.signalRelay !== this.relay) await this.signalRelay?.stop();
        return end;
    }
}
