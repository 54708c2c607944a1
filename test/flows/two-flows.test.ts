// Both flows at once over fakes, as the daemon joins them: HR changes a card, and the next tap obeys.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CardeaError } from '../../src/errors.ts';
import { settle } from '../app/door-bench.ts';
import { TOPICS } from './change-flow.ts';
import { makeGateway } from './joined-flows.ts';

const OLD = 'DEADBEEF';
const NEW = '04A2B3C4D5E680';

test('a card opens from its binding on, its replacement from the moment in which it stops, and a revoked one not at all', async () => {
  const { link, bind, revoke, tapped } = await makeGateway();
  link.connect();
  assert.equal(await tapped(OLD), 'unknown-card');
  assert.equal(await bind(1, OLD), 'acknowledged');
  assert.equal(await tapped(OLD), 'granted');
  assert.equal(await bind(2, NEW), 'acknowledged');
  assert.deepEqual([await tapped(OLD), await tapped(NEW)], ['replaced', 'granted']);
  assert.equal(await revoke(3, { card: NEW }), 'acknowledged');
  assert.equal(await tapped(NEW), 'lost');
  assert.equal(await bind(4, NEW, { state: 'pending' }), 'acknowledged');
  assert.equal(await tapped(NEW), 'pending');
  assert.equal(await revoke(5, { cardholder: 'E1001', reason: 'left' }), 'acknowledged');
  assert.equal(await tapped(NEW), 'left');
});

test('invariant 4: without a link the doors go on, and everything is told in order when the link is back', async () => {
  const { link, bind, tapped, published } = await makeGateway();
  link.connect();
  await bind(1, OLD);
  await settle();
  link.disconnect();
  assert.deepEqual([await tapped(OLD), await tapped(NEW), await tapped(OLD)], ['granted', 'unknown-card', 'granted']);
  assert.equal(published(TOPICS.event).length, 1);
  link.connect();
  await settle();
  const events = published(TOPICS.event).map((event) => Object(event).sequence);
  assert.deepEqual(events, [1, 2, 3, 4, 5, 6], 'two grants that nobody took, three taps, one change');
});

test('invariant 1: a change that the disk refuses stays with the broker and is applied when it comes again', async () => {
  const { link, bind, tapped, store, clock } = await makeGateway();
  link.connect();
  store.commitFailure = new CardeaError('store-write-failed', 'disk full');
  assert.equal(await bind(1, OLD), 'refused');
  assert.equal(link.isConnected(), false);
  assert.equal(await tapped(OLD), 'unknown-card');
  store.commitFailure = undefined;
  clock.advance(60_000);
  await settle();
  link.connect();
  await settle();
  assert.equal(await tapped(OLD), 'granted');
});

test('every message is answered by one receipt, redeliveries and garbage included', async () => {
  const { link, bind, revoke, published } = await makeGateway();
  link.connect();
  await bind(1, OLD);
  await bind(1, OLD);
  await revoke(3, { card: OLD });
  await bind(2, OLD);
  await link.deliver(TOPICS.cardBound, 'garbage');
  await settle();
  assert.deepEqual(
    published(TOPICS.receipt).map((receipt) => Object(receipt).result),
    ['applied', 'duplicate', 'applied', 'stale', 'rejected'],
  );
});
