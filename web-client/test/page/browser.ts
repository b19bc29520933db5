// Chromium for the page tests: fake devices, drawn pictures, the mock server's class.
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';

export interface PageOptions {
  width?: number; height?: number; theme?: 'light' | 'dark'; lang?: 'fr' | 'en';
  devices?: boolean; fakeMedia?: boolean; prefs?: Record<string, unknown>;
}

const script = readFileSync(new URL('../mock/fake_media.js', import.meta.url), 'utf8');

export function launch(devices = true): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--allow-loopback-in-peer-connection',
      ...(devices ? ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'] : []),
    ],
  });
}

export async function openContext(browser: Browser, o: PageOptions = {}): Promise<BrowserContext> {
  const context = await browser.newContext({
    viewport: { width: o.width ?? 1366, height: o.height ?? 768 }, colorScheme: o.theme ?? 'light',
    locale: o.lang === 'en' ? 'en-GB' : 'fr-FR', reducedMotion: 'reduce',
  });
  const prefs = JSON.stringify({ mic: false, sounds: false, ease: false, ...o.prefs });
  await context.addInitScript(`if (!localStorage.getItem('amphi.prefs')) localStorage.setItem('amphi.prefs', ${JSON.stringify(prefs)});`);
  if (o.fakeMedia !== false) await context.addInitScript(script);
  return context;
}

export async function joinClass(page: Page, url: string, link: string, name = 'Camille Aubert'): Promise<void> {
  await page.goto(`${url}/c/c_demo#${link}`);
  await page.getByTestId('door-name').fill(name);
  await page.getByTestId('door-join').click();
  await page.getByTestId('bar-leave').waitFor();
}
