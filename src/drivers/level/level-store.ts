// Cards, cardholders and the event log in one LevelDB, opened by this process alone.
//
// 1. Durable before acknowledged: a commit is one batch, written with sync.
// 2. After a failed write nothing is written before the database was closed and opened again: LevelDB may have torn its log, and
//    recovery drops all that stands behind the tear, acknowledged or not (seen with a full disk).
// 3. What cannot be read is said to be unreadable; nothing is made up for it.
// 4. Nothing that tells a card, a person or what they did is readable in the files: values are sealed under their names, and names
//    of cards and persons are HMACs (record-seal.ts). Only the format and whose store it is stand there in the clear.

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { EMPTY_LOG, type LogTail } from '../../domain/access-event.ts';
import type { HeldCalendar } from '../../domain/calendar-order.ts';
import type { CardNumber } from '../../domain/card-number.ts';
import type { CardholderRecord, CardLookup, CardRecord } from '../../domain/credential.ts';
import type { CommandRecord } from '../../domain/door-command.ts';
import { type DoorOrders, NO_ORDERS, UNREADABLE_ORDERS } from '../../domain/door-mode.ts';
import type { CardholderId, DoorId } from '../../domain/ids.ts';
import type { SequenceRange } from '../../domain/log-chain.ts';
import type { PassageEntry } from '../../domain/passage.ts';
import {
  BUCKET_BYTES,
  BUCKETS,
  DIGEST_BYTES,
  digestOf,
  emptyRoster,
  isSameBucket,
  type RosterSummary,
} from '../../domain/roster-digest.ts';
import { CardeaError, errorMessage } from '../../errors.ts';
import type { CredentialStore, StoreBatch, StoreDamage } from '../../ports/credential-store.ts';
import type { EventLog, LogEntry } from '../../ports/event-log.ts';
import type { SnapshotSource, StoreSnapshot } from '../../ports/store-snapshot.ts';
import type { StoreAnchor } from './anchor.ts';
import type { Ballast } from './ballast.ts';
import { makeRoomToOpen, reopenFault } from './disk-room.ts';
import { openSnapshot } from './level-snapshot.ts';
import { LogBounds } from './log-bounds.ts';
import { openFailure } from './open-failure.ts';
import { type RecordNames, recordNames } from './record-names.ts';
import type { RecordSeal } from './record-seal.ts';
import * as records from './records.ts';
import { compact, type ResealedSlice, resealSlice } from './reseal-records.ts';
import { checkFormat, checkOwner, FORMAT } from './store-format.ts';
import { differingParts, partsAfter, partsOf } from './store-state.ts';
import { type Handles, handlesOf, type Sublevel } from './sublevels.ts';
import { WriteTurns } from './write-turns.ts';

/** Hex digits of a sequence number in a key, so that keys sort as numbers do: 2^53 has 14. */
const SEQUENCE_DIGITS = 14;
/** Records that are handed over to the database in one go. */
const SLICE = 100;

/** Whole keys, with the prefix of the sublevel: going through a sublevel costs more than the database itself. No value: it goes. */
type Put = readonly [key: string, value: Buffer | undefined];

export interface StoreOptions {
  /** Whose it is, such as site, gateway and card number format: what is in it means something else elsewhere. */
  readonly identity?: string | undefined;
  readonly seal: RecordSeal;
  /** Whether the database may be made where there is none; it may, unless told otherwise. */
  readonly createIfMissing?: boolean;
  /** What is given back when there is no room for opening the database. */
  readonly ballast?: Ballast | undefined;
  /** What is told of every batch, so that a loss shows. */
  readonly anchor?: StoreAnchor | undefined;
}

/** How far the store has got. */
export interface StoreState {
  /** Batches that it has taken. */
  readonly generation: number;
  readonly parts: records.StateParts;
}

export class LevelStore implements CredentialStore, EventLog, SnapshotSource {
  readonly #directory: string;
  readonly #identity: string | undefined;
  #seal: RecordSeal;
  #names: RecordNames;
  /** What records that were not sealed anew yet are called. */
  #formerNames: readonly RecordNames[] = [];
  readonly #turns = new WriteTurns();
  #handles: Handles;
  #failure: string | undefined;
  readonly #ballast: Ballast | undefined;
  #roster: RosterSummary = emptyRoster();
  #tail: LogTail = EMPTY_LOG;
  readonly #bounds = new LogBounds();
  readonly #doorOrders = new Map<DoorId, DoorOrders>();
  #calendar: HeldCalendar;
  #passageEra = 0;
  #commands: readonly CommandRecord[] = [];
  readonly #anchor: StoreAnchor | undefined;
  #state: StoreState;
  #recordedParts: records.StateParts | undefined;
  #damage: StoreDamage | undefined;

  private constructor(directory: string, { identity, seal, ballast, anchor }: StoreOptions, handles: Handles) {
    this.#directory = directory;
    this.#ballast = ballast;
    this.#anchor = anchor;
    this.#state = { generation: 0, parts: this.#partsNow() };
    this.#identity = identity;
    this.#handles = handles;
    this.#seal = seal;
    const [current, ...former] = seal.keyIds;
    this.#names = recordNames(seal, current);
    this.#formerNames = former.map((id) => recordNames(seal, id));
  }

  /**
   * Opens the store in `directory`. Rejects with CardeaError `store-locked` when another process has it open, `store-format` when
   * another version or another identity wrote it, `store-record-unreadable` when what everything hangs on does not open,
   * `store-open-failed` otherwise.
   */
  static async open(directory: string, options: StoreOptions): Promise<LevelStore> {
    let handles: Handles | undefined;
    try {
      mkdirSync(dirname(directory), { recursive: true, mode: 0o750 });
      makeRoomToOpen(dirname(directory), options.ballast);
      handles = handlesOf(directory);
      await handles.db.open({ createIfMissing: options.createIfMissing ?? true });
      const store = new LevelStore(directory, options, handles);
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
      const text = this.#find(this.#handles.card, (names) => names.card(card));
      if (text === undefined) return { kind: 'unknown' };
      const { record } = records.decodeCard(text);
      return record.state === 'live' ? { kind: 'live', binding: record } : { kind: 'retired', tombstone: record };
    } catch (error) {
      return { kind: 'unreadable', detail: errorMessage(error) };
    }
  }

  findCardholder(id: CardholderId): CardholderRecord | undefined {
    const text = this.#find(this.#handles.cardholder, (names) => names.cardholder(id));
    return text === undefined ? undefined : records.decodeCardholder(text).record;
  }

  async cardsOf(id: CardholderId): Promise<readonly (readonly [CardNumber, CardRecord])[]> {
    const found: [CardNumber, CardRecord][] = [];
    for await (const [key, value] of this.#handles.card.iterator()) {
      const stored = this.#cardOrNothing(key, value);
      if (stored?.record.cardholder === id) found.push([stored.number, stored.record]);
    }
    return found;
  }

  async *cardsIn(bucket: number): AsyncGenerator<readonly [CardNumber, CardRecord] | undefined> {
    const snapshot = this.#handles.db.snapshot();
    try {
      for (const prefix of [this.#names, ...this.#formerNames].map((names) => names.bucket(bucket))) {
        for await (const [key, value] of this.#handles.card.iterator({ gte: prefix, lt: `${prefix}~`, snapshot })) {
          const stored = this.#cardOrNothing(key, value);
          yield stored === undefined ? undefined : [stored.number, stored.record];
        }
      }
    } finally {
      await snapshot.close();
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
    for await (const [key, value] of this.#handles.passage.iterator()) {
      const text = this.#openOrNothing(this.#handles.passage.prefix + key, value);
      const entry = text === undefined ? undefined : records.passageOrNothing(text);
      if (entry !== undefined) yield entry;
    }
  }

  passageEra(): number {
    return this.#passageEra;
  }

  commands(): readonly CommandRecord[] {
    return this.#commands;
  }

  commit(batch: StoreBatch): Promise<void> {
    return this.#turns.run(() => this.#commit(batch));
  }

  async #commit(batch: StoreBatch): Promise<void> {
    if (this.#failure !== undefined) throw writeFailure(`an earlier write failed: ${this.#failure}`);
    const state = this.#stateAfter(batch);
    try {
      await this.#anchor?.reserve(batch.entries.at(-1)?.event.sequence ?? 0);
      await this.#write(batch, state);
      // The cursor's write may have torn the log ahead of this one, which then would not outlast the next opening.
      if (this.#failure !== undefined) throw writeFailure(`a write beside it failed: ${this.#failure}`);
    } catch (error) {
      this.#failure = errorMessage(error);
      throw writeFailure(`a batch with ${batch.entries.length} events: ${this.#failure}`, error);
    }
    this.#adopt(batch);
    this.#state = state;
    this.#recordedParts = state.parts;
    await this.#anchor?.note({
      ...state,
      identity: this.#identity ?? null,
      tail: this.#tail,
      acknowledged: this.#bounds.acknowledged,
      buckets: this.#roster.buckets,
    });
  }

  /** As of the last committed batch, from what was read and written. */
  state(): StoreState {
    return this.#state;
  }

  /** What the store keeps for `state().parts`, which is the same unless it is damaged; undefined where it has kept nothing yet. */
  recordedParts(): records.StateParts | undefined {
    return this.#recordedParts;
  }

  damage(): StoreDamage | undefined {
    return this.#damage;
  }

  #stateAfter(batch: StoreBatch): StoreState {
    const { generation, parts } = this.#state;
    return { generation: generation + 1, parts: partsAfter(parts, batch, this.#doorOrders) };
  }

  #partsNow(): records.StateParts {
    return partsOf({
      roster: this.#roster,
      doorOrders: this.#doorOrders,
      calendar: this.#calendar,
      commands: this.#commands,
      passageEra: this.#passageEra,
    });
  }

  /** A large batch is encoded and handed over in slices, so that others get their turn in between; it is one write all the same. */
  async #write(batch: StoreBatch, state: StoreState): Promise<void> {
    const { db } = this.#handles;
    const whole = db.batch();
    let taken = 0;
    if (batch.history?.replacing !== undefined) {
      for await (const key of this.#handles.event.keys()) whole.del(this.#handles.event.prefix + key);
    }
    for (const [key, value] of this.#puts(batch, state)) {
      if (value === undefined) whole.del(key);
      else whole.put(key, value);
      taken += 1;
      if (taken % SLICE === 0) await turnOfOthers();
    }
    await whole.write({ sync: true });
  }

  *#puts(batch: StoreBatch, state: StoreState): Generator<Put> {
    const seal = this.#seal;
    const put = (sublevel: Sublevel, key: string, text: string): Put => {
      const name = sublevel.prefix + key;
      return [name, seal.seal(name, text)];
    };
    const { card, cardholder, event, meta, passage } = this.#handles;
    for (const [number, record] of batch.cards) {
      yield put(card, this.#names.card(number), records.encodeCard({ number, record }));
      for (const names of this.#formerNames) yield [card.prefix + names.card(number), undefined];
    }
    for (const [id, record] of batch.cardholders) {
      yield put(cardholder, this.#names.cardholder(id), records.encodeCardholder({ id, record }));
      for (const names of this.#formerNames) yield [cardholder.prefix + names.cardholder(id), undefined];
    }
    for (const [door, orders] of batch.doorOrders) yield put(meta, `orders/${door}`, records.encodeOrders(orders));
    if (batch.calendar !== undefined) yield put(meta, 'calendar', records.encodeCalendar(batch.calendar));
    for (const entry of batch.passages ?? []) {
      const place = `${entry.zone}/${entry.cardholder}`;
      yield put(passage, this.#names.passage(place), records.encodePassage(entry));
      for (const names of this.#formerNames) yield [passage.prefix + names.passage(place), undefined];
    }
    if (batch.passageEra !== undefined) yield put(meta, 'passage-era', String(batch.passageEra));
    if (batch.commands !== undefined) yield put(meta, 'commands', records.encodeCommands(batch.commands));
    if (batch.damage !== undefined) yield put(meta, 'damage', records.encodeDamage(batch.damage));
    yield put(meta, 'generation', String(state.generation));
    if (this.#recordedParts === undefined || differingParts(state.parts, this.#state.parts).length > 0) {
      yield put(meta, 'parts', records.encodeParts(state.parts));
    }
    if (batch.history !== undefined) {
      const { entries, trimmed, replacing } = batch.history;
      for (const entry of entries) yield put(event, eventKey(entry.event.sequence), records.encodeEntry(entry));
      const beginning = this.#bounds.beginningAfter(trimmed, replacing?.gap);
      yield put(meta, 'trimmed', records.encodeTrimmed(beginning));
      if (replacing !== undefined) yield put(meta, 'sent', String(replacing.acknowledgedUpTo));
    }
    for (const entry of batch.entries) yield put(event, eventKey(entry.event.sequence), records.encodeEntry(entry));
    if (batch.roster !== undefined) {
      yield put(meta, 'roster', records.encodeRoster({ ...batch.roster, digest: digestOf(batch.roster) }));
      // Of 256 buckets a change touches one or two.
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        if (isSameBucket(bucket, batch.roster.buckets, this.#roster.buckets)) continue;
        const at = bucket * BUCKET_BYTES;
        const value = Buffer.from(batch.roster.buckets.subarray(at, at + BUCKET_BYTES)).toString('hex');
        yield put(meta, bucketKey(bucket), value);
      }
    }
  }

  #find(sublevel: Sublevel, nameIn: (names: RecordNames) => string): string | undefined {
    const found = this.#read(sublevel, nameIn(this.#names));
    if (found !== undefined || this.#formerNames.length === 0) return found;
    // A record may get its new name between two looks, and then has it for good.
    for (const names of [...this.#formerNames, this.#names]) {
      const text = this.#read(sublevel, nameIn(names));
      if (text !== undefined) return text;
    }
    return undefined;
  }

  #read(sublevel: Sublevel, key: string): string | undefined {
    const name = sublevel.prefix + key;
    const sealed = this.#handles.db.getSync(name);
    return sealed === undefined ? undefined : this.#seal.open(name, sealed);
  }

  /** As #read, with a turn for others. */
  async #readMeta(key: string): Promise<string | undefined> {
    const sealed = await this.#handles.meta.get(key);
    return sealed === undefined ? undefined : this.#seal.open(this.#handles.meta.prefix + key, sealed);
  }

  #openOrNothing(name: string, sealed: Uint8Array): string | undefined {
    try {
      return this.#seal.open(name, sealed);
    } catch {
      return undefined;
    }
  }

  /** Whoever looks such a card up is told; a search goes past it. */
  #cardOrNothing(key: string, sealed: Uint8Array): records.StoredCard | undefined {
    try {
      return records.decodeCard(this.#seal.open(this.#handles.card.prefix + key, sealed));
    } catch {
      return undefined;
    }
  }

  recover(): Promise<void> {
    return this.#turns.run(() => this.#recover());
  }

  async #recover(): Promise<void> {
    if (this.#failure === undefined) return;
    const folder = dirname(this.#directory);
    if (this.#handles.db.status === 'open') {
      const fault = reopenFault(folder, this.#ballast);
      if (fault !== undefined) throw writeFailure(`${fault}: ${this.#failure}`);
    } else makeRoomToOpen(folder, this.#ballast);
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

  /** Seals with `seal` from now on, which also opens all that is there; `former` are keys whose records were not sealed anew yet. */
  useSeal(seal: RecordSeal, former: readonly number[]): Promise<void> {
    return this.#turns.run(async () => {
      this.#seal = seal;
      this.#names = recordNames(seal);
      this.#formerNames = former.map((id) => recordNames(seal, id));
    });
  }

  /** The next records behind the key `after`. Rejects with CardeaError `store-write-failed`. */
  sealAnew(after: string): Promise<ResealedSlice> {
    return this.#turns.run(() =>
      this.#putBeside('records sealed anew', () =>
        resealSlice(this.#handles.db, after, { seal: this.#seal, names: this.#names }),
      ),
    );
  }

  /** Rewrites the files, so that nothing is left in them of what was deleted or replaced. Rejects as the database does. */
  compact(): Promise<void> {
    return compact(this.#handles.db);
  }

  snapshot(): Promise<StoreSnapshot> {
    return openSnapshot(this.#handles, this.#seal);
  }

  probe(): void {
    this.#handles.meta.getSync('format');
  }

  tail(): LogTail {
    return this.#tail;
  }

  entryAt(sequence: number): LogEntry | undefined {
    const key = eventKey(sequence);
    const sealed = this.#handles.db.getSync(this.#handles.event.prefix + key);
    return sealed === undefined ? undefined : this.#entryOf(key, sealed);
  }

  firstSequence(): number {
    return this.#bounds.trimmed.sequence + 1;
  }

  trimmedUpTo(): LogTail {
    return this.#bounds.trimmed;
  }

  gap(): SequenceRange | undefined {
    return this.#bounds.gap;
  }

  async entriesAfter(after: number, limit: number): Promise<readonly LogEntry[]> {
    // To search past what was trimmed takes milliseconds.
    const from = eventKey(Math.max(after, this.#bounds.trimmed.sequence));
    const found = await this.#handles.event.iterator({ gt: from, limit }).all();
    return found.map(([key, sealed]) => this.#entryOf(key, sealed));
  }

  #entryOf(key: string, sealed: Uint8Array): LogEntry {
    try {
      return records.decodeEntry(this.#seal.open(this.#handles.event.prefix + key, sealed));
    } catch (cause) {
      const sequence = Number.parseInt(key, 16);
      const message = `record ${sequence} of the log cannot be read: ${errorMessage(cause)}`;
      throw new CardeaError('store-record-unreadable', message, { cause, context: { sequence } });
    }
  }

  sentUpTo(): number {
    return this.#bounds.sent;
  }

  acknowledgedUpTo(): number {
    return this.#bounds.acknowledged;
  }

  saveSentUpTo(sequence: number): Promise<void> {
    this.#bounds.moveSent(sequence);
    return this.#saveCursors();
  }

  saveAcknowledgedUpTo(sequence: number): Promise<void> {
    this.#bounds.moveAcknowledged(sequence);
    return this.#saveCursors();
  }

  #saveCursors(): Promise<void> {
    return this.#turns.run(async () => {
      if (this.#failure !== undefined) return;
      const key = `${this.#handles.meta.prefix}sent`;
      const value = this.#seal.seal(key, this.#bounds.cursors);
      await this.#putBeside('the outbox cursor', () => this.#handles.db.put(key, value));
    });
  }

  trim(upTo: number): Promise<void> {
    return this.#turns.run(() => this.#trim(upTo));
  }

  async #trim(upTo: number): Promise<void> {
    const { db, event, meta } = this.#handles;
    const { trimmed, acknowledged } = this.#bounds;
    const last = Math.min(upTo, acknowledged, this.#tail.sequence - 1);
    if (last <= trimmed.sequence) return;
    const [first] = await this.entriesAfter(last, 1);
    if (first === undefined) return;
    const gone = { sequence: first.event.sequence - 1, hash: first.event.previousHash };
    const key = `${meta.prefix}trimmed`;
    const batch = db.batch().put(key, this.#seal.seal(key, records.encodeTrimmed(this.#bounds.beginningAfter(gone))));
    for (let sequence = trimmed.sequence + 1; sequence <= last; sequence++) {
      batch.del(event.prefix + eventKey(sequence));
    }
    await this.#putBeside('the beginning of the log', () => batch.write());
    this.#bounds.trimmed = gone;
  }

  /** A write without sync, beside the commits. One that failed may have torn what they stand on. */
  async #putBeside<T>(what: string, put: () => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw writeFailure(`an earlier write failed: ${this.#failure}`);
    try {
      return await put();
    } catch (error) {
      this.#failure = errorMessage(error);
      throw writeFailure(`${what}: ${this.#failure}`, error);
    }
  }

  async close(): Promise<void> {
    await this.#handles.db.close();
    await this.#anchor?.close();
  }

  async #load(): Promise<void> {
    const { db, meta } = this.#handles;
    const format = (await meta.get('format'))?.toString();
    if (format === undefined) {
      await db.batch([{ type: 'put', sublevel: meta, key: 'format', value: Buffer.from(FORMAT) }], { sync: true });
    } else checkFormat(format);
    await this.#checkIdentity();
    this.#roster = await this.#loadRoster();
    this.#tail = EMPTY_LOG;
    const [last] = await this.#handles.event.iterator({ reverse: true, limit: 1 }).all();
    if (last !== undefined) {
      const { sequence, hash } = this.#entryOf(...last).event;
      this.#tail = { sequence, hash };
    }
    const cursors = await this.#readMeta('sent');
    this.#bounds.load({ cursors, trimmed: await this.#readMeta('trimmed') }, this.#tail.sequence);
    const commands = await this.#readMeta('commands');
    this.#commands = commands === undefined ? [] : records.decodeCommands(commands);
    this.#doorOrders.clear();
    for await (const [key, value] of this.#handles.meta.iterator({ gt: 'orders/', lt: 'orders0' })) {
      // Keys of this range are written by commit only, from door ids.
      const door = key.slice('orders/'.length) as DoorId;
      const text = this.#openOrNothing(meta.prefix + key, value);
      this.#doorOrders.set(door, (text === undefined ? undefined : records.ordersOrNothing(text)) ?? UNREADABLE_ORDERS);
    }
    const calendar = await meta.get('calendar');
    const definition = calendar && this.#openOrNothing(`${meta.prefix}calendar`, calendar);
    this.#calendar = calendar && ((definition && records.calendarOrNothing(definition)) || 'unreadable');
    this.#passageEra = countOf(await this.#readMeta('passage-era'), 'era of passages');
    const damage = await this.#readMeta('damage');
    this.#damage = damage === undefined ? undefined : records.decodeDamage(damage);
    const generation = countOf(await this.#readMeta('generation'), 'count of batches');
    this.#state = { generation, parts: this.#partsNow() };
    const parts = await this.#readMeta('parts');
    this.#recordedParts = parts === undefined ? undefined : records.decodeParts(parts);
  }

  async #checkIdentity(): Promise<void> {
    if (this.#identity === undefined) return;
    const identity = (await this.#handles.meta.get('identity'))?.toString();
    if (identity === undefined) {
      const { db, meta } = this.#handles;
      const value = Buffer.from(this.#identity);
      await db.batch([{ type: 'put', sublevel: meta, key: 'identity', value }], { sync: true });
    } else checkOwner(this.#directory, identity, this.#identity);
  }

  async #loadRoster(): Promise<RosterSummary> {
    const stored = await this.#readMeta('roster');
    const buckets = await this.#loadBuckets();
    const { digest, ...roster } =
      stored === undefined ? { ...emptyRoster(), digest: digestOf(emptyRoster()) } : records.decodeRoster(stored);
    const loaded = { ...roster, buckets };
    if (digestOf(loaded) !== digest) throw unreadable('roster digest');
    return loaded;
  }

  async #loadBuckets(): Promise<Uint8Array> {
    const { meta } = this.#handles;
    const buckets = new Uint8Array(DIGEST_BYTES);
    for await (const [key, sealed] of meta.iterator({ gt: 'bucket/', lt: 'bucket0' })) {
      const value = Buffer.from(this.#seal.open(meta.prefix + key, sealed), 'hex');
      const bucket = Number.parseInt(key.slice('bucket/'.length), 16);
      if (value.length !== BUCKET_BYTES || !(bucket < BUCKETS)) throw unreadable('roster digest');
      buckets.set(value, bucket * BUCKET_BYTES);
    }
    return buckets;
  }

  #adopt(batch: StoreBatch): void {
    const last = batch.entries.at(-1);
    if (last !== undefined) this.#tail = { sequence: last.event.sequence, hash: last.event.hash };
    if (batch.history !== undefined) {
      const { trimmed, replacing } = batch.history;
      if (replacing === undefined) this.#bounds.trimmed = trimmed;
      else this.#bounds.restart(replacing.gap, { trimmed, acknowledged: replacing.acknowledgedUpTo });
    }
    if (batch.roster !== undefined) this.#roster = batch.roster;
    for (const [door, orders] of batch.doorOrders) this.#doorOrders.set(door, orders);
    if (batch.calendar !== undefined) this.#calendar = batch.calendar;
    if (batch.passageEra !== undefined) this.#passageEra = batch.passageEra;
    if (batch.commands !== undefined) this.#commands = batch.commands;
    if (batch.damage !== undefined) this.#damage = batch.damage;
  }
}

const bucketKey = (bucket: number): string => `bucket/${bucket.toString(16).padStart(2, '0')}`;

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
