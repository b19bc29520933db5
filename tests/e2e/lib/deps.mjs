// deps.mjs - the browser drivers live in web-client/node_modules; tests have none of their own.
// AMPHI_E2E_MODULES names another folder that holds a node_modules, for trials.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

const home = process.env.AMPHI_E2E_MODULES ?? path.join(root, 'web-client');
const require = createRequire(path.join(home, 'package.json'));

function missing(name) {
    return new Error(`${name} is not in ${home}/node_modules: run "make web" first`);
}

/** Import a package by name, whether it is an ES module or not. */
export async function load(name) {
    let file;
    try {
        file = require.resolve(name);
    } catch {
        throw missing(name);
    }
    const module = await import(file);
    return module.default ?? module;
}

/** The file a package is imported from, for bundling into a page. */
export const locate = (name) => require.resolve(name);

/** The text of a file inside a package. */
export function readFrom(name, file) {
    let dir = path.join(home, 'node_modules', name);
    if (!fs.existsSync(dir)) throw missing(name);
    return fs.readFileSync(path.join(dir, file), 'utf8');
}
