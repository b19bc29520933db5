// look.mjs - a state of a page as people may have it: in both languages and both themes, on a phone
// and on a projector; a picture of each, axe over each, nothing beyond the right edge. Or, where time
// counts, as it stands.
import path from 'node:path';
import { full } from './scenario.mjs';

const sizes = { phone: [360, 740], wide: [1920, 1080] };
/** Two corners hold both languages, both themes and both sizes; a full run has all four, and a laptop. */
const half = [
    [['fr', 'light', 'phone'], ['en', 'dark', 'wide']],
    [['fr', 'dark', 'wide'], ['en', 'light', 'phone']],
];
const every = ['phone', 'wide'].flatMap((size) => ['fr', 'en']
    .flatMap((lang) => ['light', 'dark'].map((theme) => [lang, theme, size])));

export class Look {
    /** @param {{corners?: boolean}} options corners false: `at` takes a page as it stands */
    constructor(t, { corners = true } = {}) {
        this.t = t;
        this.corners = corners;
        this.turn = 0;
        this.states = 0;
        this.found = [];
    }

    /** The page as it stands, called `what`; afterwards it is as it was. */
    async at(page, what, { sizes: wanted = Object.keys(sizes) } = {}) {
        if (!this.corners) return this.here(page, what);
        const was = page.page.viewportSize();
        const corners = full ? every : half[this.turn++ % half.length];
        this.states++;
        for (const [lang, theme, size] of corners) {
            const [width, height] = wanted.includes(size) ? sizes[size] : [was.width, was.height];
            await page.page.setViewportSize({ width, height });
            await page.page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
            await this.speak(page, lang);
            const tag = `${what}-${lang}-${theme}-${width}`;
            await this.here(page, tag);
        }
        await page.page.setViewportSize(was);
        await page.page.emulateMedia({ colorScheme: page.options.theme ?? 'light', reducedMotion: 'no-preference' });
        await this.speak(page, page.options.lang ?? 'en');
    }

    /** The page in the one corner it is in. */
    async here(page, what) {
        await page.screenshot(path.join(this.t.dir, `${what}.png`));
        for (const v of await page.axe()) this.found.push(`${what}: ${v.id} ${v.nodes[0]}`);
        const over = await page.eval(() => document.documentElement.scrollWidth - innerWidth);
        if (over > 0) this.found.push(`${what}: ${over} pixels beyond the right edge`);
    }

    /** As if another window of this browser had changed the language. */
    async speak(page, lang) {
        await page.eval((to) => {
            const kept = JSON.parse(localStorage.getItem('amphi.prefs') ?? '{}');
            localStorage.setItem('amphi.prefs', JSON.stringify({ ...kept, lang: to }));
            dispatchEvent(new StorageEvent('storage', { key: 'amphi.prefs' }));
        }, lang);
        await page.waitFor(`speaks ${lang}`, (to) => document.documentElement.lang === to, { args: [lang], timeout: 60000 });
        // Two frames, so that what was asked for is drawn.
        await page.eval(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    }

    /** To be called last. */
    clean() {
        if (this.corners) this.t.figure('states', this.states);
        this.t.equal(this.found, [], 'axe and width');
    }
}
