// chromium.mjs - Debian's Chromium through playwright-core.
import { load } from './deps.mjs';
import { initScript, Page } from './page.mjs';
import { patience } from './wait.mjs';

export const flags = [
    '--no-sandbox',
    '--autoplay-policy=no-user-gesture-required',
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    '--allow-loopback-in-peer-connection',
    '--disable-background-networking',
    '--disable-background-timer-throttling',
    '--disable-backgrounding-occluded-windows',
    '--disable-renderer-backgrounding',
    // Our devices are made in the page, so no permission was asked and host candidates would hide
    // behind names nobody here can resolve.
    '--disable-features=WebRtcHideLocalIpsWithMdns',
];

class ChromiumPage extends Page {
    constructor(options, context, page) {
        super('chromium', options);
        this.context = context;
        this.page = page; // playwright's own page, for what is special to Chromium
        page.on('console', (m) => this.noteConsole(m.type(), m.text().startsWith('Failed to load') ? `${m.text()} ${m.location().url}` : m.text()));
        page.on('pageerror', (error) => this.noteError(error));
        page.on('requestfailed', (r) => this.failed.push(`${r.url()} ${r.failure()?.errorText}`));
        page.on('crash', () => this.noteError('the page crashed'));
    }

    goto(url) {
        return this.page.goto(url, { waitUntil: 'domcontentloaded' });
    }

    reload() {
        return this.page.reload({ waitUntil: 'domcontentloaded' });
    }

    eval(fn, ...args) {
        // playwright takes one argument: the rest travels as a list.
        return this.page.evaluate(`(${fn})(...${JSON.stringify(args)})`);
    }

    clickSelector(selector) {
        return this.page.locator(selector).first().click({ timeout: 5000 * patience });
    }

    fillSelector(selector, text) {
        return this.page.locator(selector).first().fill(text, { timeout: 5000 * patience });
    }

    press(key) {
        return this.page.keyboard.press(key);
    }

    type(text) {
        return this.page.keyboard.type(text);
    }

    screenshot(file) {
        return this.page.screenshot({ path: file });
    }

    /** axe-core over the page as it stands: the violations. */
    async axe() {
        const { AxeBuilder } = await load('@axe-core/playwright');
        const found = await new AxeBuilder({ page: this.page })
            .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
            .analyze();
        return found.violations.map((v) => ({
            id: v.id, impact: v.impact, help: v.help,
            nodes: v.nodes.map((n) => `${n.target.join(' ')} ${n.failureSummary}`),
        }));
    }

    /** 'frozen' or 'active': what the browser does with tabs nobody looks at. */
    async lifecycle(state) {
        this.session ??= await this.context.newCDPSession(this.page);
        await this.session.send('Page.setWebLifecycleState', { state });
    }

    close() {
        return this.context.close();
    }
}

export class Chromium {
    static async start({ args = [], env } = {}) {
        const playwright = await load('playwright-core');
        const browser = new Chromium();
        const proxy = process.env.AMPHI_E2E_PROXY;
        browser.handle = await playwright.chromium.launch({
            executablePath: process.env.AMPHI_E2E_CHROMIUM ?? '/usr/bin/chromium',
            args: [...flags, ...(proxy ? [`--proxy-server=${proxy}`] : []), ...args],
            env: { ...process.env, ...env },
        });
        browser.version = browser.handle.version();
        return browser;
    }

    /** @param {import('./page.mjs').PageOptions} options */
    async openPage(url, options = {}) {
        const context = await this.handle.newContext({
            ignoreHTTPSErrors: true,
            locale: options.lang === 'fr' ? 'fr-FR' : 'en-GB',
            colorScheme: options.theme ?? 'light',
            reducedMotion: 'no-preference',
            viewport: options.viewport ?? { width: 1280, height: 720 },
        });
        await context.addInitScript({ content: initScript(options) });
        const page = new ChromiumPage(options, context, await context.newPage());
        if (url) await page.goto(url);
        return page;
    }

    stop() {
        return this.handle.close();
    }
}
