// firefox.mjs - Debian's Firefox ESR through puppeteer-core and WebDriver BiDi. Language and
// colour scheme are settings of the whole browser there, so every page is a browser of its own.
import { load } from './deps.mjs';
import { initScript } from './page.mjs';
import { PuppeteerPage } from './puppeteer.mjs';
import { Sound } from './sound.mjs';

function prefsFor(options, hasSound) {
    return {
        'media.navigator.streams.fake': true,
        'media.navigator.permission.disabled': true,
        'media.peerconnection.ice.loopback': true,
        'media.peerconnection.ice.obfuscate_host_addresses': false,
        'media.autoplay.default': 0,
        'media.autoplay.blocking_policy': 0,
        'media.autoplay.block-webaudio': false,
        // Without any output an AudioContext never starts there: then Firefox's own mock device.
        'media.cubeb.force_mock_context': !hasSound,
        'media.getdisplaymedia.transient.enabled': false,
        'intl.accept_languages': options.lang === 'fr' ? 'fr-FR, fr' : 'en-GB, en',
        'layout.css.prefers-color-scheme.content-override': options.theme === 'dark' ? 0 : 1,
        // A page in the background keeps its timers: nobody looks at any of them here.
        'dom.min_background_timeout_value': 4,
        'dom.timeout.enable_budget_timer_throttling': false,
        // No traffic but the test's own.
        'network.captive-portal-service.enabled': false,
        'network.connectivity-service.enabled': false,
        'media.gmp-manager.url': '',
        'app.update.enabled': false,
        'services.settings.server': 'data:,#remote-settings-dummy/v1',
    };
}

export class Firefox {
    static async start() {
        const browser = new Firefox();
        browser.puppeteer = await load('puppeteer-core');
        browser.open = [];
        browser.sound = await Sound.start();
        return browser;
    }

    /** @param {import('./page.mjs').PageOptions} options */
    async openPage(url, options = {}) {
        const viewport = options.viewport ?? { width: 1280, height: 720 };
        const handle = await this.puppeteer.launch({
            browser: 'firefox',
            protocol: 'webDriverBiDi',
            executablePath: process.env.AMPHI_E2E_FIREFOX ?? '/usr/bin/firefox-esr',
            headless: true,
            acceptInsecureCerts: true,
            extraPrefsFirefox: prefsFor(options, Boolean(this.sound)),
            env: { ...process.env, ...this.sound?.env },
            defaultViewport: viewport,
            timeout: 60000,
        });
        this.open.push(handle);
        this.version = await handle.version();
        const [first] = await handle.pages();
        const page = new PuppeteerPage('firefox', options, handle, first ?? (await handle.newPage()));
        await page.page.evaluateOnNewDocument(initScript(options));
        await page.page.setViewport(viewport);
        if (url) await page.goto(url);
        return page;
    }

    async stop() {
        await Promise.allSettled(this.open.map((handle) => handle.close()));
        await this.sound?.stop();
    }
}
