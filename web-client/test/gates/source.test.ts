// House rules on the sources: no markup from strings, small files, pure core, every text used.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { en } from '../../src/i18n/en.ts';
import { fr } from '../../src/i18n/fr.ts';

const root = `${import.meta.dirname}/../../src/`;
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((f) => /\.(ts|svelte|css)$/.test(f));
const text = new Map(files.map((f) => [f, readFileSync(root + f, 'utf8')]));
const all = [...text.values()].join('\n');

function offenders(pattern: RegExp, among: (file: string) => boolean = () => true): string[] {
  return files.filter((f) => among(f) && pattern.test(text.get(f) ?? ''));
}

test('no markup is ever made from a string', () => {
  const banned = /\{@html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc/;
  assert.deepEqual(offenders(banned), []);
});

test('no style attribute in a template: the policy forbids it', () => {
  assert.deepEqual(offenders(/\sstyle="/, (f) => f.endsWith('.svelte')), []);
});

test('no file over 300 lines', () => {
  // What is generated is as long as the protocol.
  const long = files.filter((f) => !/icons\.ts$|^wire\/messages\.ts$/.test(f) && (text.get(f) ?? '').split('\n').length > 301);
  assert.deepEqual(long, []);
});

test('core and wire know no page, no clock, no chance', () => {
  const unclean = /\b(document|window|navigator|localStorage|sessionStorage|setTimeout|setInterval|performance|fetch|WebSocket|RTC\w+)\b\s*[.(]|Date\.now|Math\.random|new Date\(\)/;
  assert.deepEqual(offenders(unclean, (f) => f.startsWith('core/') || f.startsWith('wire/')), []);
});

test('layers: wire < core < media < app < features; ui alone', () => {
  const allowed: Record<string, string[]> = {
    wire: ['wire'], core: ['core', 'wire'], media: ['media', 'core', 'wire'], i18n: ['i18n'], ui: ['ui'],
  };
  const wrong: string[] = [];
  for (const [file, body] of text) {
    const layers = allowed[file.split('/')[0] ?? ''];
    if (!layers) continue;
    for (const match of body.matchAll(/from '\.\.\/(\w+)\//g)) {
      if (!layers.includes(match[1] ?? '')) wrong.push(`${file} -> ${match[1]}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('every module is used, every export is used', () => {
  const dead: string[] = [];
  for (const file of files) {
    const name = file.split('/').at(-1) ?? '';
    if (name !== 'main.ts' && !name.endsWith('.css') && !all.includes(`/${name}'`)) dead.push(file);
    if (!name.endsWith('.ts') || file === 'wire/messages.ts') continue;
    for (const match of (text.get(file) ?? '').matchAll(/^export (?:async )?(?:const|function|class) (\w+)/gm)) {
      const word = new RegExp(`\\b${match[1]}\\b`, 'g');
      if ((all.match(word) ?? []).length < 2) dead.push(`${file}: ${match[1]}`);
    }
  }
  assert.deepEqual(dead, []);
});

test('French and English have the same keys, forms and parameters', () => {
  assert.deepEqual(Object.keys(en).sort(), Object.keys(fr).sort());
  const holes = (entry: unknown): string[] => JSON.stringify(entry).match(/\{\w+\}|#/g)?.sort() ?? [];
  for (const key of Object.keys(fr) as (keyof typeof fr)[]) {
    assert.equal(typeof en[key], typeof fr[key], key);
    assert.deepEqual(new Set(holes(en[key])), new Set(holes(fr[key])), key);
  }
});

test('every text is shown somewhere', () => {
  const code = [...text].filter(([f]) => !f.startsWith('i18n/')).map(([, body]) => body).join('\n');
  const starts = [...code.matchAll(/t\(`([\w.]*)\$\{[^`]*`|`([\w.]+)\$\{[^`]*`/g)].map((m) => m[1] ?? m[2] ?? '').filter((p) => p.includes('.'));
  const unused = Object.keys(fr).filter((key) => !code.includes(`'${key}'`) && !starts.some((s) => key.startsWith(s)));
  assert.deepEqual(unused, []);
});
