import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RelayRenewal } from '../../src/core/renewal.ts';

test('new credentials are asked for at half of their time, then every ten seconds', () => {
  const renewal = new RelayRenewal();
  renewal.got(60, 1000);
  assert.equal(renewal.due(30_999), false);
  assert.equal(renewal.due(31_000), true);
  assert.equal(renewal.due(31_500), false);
  assert.equal(renewal.due(41_000), true);
  renewal.got(60, 41_100);
  assert.equal(renewal.due(71_000), false);
  assert.equal(renewal.due(71_100), true);
});

test('without relays, or without an end, nothing is asked', () => {
  const renewal = new RelayRenewal();
  assert.equal(renewal.due(1e12), false);
  renewal.got(undefined, 0);
  assert.equal(renewal.due(1e12), false);
  assert.equal(renewal.waits(1e12), false);
});

test('after a sleep beyond the end a new path waits for new credentials, not for ever', () => {
  const renewal = new RelayRenewal();
  renewal.got(60, 0);
  assert.equal(renewal.waits(59_000), false);
  const awake = 500_000;
  assert.equal(renewal.waits(awake), false);
  assert.equal(renewal.due(awake), true);
  assert.equal(renewal.waits(awake + 2999), true);
  assert.equal(renewal.waits(awake + 3000), false);
  assert.equal(renewal.due(awake + 10_000), true);
  renewal.got(60, awake + 10_050);
  assert.equal(renewal.waits(awake + 10_060), false);
});
