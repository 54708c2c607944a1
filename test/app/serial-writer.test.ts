import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_WAITING, SerialWriter } from '../../src/app/serial-writer.ts';
import type { StoreTransaction } from '../../src/app/store-transaction.ts';
import { MAX_BATCH, MAX_BATCH_RECORDS } from '../../src/app/write-batch.ts';
import type { NewEvent } from '../../src/domain/access-event.ts';
import { NO_ORDERS } from '../../src/domain/door-mode.ts';
import { instant } from '../../src/domain/units.ts';
import { CardeaError, type ErrorCode } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { bindingOf, cardNumber, doorId, gatewayId, ordersOf, revision, time } from '../domain/samples.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { wholeLog } from '../flows/change-flow.ts';
import { settle } from './door-bench.ts';

const CARD = cardNumber('DEADBEEF');

const makeWriter = () => {
  const store = new MemoryStore();
  const clock = new VirtualClock();
  const writer = new SerialWriter({ store, gateway: gatewayId('lobby-1'), clock, log: createLog('silent') });
  return { store, clock, writer };
};

const newEvent = (n: number): NewEvent => ({
  event: 'access-denied',
  at: time('2026-01-05T08:00:00Z'),
  clockSynchronized: true,
  detail: { n },
});

const appends =
  (n: number) =>
  (tx: StoreTransaction): number =>
    tx.append(newEvent(n)).sequence;

/** The numbers that newEvent was given, in the order of the log. */
const logged = async (store: MemoryStore): Promise<unknown[]> => {
  const entries = await wholeLog(store);
  return entries.map(({ event: { detail, event } }) =>
    typeof detail === 'object' && detail !== null && 'n' in detail ? detail['n'] : event,
  );
};

const hasCode =
  (code: ErrorCode) =>
  (error: unknown): boolean =>
    error instanceof CardeaError && error.code === code;

const DISK_FULL = new CardeaError('store-write-failed', 'disk full');

test('invariant 1: a write fulfils after its commit and not before', async () => {
  const { store, writer } = makeWriter();
  store.holdCommits();
  let isDurable = false;
  const write = writer.write(appends(1)).then(() => {
    isDurable = true;
  });
  await settle();
  assert.equal(isDurable, false);
  store.releaseCommits();
  await write;
  assert.deepEqual(await logged(store), [1]);
});

test('writes and events keep their order, and what arrives together shares a batch', async () => {
  const { store, writer } = makeWriter();
  const results: Promise<number>[] = [];
  for (let n = 1; n <= 50; n++) {
    if (n % 3 === 0) writer.record(newEvent(n));
    else results.push(writer.write(appends(n)));
  }
  await Promise.all(results);
  await writer.idle();
  assert.equal(store.commits.length, 1);
  assert.deepEqual(
    await logged(store),
    Array.from({ length: 50 }, (_, i) => i + 1),
  );
});

test('what arrives during a commit shares the next one', async () => {
  const { store, writer } = makeWriter();
  store.holdCommits();
  writer.record(newEvent(1));
  await settle();
  for (let n = 2; n <= 20; n++) writer.record(newEvent(n));
  store.releaseCommits();
  await writer.idle();
  assert.deepEqual(
    store.commits.map(({ entries }) => entries.length),
    [1, 19],
  );
});

test(`a batch ends at ${MAX_BATCH} pieces of work, so that look-ups do not wait for it`, async () => {
  const { store, writer } = makeWriter();
  for (let n = 1; n <= 300; n++) writer.record(newEvent(n));
  await writer.idle();
  assert.deepEqual(
    store.commits.map(({ entries }) => entries.length),
    [128, 128, 44],
  );
  assert.equal((await logged(store)).length, 300);
});

test('work sees what earlier work of the same batch has put', async () => {
  const { store, writer } = makeWriter();
  const binding = bindingOf();
  const put = writer.write((tx) =>
    tx.putChange({ cards: new Map([[CARD, binding]]), cardholders: new Map(), revision: revision(1) }),
  );
  const seen = writer.write((tx) => [tx.card(CARD), tx.roster().cards]);
  await put;
  assert.deepEqual(await seen, [binding, 1]);
  assert.equal(store.commits.length, 1);
});

test('work that throws has no effect, and what stands around it in the batch is written', async () => {
  const { store, writer } = makeWriter();
  const fails = (work: (tx: StoreTransaction) => void) =>
    writer.write((tx) => {
      work(tx);
      throw new CardeaError('store-record-unreadable', 'half way');
    });
  const first = writer.write(appends(1));
  const failures = [
    fails(() => {}),
    fails(appends(-1)),
    fails((tx) => tx.putDoorOrders(doorId('front'), ordersOf('blocked'))),
    fails((tx) =>
      tx.putChange({ cards: new Map([[CARD, bindingOf()]]), cardholders: new Map(), revision: revision(9) }),
    ),
  ];
  const last = writer.write(appends(2));
  for (const failure of failures) await assert.rejects(failure, hasCode('store-record-unreadable'));
  assert.deepEqual([await first, await last], [1, 2]);
  assert.deepEqual(await logged(store), [1, 2]);
  assert.equal(store.findCard(CARD).kind, 'unknown');
  assert.deepEqual(store.doorOrders(doorId('front')), NO_ORDERS);
  assert.equal(store.roster().revision, 0);
});

test('a door mode that was put by work which then threw is not written', async () => {
  const { store, writer } = makeWriter();
  const bad = writer.write((tx) => {
    tx.putDoorOrders(doorId('front'), ordersOf('blocked'));
    throw new CardeaError('store-record-unreadable', 'half way');
  });
  const good = writer.write(appends(1));
  await assert.rejects(bad);
  await good;
  assert.deepEqual(store.doorOrders(doorId('front')), NO_ORDERS);
});

test('work that throws after it has overwritten a record of the same batch leaves the earlier one', async () => {
  const { store, writer } = makeWriter();
  const binds = (at: number) => (tx: StoreTransaction) =>
    tx.putChange({
      cards: new Map([[CARD, bindingOf({ revision: revision(at) })]]),
      cardholders: new Map(),
      revision: revision(at),
    });
  const good = writer.write(binds(1));
  const bad = writer.write((tx) => {
    binds(2)(tx);
    throw new CardeaError('store-record-unreadable', 'half way');
  });
  await good;
  await assert.rejects(bad);
  const found = store.findCard(CARD);
  assert.equal(found.kind === 'live' && found.binding.revision, 1);
  assert.equal(store.roster().revision, 1);
});

test('invariant 7: a receipt that cannot be made uses up no number', async () => {
  const { store, writer } = makeWriter();
  const bad = writer.write((tx) =>
    tx.append(newEvent(-1), () => {
      throw new CardeaError('store-record-unreadable', 'no receipt');
    }),
  );
  const unstampable = writer.write((tx) => tx.append({ ...newEvent(-2), at: instant(Number.NaN) }));
  const good = writer.write(appends(1));
  await assert.rejects(bad);
  await assert.rejects(unstampable);
  assert.equal(await good, 1);
  assert.deepEqual(await logged(store), [1]);
});

test('ten thousand works that throw are refused without a stack of their own', async () => {
  const { store, writer } = makeWriter();
  const refused = Array.from({ length: MAX_WAITING - 1 }, (_, n) =>
    writer
      .write((tx) => {
        tx.append(newEvent(n));
        throw new CardeaError('store-record-unreadable', 'no');
      })
      .catch((error: unknown) => error),
  );
  const good = writer.write(appends(1));
  assert.equal(await good, 1);
  for (const error of await Promise.all(refused)) assert.ok(hasCode('store-record-unreadable')(error));
  assert.deepEqual(await logged(store), [1]);
});

test('invariant 7: a refused commit refuses its writes, keeps its events, and leaves no hole in the numbers', async () => {
  const { store, clock, writer } = makeWriter();
  await writer.write(appends(1));
  store.commitFailure = DISK_FULL;
  writer.record(newEvent(2));
  const write = writer.write(appends(99));
  writer.record(newEvent(3));
  await assert.rejects(write, hasCode('store-write-failed'));
  assert.equal(writer.isFailing, true);
  assert.deepEqual(await logged(store), [1]);
  store.commitFailure = undefined;
  clock.advance(1000);
  await settle();
  assert.equal(writer.isFailing, false);
  assert.deepEqual(await logged(store), [1, 2, 3, 'store-recovered']);
});

test('a failing store is tried again after 1, 2, 4 ... seconds, at most every 30', async () => {
  const { store, clock, writer } = makeWriter();
  store.commitFailure = DISK_FULL;
  writer.record(newEvent(1));
  await settle();
  const delays: number[] = [];
  for (let i = 0; i < 8; i++) {
    const delay = clock.untilNextTimer() ?? Number.NaN;
    delays.push(delay);
    clock.advance(delay);
    await settle();
    assert.equal(store.commits.length, i + 2);
  }
  assert.deepEqual(delays, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  store.commitFailure = undefined;
  clock.advance(30_000);
  await settle();
  assert.deepEqual(await logged(store), [1, 'store-recovered']);
  assert.equal(clock.pendingTimers, 0);
});

test('a change that comes while the store fails tries it at once, ahead of the wait', async () => {
  const { store, clock, writer } = makeWriter();
  store.commitFailure = DISK_FULL;
  writer.record(newEvent(1));
  await settle();
  store.commitFailure = undefined;
  assert.equal(await writer.write(appends(2)), 2);
  await settle();
  assert.deepEqual(await logged(store), [1, 2, 'store-recovered']);
  assert.equal(clock.pendingTimers, 0);
});

test(`invariant 8: beyond ${MAX_WAITING} waiting items a write is refused at once and an event is counted as lost, and told`, async () => {
  const { store, writer } = makeWriter();
  store.holdCommits();
  for (let n = 1; n <= MAX_WAITING; n++) writer.record(newEvent(n));
  await assert.rejects(writer.write(appends(-1)), hasCode('overloaded'));
  writer.record(newEvent(-2));
  writer.record(newEvent(-3));
  store.releaseCommits();
  await writer.idle();
  await settle();
  const entries = await wholeLog(store);
  assert.equal(entries.length, MAX_WAITING + 1, 'a hung commit that succeeds in the end is no reason to keep quiet');
  const told = entries.find(({ event }) => event.event === 'store-recovered');
  assert.deepEqual(told?.event.detail, { lostEvents: 2 });
});

test('invariant 8: events lost while the store failed are told when it works again, once', async () => {
  const { store, clock, writer } = makeWriter();
  store.commitFailure = DISK_FULL;
  for (let n = 1; n <= MAX_WAITING + 5; n++) writer.record(newEvent(n));
  await settle();
  assert.ok(store.commits.length < 20, 'a failing store is not hammered');
  store.commitFailure = undefined;
  clock.advance(30_000);
  await writer.idle();
  await settle();
  const told = (await wholeLog(store)).filter(({ event }) => event.event === 'store-recovered');
  assert.deepEqual(
    told.map(({ event }) => event.detail),
    [{ lostEvents: 5 }],
  );
});

test('a write without records is durable at once: there is nothing to write', async () => {
  const { store, writer } = makeWriter();
  assert.equal(await writer.write(() => 'nothing'), 'nothing');
  assert.equal(store.commits.length, 0);
});

test('onCommit is called after every batch that is there, and not after one that is not', async () => {
  const { store, clock, writer } = makeWriter();
  let commits = 0;
  writer.onCommit = () => {
    commits += 1;
  };
  await writer.write(appends(1));
  store.commitFailure = DISK_FULL;
  await assert.rejects(writer.write(appends(2)));
  assert.equal(commits, 1);
  store.commitFailure = undefined;
  clock.advance(1000);
  await settle();
  assert.equal(commits, 2, 'the event that the store has recovered');
});

test('idle waits for what is under way, and not for a store that fails', async () => {
  const { store, writer } = makeWriter();
  await writer.idle();
  store.holdCommits();
  writer.record(newEvent(1));
  let isIdle = false;
  const idle = writer.idle().then(() => {
    isIdle = true;
  });
  await settle();
  assert.equal(isIdle, false);
  store.commitFailure = DISK_FULL;
  store.releaseCommits();
  await idle;
});

test('an event whose batch was refused, and is on the disk all the same, is recorded once', async () => {
  const store = new MemoryStore();
  const clock = new VirtualClock();
  const writer = new SerialWriter({ store, gateway: gatewayId('lobby-1'), clock, log: createLog('silent') });
  store.refuseButKeepNextCommit();
  writer.record({ event: 'access-granted', at: clock.now(), clockSynchronized: true });
  await writer.idle();
  assert.equal(store.tail().sequence, 0);
  clock.advance(60_000);
  await writer.idle();
  const entries = await store.entriesAfter(0, 10);
  assert.deepEqual(
    entries.map(({ event }) => event.event),
    ['access-granted', 'store-recovered'],
  );
});

test('a store that failed is recovered although nothing waits for it', async () => {
  const store = new MemoryStore();
  const clock = new VirtualClock();
  const writer = new SerialWriter({ store, gateway: gatewayId('lobby-1'), clock, log: createLog('silent') });
  store.refuseButKeepNextCommit();
  await assert.rejects(
    writer.write((tx) => tx.append({ event: 'door-command', at: clock.now(), clockSynchronized: true })),
    { code: 'store-write-failed' },
  );
  assert.equal(writer.isFailing, true);
  clock.advance(60_000);
  await writer.idle();
  assert.equal(writer.isFailing, false);
});

test('a commit that hangs tells for how long', async () => {
  const store = new MemoryStore();
  const clock = new VirtualClock();
  const writer = new SerialWriter({ store, gateway: gatewayId('lobby-1'), clock, log: createLog('silent') });
  store.holdCommits();
  writer.record({ event: 'access-granted', at: clock.now(), clockSynchronized: true });
  await settle();
  clock.advance(12_000);
  assert.equal(writer.busyFor, 12_000);
  store.releaseCommits();
  await writer.idle();
  assert.equal(writer.busyFor, 0);
});

test('work that arrives during a commit runs at once, sees what is being committed, and goes with the next batch', async () => {
  const { store, writer } = makeWriter();
  store.holdCommits();
  const first = writer.write((tx) => tx.putDoorOrders(doorId('front'), ordersOf('blocked')));
  await settle();
  const ran: number[] = [];
  const runs = (tx: StoreTransaction): number => {
    const { sequence } = tx.append(newEvent(1));
    ran.push(sequence);
    return sequence;
  };
  const second = writer.write(runs);
  const before = writer.write(runs);
  assert.deepEqual(ran, [1, 2]);
  assert.equal(store.commits.length, 1);
  store.releaseCommits();
  await first;
  assert.deepEqual([await second, await before], [1, 2]);
  assert.equal(store.commits.length, 2);
});

test('work that arrives at whatever moment of a commit stands on the batch before it', async () => {
  const kinds = [
    (writer: SerialWriter) => writer.write(appends(1)),
    (writer: SerialWriter) => writer.writeAlone(async (tx) => appends(1)(tx)),
  ];
  for (const begin of kinds) {
    for (let turns = 0; turns < 30; turns++) {
      const { store, writer } = makeWriter();
      const first = begin(writer);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      const second = writer.write(appends(2));
      assert.deepEqual(await Promise.all([first, second]), [1, 2], `after ${turns} turns of the microtask queue`);
      assert.deepEqual(await logged(store), [1, 2]);
    }
  }
});

test('work that stood on a batch which is refused runs again without it', async () => {
  const { store, clock, writer } = makeWriter();
  store.holdCommits();
  const lost = writer.write(appends(1));
  await settle();
  const sequences: number[] = [];
  const later = writer.write((tx) => {
    const { sequence } = tx.append(newEvent(2));
    sequences.push(sequence);
    return sequence;
  });
  store.commitFailure = DISK_FULL;
  store.releaseCommits();
  await assert.rejects(lost, hasCode('store-write-failed'));
  store.commitFailure = undefined;
  clock.advance(1_000);
  assert.equal(await later, 1);
  await writer.idle();
  assert.deepEqual(sequences, [2, 1]);
  assert.deepEqual(await logged(store), [2, 'store-recovered']);
});

test('work that stands alone has a batch to itself, and nothing runs while it fills it', async () => {
  const { store, writer } = makeWriter();
  const order: string[] = [];
  let finish = (): void => {};
  const before = writer.write(appends(1));
  const alone = writer.writeAlone(async (tx) => {
    order.push('begun');
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    order.push('filled');
    return tx.append(newEvent(2)).sequence;
  });
  const after = writer.write((tx) => {
    order.push('after');
    return tx.append(newEvent(3)).sequence;
  });
  await settle();
  assert.deepEqual(order, ['begun']);
  finish();
  assert.deepEqual([await before, await alone, await after], [1, 2, 3]);
  assert.deepEqual(order, ['begun', 'filled', 'after']);
  assert.deepEqual(
    store.commits.map(({ entries }) => entries.length),
    [1, 1, 1],
  );
});

test('work that stands alone and throws has no effect, and what waits behind it goes on', async () => {
  const { store, writer } = makeWriter();
  const alone = writer.writeAlone(async (tx) => {
    tx.append(newEvent(1));
    throw DISK_FULL;
  });
  const after = writer.write(appends(2));
  await assert.rejects(alone, hasCode('store-write-failed'));
  assert.equal(await after, 1);
  assert.deepEqual(await logged(store), [2]);
});

test('nothing runs on a store in doubt: what comes before it is recovered waits, and stands on what is really there', async () => {
  const { store, writer } = makeWriter();
  store.refuseButKeepNextCommit();
  writer.record(newEvent(1));
  await writer.idle();
  assert.equal(store.tail().sequence, 0);
  const sequences = await Promise.all([writer.write(appends(2)), writer.write(appends(3))]);
  await writer.idle();
  assert.deepEqual(sequences, [2, 3]);
  assert.deepEqual(await logged(store), [1, 2, 3, 'store-recovered']);
});

test(`a batch with ${MAX_BATCH_RECORDS} records takes no more work`, async () => {
  const { store, writer } = makeWriter();
  const large = (tx: StoreTransaction): void => {
    for (let n = 0; n < MAX_BATCH_RECORDS / 2; n++) tx.append(newEvent(n));
  };
  await Promise.all([writer.write(large), writer.write(large), writer.write(appends(1))]);
  assert.deepEqual(
    store.commits.map(({ entries }) => entries.length),
    [MAX_BATCH_RECORDS, 1],
  );
});
