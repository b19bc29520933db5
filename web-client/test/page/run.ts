// Behaviour of the built page in Chromium against the mock server. Ends with "N passed, N failed".
// node test/page/run.ts [filter]; needs /usr/bin/chromium (or CHROMIUM).
import { startMock } from '../mock/server.ts';
import { a11yTests } from './a11y.ts';
import { behaviourTests } from './behaviour.ts';
import { launch } from './browser.ts';
import type { Bench } from './bench.ts';

const filter = new RegExp(process.argv[2] ?? '.', 'i');
// Headless Chromium dies after some sixty contexts with cameras: a fresh one now and then.
const CONTEXTS_PER_BROWSER = 20;
const bench: Bench = { browser: await launch(), bare: await launch(false), mock: await startMock(), count: 0 };
let passed = 0;
let failed = 0;
for (const { name, run } of [...behaviourTests, ...a11yTests]) {
  if (!filter.test(name)) continue;
  try {
    await run(bench);
    passed += 1;
  } catch (error) {
    failed += 1;
    console.error(`not ok: ${name}\n${error instanceof Error ? error.stack : String(error)}`);
  } finally {
    for (const b of [bench.browser, bench.bare]) for (const context of b.contexts()) await context.close();
    if (bench.count % CONTEXTS_PER_BROWSER === 0) {
      await bench.browser.close();
      bench.browser = await launch();
    }
  }
}
await bench.browser.close();
await bench.bare.close();
await bench.mock.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
