// Every word the server refuses with has a sentence in both languages.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { officeEn } from '../../src/i18n/en_office.ts';
import { officeFr } from '../../src/i18n/fr_office.ts';

const APP = new URL('../../../server/app/', import.meta.url);

test('a refusal of the office is never told as "busy" for want of words', () => {
  const words = new Set<string>();
  for (const name of readdirSync(APP).filter((file) => /^office.*\.c$/.test(file))) {
    const source = readFileSync(new URL(name, APP), 'utf8');
    for (const call of source.matchAll(/office_refuse\(([^;]*)\);/g)) {
      for (const word of (call[1] ?? '').matchAll(/"([a-z_]+)"/g)) words.add(word[1] ?? '');
    }
    for (const word of source.matchAll(/"error", "([a-z_]+)"/g)) words.add(word[1] ?? '');
  }
  assert.ok(words.size > 30, `${words.size} words were found`);
  const without = (catalogue: object): string[] => [...words].filter((word) => !(`error.${word}` in catalogue));
  assert.deepEqual(without(officeFr), []);
  assert.deepEqual(without(officeEn), []);
});

test('every line of the access log is a sentence', () => {
  const actions = new Set<string>();
  for (const name of readdirSync(APP).filter((file) => /^office.*\.c$/.test(file))) {
    for (const call of readFileSync(new URL(name, APP), 'utf8').matchAll(/office_audit\(\s*call,\s*"([a-z._]+)"/g)) actions.add(call[1] ?? '');
  }
  assert.ok(actions.size > 30, `${actions.size} actions were found`);
  const without = (catalogue: object): string[] => [...actions].filter((action) => !(`did.${action}` in catalogue));
  assert.deepEqual(without(officeFr), []);
  assert.deepEqual(without(officeEn), []);
});
