import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverBusy } from '../../src/core/busy.ts';
import type { SlotLife, SlotReason, VideoSlot } from '../../src/wire/messages.ts';

const slot = (n: number, life: SlotLife, reason: SlotReason): VideoSlot => [n, 'd_1', 'cam', life, reason, 360];

test('staff hear of a busy server only where it is the server that holds pictures back', () => {
  assert.equal(serverBusy([]), 'none');
  assert.equal(serverBusy([slot(0, 'live', 'full'), slot(1, 'off', 'paused'), slot(2, 'live', 'connection')]), 'none');
});

test('what is left out is said: fewer pictures a second, or pictures that do not come', () => {
  assert.equal(serverBusy([slot(0, 'live', 'server'), slot(1, 'live', 'full')]), 'slower');
  assert.equal(serverBusy([slot(0, 'live', 'server'), slot(1, 'off', 'server')]), 'fewer');
});
