// run.mjs - runs end-to-end scenarios.
//   node tests/e2e/run.mjs                     every file
//   node tests/e2e/run.mjs selftest class      these files (tests/e2e/<name>.e2e.mjs)
//   node tests/e2e/run.mjs class:sizes        one scenario
//   node tests/e2e/run.mjs --once ...        no second try for what fails (AMPHI_E2E_ONCE=1 likewise)
//   node tests/e2e/run.mjs --list
// AMPHI_AGAIN names scenarios: of those chosen only these, when there are any (tests/run.py).
// One line per scenario, then "N passed, N failed". What a run leaves is in build/e2e/<name>/.
import fs from 'node:fs';
import path from 'node:path';
import { root } from './lib/deps.mjs';
import { childrenOf, endStrays } from './lib/proc.mjs';
import { Scenario } from './lib/scenario.mjs';
import { now, patience, within } from './lib/wait.mjs';

const here = path.join(root, 'tests/e2e');
const once = process.argv.includes('--once') || process.env.AMPHI_E2E_ONCE === '1';

async function collect(wanted) {
    const files = fs.readdirSync(here).filter((f) => f.endsWith('.e2e.mjs')).sort();
    const all = [];
    for (const file of files) {
        const area = file.slice(0, -'.e2e.mjs'.length);
        if (wanted.length && !wanted.some((w) => w.split(':')[0] === area)) continue;
        const { scenarios, needs } = await import(path.join(here, file));
        // Some want surroundings a plain run does not have; named, they say so themselves.
        if (!wanted.length && needs && !process.env[needs]) continue;
        for (const one of scenarios) all.push({ ...one, name: `${area}:${one.name}` });
    }
    const chosen = all.filter((s) => !wanted.length
        || wanted.some((w) => w === s.name || w === s.name.split(':')[0]));
    const again = (process.env.AMPHI_AGAIN ?? '').split(' ');
    if (chosen.some((s) => again.includes(s.name))) return chosen.filter((s) => again.includes(s.name));
    for (const w of wanted) {
        if (!chosen.some((s) => s.name === w || s.name.split(':')[0] === w)) {
            throw new Error(`no scenario ${w}`);
        }
    }
    return chosen;
}

/** Runs a scenario once; null when it went well, else why not. */
async function attempt({ name, timeout_s = 120, run }, again) {
    const before = new Set(childrenOf(process.pid));
    const scenario = new Scenario(name.replace(':', '-') + (again ? '-again' : ''));
    const start = now();
    let failure;
    try {
        await within(timeout_s * patience * 1000, 'scenario', run(scenario));
    } catch (error) {
        failure = error;
        scenario.log(error.stack);
    }
    await scenario.end(Boolean(failure));
    endStrays(before);
    const seconds = `(${((now() - start) / 1000).toFixed(1)} s)`;
    const figures = scenario.figures.join(' ');
    const reason = failure && String(failure.message).replace(/\s+/g, ' ').slice(0, 600);
    return { reason, line: `${name} ${seconds} ${[reason, figures].filter(Boolean).join(' | ')}` };
}

/**
 * Browsers, sound servers and clocks are not ours, and there are three of each: a scenario that
 * failed is tried once more from the start. That it was is always said.
 */
async function runOne(one) {
    const first = await attempt(one, false);
    if (!first.reason) {
        console.log(`ok ${first.line}`);
        return true;
    }
    if (once) {
        console.log(`FAIL ${first.line}`);
        return false;
    }
    console.log(`again ${first.line}`);
    const second = await attempt(one, true);
    console.log(`${second.reason ? 'FAIL' : 'ok'} ${second.line}`);
    return !second.reason;
}

async function main() {
    const args = process.argv.slice(2);
    const chosen = await collect(args.filter((a) => !a.startsWith('--')));
    if (args.includes('--list')) {
        chosen.forEach((s) => console.log(s.name));
        return 0;
    }
    let passed = 0;
    for (const one of chosen) passed += await runOne(one);
    console.log(`${passed} passed, ${chosen.length - passed} failed`);
    return passed === chosen.length && passed ? 0 : 1;
}

// A scenario that was given up may still have promises that fail when its browsers go away.
process.on('unhandledRejection', () => {});
// Whatever way this process ends, its children end with it.
process.on('exit', () => endStrays(new Set()));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));
main().then((code) => process.exit(code), (error) => {
    console.log(`FAIL run ${error.message}`);
    console.log('0 passed, 1 failed');
    process.exit(1);
});
