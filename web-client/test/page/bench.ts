// What a page test stands on: browsers, the mock, and a page that must not complain.
import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import type { Mock } from '../mock/server.ts';
import type { World } from '../mock/world.ts';
import { joinClass, openContext } from './browser.ts';
import type { PageOptions } from './browser.ts';

/** Only what hangs fails: a busy machine takes its time. */
const PATIENCE_MS = 30_000;

export interface Bench { browser: Browser; bare: Browser; mock: Mock; count: number }
export interface Test { name: string; run: (bench: Bench) => Promise<void> }
export interface Visit { page: Page; link: string; world: () => World; done: () => Promise<void> }

interface VisitOptions extends PageOptions { link?: string; join?: boolean; path?: string; bare?: boolean }

/** Opens a page in a class of its own; `done` fails when the page logged an error meanwhile. */
export async function visit(bench: Bench, o: VisitOptions = {}): Promise<Visit> {
  const context = await openContext(o.bare ? bench.bare : bench.browser, o);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (m) => {
    if (m.type() === 'error' && !m.text().includes('WebSocket connection')) complaints.push(m.text());
  });
  bench.count += 1;
  const link = `${o.link ?? 'people=3'}&visit=${bench.count}`;
  if (o.path !== undefined) await page.goto(bench.mock.url + o.path);
  else if (o.join === false) await page.goto(`${bench.mock.url}/c/c_demo#${link}`);
  else await joinClass(page, bench.mock.url, link);
  return {
    page, link,
    world() {
      const world = bench.mock.worlds.get(link);
      assert.ok(world, 'the page said hello');
      return world;
    },
    async done() {
      await context.close();
      assert.deepEqual(complaints, [], 'the page must not complain');
    },
  };
}

export async function until(what: string, check: () => boolean | Promise<boolean>, ms = PATIENCE_MS): Promise<void> {
  const end = Date.now() + ms;
  while (!(await check())) {
    if (Date.now() > end) assert.fail(`not reached: ${what}`);
    await new Promise((done) => setTimeout(done, 40));
  }
}
