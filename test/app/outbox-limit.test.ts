import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutboxLimit, type WhenFull } from '../../src/app/outbox-limit.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { CardeaError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { time } from '../domain/samples.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { GATEWAY } from '../flows/change-flow.ts';
import { settle } from './door-bench.ts';

const MAXIMUM = 1_000;

const makeLimit = async (whenFull: WhenFull) => {
  const store = new MemoryStore();
  const clock = new VirtualClock();
  const log = createLog('silent');
  const writer = new SerialWriter({ store, gateway: GATEWAY, clock, log });
  const limit = new OutboxLimit({ eventLog: store, writer, maxPending: MAXIMUM, whenFull, clock, log });
  writer.onCommit = () => limit.onCommitted();
  const at = time('2026-01-05T08:00:00Z');
  const record = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) writer.record({ event: 'door-opened', at, clockSynchronized: true });
    await writer.idle();
    await settle();
  };
  const dropped = () =>
    store.entries.filter(({ event }) => event.event === 'events-dropped').map(({ event }) => event.detail);
  return { store, limit, record, dropped, clock };
};

test('nine tenths of the limit are an alarm that says what comes next', async () => {
  for (const [whenFull, consequence] of [
    ['drop-oldest', /then the oldest are given up/],
    ['deny', /then every card is denied/],
    ['keep', /the log goes on growing/],
  ] as const) {
    const { limit, record } = await makeLimit(whenFull);
    await record(899);
    assert.deepEqual(limit.alarms(), []);
    await record(1);
    assert.match(limit.alarms()[0] ?? '', /^900 events are not acknowledged, events.maxPending is 1000/);
    assert.match(limit.alarms()[0] ?? '', consequence);
  }
});

test('drop-oldest gives up the oldest a block at a time, says which, and keeps the rest pending', async () => {
  const { store, limit, record, dropped } = await makeLimit('drop-oldest');
  await store.saveAcknowledgedUpTo(0);
  await record(999);
  assert.deepEqual([dropped(), limit.isDenying()], [[], false]);
  await record(1);
  assert.deepEqual(dropped(), [{ from: 1, to: 10, reason: 'max-pending' }]);
  assert.deepEqual([store.acknowledgedUpTo(), store.tail().sequence], [10, 1001]);
  await record(5);
  assert.equal(dropped().length, 1, 'not for each event');
  await record(10);
  const [, second] = dropped();
  assert.deepEqual(Object(second).from, 11);
  assert.match(limit.alarms().join(), /events were given up unacknowledged/);
});

test('nothing is given up before the event that says so is durable', async () => {
  const { store, limit, record, dropped } = await makeLimit('drop-oldest');
  await record(999);
  store.holdCommits();
  void record(1);
  await settle();
  store.releaseCommits();
  store.holdCommits();
  await settle();
  assert.equal(store.acknowledgedUpTo(), 0);
  store.commitFailure = new CardeaError('store-write-failed', 'disk full');
  store.releaseCommits();
  await settle();
  assert.deepEqual([store.acknowledgedUpTo(), dropped()], [0, []]);
  await limit.stop();
});

test('deny denies at the limit, and no longer when HR has acknowledged some; keep does neither', async () => {
  const { store, limit, record, dropped } = await makeLimit('deny');
  await record(999);
  assert.equal(limit.isDenying(), false);
  await record(1);
  assert.equal(limit.isDenying(), true);
  await store.saveAcknowledgedUpTo(1);
  assert.deepEqual([limit.isDenying(), dropped()], [false, []]);
  const kept = await makeLimit('keep');
  await kept.record(1_100);
  assert.deepEqual([kept.limit.isDenying(), kept.dropped(), kept.store.acknowledgedUpTo()], [false, [], 0]);
});
