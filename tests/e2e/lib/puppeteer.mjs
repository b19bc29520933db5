// puppeteer.mjs - a page driven through puppeteer-core: one per browser process.
import { Page } from './page.mjs';
import { patience } from './wait.mjs';

export class PuppeteerPage extends Page {
    constructor(browser, options, handle, page) {
        super(browser, options);
        this.handle = handle;
        this.page = page;
        page.on('console', (m) => this.noteConsole(m.type(), m.text()));
        page.on('pageerror', (error) => this.noteError(error));
        page.on('requestfailed', (r) => this.failed.push(`${r.url()} ${r.failure()?.errorText}`));
    }

    goto(url) {
        return this.page.goto(url, { waitUntil: 'domcontentloaded' });
    }

    reload() {
        return this.page.reload({ waitUntil: 'domcontentloaded' });
    }

    eval(fn, ...args) {
        return this.page.evaluate(fn, ...args);
    }

    /** puppeteer clicks where the element was: it must have come to rest first. */
    async clickSelector(selector) {
        await this.page.waitForFunction((sel) => new Promise((done) => {
            const where = () => JSON.stringify(document.querySelector(sel)?.getBoundingClientRect());
            const before = where();
            requestAnimationFrame(() => requestAnimationFrame(() => done(before !== undefined && before === where())));
        }), { timeout: 5000 * patience }, selector);
        await this.page.click(selector);
    }

    async fillSelector(selector, text) {
        await this.page.focus(selector);
        await this.page.$eval(selector, (e) => e.select());
        await this.page.keyboard.press('Delete');
        await this.page.keyboard.type(text);
    }

    press(key) {
        // Combinations are written as playwright does: "Shift+Tab".
        const parts = key.split('+');
        const last = parts.pop();
        return parts.reduceRight((inner, modifier) => async () => {
            await this.page.keyboard.down(modifier);
            await inner();
            await this.page.keyboard.up(modifier);
        }, () => this.page.keyboard.press(last))();
    }

    type(text) {
        return this.page.keyboard.type(text);
    }

    screenshot(file) {
        return this.page.screenshot({ path: file });
    }

    close() {
        return this.handle.close();
    }
}
