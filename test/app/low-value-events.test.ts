// What may wait for company, for how long, and that nothing overtakes it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_HELD } from '../../src/app/low-value-events.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import type { EventName } from '../../src/domain/access-event.ts';
import { seconds } from '../../src/domain/units.ts';
import { createLog } from '../../src/log.ts';
import { gatewayId } from '../domain/samples.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { settle } from './door-bench.ts';

const makeWriter = (delay = 10) => {
  const store = new MemoryStore();
  const clock = new VirtualClock();
  const log = createLog('silent');
  const writer = new SerialWriter({ store, gateway: gatewayId('lobby-1'), clock, lowValueDelay: seconds(delay), log });
  const record = (event: EventName): void =>
    writer.record({ event, at: clock.now(), clockSynchronized: clock.isSynchronized() });
  /** The events of each write. */
  const writes = async (): Promise<EventName[][]> => {
    await settle();
    return store.commits.map(({ entries }) => entries.map(({ event }) => event.event));
  };
  return { store, clock, writer, record, writes };
};

test('a door that opens and closes is written with the next event that matters, ahead of it and with its own time', async () => {
  const { store, clock, record, writes } = makeWriter();
  record('door-opened');
  clock.advance(4_000);
  record('door-closed');
  assert.deepEqual(await writes(), []);
  clock.advance(1_000);
  record('access-granted');
  assert.deepEqual(await writes(), [['door-opened', 'door-closed', 'access-granted']]);
  assert.deepEqual(
    store.entries.map(({ event }) => event.time),
    ['2026-01-05T08:00:00.000Z', '2026-01-05T08:00:04.000Z', '2026-01-05T08:00:05.000Z'],
  );
  assert.equal(clock.pendingTimers, 0);
});

test('after the delay they are written by themselves, counted from the first', async () => {
  const { clock, record, writes } = makeWriter();
  record('exit-requested');
  clock.advance(9_000);
  record('door-opened');
  clock.advance(999);
  assert.deepEqual(await writes(), []);
  clock.advance(1);
  assert.deepEqual(await writes(), [['exit-requested', 'door-opened']]);
});

test('a change takes them along, ahead of its own record', async () => {
  const { clock, writer, record, writes } = makeWriter();
  record('reader-online');
  await writer.write((tx) => tx.append({ event: 'card-change', at: clock.now(), clockSynchronized: true }));
  assert.deepEqual(await writes(), [['reader-online', 'card-change']]);
});

for (const event of ['access-granted', 'access-denied', 'door-forced-open', 'tamper', 'reader-offline'] as const) {
  test(`${event} waits for nothing`, async () => {
    const { record, writes } = makeWriter();
    record(event);
    assert.deepEqual(await writes(), [[event]]);
  });
}

test('what comes while there is more to write goes with it', async () => {
  const { store, clock, record, writes } = makeWriter();
  store.holdCommits();
  record('access-granted');
  await settle();
  record('access-denied');
  record('door-opened');
  store.releaseCommits();
  assert.deepEqual(await writes(), [['access-granted'], ['access-denied', 'door-opened']]);
  assert.equal(clock.pendingTimers, 0);
});

test(`invariant 8: no more than ${MOST_HELD} wait`, async () => {
  const { store, record, writes } = makeWriter();
  for (let n = 0; n <= MOST_HELD; n++) record('door-opened');
  assert.equal((await writes()).length, 1);
  assert.equal(store.tail().sequence, MOST_HELD + 1);
});

test('a gateway that stops writes them first', async () => {
  const { writer, record, writes } = makeWriter();
  record('door-opened');
  await writer.idle();
  assert.deepEqual(await writes(), [['door-opened']]);
});

test('without a delay nothing waits', async () => {
  const { clock, record, writes } = makeWriter(0);
  record('door-opened');
  assert.equal(clock.pendingTimers, 0);
  assert.deepEqual(await writes(), [['door-opened']]);
});

test('while low value is left out, decisions are recorded, the rest is counted, and no number is used up', async () => {
  const { store, writer, record } = makeWriter(0);
  writer.leaveOutLowValue();
  record('access-granted');
  record('door-opened');
  record('door-closed');
  record('access-denied');
  await settle();
  assert.equal(writer.leaveOutNothing(), 2);
  record('door-opened');
  await settle();
  assert.deepEqual(
    store.entries.map(({ event }) => [event.sequence, event.event]),
    [
      [1, 'access-granted'],
      [2, 'access-denied'],
      [3, 'door-opened'],
    ],
  );
  assert.equal(writer.leaveOutNothing(), 0);
});
