// The watermarks: what is refused below them, what is said, and when it is over.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DiskWatch, LOOK_EVERY, MOST_PATIENCE } from '../../src/app/disk-watch.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import type { EventName } from '../../src/domain/access-event.ts';
import { createLog } from '../../src/log.ts';
import { gatewayId } from '../domain/samples.ts';
import { FakeDiskSpace } from '../fakes/fake-disk-space.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { settle } from './door-bench.ts';

const MEBIBYTE = 1024 * 1024;

const watchDisk = async (t: TestContext, freeMiB = 1_000) => {
  const disk = new FakeDiskSpace(freeMiB * MEBIBYTE);
  const store = new MemoryStore();
  const clock = new VirtualClock();
  const log = createLog('silent');
  const writer = new SerialWriter({ store, gateway: gatewayId('lobby-1'), clock, log });
  let changes = 0;
  const onChange = (): void => {
    changes += 1;
  };
  const watch = new DiskWatch({ disk, minimumFreeBytes: 100 * MEBIBYTE, writer, clock, log, onChange });
  let shortages = 0;
  watch.onShortage = () => {
    shortages += 1;
  };
  await watch.start();
  t.after(() => watch.stop());
  const record = (event: EventName): void =>
    writer.record({ event, at: clock.now(), clockSynchronized: clock.isSynchronized() });
  /** So much is free, and has been looked at. */
  const has = async (mebibytes: number): Promise<void> => {
    disk.freeBytes = mebibytes * MEBIBYTE;
    await settle();
    clock.advance(LOOK_EVERY);
    await settle();
  };
  return {
    disk,
    clock,
    watch,
    record,
    has,
    changes: () => changes,
    shortages: () => shortages,
    events: () => store.entries.map(({ event }) => [event.event, event.detail]),
  };
};

test('below the minimum it says so once, and again when there is a quarter more', async (t) => {
  const { watch, has, events, changes } = await watchDisk(t);
  assert.equal(watch.hasRoom(), true);
  await has(99);
  assert.equal(watch.hasRoom(), false);
  assert.deepEqual(watch.alarms(), ['nearly full, 99 MiB left: changes from HR are not taken']);
  await has(110);
  await has(124);
  assert.equal(watch.hasRoom(), false);
  assert.equal(changes(), 1);
  await has(125);
  assert.equal(watch.hasRoom(), true);
  assert.deepEqual(watch.alarms(), []);
  await has(101);
  assert.equal(watch.hasRoom(), true);
  assert.deepEqual(events(), [
    ['store-full', { freeMiB: 99, minimumFreeMiB: 100 }],
    ['store-recovered', { freeMiB: 125, eventsLeftOut: 0 }],
  ]);
});

test('a gateway that starts on a full disk knows it from its first look', async (t) => {
  const { watch, events } = await watchDisk(t, 10);
  assert.equal(watch.hasRoom(), false);
  await settle();
  assert.deepEqual(events(), [['store-full', { freeMiB: 10, minimumFreeMiB: 100 }]]);
});

test('there is room for something large where the minimum stays free beside it', async (t) => {
  const { watch, has } = await watchDisk(t);
  await has(300);
  assert.equal(watch.hasRoom(200 * MEBIBYTE), true);
  assert.equal(watch.hasRoom(200 * MEBIBYTE + 1), false);
});

test('below a quarter of the minimum decisions are recorded, doors opening and closing are counted', async (t) => {
  const { watch, record, has, events } = await watchDisk(t);
  await has(24);
  assert.deepEqual(watch.alarms(), [
    'nearly full, 24 MiB left: changes from HR are not taken, and doors opening and closing are not recorded',
  ]);
  for (const event of ['access-granted', 'door-opened', 'door-closed', 'access-denied'] as const) record(event);
  await has(125);
  record('door-opened');
  await settle();
  assert.deepEqual(events(), [
    ['store-full', { freeMiB: 24, minimumFreeMiB: 100 }],
    ['access-granted', null],
    ['access-denied', null],
    ['store-recovered', { freeMiB: 125, eventsLeftOut: 2 }],
    ['door-opened', null],
  ]);
});

test('changes wait for room and go on together', async (t) => {
  const { watch, has } = await watchDisk(t);
  assert.equal(watch.awaitRoom(), undefined);
  await has(50);
  const waiting = Promise.all([watch.awaitRoom(), watch.awaitRoom()]);
  await has(200);
  await waiting;
  assert.equal(watch.awaitRoom(), undefined);
});

test('invariant 8: no change waits for longer than its patience, so that the broker delivers it again', async (t) => {
  const { clock, watch, has } = await watchDisk(t);
  await has(50);
  const refused = assert.rejects(watch.awaitRoom() ?? Promise.resolve(), { code: 'disk-full' });
  clock.advance(MOST_PATIENCE);
  await refused;
  const next = assert.rejects(watch.awaitRoom() ?? Promise.resolve(), { code: 'disk-full' });
  watch.refuseWaiting();
  await next;
});

test('what waits when the gateway stops is refused, and no timer is left', async (t) => {
  const { clock, watch, has } = await watchDisk(t);
  await has(50);
  const refused = assert.rejects(watch.awaitRoom() ?? Promise.resolve(), { code: 'disk-full' });
  watch.stop();
  await refused;
  assert.equal(clock.pendingTimers, 0);
});

test('a file system that runs out of files is full, whatever room it has', async (t) => {
  const { disk, watch, has } = await watchDisk(t);
  disk.freeFiles = 63;
  await has(1_000);
  assert.deepEqual(watch.alarms(), ['nearly full, 1000 MiB, 63 files left: changes from HR are not taken']);
  disk.freeFiles = 80;
  await has(1_000);
  assert.deepEqual(watch.alarms(), []);
});

test('a disk that does not answer is an alarm, and changes nothing else', async (t) => {
  const { disk, watch, has } = await watchDisk(t);
  disk.failure = new TypeError('EIO: i/o error, statfs');
  await has(1);
  assert.equal(watch.hasRoom(), true);
  assert.deepEqual(watch.alarms(), ['its room is not known: EIO: i/o error, statfs']);
  disk.failure = undefined;
  await has(1_000);
  assert.deepEqual(watch.alarms(), []);
});

test('history is let go when room begins to be short, and at every look while it is critical', async (t) => {
  const { has, shortages } = await watchDisk(t);
  await has(90);
  await has(90);
  assert.equal(shortages(), 1);
  await has(20);
  await has(20);
  assert.equal(shortages(), 3);
});

test('the ballast is made whole whenever there is more room than the end of a shortage takes', async (t) => {
  const { disk, has } = await watchDisk(t);
  assert.deepEqual(disk.restored, [], 'not at once: a start is busy');
  await has(1_000);
  await has(1_000);
  assert.deepEqual(disk.restored, [125 * MEBIBYTE, 125 * MEBIBYTE]);
});

test('after a start on a full disk, what opening the store has taken of the ballast is put back at once', async (t) => {
  const { disk } = await watchDisk(t, 10);
  assert.equal(disk.restored.length, 1);
});
