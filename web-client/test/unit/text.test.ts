import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classPath, initials, matches, pieces, tintOf } from '../../src/core/text.ts';
import { pickLang, translate } from '../../src/i18n/translate.ts';
import { decodeMessage } from '../../src/wire/decode.ts';

test('initials of all kinds of names', () => {
  assert.deepEqual(
    ['Claire Fontaine', 'Tom', 'Anne-Sophie de La Roche', '  ', 'Élodie', '李 小龙', 'x (invité)'].map(initials),
    ['CF', 'T', 'AR', '', 'É', '李小', 'XI'],
  );
});

test('addresses become links, everything else stays text', () => {
  assert.deepEqual(pieces('voir https://a.fr/x?y=1. Merci'), [
    { text: 'voir ' }, { text: 'https://a.fr/x?y=1', href: 'https://a.fr/x?y=1' }, { text: '. Merci' },
  ]);
  for (const bad of ['javascript:alert(1)', 'data:text/html,x', '<img src=x onerror=y>']) assert.deepEqual(pieces(bad), [{ text: bad }]);
});

test('a pasted link leads only to a class of this server', () => {
  const origin = 'https://amphi.example';
  assert.equal(classPath(' https://amphi.example/c/c_1#tok.en ', origin), '/c/c_1#tok.en');
  assert.equal(classPath('/c/c_1#t', origin), '/c/c_1#t');
  for (const bad of ['', 'hello', 'https://evil.example/c/c_1#t', 'javascript:alert(1)', '//evil.example/c/x', 'https://amphi.example/x']) {
    assert.equal(classPath(bad, origin), undefined, bad);
  }
});

test('search ignores case and accents', () => {
  assert.ok(matches('ele', 'Élodie Lemaire'));
  assert.ok(matches('', 'x'));
  assert.ok(!matches('zz', 'Élodie'));
});

test('tints are stable and in range', () => {
  assert.equal(tintOf('p_abc', 5), tintOf('p_abc', 5));
  for (let i = 0; i < 100; i++) assert.ok(tintOf(`p_${i}`, 5) < 5);
});

test('counted texts follow the rules of each language', () => {
  assert.equal(translate('fr', 'people.here', { n: 0 }), '0 personne dans la classe');
  assert.equal(translate('fr', 'people.here', { n: 2 }), '2 personnes dans la classe');
  assert.equal(translate('en', 'people.here', { n: 0 }), '0 people in the class');
  assert.equal(translate('en', 'people.here', { n: 1 }), '1 person in the class');
  assert.equal(translate('fr', 'stage.pin', { name: '{evil} $&' }), 'Épingler {evil} $&');
  assert.equal(pickLang(['de', 'en-GB', 'fr']), 'en');
  assert.equal(pickLang(['de']), 'fr');
});

test('broken frames are dropped', () => {
  for (const frame of ['', '{', 'null', '[]', '{"t":5}', '{"t":"delta"}', '{"t":"constructor"}', '{"t":"delta","seq":1,"prev":0,"events":[null]}',
    '{"t":"slots","audio":[],"video":[1]}', '{"t":"door","class":{},"you":{},"guest":1,"epoch":1}']) {
    assert.equal(decodeMessage(frame), undefined, frame);
  }
  assert.deepEqual(decodeMessage('{"t":"busy"}'), { t: 'busy' });
  assert.equal(decodeMessage('{"t":"ack","id":"x","seq":4}')?.t, 'ack');
});
