// What every store keeps, whatever it is made of: run on the fake and on LevelDB.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { chainEvent, EMPTY_LOG, type NewEvent } from '../../src/domain/access-event.ts';
import { type CalendarDefinition, type CalendarRecord, EMPTY_CALENDAR } from '../../src/domain/calendar.ts';
import { calendarFingerprint } from '../../src/domain/calendar-order.ts';
import type { CardNumber } from '../../src/domain/card-number.ts';
import type { CardRecord } from '../../src/domain/credential.ts';
import { modeOf, NO_ORDERS, UNREADABLE_ORDERS } from '../../src/domain/door-mode.ts';
import type { CardholderId, DoorId } from '../../src/domain/ids.ts';
import type { PassageEntry } from '../../src/domain/passage.ts';
import { bucketOf, emptyRoster, toggleCard } from '../../src/domain/roster-digest.ts';
import { instant } from '../../src/domain/units.ts';
import { CardeaError, type ErrorCode } from '../../src/errors.ts';
import type { CredentialStore, StoreBatch } from '../../src/ports/credential-store.ts';
import type { EventLog, LogEntry } from '../../src/ports/event-log.ts';
import type { SnapshotSource } from '../../src/ports/store-snapshot.ts';
import {
  bindingOf,
  cardholderId,
  cardNumber,
  doorId,
  gatewayId,
  messageId,
  ordersOf,
  originOf,
  revision,
  scheduleId,
  time,
  tombstoneOf,
  zoneId,
} from '../domain/samples.ts';

export interface StoreHarness {
  /** Opens what was there before; never called while another one is open, except to be refused. */
  open(): Promise<CredentialStore & EventLog & SnapshotSource>;
  /** Damage that outlasts a close. Called while the store is closed. */
  garbleCard(card: CardNumber): Promise<void>;
  garbleCardholder(id: CardholderId): Promise<void>;
  garbleEntry(sequence: number): Promise<void>;
  garbleCalendar(): Promise<void>;
  garbleOrders(door: DoorId): Promise<void>;
  /** Makes the commits from now on fail, as a full or broken disk does. */
  breakWrites(store: CredentialStore): Promise<void>;
  dispose(): Promise<void>;
}

const CARD = cardNumber('04A2B3C4D5E680');
const OTHER = cardNumber('DEADBEEF');
const PERSON = cardholderId('E1001');
const FRONT = doorId('front');
const LAB = doorId('lab');

/** A batch that changes nothing but `part`. */
export const batchOf = (part: Partial<StoreBatch>): StoreBatch => ({
  cards: new Map(),
  cardholders: new Map(),
  roster: undefined,
  doorOrders: new Map(),
  commands: undefined,
  entries: [],
  ...part,
});

/** The entries `first` to `first + count - 1` of one chain. */
export const entriesFrom = (first: number, count: number): LogEntry[] => {
  let tail = EMPTY_LOG;
  const all: LogEntry[] = [];
  for (let sequence = 1; sequence < first + count; sequence++) {
    const news: NewEvent = { event: 'access-denied', at: time('2026-01-05T08:00:00Z'), clockSynchronized: true };
    const event = chainEvent(gatewayId('lobby-1'), tail, { ...news, reason: 'unknown-card', detail: { n: sequence } });
    tail = { sequence, hash: event.hash };
    if (sequence >= first) all.push(sequence % 2 === 0 ? { event, receipt: `{"receipt":${sequence}}` } : { event });
  }
  return all;
};

export const hasCode =
  (code: ErrorCode) =>
  (error: unknown): boolean =>
    error instanceof CardeaError && error.code === code;

const calendarOf = (definition: CalendarDefinition): CalendarRecord => ({
  revision: revision(4),
  messageId: messageId('cal-4'),
  appliedAt: time('2026-01-05T08:00:00Z'),
  fingerprint: calendarFingerprint(definition),
  definition,
});

export const storeContract = (name: string, makeHarness: () => Promise<StoreHarness>): void => {
  describe(`${name} keeps the contract of CredentialStore and EventLog`, () => {
    let harness: StoreHarness;
    let store: CredentialStore & EventLog;
    const reopen = async (): Promise<void> => {
      await store.close();
      store = await harness.open();
    };

    beforeEach(async () => {
      harness = await makeHarness();
      store = await harness.open();
    });
    afterEach(async () => {
      await store.close();
      await harness.dispose();
    });

    it('holds nothing at first', async () => {
      assert.deepEqual(store.findCard(CARD), { kind: 'unknown' });
      assert.equal(store.findCardholder(PERSON), undefined);
      assert.deepEqual(store.roster(), emptyRoster());
      assert.deepEqual(store.doorOrders(FRONT), NO_ORDERS);
      assert.deepEqual(store.commands(), []);
      assert.deepEqual(store.tail(), EMPTY_LOG);
      assert.equal(store.entryAt(1), undefined);
      assert.deepEqual(await store.entriesAfter(0, 10), []);
      assert.equal(store.sentUpTo(), 0);
      store.probe();
    });

    it('shows a committed batch at once and after it was closed and opened: cards, cardholders, roster, orders, commands, calendar, passages, entries', async () => {
      const binding = bindingOf({
        name: 'A. Person',
        department: 'Works',
        kind: 'temporary',
        activation: 'pending',
        access: [{ doors: [FRONT, '*'], schedule: scheduleId('office-hours') }, { level: 'staff' }],
        validFrom: time('2026-01-01T00:00:00Z'),
        validUntil: time('2026-02-01T00:00:00Z'),
      });
      const tombstone = tombstoneOf({ reason: 'stolen' });
      const buckets = new Uint8Array(emptyRoster().buckets);
      toggleCard(buckets, CARD, binding.revision);
      const roster = {
        revision: revision(2),
        cards: 1,
        buckets,
        epoch: '2026-b',
        pastEpochs: ['2026-a'],
        reconciled: revision(1),
        reconciledAt: instant(1_700_000_000_000),
      };
      const holder = {
        cards: [CARD],
        watermark: { revision: revision(2), fingerprint: 'a', reason: 'left', origin: originOf(2) },
      } as const;
      const seen = { fingerprint: 'c', expiresAt: time('2026-01-05T08:05:00Z') };
      const commands = [
        { ...seen, messageId: messageId('c-1'), outcome: { doors: [FRONT], code: null } },
        { ...seen, messageId: messageId('c-2'), outcome: { doors: [], code: 'unknown-door' } },
        { ...seen, messageId: messageId('c-3') },
      ] as const;
      const calendar = calendarOf({
        schedules: { 'office-hours': [{ days: ['mon'], from: '08:00', to: '18:00' }] },
        holidays: { closed: ['12-25'] },
        levels: { staff: [{ doors: [FRONT], schedule: scheduleId('office-hours') }] },
      });
      const passages = [
        {
          zone: zoneId('lab'),
          cardholder: PERSON,
          passage: { place: 'inside', at: time('2026-01-05T08:00:00Z'), era: 3 },
        },
        { zone: zoneId('hall'), cardholder: PERSON, passage: undefined },
      ] as const;
      const lockdown = {
        operator: 'guard',
        reason: 'drill',
        at: time('2026-01-05T08:00:00Z'),
        until: time('2026-01-05T09:00:00Z'),
      };
      const entries = entriesFrom(1, 3);
      await store.commit(
        batchOf({
          cards: new Map<CardNumber, CardRecord>([
            [CARD, binding],
            [OTHER, tombstone],
          ]),
          cardholders: new Map([[PERSON, holder]]),
          roster,
          doorOrders: new Map([
            [FRONT, ordersOf('blocked')],
            [LAB, { ...ordersOf('held-open'), lockdown }],
          ]),
          commands,
          calendar,
          passages,
          passageEra: 3,
          entries,
        }),
      );
      const holds = async (): Promise<void> => {
        assert.deepEqual(store.findCard(CARD), { kind: 'live', binding });
        assert.deepEqual(store.findCard(OTHER), { kind: 'retired', tombstone });
        assert.deepEqual(store.findCardholder(PERSON), holder);
        assert.deepEqual(store.roster(), roster);
        assert.deepEqual(store.doorOrders(FRONT), ordersOf('blocked'));
        assert.deepEqual(store.doorOrders(LAB), { ...ordersOf('held-open'), lockdown });
        assert.deepEqual(store.calendar(), calendar);
        assert.equal(store.passageEra(), 3);
        const found = new Map<string, PassageEntry['passage']>();
        for await (const { zone, cardholder, passage } of store.passages()) found.set(`${zone}/${cardholder}`, passage);
        assert.deepEqual(
          found,
          new Map(passages.map(({ zone, cardholder, passage }) => [`${zone}/${cardholder}`, passage])),
        );
        assert.deepEqual(store.commands(), commands);
        assert.deepEqual(store.tail(), { sequence: 3, hash: entries[2]?.event.hash });
        assert.deepEqual(await store.entriesAfter(0, 10), entries);
        assert.deepEqual(store.entryAt(2), entries[1]);
      };
      await holds();
      await reopen();
      await holds();
    });

    it('tells the cards of a bucket, with those that cannot be read, and no others', async () => {
      const numbers = Array.from({ length: 2_000 }, (_, index) => cardNumber(index.toString(16).padStart(8, '1')));
      const records = new Map<CardNumber, CardRecord>(
        numbers.map((number, index) => [number, index % 3 === 0 ? tombstoneOf() : bindingOf()]),
      );
      await store.commit(batchOf({ cards: records }));
      const inSeven = numbers.filter((number) => bucketOf(number) === 7);
      assert.ok(inSeven.length > 1);
      const [damaged = CARD] = inSeven;
      await store.close();
      await harness.garbleCard(damaged);
      store = await harness.open();
      const found = new Map<CardNumber, CardRecord>();
      let unreadable = 0;
      for await (const stored of store.cardsIn(7)) {
        if (stored === undefined) unreadable += 1;
        else found.set(...stored);
      }
      assert.equal(unreadable, 1);
      const readable = inSeven.sort().filter((card) => card !== damaged);
      assert.deepEqual(
        [...found].sort(),
        readable.map((card) => [card, records.get(card)]),
      );
    });

    it('leaves alone what a batch does not name', async () => {
      const roster = { ...emptyRoster(), revision: revision(1), cards: 1, buckets: new Uint8Array(2048).fill(7) };
      const commands = [{ messageId: messageId('c-1'), fingerprint: 'c', expiresAt: time('2026-01-05T08:05:00Z') }];
      await store.commit(
        batchOf({
          cards: new Map([[CARD, bindingOf()]]),
          doorOrders: new Map([[FRONT, ordersOf('blocked')]]),
          roster,
          commands,
        }),
      );
      await store.commit(batchOf({ entries: entriesFrom(1, 1) }));
      await reopen();
      assert.equal(store.findCard(CARD).kind, 'live');
      assert.equal(modeOf(store.doorOrders(FRONT), false), 'blocked');
      assert.deepEqual(store.roster(), roster);
      assert.deepEqual(store.commands(), commands);
    });

    it('puts a list of commands in the place of the one before, an empty one too', async () => {
      const record = { fingerprint: 'c', expiresAt: time('2026-01-05T08:05:00Z') };
      const [first, second] = [messageId('c-1'), messageId('c-2')];
      await store.commit(batchOf({ commands: [{ ...record, messageId: first }] }));
      await store.commit(batchOf({ commands: [{ ...record, messageId: second }] }));
      assert.deepEqual(store.commands(), [{ ...record, messageId: second }]);
      await store.commit(batchOf({ commands: [] }));
      await reopen();
      assert.deepEqual(store.commands(), []);
    });

    it('invariant 2: replaces one card by another in one batch, and puts the later record over the earlier', async () => {
      await store.commit(batchOf({ cards: new Map([[CARD, bindingOf()]]) }));
      const retired = tombstoneOf({ reason: 'replaced' });
      await store.commit(
        batchOf({
          cards: new Map<CardNumber, CardRecord>([
            [CARD, retired],
            [OTHER, bindingOf({ revision: revision(2) })],
          ]),
        }),
      );
      assert.deepEqual([store.findCard(CARD).kind, store.findCard(OTHER).kind], ['retired', 'live']);
      await reopen();
      assert.deepEqual([store.findCard(CARD).kind, store.findCard(OTHER).kind], ['retired', 'live']);
    });

    it('gives entries in the order of their numbers, from any number, at most as many as asked for', async () => {
      await store.commit(batchOf({ entries: entriesFrom(1, 300) }));
      const numbers = async (after: number, limit: number): Promise<number[]> =>
        (await store.entriesAfter(after, limit)).map(({ event }) => event.sequence);
      assert.deepEqual(await numbers(0, 3), [1, 2, 3]);
      assert.deepEqual(await numbers(9, 2), [10, 11]);
      assert.deepEqual(await numbers(254, 4), [255, 256, 257, 258]);
      assert.deepEqual(await numbers(298, 10), [299, 300]);
      assert.deepEqual(await numbers(300, 10), []);
      assert.deepEqual(await numbers(1_000_000, 10), []);
      assert.deepEqual(
        await numbers(0, 1000),
        Array.from({ length: 300 }, (_, i) => i + 1),
      );
    });

    it('continues the tail over batches and restarts', async () => {
      await store.commit(batchOf({ entries: entriesFrom(1, 2) }));
      await reopen();
      await store.commit(batchOf({ entries: entriesFrom(3, 15) }));
      const [last] = entriesFrom(17, 1);
      assert.deepEqual(store.tail(), { sequence: 17, hash: last?.event.hash });
      await reopen();
      assert.deepEqual(store.tail(), { sequence: 17, hash: last?.event.hash });
    });

    it('invariant 7: keeps the cursor of the outbox over a restart', async () => {
      await store.commit(batchOf({ entries: entriesFrom(1, 20) }));
      await store.saveSentUpTo(16);
      assert.equal(store.sentUpTo(), 16);
      await reopen();
      assert.equal(store.sentUpTo(), 16);
      await store.saveSentUpTo(17);
      assert.equal(store.sentUpTo(), 17);
    });

    it('invariant 5: says of a damaged card that it is unreadable, and does not throw', async () => {
      await store.commit(
        batchOf({
          cards: new Map([
            [CARD, bindingOf()],
            [OTHER, bindingOf()],
          ]),
        }),
      );
      await store.close();
      await harness.garbleCard(CARD);
      store = await harness.open();
      assert.equal(store.findCard(CARD).kind, 'unreadable');
      assert.equal(store.findCard(OTHER).kind, 'live');
    });

    it('throws store-record-unreadable for a damaged cardholder', async () => {
      await store.commit(batchOf({ cardholders: new Map([[PERSON, { cards: [] }]]) }));
      await store.close();
      await harness.garbleCardholder(PERSON);
      store = await harness.open();
      assert.throws(() => store.findCardholder(PERSON), hasCode('store-record-unreadable'));
    });

    it('blocks a door whose orders are damaged, and no other, until something else is ordered', async () => {
      const doorOrders = new Map([
        [FRONT, ordersOf('held-open')],
        [LAB, ordersOf('held-open')],
      ]);
      await store.commit(batchOf({ doorOrders }));
      await store.close();
      await harness.garbleOrders(FRONT);
      store = await harness.open();
      assert.deepEqual(store.doorOrders(FRONT), UNREADABLE_ORDERS);
      assert.equal(store.doorOrders(FRONT).mode?.mode, 'blocked');
      assert.deepEqual(store.doorOrders(LAB), ordersOf('held-open'));
      await store.commit(batchOf({ doorOrders: new Map([[FRONT, NO_ORDERS]]) }));
      await reopen();
      assert.deepEqual(store.doorOrders(FRONT), NO_ORDERS);
    });

    it('says that a damaged calendar is unreadable, and takes the next one in its place', async () => {
      const calendar = calendarOf(EMPTY_CALENDAR);
      assert.equal(store.calendar(), undefined);
      await store.commit(batchOf({ calendar }));
      await store.close();
      await harness.garbleCalendar();
      store = await harness.open();
      assert.equal(store.calendar(), 'unreadable');
      await store.commit(batchOf({ calendar }));
      assert.deepEqual(store.calendar(), calendar);
    });

    it('refuses a damaged entry with store-record-unreadable and still gives the others', async () => {
      await store.commit(batchOf({ entries: entriesFrom(1, 5) }));
      await store.close();
      await harness.garbleEntry(2);
      store = await harness.open();
      assert.throws(() => store.entryAt(2), hasCode('store-record-unreadable'));
      await assert.rejects(store.entriesAfter(0, 5), hasCode('store-record-unreadable'));
      assert.deepEqual((await store.entriesAfter(2, 5)).length, 3);
      assert.equal(store.entryAt(1)?.event.sequence, 1);
    });

    it('refuses a commit that cannot be written with store-write-failed, and then none of it is there', async () => {
      await store.commit(batchOf({ cards: new Map([[CARD, bindingOf()]]), entries: entriesFrom(1, 1) }));
      const before = { roster: store.roster(), tail: store.tail() };
      await harness.breakWrites(store);
      await assert.rejects(
        store.commit(
          batchOf({
            cards: new Map([[OTHER, bindingOf()]]),
            roster: { ...emptyRoster(), cards: 2 },
            doorOrders: new Map([[FRONT, ordersOf('blocked')]]),
            commands: [{ messageId: messageId('c-1'), fingerprint: 'c', expiresAt: time('2026-01-05T08:05:00Z') }],
            entries: entriesFrom(2, 1),
          }),
        ),
        hasCode('store-write-failed'),
      );
      assert.notEqual(store.findCard(OTHER).kind, 'live');
      assert.deepEqual({ roster: store.roster(), tail: store.tail() }, before);
      assert.deepEqual(store.doorOrders(FRONT), NO_ORDERS);
      assert.deepEqual(store.commands(), []);
      await reopen();
      assert.equal(store.findCard(OTHER).kind, 'unknown');
      assert.equal(store.findCard(CARD).kind, 'live');
      assert.deepEqual({ roster: store.roster(), tail: store.tail() }, before);
    });

    it('is opened by one only: a second one is refused with store-locked', async () => {
      await assert.rejects(harness.open(), hasCode('store-locked'));
      assert.equal(store.findCard(CARD).kind, 'unknown');
    });

    it('says of every card that it is unreadable once it is closed, and probe throws', async () => {
      await store.commit(batchOf({ cards: new Map([[CARD, bindingOf()]]) }));
      await store.close();
      assert.equal(store.findCard(CARD).kind, 'unreadable');
      assert.throws(() => store.probe());
    });
  });
};
