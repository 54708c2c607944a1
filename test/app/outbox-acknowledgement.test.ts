// The outbox where HR acknowledges, events.acknowledgement: application.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventPublisher } from '../../src/app/publish-events.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { seconds } from '../../src/domain/units.ts';
import { CardeaError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { unsignedSeal } from '../../src/wire/message-envelope.ts';
import { time } from '../domain/samples.ts';
import { FakeHrLink } from '../fakes/fake-hr-link.ts';
import { MemoryDisk, MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { GATEWAY, TOPICS } from '../flows/change-flow.ts';
import { settle } from './door-bench.ts';

const LOG = createLog('silent');
const RESEND = 60_000;

const makeOutbox = (disk = new MemoryDisk()) => {
  disk.isOpen = false;
  const store = new MemoryStore(disk);
  const clock = new VirtualClock();
  const link = new FakeHrLink();
  const writer = new SerialWriter({ store, gateway: GATEWAY, clock, log: LOG });
  const publisher = new EventPublisher({
    eventLog: store,
    link,
    topics: TOPICS,
    seal: unsignedSeal,
    resendAfter: seconds(60),
    clock,
    log: LOG,
  });
  writer.onCommit = () => publisher.wake();
  link.start({ onMessage: async () => {}, onConnect: () => publisher.onConnect(), onDisconnect: () => {} });
  const at = time('2026-01-05T08:00:00Z');
  return {
    disk,
    store,
    clock,
    link,
    publisher,
    record: async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) writer.record({ event: 'door-opened', at, clockSynchronized: true });
      await settle();
    },
    pass: async (milliseconds: number): Promise<void> => {
      clock.advance(milliseconds);
      await settle();
    },
    /** What was published since the last call. */
    sent: (): number[] => link.published.splice(0).map(({ payload }) => JSON.parse(payload).sequence),
  };
};

test('what the broker has is sent and pending; what HR has acknowledged has left', async () => {
  const { link, record, sent, store, publisher, clock } = makeOutbox();
  link.connect();
  await record(3);
  assert.deepEqual(sent(), [1, 2, 3]);
  assert.deepEqual([store.sentUpTo(), store.acknowledgedUpTo(), publisher.view().pending], [3, 0, 3]);
  await publisher.acknowledge(2);
  assert.deepEqual([store.acknowledgedUpTo(), publisher.view().pending], [2, 1]);
  await publisher.acknowledge(3);
  await settle();
  assert.deepEqual([publisher.view(), clock.pendingTimers], [{ pending: 0, oldest: null, acknowledged: 3 }, 0]);
  assert.deepEqual(sent(), []);
});

test('invariant 7: what HR has not acknowledged is sent again after every reconnect, with the same numbers, in order', async () => {
  const { link, record, sent, publisher } = makeOutbox();
  link.connect();
  await record(150);
  sent();
  await publisher.acknowledge(40);
  for (let storm = 0; storm < 5; storm++) {
    link.disconnect();
    link.connect();
  }
  await settle();
  await settle();
  assert.deepEqual(
    sent().slice(-110),
    Array.from({ length: 110 }, (_, index) => 41 + index),
  );
});

test('what HR leaves unacknowledged is sent again when nothing has come for the time configured, then at growing distances', async () => {
  const { link, record, sent, publisher, pass } = makeOutbox();
  link.connect();
  await record(2);
  sent();
  await pass(RESEND - 1);
  assert.deepEqual(sent(), []);
  await pass(1);
  assert.deepEqual(sent(), [1, 2]);
  await pass(RESEND);
  assert.deepEqual(sent(), []);
  await pass(RESEND);
  assert.deepEqual(sent(), [1, 2]);
  await publisher.acknowledge(1);
  await pass(RESEND - 1);
  assert.deepEqual(sent(), []);
  await pass(1);
  assert.deepEqual(sent(), [2], 'HR is there again: the time counts from its word, and as at first');
});

test('HR that comes back and says where it is gets what it lacks at once, and not again for each time that it says so', async () => {
  const { link, record, sent, publisher, pass } = makeOutbox();
  link.connect();
  await record(2);
  for (let i = 0; i < 8; i++) await pass(15 * RESEND);
  sent();
  await pass(RESEND);
  await publisher.acknowledge(0);
  await pass(0);
  assert.deepEqual(sent(), [1, 2]);
  for (let i = 0; i < 5; i++) await publisher.acknowledge(0);
  await pass(RESEND - 1);
  assert.deepEqual(sent(), []);
  await pass(1);
  assert.deepEqual(sent(), [1, 2]);
});

test('an acknowledgement that comes twice, late, or for what HR had already, changes nothing', async () => {
  const { link, record, sent, store, publisher } = makeOutbox();
  link.connect();
  await record(5);
  sent();
  for (const upTo of [3, 3, 1, 3]) await publisher.acknowledge(upTo);
  await settle();
  assert.deepEqual([store.acknowledgedUpTo(), sent(), publisher.alarms()], [3, [], []]);
});

test('an acknowledgement of what was never sent takes nothing out of the outbox, and is an alarm until a good one comes', async () => {
  const { link, record, store, publisher } = makeOutbox();
  await record(5);
  await publisher.acknowledge(1);
  assert.equal(store.acknowledgedUpTo(), 0);
  link.connect();
  await settle();
  await publisher.acknowledge(6);
  assert.equal(store.acknowledgedUpTo(), 0);
  assert.deepEqual(publisher.alarms(), ['HR acknowledges event 6, and the last one sent is 5']);
  await publisher.acknowledge(5);
  assert.deepEqual([store.acknowledgedUpTo(), publisher.alarms()], [5, []]);
});

test('HR may be faster than the broker: its word counts while the broker has not acknowledged', async () => {
  const { link, record, store, publisher, sent } = makeOutbox();
  link.connect();
  link.holdPublishes();
  await record(3);
  await publisher.acknowledge(3);
  assert.deepEqual([store.sentUpTo(), store.acknowledgedUpTo()], [3, 3]);
  link.acknowledgePublishes();
  await settle();
  assert.deepEqual([store.sentUpTo(), sent()], [3, [1, 2, 3]]);
});

test('invariant 7: a gateway killed between the acknowledgement of the broker and its cursor sends the same again', async () => {
  const first = makeOutbox();
  first.link.connect();
  first.store.cursorFailure = new CardeaError('store-write-failed', 'killed');
  await first.record(4);
  const before = first.link.published.map(({ payload }) => payload);
  const second = makeOutbox(first.disk);
  await second.publisher.acknowledge(4);
  assert.equal(second.store.acknowledgedUpTo(), 0, 'it does not know that they were sent');
  second.link.connect();
  await settle();
  assert.deepEqual(
    second.link.published.map(({ payload }) => payload),
    before,
  );
  await second.publisher.acknowledge(4);
  assert.equal(second.publisher.view().pending, 0);
});

test('an acknowledgement for what was sent before a restart counts', async () => {
  const first = makeOutbox();
  first.link.connect();
  await first.record(4);
  const second = makeOutbox(first.disk);
  await second.publisher.acknowledge(4);
  second.link.connect();
  await settle();
  assert.deepEqual([second.store.acknowledgedUpTo(), second.sent()], [4, []]);
});

test('what was given up for want of room is passed over when the rest is sent again', async () => {
  const { link, record, sent, store } = makeOutbox();
  link.connect();
  await record(6);
  sent();
  await store.saveAcknowledgedUpTo(4);
  link.disconnect();
  link.connect();
  await settle();
  assert.deepEqual(sent(), [5, 6]);
});

test('what the broker has lost is sent again although other events come all the time', async () => {
  const { link, record, sent, store, publisher, pass } = makeOutbox();
  link.connect();
  await record(3);
  await publisher.acknowledge(1);
  sent();
  const seen: number[] = [];
  for (let waited = 0; waited < 2 * RESEND; waited += RESEND / 6) {
    await record(1);
    // HR lacks 2, and says of each event only that it has 1.
    await publisher.acknowledge(1);
    await pass(RESEND / 6);
    seen.push(...sent());
  }
  assert.ok(seen.includes(2), `sent were ${seen}`);
  const doubles = seen.filter((sequence) => sequence === 2);
  assert.equal(doubles.length, 2, 'once for each time that HR left unanswered');
  await publisher.acknowledge(store.tail().sequence);
  assert.equal(publisher.view().pending, 0);
});

test('a long outage does not keep HR waiting: the time counts anew from the connection on', async () => {
  const { link, record, sent, pass } = makeOutbox();
  link.connect();
  await record(1);
  link.disconnect();
  for (let hours = 0; hours < 12; hours++) await pass(60 * RESEND);
  link.connect();
  await settle();
  sent();
  await pass(RESEND);
  assert.deepEqual(sent(), [1]);
});
