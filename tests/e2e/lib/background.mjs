// background.mjs - Chromium whose tabs are treated as a person's: one behind another is hidden and its timers
// are slowed down. Through puppeteer-core, because playwright has every page believe that it is looked at.
import { load } from './deps.mjs';
import { initScript } from './page.mjs';
import { PuppeteerPage } from './puppeteer.mjs';
import { flags } from './chromium.mjs';

/** What these switch off is what this browser is for. */
const BACKGROUND = ['--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding'];

class TabPage extends PuppeteerPage {
    /** Another tab of the same window stands in front. */
    async hide() {
        const front = await this.handle.newPage();
        await front.bringToFront();
        await this.waitFor('is hidden', () => document.visibilityState === 'hidden', { timeout: 15000 });
        return front;
    }

    async show(front) {
        await this.page.bringToFront();
        await front.close();
        await this.waitFor('is seen', () => document.visibilityState === 'visible', { timeout: 15000 });
    }
}

export class Background {
    static async start() {
        const browser = new Background();
        browser.puppeteer = await load('puppeteer-core');
        browser.open = [];
        return browser;
    }

    /** @param {import('./page.mjs').PageOptions} options */
    async openPage(url, options = {}) {
        const handle = await this.puppeteer.launch({
            browser: 'chrome',
            executablePath: process.env.AMPHI_E2E_CHROMIUM ?? '/usr/bin/chromium',
            headless: true,
            acceptInsecureCerts: true,
            args: flags.filter((flag) => !BACKGROUND.includes(flag)),
            ignoreDefaultArgs: BACKGROUND,
            defaultViewport: options.viewport ?? { width: 1280, height: 720 },
            timeout: 60000,
        });
        this.open.push(handle);
        this.version = await handle.version();
        const [first] = await handle.pages();
        const page = new TabPage('chromium', options, handle, first ?? (await handle.newPage()));
        await page.page.evaluateOnNewDocument(initScript(options));
        if (url) await page.goto(url);
        return page;
    }

    async stop() {
        await Promise.allSettled(this.open.map((handle) => handle.close()));
    }
}
