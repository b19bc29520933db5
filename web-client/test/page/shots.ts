// Pictures of every state at every width, to be looked at: node test/page/shots.ts [filter]
import { mkdirSync } from 'node:fs';
import { startMock } from '../mock/server.ts';
import { joinClass, launch, openContext } from './browser.ts';
import { STATES } from './states.ts';

const filter = new RegExp(process.argv[2] ?? '.');
const sizes = [[360, 740], [768, 1024], [1366, 768], [1920, 1080]] as const;
const out = `${import.meta.dirname}/../out/`;
mkdirSync(out, { recursive: true });
const mock = await startMock();
const browser = await launch();
for (const state of STATES) {
  for (const [width, height] of sizes) {
    for (const theme of ['light', 'dark'] as const) {
      const lang = (width === 768) !== (theme === 'dark') ? 'en' : 'fr';
      const name = `${state.name}-${width}-${theme}-${lang}`;
      if (!filter.test(name)) continue;
      const context = await openContext(browser, { width, height, theme, lang, prefs: state.prefs ?? {} });
      const page = await context.newPage();
      page.on('pageerror', (error) => console.log(`${name}: ${error.message}`));
      page.on('console', (m) => m.type() === 'error' && console.log(`${name}: ${m.text()}`));
      if (state.link === undefined) await page.goto(mock.url + (state.path ?? '/'));
      else if (state.door) await page.goto(`${mock.url}/c/c_demo#${state.link}&x=${name}`);
      else await joinClass(page, mock.url, `${state.link}&x=${name}`);
      await state.then?.(page, mock);
      await page.waitForTimeout(900);
      await page.screenshot({ path: `${out}${name}.png` });
      console.log(name);
      await context.close();
    }
  }
}
await browser.close();
await mock.close();
