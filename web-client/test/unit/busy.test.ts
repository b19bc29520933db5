import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverBusy } from '../../src/core/busy.ts';
import { en } from '../../src/i18n/en.ts';
import { fr } from '../../src/i18n/fr.ts';
import { decodeMessage } from '../../src/wire/decode.ts';

test('each step of a busy server has its own words, in both languages, and none says that sound suffers', () => {
  const said = [1, 2, 3, 4].map((step) => serverBusy(step));
  assert.equal(new Set(said).size, 4);
  for (const step of said) {
    assert.notEqual(step, '');
    if (step === '') continue;
    assert.match(fr[`busy.${step}`], /son n’est pas touché/);
    assert.match(en[`busy.${step}`], /Sound is not affected/);
  }
});

test('nothing is said when nothing is shed, or of a step this page does not know', () => {
  assert.equal(serverBusy(0), '');
  assert.equal(serverBusy(9), '');
});

test('the message of the server is understood, and a torn one is not', () => {
  assert.deepEqual(decodeMessage('{"t":"load","step":3}'), { t: 'load', step: 3 });
  assert.equal(decodeMessage('{"t":"load"}'), undefined);
});
