// page.mjs - what every driven page offers, whichever browser it is in. The two drivers
// (chromium.mjs, firefox.mjs) supply the few primitives.
import fs from 'node:fs';
import path from 'node:path';
import { root } from './deps.mjs';
import { until, within } from './wait.mjs';

const scripts = ['rtc.js', 'e2ee.js', 'portrait.js', 'media.js', 'read.js']
    .map((name) => fs.readFileSync(path.join(root, 'tests/e2e/page', name), 'utf8')).join('\n');

/**
 * The script injected into every document of a page.
 * @param {PageOptions} options
 */
export function initScript(options) {
    const conf = {
        sender: options.sender ?? 1, media: options.media ?? 'coded', fps: options.fps ?? 15,
        camera: options.camera, screen: options.screen, portMap: options.portMap, loses: options.loses,
        e2ee: options.e2ee,
    };
    // A machine that tests use up struggles: pages are eased where that is the scenario.
    const ease = JSON.stringify({ ease: options.ease ?? false });
    return `try {
    const kept = JSON.parse(localStorage.getItem('amphi.prefs') ?? '{}');
    localStorage.setItem('amphi.prefs', JSON.stringify({ ...${ease}, ...kept }));
} catch { /* a document without a place to remember */ }
window.__e2eConf = ${JSON.stringify(conf)};\n${scripts}`;
}

/**
 * @typedef {object} PageOptions
 * @property {string} [name]       shows in logs and screenshots, and is typed at the door
 * @property {number} [sender]     1..127, coded into picture and tone
 * @property {'coded'|'portrait'|'noise'|'none'|'denied'|'busy'|'native'} [media]
 * @property {number} [fps]
 * @property {[number, number]} [camera]  largest picture the camera gives, [640, 360] if not said
 * @property {[number, number]} [screen]
 * @property {'en'|'fr'} [lang]
 * @property {'light'|'dark'} [theme]
 * @property {{width: number, height: number}} [viewport]
 * @property {boolean} [ease]  shows fewer pictures when the machine does not keep up
 * @property {number} [e2ee]  Chromium: encrypts and decrypts media with this key (page/e2ee.js)
 * @property {string} [loses]  kind of message that is lost with its line, once each load
 * @property {object} [portMap]  "udp:9000" -> relay port, see Relay.map; host -> its address
 */

export class Page {
    /** @param {PageOptions} options */
    constructor(browser, options) {
        this.browser = browser;
        this.options = options;
        this.name = options.name ?? 'page';
        /** @type {{type: string, text: string}[]} */
        this.console = [];
        /** Uncaught exceptions and console.error lines. */
        this.errors = [];
        this.csp = [];
        this.failed = []; // requests that failed
    }

    /** Called by the drivers for each console line. */
    noteConsole(type, text) {
        const own = text.match(/^__e2e (\{.*)$/s);
        if (own) {
            const { kind, value } = JSON.parse(own[1]);
            if (kind === 'csp') this.csp.push(value);
            else this.errors.push(`${kind}: ${JSON.stringify(value)}`);
            return;
        }
        this.console.push({ type, text });
        if (type === 'error') this.errors.push(text);
    }

    noteError(error) {
        this.errors.push(String(error?.stack ?? error));
    }

    selector(testid) {
        return `[data-testid="${testid}"]`;
    }

    /** Wait until fn(...args), run in the page, gives something truthy; returns it. */
    waitFor(what, fn, { args = [], timeout = 10000, every = 50 } = {}) {
        return until(() => this.eval(fn, ...args), { what: `${this.name}: ${what}`, timeout, every });
    }

    waitForTestId(testid, options) {
        return this.waitFor(`${testid} shows`, (s) => {
            const element = document.querySelector(s);
            return Boolean(element && element.getClientRects().length);
        }, { ...options, args: [this.selector(testid)] });
    }

    waitForGone(testid, options) {
        return this.waitFor(`${testid} goes`, (s) => !document.querySelector(s),
            { ...options, args: [this.selector(testid)] });
    }

    text(testid) {
        return this.eval((s) => document.querySelector(s)?.textContent ?? null, this.selector(testid));
    }

    texts(testid) {
        return this.eval((s) => [...document.querySelectorAll(s)].map((e) => e.textContent),
            this.selector(testid));
    }

    count(testid) {
        return this.eval((s) => document.querySelectorAll(s).length, this.selector(testid));
    }

    has(testid) {
        return this.count(testid).then((n) => n > 0);
    }

    /** A true click by the browser's input, once the element is there. */
    async click(testid, options) {
        await this.waitForTestId(testid, options);
        await this.clickSelector(this.selector(testid));
    }

    /** Replace the text of an input by typing. */
    async fill(testid, text, options) {
        await this.waitForTestId(testid, options);
        await this.fillSelector(this.selector(testid), text);
    }

    counts() {
        return this.eval(() => window.__e2e.counts());
    }

    view() {
        return this.eval(() => window.__e2e.view());
    }

    read() {
        return this.eval(() => window.__e2e.read());
    }

    stats() {
        return this.eval(() => window.__e2e.stats());
    }

    /** The product's own tiles: {device, source, id or why}. */
    tiles(selector) {
        return this.eval((s) => window.__e2e.readTiles(s), selector);
    }

    /** Call the product's own test hook, if the page has one: stats, slots, state, offers. */
    hook(member) {
        return this.eval(async (m) => {
            const value = window.amphi?.[m];
            return typeof value === 'function' ? value.call(window.amphi) : value;
        }, member);
    }

    /** What a failed scenario leaves behind: picture, console, figures. */
    async leave(dir) {
        const base = path.join(dir, `${this.name.replace(/[^\w-]+/g, '_').slice(0, 40)}-${this.browser}`);
        const lines = this.console.map((c) => `${c.type} ${c.text}`);
        fs.writeFileSync(`${base}.console.txt`,
            [...lines, ...this.errors.map((e) => `ERROR ${e}`), ...this.csp.map((c) => `CSP ${JSON.stringify(c)}`)].join('\n'));
        const take = async (what, fn) => {
            try {
                await within(5000, what, fn());
            } catch (error) {
                fs.appendFileSync(`${base}.console.txt`, `\n(${what}: ${error.message})`);
            }
        };
        await take('screenshot', () => this.screenshot(`${base}.png`));
        await take('state', async () => {
            const state = await this.eval(async () => ({
                url: location.href, counts: window.__e2e?.counts(), view: window.__e2e?.view(),
                read: window.__e2e?.read(), stats: await window.__e2e?.stats(),
                messages: window.__e2e?.messages.slice(-40),
                sends: window.__e2e?.messages.filter((m) => m.message.t === 'send'),
            }));
            fs.writeFileSync(`${base}.json`, JSON.stringify(state, null, 1));
        });
    }
}
