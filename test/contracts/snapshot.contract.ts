// What every store keeps of itself for a backup, and takes back from one: run on the fake and on LevelDB.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { chainEvent, type LogTail } from '../../src/domain/access-event.ts';
import { emptyRoster } from '../../src/domain/roster-digest.ts';
import type { CredentialStore } from '../../src/ports/credential-store.ts';
import type { EventLog, LogEntry } from '../../src/ports/event-log.ts';
import type { SnapshotRecord, SnapshotSource } from '../../src/ports/store-snapshot.ts';
import {
  bindingOf,
  cardholderId,
  cardNumber,
  doorId,
  gatewayId,
  ordersOf,
  originOf,
  revision,
  time,
  tombstoneOf,
} from '../domain/samples.ts';
import { batchOf, type StoreHarness } from './store.contract.ts';

const CARD = cardNumber('04A2B3C4D5E680');
const OTHER = cardNumber('DEADBEEF');
const PERSON = cardholderId('E1001');
const FRONT = doorId('front');
const NO_HASH = '0'.repeat(64);

const chained = (from: LogTail, count: number): LogEntry[] => {
  let tail = from;
  return Array.from({ length: count }, () => {
    const news = { event: 'access-denied', at: time('2026-01-05T08:00:00Z'), clockSynchronized: true } as const;
    const event = chainEvent(gatewayId('lobby-1'), tail, news);
    tail = { sequence: event.sequence, hash: event.hash };
    return { event };
  });
};

const numbersOf = (entries: readonly LogEntry[]): number[] => entries.map(({ event }) => event.sequence);

const all = async (records: AsyncIterable<SnapshotRecord | undefined>): Promise<(SnapshotRecord | undefined)[]> => {
  const found = [];
  for await (const record of records) found.push(record);
  return found;
};

export const snapshotContract = (name: string, makeHarness: () => Promise<StoreHarness>): void => {
  describe(`snapshots of ${name}`, () => {
    let harness: StoreHarness;
    let store: CredentialStore & EventLog & SnapshotSource;

    beforeEach(async () => {
      harness = await makeHarness();
      store = await harness.open();
    });

    afterEach(async () => {
      await store.close();
      await harness.dispose();
    });

    it('hold everything in the order of a restore, as it was when they were taken', async () => {
      const watermark = { revision: revision(3), fingerprint: 'f', reason: 'left', origin: originOf(3) } as const;
      const entries = chained({ sequence: 0, hash: NO_HASH }, 3);
      const roster = { ...emptyRoster(), revision: revision(3), epoch: 'a', pastEpochs: ['z'] };
      await store.commit(
        batchOf({
          cards: new Map([[CARD, bindingOf({ revision: revision(4) })]]),
          cardholders: new Map([[PERSON, { cards: [CARD], watermark }]]),
          doorOrders: new Map([[FRONT, ordersOf('blocked')]]),
          roster,
          entries,
        }),
      );
      await store.saveAcknowledgedUpTo(2);
      const snapshot = await store.snapshot();
      await store.commit(batchOf({ cards: new Map([[OTHER, tombstoneOf()]]), entries: chained(store.tail(), 1) }));
      assert.equal(snapshot.roster.epoch, 'a');
      assert.deepEqual(snapshot.roster.pastEpochs, ['z']);
      assert.equal(snapshot.tail.sequence, 3);
      assert.equal(snapshot.tail.hash, entries[2]?.event.hash);
      assert.equal(snapshot.acknowledgedUpTo, 2);
      assert.deepEqual(await all(snapshot.records()), [
        { kind: 'orders', door: FRONT, orders: ordersOf('blocked') },
        { kind: 'watermark', cardholder: PERSON, watermark },
        { kind: 'card', card: CARD, record: bindingOf({ revision: revision(4) }) },
        ...[...entries].reverse().map((entry) => ({ kind: 'event', entry })),
      ]);
      await snapshot.close();
    });

    it('of a new store are empty', async () => {
      const snapshot = await store.snapshot();
      assert.deepEqual(snapshot.tail, { sequence: 0, hash: NO_HASH });
      assert.deepEqual(await all(snapshot.records()), []);
      await snapshot.close();
    });

    it('give another log its place, and its history piece by piece, across a reopening', async () => {
      await store.commit(batchOf({ entries: chained({ sequence: 0, hash: NO_HASH }, 4) }));
      const old = chained({ sequence: 0, hash: NO_HASH }, 20);
      const [, , , , , , , , , ninth, ...rest] = old;
      const tail = old.at(-1)?.event;
      assert.ok(ninth !== undefined && tail !== undefined);
      const resumed = chained({ sequence: 100, hash: tail.hash }, 2);
      const trimmed = { sequence: 10, hash: ninth.event.hash };
      const history = {
        entries: [...rest].reverse(),
        trimmed,
        replacing: { acknowledgedUpTo: 15, gap: { from: 21, to: 100 } },
      };
      await store.commit(batchOf({ history, entries: resumed }));
      const look = async (first: number): Promise<void> => {
        assert.equal(store.firstSequence(), first);
        assert.equal(store.tail().sequence, 102);
        assert.equal(store.sentUpTo(), 15);
        assert.deepEqual(store.gap(), { from: 21, to: 100 });
        assert.equal(store.acknowledgedUpTo(), 15);
        assert.deepEqual(numbersOf(await store.entriesAfter(18, 9)), [19, 20, 101, 102]);
        assert.equal(store.entryAt(first - 1), undefined);
      };
      await look(11);
      await store.commit(batchOf({ history: { entries: old.slice(5, 10), trimmed: { sequence: 5, hash: 'x' } } }));
      await look(6);
      await store.close();
      store = await harness.open();
      await look(6);
      assert.deepEqual(store.trimmedUpTo(), { sequence: 5, hash: 'x' });
      const older = { entries: old.slice(3, 5), trimmed: { sequence: 3, hash: 'y' } };
      await store.commit(batchOf({ history: { ...older, first: 7 } }));
      await look(6);
      assert.equal(store.entryAt(4), undefined);
      await store.commit(batchOf({ history: { ...older, first: 6 } }));
      await look(4);
    });
  });
};
