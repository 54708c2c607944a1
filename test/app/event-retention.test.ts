import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventRetention, KEPT } from '../../src/app/event-retention.ts';
import { chainEvent, EMPTY_LOG } from '../../src/domain/access-event.ts';
import { instant, milliseconds } from '../../src/domain/units.ts';
import { CardeaError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import type { LogEntry } from '../../src/ports/event-log.ts';
import { batchOf } from '../contracts/store.contract.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { logOf } from '../fixtures/random-log.ts';
import { GATEWAY } from '../flows/change-flow.ts';
import { settle } from './door-bench.ts';

const DAY = 24 * 3_600_000;

interface History {
  readonly days: number;
  /** Records a day. */
  readonly each: number;
  readonly isGuess?: boolean;
}

/** A log that ends now, of so many days; retention keeps `keepDays` of them, or `keepEvents`. */
const makeRetention = async ({ days, each, isGuess = false }: History, keepDays: number, keepEvents = 1_000_000) => {
  const store = new MemoryStore();
  const clock = new VirtualClock();
  const entries: LogEntry[] = [];
  let tail = store.tail();
  for (let i = 0; i < days * each; i++) {
    const at = instant(clock.now() - (days - Math.floor(i / each)) * DAY);
    const event = chainEvent(GATEWAY, tail, { event: 'door-opened', at, clockSynchronized: !isGuess });
    tail = { sequence: event.sequence, hash: event.hash };
    entries.push({ event });
  }
  await store.commit(batchOf({ entries }));
  const retention = new EventRetention({
    eventLog: store,
    maxAge: milliseconds(keepDays * DAY),
    maxEvents: keepEvents,
    clock,
    log: createLog('silent'),
  });
  const look = async (): Promise<number> => {
    for (let i = 0; i < 30; i++) {
      clock.advance(i === 0 ? DAY / 2 : 50);
      await settle();
    }
    return store.firstSequence();
  };
  retention.start();
  return { store, clock, retention, look };
};

test('history that is older than is kept goes, in slices, and the chain can be followed from where it begins', async () => {
  const { store, look } = await makeRetention({ days: 40, each: 100 }, 20);
  await store.saveAcknowledgedUpTo(4000);
  assert.equal(await look(), 2101);
  const [first] = await store.entriesAfter(0, 1);
  assert.equal(first?.event.previousHash, store.trimmedUpTo().hash);
});

test('of more events than are kept the oldest go', async () => {
  const { store, look } = await makeRetention({ days: 40, each: 100 }, 365, 1_500);
  await store.saveAcknowledgedUpTo(4000);
  assert.equal(await look(), 2501);
});

test('what HR has not acknowledged is kept, whatever its age', async () => {
  const { store, look } = await makeRetention({ days: 40, each: 100 }, 1, 1_000);
  await store.saveSentUpTo(4000);
  await store.saveAcknowledgedUpTo(700);
  assert.equal(await look(), 701);
});

test(`the last ${KEPT} events are kept, whatever their age`, async () => {
  const { store, look } = await makeRetention({ days: 40, each: 100 }, 1);
  await store.saveAcknowledgedUpTo(4000);
  assert.equal(await look(), 4001 - KEPT);
});

test(`the last ${KEPT} events are kept also where numbers lie among them that no event has`, async () => {
  const { store, look } = await makeRetention({ days: 40, each: 100 }, 1);
  const { sequence: last, hash } = store.tail();
  const gap = { from: last + 1, to: 1_000_000 };
  const { history, entries } = {
    history: { entries: [...store.entries], trimmed: EMPTY_LOG, replacing: { acknowledgedUpTo: 0, gap } },
    entries: logOf(10, { tail: { sequence: gap.to, hash } }).map((event) => ({ event })),
  };
  await store.commit(batchOf({ history, entries }));
  await store.saveAcknowledgedUpTo(gap.to);
  assert.equal(await look(), 4001 - KEPT + 10);
});

test('nothing goes for its age while the clock is not trusted, nor by a time that was a guess', async () => {
  const untrusted = await makeRetention({ days: 40, each: 100 }, 20);
  await untrusted.store.saveAcknowledgedUpTo(4000);
  untrusted.clock.setSynchronized(false);
  assert.equal(await untrusted.look(), 1);
  const guessed = await makeRetention({ days: 40, each: 100, isGuess: true }, 20, 3_900);
  await guessed.store.saveAcknowledgedUpTo(4000);
  assert.equal(await guessed.look(), 101, 'their number counts all the same');
});

test('a record that cannot be read is passed when history goes', async () => {
  const { store, look } = await makeRetention({ days: 40, each: 100 }, 20);
  await store.saveAcknowledgedUpTo(4000);
  for (const sequence of [1, 256, 257, 258, 700]) store.garbleEntry(sequence);
  assert.equal(await look(), 2101);
});

test('a store that does not take writes is tried again the next day', async () => {
  const { store, clock, look, retention } = await makeRetention({ days: 40, each: 100 }, 20);
  await store.saveAcknowledgedUpTo(4000);
  store.commitFailure = new CardeaError('store-write-failed', 'disk full');
  assert.equal(await look(), 1);
  store.commitFailure = undefined;
  clock.advance(DAY / 2);
  assert.ok((await look()) > 2000);
  await retention.stop();
  assert.equal(clock.pendingTimers, 0);
});

test('while room is short history goes at once, and once: the daily look goes on as before', async () => {
  const { store, clock, retention } = await makeRetention({ days: 40, each: 100 }, 20);
  await store.saveAcknowledgedUpTo(4000);
  retention.lookNow();
  retention.lookNow();
  for (let i = 0; i < 30; i++) {
    clock.advance(50);
    await settle();
  }
  assert.equal(store.firstSequence(), 2101);
  assert.equal(clock.pendingTimers, 1);
});
