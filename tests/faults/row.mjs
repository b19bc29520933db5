// row.mjs FILE - plays one row with browsers and prints {measured, ok} as its last line.
import path from 'node:path';
import { childrenOf, endStrays } from '../e2e/lib/proc.mjs';
import { Scenario } from '../e2e/lib/scenario.mjs';
import { within } from '../e2e/lib/wait.mjs';

const file = path.resolve(process.argv[2]);
const { run, timeout_s = 300 } = await import(file);
const before = new Set(childrenOf(process.pid));
const scenario = new Scenario(`fault-${path.basename(file, '.mjs')}`);
let result;
try {
    result = await within(timeout_s * 1000, 'row', run(scenario));
} catch (error) {
    scenario.log(error.stack);
    result = { measured: { error: String(error.message).replace(/\s+/g, ' ').slice(0, 400) }, ok: false };
}
await scenario.end(!result.ok);
endStrays(before);
console.log(JSON.stringify(result));
process.exit(0);
