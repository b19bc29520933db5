// relay.mjs - a running impairment relay in proxy mode (tests/net/relay.c).
import fs from 'node:fs';
import path from 'node:path';
import { root } from './deps.mjs';
import { Child } from './proc.mjs';
import { until } from './wait.mjs';

/** A port nothing listens on (discard): connections are refused. */
const NOBODY = 9;

const binary = path.join(root, 'build/tests/relay');

export class Relay {
    /**
     * @param {{udp?: string[], tcp?: string[], words?: string[], pcap?: string, log?: string}} o
     *   udp, tcp: server addresses "127.0.0.1:9000" to stand in front of, on the same address.
     */
    static async start({ udp = [], tcp = [], words = [], pcap, log }) {
        if (!fs.existsSync(binary)) throw new Error(`${binary} is missing: run "make relay"`);
        const near = (to) => to.replace(/\d+$/, '0');
        const args = ['proxy', ...udp.flatMap((to) => ['--udp', `${near(to)}/${to}`]),
            ...tcp.flatMap((to) => ['--tcp', `${near(to)}/${to}`]),
            ...(pcap ? ['--pcap', pcap] : []), ...words];
        const relay = new Relay();
        relay.child = new Child(binary, args, { log });
        await relay.child.printed(/^ready$/m);
        relay.map = {};
        for (const [, kind, from, to] of relay.child.out.matchAll(/^(udp|tcp) (\S+) (\S+)$/gm)) {
            relay.map[`${kind}:${to.match(/\d+$/)[0]}`] = Number(from.match(/\d+$/)[0]);
        }
        relay.answers = relay.child.out.split('\n').length - 1;
        return relay;
    }

    /** Port in front of a server port. */
    port(kind, serverPort) {
        return this.map[`${kind}:${serverPort}`];
    }

    /** For a page whose media goes through this relay or nowhere: where UDP alone is relayed, ICE-TCP of
     * the same port would lead around it. */
    onlyWay(host) {
        const closed = Object.keys(this.map).filter((k) => k.startsWith('udp:')).map((k) => [k.replace('udp', 'tcp'), NOBODY]);
        return { ...Object.fromEntries(closed), ...this.map, host };
    }

    /** Send one command line; resolves with its answer line. Calls are answered in order. */
    async command(line) {
        const index = this.answers++;
        this.child.process.stdin.write(`${line}\n`);
        const answer = await until(() => {
            const lines = this.child.out.split('\n');
            return lines.length > index + 1 && lines[index];
        }, { what: `relay answers "${line}"`, every: 5 });
        if (answer.startsWith('error')) throw new Error(`relay: ${answer}`);
        return answer;
    }

    set(words) {
        return this.command(words);
    }

    async stat() {
        return JSON.parse(await this.command('stat'));
    }

    rebind() {
        return this.command('rebind');
    }

    /** Nothing passes, nothing is closed: a path that died. Until resume(). */
    pause() {
        this.child.process.kill('SIGSTOP');
    }

    resume() {
        this.child.process.kill('SIGCONT');
    }

    stop() {
        this.resume();
        return this.child.stop();
    }
}
