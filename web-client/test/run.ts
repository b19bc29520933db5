// npm test: unit tests (node:test) and gates. Ends with "N passed, N failed".
import { readdirSync } from 'node:fs';
import { run } from 'node:test';

const here = `${import.meta.dirname}/`;
const files = ['unit', 'gates'].flatMap((folder) =>
  readdirSync(here + folder).filter((name) => name.endsWith('.test.ts')).map((name) => `${here}${folder}/${name}`));

let passed = 0;
let failed = 0;
const stream = run({ files, concurrency: 2, timeout: 60_000 });
stream.on('test:pass', (event) => {
  if (event.details.type !== 'suite' && !event.name.endsWith('.test.ts')) passed += 1;
});
stream.on('test:fail', (event) => {
  if (event.details.type === 'suite') return;
  failed += 1;
  console.error(`not ok: ${event.name}\n${String(event.details.error.cause ?? event.details.error)}`);
});
stream.on('test:stderr', (event) => process.stderr.write(event.message));
stream.on('end', () => {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
});
stream.resume();
