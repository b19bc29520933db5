import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pasted } from '../../src/core/paste.ts';

test('addresses of a mail program become a table', () => {
  assert.equal(pasted('Jean Moulin <jean@example.org>, "Zoë, dite Z" <z@example.org>'), 'Jean Moulin <jean@example.org>, "Zoë, dite Z" <z@example.org>',
    'a comma inside a name is not guessed at');
  assert.equal(pasted('"Jean Moulin" <jean@example.org>; lea.martin@example.org\nO\'Neil <o@example.org>,'),
    'Nom;Courriel\n"Jean Moulin";"jean@example.org"\n"Lea Martin";"lea.martin@example.org"\n"O\'Neil";"o@example.org"\n');
});

test('cells of a spreadsheet stay as they are', () => {
  for (const text of ['Nom\tCourriel\nÉmile Zola\temile@example.org', 'Nom;Courriel\nLéa;lea@example.org', '', 'bonjour']) assert.equal(pasted(text), text);
});
