// scenario.mjs - what a scenario gets: browsers, relays, a server, a folder, and a promise that
// everything it started is ended afterwards.
import fs from 'node:fs';
import path from 'node:path';
import { Background } from './background.mjs';
import { Chromium } from './chromium.mjs';
import { root } from './deps.mjs';
import { Firefox } from './firefox.mjs';
import { Child } from './proc.mjs';
import { Relay } from './relay.mjs';
import { binary, Server } from './server.mjs';
import { within } from './wait.mjs';

/** Everything as often as the figures we promise ask for; otherwise what fits a run for each change. */
export const full = process.env.AMPHI_FULL === '1';

export class Scenario {
    constructor(name) {
        this.name = name;
        this.dir = path.join(root, 'build/e2e', name);
        this.figures = [];
        this.pages = [];
        this.undo = [];
        this.browsers = {};
        // What fails and is tried again is looked for afterwards: the folder of the run before stays.
        fs.rmSync(`${this.dir}-before`, { recursive: true, force: true });
        if (fs.existsSync(this.dir)) fs.renameSync(this.dir, `${this.dir}-before`);
        fs.mkdirSync(this.dir, { recursive: true });
    }

    /** Add a figure to the line the runner prints. */
    figure(name, value) {
        this.figures.push(`${name}=${typeof value === 'number' ? Number(value.toFixed(2)) : value}`);
    }

    /** Run fn when the scenario ends, the latest first. */
    defer(fn) {
        this.undo.push(fn);
    }

    check(condition, message) {
        if (!condition) throw new Error(message);
    }

    equal(got, wanted, what) {
        const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
        if (a !== b) throw new Error(`${what}: got ${a}, wanted ${b}`);
    }

    log(line) {
        fs.appendFileSync(path.join(this.dir, 'log.txt'), `${line}\n`);
    }

    async browser(kind) {
        if (!this.browsers[kind]) {
            const browser = await { chromium: Chromium, firefox: Firefox, background: Background }[kind].start();
            this.browsers[kind] = browser;
            this.defer(() => browser.stop());
            // Figures of sound sent by Firefox mean little then, and the line says so.
            if (browser.sound === null) this.figure('firefox_sound', 'mock');
        }
        return this.browsers[kind];
    }

    /**
     * @param {'chromium'|'firefox'|'background'} kind
     * @param {string|null} url
     * @param {import('./page.mjs').PageOptions} options
     */
    async openPage(kind, url, options = {}) {
        const page = await (await this.browser(kind)).openPage(null, options);
        this.pages.push(page);
        if (url) await page.goto(url);
        return page;
    }

    async relay(options) {
        const relay = await Relay.start({ log: path.join(this.dir, 'relay.txt'), ...options });
        this.defer(() => relay.stop());
        return relay;
    }

    async server(options = {}) {
        const server = await Server.start({ dir: this.dir, ...options });
        this.defer(() => server.stop());
        return server;
    }

    /** Another command of the program, run until the scenario ends. */
    process(args, { env } = {}) {
        const child = new Child(binary, args, { log: path.join(this.dir, `${args[0]}.txt`), env, cwd: root });
        this.defer(() => child.stop());
        return child;
    }

    /** End everything. Leaves pictures and states behind when the scenario failed. */
    async end(failed) {
        if (failed) {
            await Promise.allSettled(this.pages.map((page) =>
                within(15000, 'artefacts', page.leave(this.dir))));
        }
        for (const fn of this.undo.reverse()) {
            try {
                await within(10000, 'clean-up', Promise.resolve(fn()));
            } catch (error) {
                this.log(`clean-up: ${error.message}`);
            }
        }
    }
}
