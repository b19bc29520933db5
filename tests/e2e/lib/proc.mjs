// proc.mjs - child processes: each in a group of its own, its output kept, always ended.
import { spawn, execFile } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import { until } from './wait.mjs';

/** Pids of the direct children of a process, from every thread of it. */
export function childrenOf(pid) {
    const pids = [];
    try {
        for (const task of fs.readdirSync(`/proc/${pid}/task`)) {
            const text = fs.readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8');
            pids.push(...text.split(' ').filter(Boolean).map(Number));
        }
    } catch {
        // It ended between the two reads: it has no children then.
    }
    return pids;
}

/** Command line of a process, [] when it is gone. */
export function commandOf(pid) {
    try {
        return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
    } catch {
        return [];
    }
}

/** Name of a process as the kernel shows it. */
export function nameOf(pid) {
    try {
        return fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
    } catch {
        return '';
    }
}

export function isAlive(pid) {
    try {
        const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
        return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
    } catch {
        return false;
    }
}

export class Child {
    /**
     * @param {string} command
     * @param {string[]} args
     * @param {{log?: string, env?: object, cwd?: string}} options  log: file for both outputs
     */
    constructor(command, args, { log, env, cwd } = {}) {
        this.name = `${command} ${args.slice(0, 2).join(' ')}`;
        this.out = '';
        this.err = '';
        this.process = spawn(command, args, {
            cwd, env: { ...process.env, ...env }, detached: true, stdio: ['pipe', 'pipe', 'pipe'],
        });
        this.pid = this.process.pid;
        const file = log ? fs.createWriteStream(log, { flags: 'a' }) : null;
        this.process.stdout.on('data', (data) => {
            this.out += data;
            file?.write(data);
        });
        this.process.stderr.on('data', (data) => {
            this.err += data;
            file?.write(data);
        });
        this.process.stdin.on('error', () => {});
        this.ended = new Promise((done) => {
            this.process.on('error', (error) => done({ code: -1, signal: error.message }));
            this.process.on('exit', (code, signal) => done({ code, signal }));
        });
        this.ended.then((end) => {
            this.end = end;
        });
    }

    /** Wait for text in the output; fails early when the process ends. */
    async printed(pattern, { timeout = 10000 } = {}) {
        return until(() => {
            const found = this.out.match(pattern) ?? this.err.match(pattern);
            if (!found && this.end) {
                throw new Error(`${this.name} ended ${JSON.stringify(this.end)}: ${this.err.slice(-500)}`);
            }
            return found;
        }, { what: `${this.name} prints ${pattern}`, timeout });
    }

    /** End it: first politely, then its whole group for good. */
    async stop({ signal = 'SIGTERM', grace = 3000 } = {}) {
        if (!this.end) {
            this.process.kill(signal);
            const timer = setTimeout(() => this.killGroup(), grace);
            await this.ended;
            clearTimeout(timer);
        }
        this.killGroup();
        return this.end;
    }

    killGroup() {
        try {
            process.kill(-this.pid, 'SIGKILL');
        } catch {
            // Nobody left in it.
        }
    }
}

/** Run a command to its end. Returns {code, out, err}. */
export function run(command, args, { timeout = 15000, env, input, cwd } = {}) {
    return new Promise((done) => {
        const child = execFile(command, args, {
            timeout, cwd, env: { ...process.env, ...env }, maxBuffer: 16 << 20,
        }, (error, out, err) => done({ code: error ? (error.code ?? -1) : 0, out, err }));
        child.stdin.on('error', () => {});
        child.stdin.end(input ?? '');
    });
}

/** A TCP and UDP port that is free on loopback right now. */
export function freePort() {
    return new Promise((done, fail) => {
        const server = net.createServer();
        server.on('error', fail);
        server.listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => done(port));
        });
    });
}

/**
 * The address media is offered on: Firefox gathers no loopback address on a machine that has
 * another one, and does not pair its own with a loopback address of the server.
 */
export function mediaAddress() {
    const all = Object.values(os.networkInterfaces()).flat();
    return all.find((a) => a.family === 'IPv4' && !a.internal)?.address ?? '127.0.0.1';
}

/**
 * End every child of this process that is not in `before`: what a scenario started and lost
 * track of, a browser for instance. Only our own children are ever looked at.
 */
export function endStrays(before) {
    for (const pid of childrenOf(process.pid)) {
        if (before.has(pid)) continue;
        for (const target of [-pid, pid]) {
            try {
                process.kill(target, 'SIGKILL');
            } catch {
                // Not a group leader, or gone.
            }
        }
    }
}
