import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HealthMonitor, READER_LOOP_LIMIT } from '../../src/app/health.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import type { MonotonicTime } from '../../src/domain/units.ts';
import { milliseconds } from '../../src/domain/units.ts';
import { CardeaError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { gatewayId, readerId } from '../domain/samples.ts';
import { FakeServiceNotifier } from '../fakes/fake-service-notifier.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const makeHealth = (watchdogInterval?: number) => {
  const clock = new VirtualClock();
  const store = new MemoryStore();
  const notifier = new FakeServiceNotifier(
    watchdogInterval === undefined ? {} : { watchdogInterval: milliseconds(watchdogInterval) },
  );
  /** When the loop last turned; undefined: never. `turning`: right now, always. */
  const loop: { turned: MonotonicTime | undefined | 'turning' } = { turned: 'turning' };
  const other: typeof loop = { turned: 'turning' };
  const readerWith = (of: typeof loop) => ({
    lastTurnAt: () => (of.turned === 'turning' ? clock.monotonic() : of.turned),
  });
  const readers = new Map([[readerId('front-in'), readerWith(loop)]]);
  /** Another reader, whose loop is `other`. */
  const addReader = () => readers.set(readerId('front-out'), readerWith(other));
  const log = createLog('silent');
  const writer = new SerialWriter({ store, gateway: gatewayId('lobby-1'), clock, log });
  const health = new HealthMonitor({ readers, store, writer, notifier, clock, log });
  return { clock, store, writer, notifier, loop, other, addReader, health };
};

test('invariant 9: while all is well the watchdog is fed at a third of its interval, from the start', () => {
  const { clock, notifier, health } = makeHealth(30_000);
  health.start();
  assert.equal(notifier.heartbeats, 1);
  clock.advance(9_999);
  assert.equal(notifier.heartbeats, 1);
  clock.advance(1);
  assert.equal(notifier.heartbeats, 2);
  clock.advance(100_000);
  assert.equal(notifier.heartbeats, 12);
  health.stop();
  clock.advance(100_000);
  assert.equal(notifier.heartbeats, 12);
  assert.equal(clock.pendingTimers, 0);
});

test('invariant 9: a reader loop that hangs stops the feeding, and one that turns again resumes it', () => {
  const { clock, notifier, loop, health } = makeHealth(30_000);
  health.start();
  loop.turned = clock.monotonic();
  clock.advance(10_000);
  assert.equal(notifier.heartbeats, 2, 'at the limit it is still well');
  assert.deepEqual(health.faults(), []);
  clock.advance(1);
  assert.deepEqual(health.faults(), ['the loop of reader front-in does not turn']);
  clock.advance(60_000);
  assert.equal(notifier.heartbeats, 2);
  loop.turned = 'turning';
  clock.advance(10_000);
  assert.equal(notifier.heartbeats, 3);
});

test('invariant 9: a reader that hangs beside one that turns is no reason to restart the doors of both', () => {
  const { clock, notifier, loop, other, addReader, health } = makeHealth(30_000);
  addReader();
  health.start();
  loop.turned = undefined;
  clock.advance(60_000);
  assert.deepEqual(health.faults(), []);
  assert.equal(notifier.heartbeats, 7);
  other.turned = clock.monotonic();
  clock.advance(READER_LOOP_LIMIT + 1);
  assert.deepEqual(health.faults(), [
    'the loop of reader front-in does not turn',
    'the loop of reader front-out does not turn',
  ]);
});

test('invariant 9: a reader loop that never turned is a fault once its time is over, not before', () => {
  const { clock, loop, health } = makeHealth();
  loop.turned = undefined;
  clock.advance(READER_LOOP_LIMIT);
  assert.deepEqual(health.faults(), []);
  clock.advance(1);
  assert.equal(health.faults().length, 1);
});

test('invariant 9: a store that does not answer stops the feeding', () => {
  const { clock, store, notifier, health } = makeHealth(30_000);
  health.start();
  store.readFailure = new CardeaError('store-open-failed', 'I/O error');
  clock.advance(60_000);
  assert.equal(notifier.heartbeats, 1);
  assert.deepEqual(health.faults(), ['the store does not answer: I/O error']);
  store.readFailure = undefined;
  clock.advance(10_000);
  assert.equal(notifier.heartbeats, 2);
});

test('invariant 9: a full disk is no reason for a restart: the doors still decide', () => {
  const { clock, store, notifier, health } = makeHealth(30_000);
  store.commitFailure = new CardeaError('store-write-failed', 'disk full');
  health.start();
  clock.advance(30_000);
  assert.equal(notifier.heartbeats, 4);
});

test('every fault is told, not only the first', () => {
  const { clock, store, loop, health } = makeHealth();
  loop.turned = undefined;
  store.readFailure = new CardeaError('store-open-failed', 'I/O error');
  clock.advance(READER_LOOP_LIMIT + 1);
  assert.equal(health.faults().length, 2);
});

test('invariant 9: a disk that hangs in one write for a minute stops the feeding', async () => {
  const { clock, store, writer, health } = makeHealth();
  store.holdCommits();
  writer.record({ event: 'access-granted', at: clock.now(), clockSynchronized: true });
  await Promise.resolve();
  clock.advance(59_000);
  assert.deepEqual(health.faults(), []);
  clock.advance(2_000);
  assert.match(health.faults().join(), /busy with one write for 61 s/);
  store.releaseCommits();
  await writer.idle();
  assert.deepEqual(health.faults(), []);
});
