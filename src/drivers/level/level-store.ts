// Cards, cardholders and the event log in one LevelDB, opened by this process alone.
//
// 1. Durable before acknowledged: a commit is one batch, written with sync.
// 2. After a failed write nothing is written before the database was closed and opened again: LevelDB may have torn its log, and
//    recovery drops all that stands behind the tear, acknowledged or not (seen with a full disk).
// 3. What cannot be read is said to be unreadable; nothing is made up for it.

import { mkdirSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { Level } from 'level';
import { EMPTY_LOG, type LogTail } from '../../domain/access-event.ts';
import type { HeldCalendar } from '../../domain/calendar-order.ts';
import type { CardNumber } from '../../domain/card-number.ts';
import type { CardholderRecord, CardLookup, CardRecord } from '../../domain/credential.ts';
import type { CommandRecord } from '../../domain/door-command.ts';
import { type DoorOrders, NO_ORDERS, UNREADABLE_ORDERS } from '../../domain/door-mode.ts';
import type { CardholderId, DoorId } from '../../domain/ids.ts';
import type { PassageEntry } from '../../domain/passage.ts';
import { bucketOf, DIGEST_BYTES, emptyRoster, type RosterSummary } from '../../domain/roster-digest.ts';
import { CardeaError, errorMessage } from '../../errors.ts';
import type { CredentialStore, StoreBatch } from '../../ports/credential-store.ts';
import type { EventLog, LogEntry } from '../../ports/event-log.ts';
import * as records from './records.ts';

/** The layout of keys and sublevels; a store with another one is refused. */
const FORMAT = '3';
/** Hex digits of a sequence number in a key, so that keys sort as numbers do: 2^53 has 14. */
const SEQUENCE_DIGITS = 14;
/** The block cache holds the hot part of a large roster. */
const CACHE_BYTES = 16 * 1024 * 1024;

/** Records that are handed over to the database in one go. */
const SLICE = 100;

/** With less than this left, opening the database anew could fail and leave nothing to read from. */
const ROOM_TO_REOPEN_BYTES = 8 * 1024 * 1024;

type Database = Level<string, string>;
const sublevelOf = (db: Database, name: 'card' | 'cardholder' | 'event' | 'meta' | 'passage') => db.sublevel(name);
type Sublevel = ReturnType<typeof sublevelOf>;
/** Whole keys, with the prefix of the sublevel: going through a sublevel costs more than the database itself. */
type Put = readonly [key: string, value: string];

interface Handles {
  readonly db: Database;
  readonly card: Sublevel;
  readonly cardholder: Sublevel;
  readonly event: Sublevel;
  readonly meta: Sublevel;
  readonly passage: Sublevel;
}

export class LevelStore implements CredentialStore, EventLog {
  readonly #directory: string;
  readonly #identity: string | undefined;
  #handles: Handles;
  #failure: string | undefined;
  #roster: RosterSummary = emptyRoster();
  #tail: LogTail = EMPTY_LOG;
  #sentUpTo = 0;
  readonly #doorOrders = new Map<DoorId, DoorOrders>();
  #calendar: HeldCalendar;
  #passageEra = 0;
  #commands: readonly CommandRecord[] = [];

  private constructor(directory: string, identity: string | undefined, handles: Handles) {
    this.#directory = directory;
    this.#identity = identity;
    this.#handles = handles;
  }

  /**
   * Opens the store in `directory`, which is made if it is missing. `identity` says whose it is, such as site, gateway and card
   * number format: what is in it means something else elsewhere. Rejects with CardeaError `store-locked` when another process
   * has it open, `store-format` when another version or another identity wrote it, `store-open-failed` otherwise.
   */
  static async open(directory: string, identity?: string): Promise<LevelStore> {
    let handles: Handles | undefined;
    try {
      mkdirSync(dirname(directory), { recursive: true, mode: 0o750 });
      handles = handlesOf(directory);
      await handles.db.open();
      const store = new LevelStore(directory, identity, handles);
      await store.#load();
      return store;
    } catch (error) {
      // Also ends an opening that failed halfway; there is nothing to flush.
      await handles?.db.close();
      throw error instanceof CardeaError ? error : openFailure(directory, error);
    }
  }

  findCard(card: CardNumber): CardLookup {
    try {
      const text = this.#read(this.#handles.card, cardKey(card));
      if (text === undefined) return { kind: 'unknown' };
      const record = records.decodeCard(text);
      return record.state === 'live' ? { kind: 'live', binding: record } : { kind: 'retired', tombstone: record };
    } catch (error) {
      return { kind: 'unreadable', detail: errorMessage(error) };
    }
  }

  findCardholder(id: CardholderId): CardholderRecord | undefined {
    const text = this.#read(this.#handles.cardholder, id);
    return text === undefined ? undefined : records.decodeCardholder(text);
  }

  async cardsOf(id: CardholderId): Promise<readonly (readonly [CardNumber, CardRecord])[]> {
    const found: [CardNumber, CardRecord][] = [];
    for await (const [key, value] of this.#handles.card.iterator()) {
      const record = decodedOrNothing(value);
      if (record?.cardholder === id) found.push([cardOf(key), record]);
    }
    return found;
  }

  async *cardsIn(bucket: number): AsyncGenerator<readonly [CardNumber, CardRecord | undefined]> {
    const prefix = bucketPrefix(bucket);
    for await (const [key, value] of this.#handles.card.iterator({ gte: prefix, lt: `${prefix}~` })) {
      yield [cardOf(key), decodedOrNothing(value)];
    }
  }

  roster(): RosterSummary {
    return this.#roster;
  }

  doorOrders(door: DoorId): DoorOrders {
    return this.#doorOrders.get(door) ?? NO_ORDERS;
  }

  calendar(): HeldCalendar {
    return this.#calendar;
  }

  async *passages(): AsyncGenerator<PassageEntry> {
    for await (const value of this.#handles.passage.values()) {
      const entry = records.passageOrNothing(value);
      if (entry !== undefined) yield entry;
    }
  }

  passageEra(): number {
    return this.#passageEra;
  }

  commands(): readonly CommandRecord[] {
    return this.#commands;
  }

  async commit(batch: StoreBatch): Promise<void> {
    if (this.#failure !== undefined) throw writeFailure(`an earlier write failed: ${this.#failure}`);
    try {
      await this.#write(batch);
      // The cursor's write may have torn the log ahead of this one, which then would not outlast the next opening.
      if (this.#failure !== undefined) throw writeFailure(`a write beside it failed: ${this.#failure}`);
    } catch (error) {
      this.#failure = errorMessage(error);
      throw writeFailure(`a batch with ${batch.entries.length} events: ${this.#failure}`, error);
    }
    this.#adopt(batch);
  }

  /** A large batch is encoded and handed over in slices, so that others get their turn in between; it is one write all the same. */
  async #write(batch: StoreBatch): Promise<void> {
    const { db } = this.#handles;
    const whole = db.batch();
    let taken = 0;
    for (const [key, value] of this.#puts(batch)) {
      whole.put(key, value);
      taken += 1;
      if (taken % SLICE === 0) await turnOfOthers();
    }
    await whole.write({ sync: true });
  }

  *#puts(batch: StoreBatch): Generator<Put> {
    const put = (sublevel: Sublevel, key: string, value: string): Put => [sublevel.prefix + key, value];
    const { card, cardholder, event, meta, passage } = this.#handles;
    for (const [number, record] of batch.cards) yield put(card, cardKey(number), records.encodeCard(record));
    for (const [id, record] of batch.cardholders) yield put(cardholder, id, records.encodeCardholder(record));
    for (const [door, orders] of batch.doorOrders) yield put(meta, `orders/${door}`, records.encodeOrders(orders));
    if (batch.calendar !== undefined) yield put(meta, 'calendar', records.encodeCalendar(batch.calendar));
    for (const entry of batch.passages ?? []) {
      yield put(passage, `${entry.zone}/${entry.cardholder}`, records.encodePassage(entry));
    }
    if (batch.passageEra !== undefined) yield put(meta, 'passage-era', String(batch.passageEra));
    if (batch.commands !== undefined) yield put(meta, 'commands', records.encodeCommands(batch.commands));
    for (const entry of batch.entries) yield put(event, eventKey(entry.event.sequence), records.encodeEntry(entry));
    if (batch.roster !== undefined) {
      yield put(meta, 'roster', records.encodeRoster(batch.roster));
      yield put(meta, 'buckets', Buffer.from(batch.roster.buckets).toString('base64'));
    }
  }

  #read(sublevel: Sublevel, key: string): string | undefined {
    return this.#handles.db.getSync(sublevel.prefix + key);
  }

  async recover(): Promise<void> {
    if (this.#failure === undefined) return;
    const { bavail, bsize } = statfsSync(this.#directory);
    if (bavail * bsize < ROOM_TO_REOPEN_BYTES) throw writeFailure(`the disk is full: ${this.#failure}`);
    try {
      await this.#handles.db.close();
      this.#handles = handlesOf(this.#directory);
      await this.#handles.db.open();
      await this.#load();
    } catch (error) {
      throw writeFailure(`it could not be opened again: ${errorMessage(error)}`, error);
    }
    this.#failure = undefined;
  }

  probe(): void {
    this.#handles.meta.getSync('format');
  }

  tail(): LogTail {
    return this.#tail;
  }

  entryAt(sequence: number): LogEntry | undefined {
    const text = this.#read(this.#handles.event, eventKey(sequence));
    return text === undefined ? undefined : records.decodeEntry(text);
  }

  async entriesAfter(after: number, limit: number): Promise<readonly LogEntry[]> {
    const texts = await this.#handles.event.values({ gt: eventKey(after), limit }).all();
    return texts.map(records.decodeEntry);
  }

  sentUpTo(): number {
    return this.#sentUpTo;
  }

  async saveSentUpTo(sequence: number): Promise<void> {
    // What was acknowledged is not sent again while this process lives, whether or not the disk takes the cursor.
    this.#sentUpTo = sequence;
    if (this.#failure !== undefined) return;
    try {
      await this.#handles.meta.put('sent', String(sequence));
    } catch (error) {
      this.#failure = errorMessage(error);
      throw writeFailure(`the outbox cursor: ${this.#failure}`, error);
    }
  }

  async close(): Promise<void> {
    await this.#handles.db.close();
  }

  async #load(): Promise<void> {
    const format = await this.#handles.meta.get('format');
    if (format === undefined) {
      await this.#handles.db.batch([{ type: 'put', sublevel: this.#handles.meta, key: 'format', value: FORMAT }], {
        sync: true,
      });
    } else if (format !== FORMAT) {
      throw new CardeaError(
        'store-format',
        `the store has format ${format}, this version reads ${FORMAT}: use the version that wrote it, or a newer one`,
      );
    }
    await this.#checkIdentity();
    this.#roster = await this.#loadRoster();
    this.#tail = EMPTY_LOG;
    const [last] = await this.#handles.event.values({ reverse: true, limit: 1 }).all();
    if (last !== undefined) {
      const { sequence, hash } = records.decodeEntry(last).event;
      this.#tail = { sequence, hash };
    }
    // A cursor beyond the end would keep the next events from being sent.
    const sentUpTo = Math.max(this.#sentUpTo, countOf(await this.#handles.meta.get('sent'), 'outbox cursor'));
    this.#sentUpTo = Math.min(sentUpTo, this.#tail.sequence);
    const commands = await this.#handles.meta.get('commands');
    this.#commands = commands === undefined ? [] : records.decodeCommands(commands);
    this.#doorOrders.clear();
    for await (const [key, value] of this.#handles.meta.iterator({ gt: 'orders/', lt: 'orders0' })) {
      // Keys of this range are written by commit only, from door ids.
      const door = key.slice('orders/'.length) as DoorId;
      this.#doorOrders.set(door, records.ordersOrNothing(value) ?? UNREADABLE_ORDERS);
    }
    const [calendar, era] = await this.#handles.meta.getMany(['calendar', 'passage-era']);
    this.#calendar = calendar === undefined ? undefined : (records.calendarOrNothing(calendar) ?? 'unreadable');
    this.#passageEra = countOf(era, 'era of passages');
  }

  async #checkIdentity(): Promise<void> {
    if (this.#identity === undefined) return;
    const identity = await this.#handles.meta.get('identity');
    if (identity === undefined) {
      const { db, meta } = this.#handles;
      await db.batch([{ type: 'put', sublevel: meta, key: 'identity', value: this.#identity }], { sync: true });
    } else if (identity !== this.#identity) {
      throw new CardeaError(
        'store-format',
        `the store in ${this.#directory} was filled for ${identity}, the configuration says ${this.#identity}: correct the ` +
          'configuration, or choose another dataDir and let HR fill it',
      );
    }
  }

  async #loadRoster(): Promise<RosterSummary> {
    const [roster, buckets] = await this.#handles.meta.getMany(['roster', 'buckets']);
    if (roster === undefined && buckets === undefined) return emptyRoster();
    const bytes = Buffer.from(buckets ?? '', 'base64');
    if (roster === undefined || bytes.length !== DIGEST_BYTES) throw unreadable('roster digest');
    return { ...records.decodeRoster(roster), buckets: new Uint8Array(bytes) };
  }

  #adopt(batch: StoreBatch): void {
    const last = batch.entries.at(-1);
    if (last !== undefined) this.#tail = { sequence: last.event.sequence, hash: last.event.hash };
    if (batch.roster !== undefined) this.#roster = batch.roster;
    for (const [door, orders] of batch.doorOrders) this.#doorOrders.set(door, orders);
    if (batch.calendar !== undefined) this.#calendar = batch.calendar;
    if (batch.passageEra !== undefined) this.#passageEra = batch.passageEra;
    if (batch.commands !== undefined) this.#commands = batch.commands;
  }
}

const handlesOf = (directory: string): Handles => {
  const db: Database = new Level<string, string>(directory, { cacheSize: CACHE_BYTES });
  return {
    db,
    card: sublevelOf(db, 'card'),
    cardholder: sublevelOf(db, 'cardholder'),
    event: sublevelOf(db, 'event'),
    meta: sublevelOf(db, 'meta'),
    passage: sublevelOf(db, 'passage'),
  };
};

const decodedOrNothing = (text: string): CardRecord | undefined => {
  try {
    return records.decodeCard(text);
  } catch {
    // Whoever looks such a card up is told; a search goes past it.
    return undefined;
  }
};

/** Cards lie by bucket of the roster digest, so that a bucket can be read by itself. */
const cardKey = (card: CardNumber): string => bucketPrefix(bucketOf(card)) + card;
const bucketPrefix = (bucket: number): string => bucket.toString(16).padStart(2, '0');
/** Keys of cards are written by commit only, from card numbers. */
const cardOf = (key: string): CardNumber => key.slice(2) as CardNumber;

const turnOfOthers = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const writeFailure = (what: string, cause?: unknown): CardeaError =>
  new CardeaError('store-write-failed', `the store does not take writes: ${what}`, { cause });

const eventKey = (sequence: number): string => sequence.toString(16).padStart(SEQUENCE_DIGITS, '0');

const countOf = (text: string | undefined, what: string): number => {
  const count = Number(text ?? '0');
  if (!Number.isSafeInteger(count) || count < 0) throw unreadable(`${what} "${text}"`);
  return count;
};

const unreadable = (what: string): CardeaError =>
  new CardeaError('store-record-unreadable', `the store's ${what} does not decode`);

const openFailure = (directory: string, error: unknown): CardeaError => {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED') {
    return new CardeaError(
      'store-locked',
      `another process has the store in ${directory} open: is a gateway running already?`,
      { cause: error },
    );
  }
  return new CardeaError(
    'store-open-failed',
    `the store in ${directory} does not open: ${errorMessage(cause ?? error)}`,
    { cause: error },
  );
};
