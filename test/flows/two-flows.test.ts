// Both flows at once over fakes, as the daemon joins them: HR changes a card, and the next tap obeys.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EventPublisher } from '../../src/app/publish-events.ts';
import { CardeaError } from '../../src/errors.ts';
import { unsignedEnvelope, unsignedSeal } from '../../src/wire/message-envelope.ts';
import { type BenchOptions, makeDoorBench, settle } from '../app/door-bench.ts';
import { FakeHrLink } from '../fakes/fake-hr-link.ts';
import { makeInbox } from '../fixtures/hr-inbox.ts';
import { DOORS, GATEWAY, SITE, TOPICS } from './change-flow.ts';

const OLD = 'DEADBEEF';
const NEW = '04A2B3C4D5E680';

const makeGateway = async (options: BenchOptions = {}) => {
  const bench = await makeDoorBench(options);
  const { store, writer, clock, log } = bench;
  const link = new FakeHrLink();
  const publisher = new EventPublisher({ eventLog: store, link, topics: TOPICS, seal: unsignedSeal, clock, log });
  const changes = makeInbox({
    site: SITE,
    gateway: GATEWAY,
    doors: DOORS,
    topics: TOPICS,
    cardNumberFormat: 'hex',
    envelope: unsignedEnvelope,
    store,
    writer,
    clock,
    log,
  });
  writer.onCommit = () => publisher.wake();
  link.start({
    onMessage: (message) => changes.handle(message),
    onConnect: () => publisher.wake(),
    onDisconnect: () => {},
  });
  const message = (type: string, revision: number, fields: object): string =>
    JSON.stringify({
      type,
      site: 'hq',
      messageId: `m-${revision}`,
      revision,
      issuedAt: '2026-01-05T08:00:00Z',
      operator: 'hr',
      ...fields,
    });
  return {
    ...bench,
    link,
    bind: (revision: number, card: string, fields: object = {}) => {
      const binding = { card, cardholder: { id: 'E1001' }, access: [{ doors: ['front'] }], ...fields };
      return link.deliver(TOPICS.cardBound, message('card-bound', revision, binding));
    },
    revoke: (revision: number, fields: object) =>
      link.deliver(TOPICS.cardRevoked, message('card-revoked', revision, { reason: 'lost', ...fields })),
    /** Taps, and what became of it. */
    tapped: async (uid: string): Promise<string> => {
      bench.tap(uid);
      await settle();
      const outcome = bench.outcomes.at(-1);
      bench.clock.advance(60_000);
      return outcome?.kind === 'denied' ? outcome.reason : (outcome?.kind ?? 'nothing');
    },
    published: (topic: string): unknown[] =>
      link.published.filter((sent) => sent.topic === topic).map(({ payload }) => JSON.parse(payload)),
  };
};

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
  link.disconnect();
  assert.deepEqual([await tapped(OLD), await tapped(NEW), await tapped(OLD)], ['granted', 'unknown-card', 'granted']);
  assert.equal(published(TOPICS.event).length, 1);
  link.connect();
  await settle();
  const events = published(TOPICS.event).map((event) => Object(event).sequence);
  assert.deepEqual(events, [1, 2, 3, 4, 5, 6], 'two grants that nobody took, three taps, one change');
});

test('invariant 6: neither a lost nor a returning link, nor a replayed or retained message, releases a door', async () => {
  const { link, bind, strikes, store } = await makeGateway();
  link.connect();
  await bind(1, OLD);
  for (let i = 0; i < 5; i++) {
    link.disconnect();
    link.connect();
    await bind(1, OLD);
    await settle();
  }
  await link.deliver(TOPICS.cardBound, '{}', { retained: true });
  await settle();
  assert.deepEqual(strikes(), []);
  assert.equal(store.roster().cards, 1);
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
