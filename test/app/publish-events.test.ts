import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventPublisher, WINDOW } from '../../src/app/publish-events.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { EMPTY_LOG } from '../../src/domain/access-event.ts';
import type { SequenceRange } from '../../src/domain/log-chain.ts';
import { CardeaError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { type MessageSeal, unsignedSeal } from '../../src/wire/message-envelope.ts';
import { batchOf } from '../contracts/store.contract.ts';
import { time } from '../domain/samples.ts';
import { FakeHrLink } from '../fakes/fake-hr-link.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { logOf } from '../fixtures/random-log.ts';
import { GATEWAY, TOPICS } from '../flows/change-flow.ts';
import { settle } from './door-bench.ts';

const REFUSED = new CardeaError('publish-refused', 'quota exceeded');
const LOG = createLog('silent');

/** A link that can refuse chosen publishes; counts from 1. */
class RefusingLink extends FakeHrLink {
  readonly refuse = new Set<number>();
  calls = 0;

  override publish(topic: string, payload: string): Promise<void> {
    this.calls += 1;
    if (this.isConnected() && this.refuse.has(this.calls)) return Promise.reject(REFUSED);
    return super.publish(topic, payload);
  }
}

/** Tells when the cursor has moved. */
class WatchedStore extends MemoryStore {
  afterCursor = async (): Promise<void> => {};

  override async saveSentUpTo(sequence: number): Promise<void> {
    await super.saveSentUpTo(sequence);
    await this.afterCursor();
  }
}

const makeOutbox = (store = new WatchedStore(), seal: MessageSeal = unsignedSeal) => {
  const clock = new VirtualClock();
  const link = new RefusingLink();
  const writer = new SerialWriter({ store, gateway: GATEWAY, clock, log: LOG });
  const publisher = new EventPublisher({ eventLog: store, link, topics: TOPICS, seal, clock, log: LOG });
  writer.onCommit = () => publisher.wake();
  link.start({ onMessage: async () => {}, onConnect: () => publisher.onConnect(), onDisconnect: () => {} });
  const at = time('2026-01-05T08:00:00Z');
  return {
    store,
    clock,
    link,
    writer,
    publisher,
    record: async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) writer.record({ event: 'door-opened', at, clockSynchronized: true });
      await settle();
    },
    /** Numbers of the events that were published, in order, repetitions included. */
    sent: (): number[] =>
      link.published.filter(({ topic }) => topic === TOPICS.event).map(({ payload }) => JSON.parse(payload).sequence),
  };
};

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('invariant 7: events are published in order once the link is up, and what was acknowledged is not sent again', async () => {
  const { link, record, sent, store, publisher } = makeOutbox();
  await record(3);
  assert.deepEqual(sent(), []);
  assert.deepEqual(publisher.view(), { pending: 3, oldest: '2026-01-05T08:00:00.000Z', acknowledged: 0 });
  link.connect();
  await settle();
  assert.deepEqual(sent(), [1, 2, 3]);
  assert.equal(store.sentUpTo(), 3);
  assert.deepEqual(publisher.view(), { pending: 0, oldest: null, acknowledged: 3 });
  await record(2);
  assert.deepEqual(sent(), [1, 2, 3, 4, 5]);
  link.disconnect();
  link.connect();
  await settle();
  assert.deepEqual(sent(), [1, 2, 3, 4, 5]);
});

test('a receipt goes out on its own topic, before the event that carries it', async () => {
  const { link, writer } = makeOutbox();
  link.connect();
  await writer.write((tx) =>
    tx.append({ event: 'card-change', at: time('2026-01-05T08:00:00Z'), clockSynchronized: true }, (n) => `{"n":${n}}`),
  );
  await settle();
  assert.deepEqual(
    link.published.map(({ topic, retain }) => [topic, retain]),
    [
      [TOPICS.receipt, false],
      [TOPICS.event, false],
    ],
  );
  assert.equal(link.published[0]?.payload, '{"n":1}');
});

test('receipts leave under the seal, events as they are, and a slow seal lets no later entry overtake', async () => {
  const waiting: (() => void)[] = [];
  const slow: MessageSeal = (json) => new Promise((resolve) => waiting.push(() => resolve(`sealed ${json}`)));
  const { link, writer, record } = makeOutbox(new WatchedStore(), slow);
  const change = { event: 'card-change', at: time('2026-01-05T08:00:00Z'), clockSynchronized: true } as const;
  await writer.write((tx) => tx.append(change, (n) => `{"n":${n}}`));
  await writer.write((tx) => tx.append(change, (n) => `{"n":${n}}`));
  await record(1);
  link.connect();
  await settle();
  assert.deepEqual(link.published, []);
  for (const finish of waiting.toReversed()) finish();
  await settle();
  assert.deepEqual(
    link.published.map(({ topic, payload }) => (topic === TOPICS.receipt ? payload : JSON.parse(payload).sequence)),
    ['sealed {"n":1}', 1, 'sealed {"n":2}', 2, 3],
  );
});

test('a receipt that cannot be sealed is not published without a seal: it is a fault of the outbox until it can', async () => {
  let isBroken = true;
  const failing: MessageSeal = (json) => (isBroken ? Promise.reject(new Error('no key')) : `sealed ${json}`);
  const { link, writer, publisher, clock, store } = makeOutbox(new WatchedStore(), failing);
  link.connect();
  const change = { event: 'card-change', at: time('2026-01-05T08:00:00Z'), clockSynchronized: true } as const;
  await writer.write((tx) => tx.append(change, (n) => `{"n":${n}}`));
  await settle();
  assert.deepEqual([link.published, publisher.alarms(), store.sentUpTo()], [[], ['no key'], 0]);
  isBroken = false;
  clock.advance(1000);
  await settle();
  assert.equal(link.published[0]?.payload, 'sealed {"n":1}');
  assert.deepEqual([publisher.alarms(), store.sentUpTo()], [[], 1]);
});

test('invariant 7: what is published is what is stored, byte for byte in meaning', async () => {
  const { link, record, store } = makeOutbox();
  link.connect();
  await record(2);
  assert.deepEqual(
    link.published.map(({ payload }) => JSON.parse(payload)),
    store.entries.map(({ event }) => event),
  );
});

test('invariant 7: the cursor moves only after the broker has acknowledged', async () => {
  const { link, record, store } = makeOutbox();
  link.connect();
  link.holdPublishes();
  await record(5);
  assert.equal(store.sentUpTo(), 0);
  link.acknowledgePublishes();
  await settle();
  assert.equal(store.sentUpTo(), 5);
});

test(`invariant 8: at most ${WINDOW} entries are in flight, and what comes meanwhile follows`, async () => {
  const { link, record, sent, store } = makeOutbox();
  await record(WINDOW + 50);
  link.holdPublishes();
  link.connect();
  await settle();
  assert.deepEqual(sent(), range(1, WINDOW));
  await record(10);
  assert.deepEqual(sent(), range(1, WINDOW));
  link.acknowledgePublishes();
  await settle();
  assert.deepEqual(sent(), range(1, WINDOW + 60));
  assert.equal(store.sentUpTo(), WINDOW + 60);
});

test('invariant 7: after a restart the same events go out again with the same numbers and hashes', async () => {
  const first = makeOutbox();
  await first.record(4);
  first.link.holdPublishes();
  first.link.connect();
  await settle();
  const before = first.link.published.map(({ payload }) => payload);
  assert.equal(before.length, 4);

  const second = makeOutbox(first.store);
  second.link.connect();
  await settle();
  assert.deepEqual(
    second.link.published.map(({ payload }) => payload),
    before,
  );
});

test('a wake-up is not lost, whenever it comes', async () => {
  const { link, record, sent, publisher, store } = makeOutbox();
  link.connect();
  for (let i = 0; i < 200; i++) {
    await record(1);
    publisher.wake();
    publisher.wake();
  }
  assert.deepEqual(sent(), range(1, 200));
  assert.equal(store.sentUpTo(), 200);
});

test('a commit between the last look and the end of the round is not missed, in whichever turn it comes', async () => {
  for (let turns = 0; turns < 24; turns++) {
    const { link, record, sent, store } = makeOutbox();
    link.connect();
    await record(1);
    store.afterCursor = async () => {
      store.afterCursor = async () => {};
      // Something new is there so many turns after the last of the round before.
      let later = Promise.resolve();
      for (let turn = 0; turn < turns; turn++) later = later.then(() => {});
      void later.then(() => record(1));
    };
    await record(1);
    await settle();
    assert.deepEqual(sent(), [1, 2, 3], `${turns} turns after the cursor was moved`);
  }
});

test('a refused publish is tried again later; what was acknowledged before it has left for good', async () => {
  const { link, record, sent, store, clock, publisher } = makeOutbox();
  await record(5);
  link.refuse.add(3);
  link.connect();
  await settle();
  assert.deepEqual(sent(), [1, 2, 4, 5]);
  assert.equal(store.sentUpTo(), 2);
  assert.deepEqual(publisher.alarms(), ['quota exceeded']);
  clock.advance(1000);
  await settle();
  assert.deepEqual(sent(), [1, 2, 4, 5, 3, 4, 5]);
  assert.equal(store.sentUpTo(), 5);
  assert.deepEqual(publisher.alarms(), []);
  assert.equal(clock.pendingTimers, 0);
});

test('the first entry refused leaves the cursor where it was', async () => {
  const { link, record, store, clock } = makeOutbox();
  await record(2);
  link.refuse.add(1);
  link.connect();
  await settle();
  assert.equal(store.sentUpTo(), 0);
  clock.advance(1000);
  await settle();
  assert.equal(store.sentUpTo(), 2);
});

test('invariant 8: a refusal does not start another window while the rest of the first is in flight', async () => {
  const { link, record, sent, clock } = makeOutbox();
  await record(3);
  link.refuse.add(1);
  link.holdPublishes();
  link.connect();
  await settle();
  clock.advance(60_000);
  await settle();
  assert.deepEqual(sent(), [2, 3]);
  link.acknowledgePublishes();
  await settle();
  clock.advance(1000);
  await settle();
  assert.deepEqual(sent(), [2, 3, 1, 2, 3]);
});

test('a broker that refuses for long is tried at growing distances, at most every 30 seconds', async () => {
  const { link, record, clock } = makeOutbox();
  for (const call of range(1, 50)) link.refuse.add(call);
  await record(1);
  link.connect();
  const delays: number[] = [];
  for (let i = 0; i < 8; i++) {
    await settle();
    const delay = clock.untilNextTimer() ?? Number.NaN;
    delays.push(delay);
    clock.advance(delay);
  }
  assert.deepEqual(delays, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test('the link that goes while publishing leaves no timer: the next connect goes on', async () => {
  const { link, record, sent, store, clock } = makeOutbox();
  await record(3);
  link.connect();
  link.disconnect();
  await settle();
  assert.equal(clock.pendingTimers, 0);
  link.connect();
  await settle();
  assert.deepEqual(new Set(sent()), new Set([1, 2, 3]));
  assert.equal(store.sentUpTo(), 3);
});

test('a cursor that cannot be saved is saved later, and nothing is sent twice for it while the process lives', async () => {
  const { link, record, sent, store, clock } = makeOutbox();
  store.cursorFailure = new CardeaError('store-write-failed', 'disk full');
  link.connect();
  await record(2);
  assert.deepEqual([sent(), store.sentUpTo()], [[1, 2], 0]);
  store.cursorFailure = undefined;
  clock.advance(1000);
  await settle();
  assert.deepEqual([sent(), store.sentUpTo()], [[1, 2], 2]);
});

test('a record that cannot be read is passed over, said once, and an alarm; the rest goes out in order', async () => {
  const { link, record, sent, store, publisher, clock } = makeOutbox();
  const unreadable: SequenceRange[] = [];
  publisher.onUnreadable = (range) => unreadable.push(range);
  await record(9);
  for (const sequence of [1, 4, 5]) store.garbleEntry(sequence);
  assert.deepEqual(publisher.view(), { pending: 9, oldest: null, acknowledged: 0 });
  link.connect();
  await settle();
  assert.deepEqual(sent(), [2, 3, 6, 7, 8, 9]);
  assert.deepEqual(unreadable, [
    { from: 1, to: 1 },
    { from: 4, to: 5 },
  ]);
  assert.deepEqual(publisher.alarms(), ['records of the log that cannot be read and are not sent: 3']);
  assert.deepEqual([store.acknowledgedUpTo(), clock.pendingTimers], [9, 0]);
  link.disconnect();
  link.connect();
  await settle();
  assert.equal(unreadable.length, 2);
});

test('a broker that acknowledges nothing for two minutes is connected anew, and the client sends again what it has', async () => {
  const { link, record, sent, clock } = makeOutbox();
  link.connect();
  link.holdPublishes();
  await record(2);
  clock.advance(119_000);
  await settle();
  assert.deepEqual(link.reconnects, []);
  clock.advance(1000);
  await settle();
  assert.deepEqual(link.reconnects, ['the broker does not acknowledge events']);
  link.connect();
  link.acknowledgePublishes();
  await settle();
  assert.deepEqual([sent(), clock.pendingTimers], [[1, 2], 0]);
});

test('stop waits for the window under way while the link is up, and publishes nothing after it', async () => {
  const { link, record, sent, publisher, store } = makeOutbox();
  link.connect();
  link.holdPublishes();
  await record(2);
  let isStopped = false;
  const stopped = publisher.stop().then(() => {
    isStopped = true;
  });
  await settle();
  assert.equal(isStopped, false);
  link.acknowledgePublishes();
  await stopped;
  assert.equal(store.sentUpTo(), 2);
  await record(1);
  assert.deepEqual(sent(), [1, 2]);
});

test('stop does not wait for a broker that is gone', async () => {
  const { link, record, publisher, clock } = makeOutbox();
  link.connect();
  link.holdPublishes();
  await record(2);
  link.disconnect();
  await publisher.stop();
  assert.equal(clock.pendingTimers, 0);
});

test('an acknowledgement that the broker owes for two minutes is asked for by a new connection, whatever else it acknowledges', async () => {
  const { link, record, clock } = makeOutbox();
  link.connect();
  link.holdPublishes();
  await record(1);
  link.forgetPublishes();
  for (let minutes = 0; minutes < 4; minutes++) {
    await record(1);
    clock.advance(30_000);
    await settle();
  }
  assert.deepEqual(link.reconnects, ['the broker does not acknowledge events']);
});

test('records that cannot be read behind numbers that no event has are passed over, too', async () => {
  const { link, record, sent, store } = makeOutbox();
  await record(3);
  const gap = { from: 4, to: 1_000_000 };
  const resumed = { sequence: gap.to, hash: store.tail().hash };
  await store.commit({
    ...batchOf({}),
    history: { entries: [...store.entries], trimmed: EMPTY_LOG, replacing: { acknowledgedUpTo: 1, gap } },
    entries: logOf(3, { tail: resumed }).map((event) => ({ event })),
  });
  store.garbleEntry(1_000_001);
  link.connect();
  await settle();
  assert.deepEqual(sent(), [2, 3, 1_000_002, 1_000_003]);
});
