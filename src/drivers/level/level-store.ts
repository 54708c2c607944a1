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
import type { LogTail } from '../../domain/access-event.ts';
import type { HeldCalendar } from '../../domain/calendar-order.ts';
import type { CardNumber } from '../../domain/card-number.ts';
import type { CardholderRecord, CardLookup, CardRecord } from '../../domain/credential.ts';
import type { CommandRecord } from '../../domain/door-command.ts';
import { type DoorOrders, NO_ORDERS } from '../../domain/door-mode.ts';
import type { CardholderId, DoorId } from '../../domain/ids.ts';
import type { SequenceRange } from '../../domain/log-chain.ts';
import type { PassageEntry } from '../../domain/passage.ts';
import type { RosterSummary } from '../../domain/roster-digest.ts';
import { CardeaError, errorMessage } from '../../errors.ts';
import type { CredentialStore, StoreBatch, StoreDamage } from '../../ports/credential-store.ts';
import type { EventLog, LogEntry } from '../../ports/event-log.ts';
import type { SnapshotSource, StoreSnapshot } from '../../ports/store-snapshot.ts';
import type { StoreAnchor } from './anchor.ts';
import type { Ballast } from './ballast.ts';
import { putsOf } from './batch-puts.ts';
import { makeRoomToOpen, reopenFault } from './disk-room.ts';
import { openSnapshot } from './level-snapshot.ts';
import { LogBounds } from './log-bounds.ts';
import { openFailure } from './open-failure.ts';
import { eventKey } from './plain-keys.ts';
import type { RecordSeal } from './record-seal.ts';
import * as records from './records.ts';
import { compact, type ResealedSlice, resealSlice } from './reseal-records.ts';
import { recordKeys, SealedRecords } from './sealed-records.ts';
import { contentsAfter, EMPTY_CONTENTS, readContents, type StoreContents } from './store-contents.ts';
import { claimDatabase } from './store-format.ts';
import type { StoreState } from './store-state.ts';
import { type Handles, handlesOf } from './sublevels.ts';
import { WriteTurns } from './write-turns.ts';

/** Records that are handed over to the database in one go. */
const SLICE = 100;

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

export class LevelStore implements CredentialStore, EventLog, SnapshotSource {
  readonly #directory: string;
  readonly #identity: string | undefined;
  readonly #ballast: Ballast | undefined;
  readonly #anchor: StoreAnchor | undefined;
  readonly #turns = new WriteTurns();
  readonly #bounds = new LogBounds();
  #sealed: SealedRecords;
  #contents: StoreContents = EMPTY_CONTENTS;
  #failure: string | undefined;

  private constructor(directory: string, { identity, seal, ballast, anchor }: StoreOptions, handles: Handles) {
    this.#directory = directory;
    this.#identity = identity;
    this.#ballast = ballast;
    this.#anchor = anchor;
    this.#sealed = new SealedRecords(handles, recordKeys(seal, seal.keyIds.slice(1)));
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

  get #handles(): Handles {
    return this.#sealed.handles;
  }

  findCard(card: CardNumber): CardLookup {
    try {
      const text = this.#sealed.find(this.#handles.card, (names) => names.card(card));
      if (text === undefined) return { kind: 'unknown' };
      const { record } = records.decodeCard(text);
      return record.state === 'live' ? { kind: 'live', binding: record } : { kind: 'retired', tombstone: record };
    } catch (error) {
      return { kind: 'unreadable', detail: errorMessage(error) };
    }
  }

  findCardholder(id: CardholderId): CardholderRecord | undefined {
    const text = this.#sealed.find(this.#handles.cardholder, (names) => names.cardholder(id));
    return text === undefined ? undefined : records.decodeCardholder(text).record;
  }

  async cardsOf(id: CardholderId): Promise<readonly (readonly [CardNumber, CardRecord])[]> {
    const found: [CardNumber, CardRecord][] = [];
    for await (const [key, value] of this.#handles.card.iterator()) {
      const stored = this.#sealed.openCardOrNothing(key, value);
      if (stored?.record.cardholder === id) found.push([stored.number, stored.record]);
    }
    return found;
  }

  async *cardsIn(bucket: number): AsyncGenerator<readonly [CardNumber, CardRecord] | undefined> {
    const snapshot = this.#handles.db.snapshot();
    const { names, formerNames } = this.#sealed.keys;
    try {
      for (const prefix of [names, ...formerNames].map((each) => each.bucket(bucket))) {
        for await (const [key, value] of this.#handles.card.iterator({ gte: prefix, lt: `${prefix}~`, snapshot })) {
          const stored = this.#sealed.openCardOrNothing(key, value);
          yield stored === undefined ? undefined : [stored.number, stored.record];
        }
      }
    } finally {
      await snapshot.close();
    }
  }

  roster(): RosterSummary {
    return this.#contents.roster;
  }

  doorOrders(door: DoorId): DoorOrders {
    return this.#contents.doorOrders.get(door) ?? NO_ORDERS;
  }

  calendar(): HeldCalendar {
    return this.#contents.calendar;
  }

  async *passages(): AsyncGenerator<PassageEntry> {
    const { passage } = this.#handles;
    for await (const [key, value] of passage.iterator()) {
      const text = this.#sealed.openOrNothing(passage, key, value);
      const entry = text === undefined ? undefined : records.passageOrNothing(text);
      if (entry !== undefined) yield entry;
    }
  }

  passageEra(): number {
    return this.#contents.passageEra;
  }

  commands(): readonly CommandRecord[] {
    return this.#contents.commands;
  }

  commit(batch: StoreBatch): Promise<void> {
    return this.#turns.run(() =>
      this.#commit(this.#bounds.takes(batch.history) ? batch : { ...batch, history: undefined }),
    );
  }

  async #commit(batch: StoreBatch): Promise<void> {
    if (this.#failure !== undefined) throw writeFailure(`an earlier write failed: ${this.#failure}`);
    const after = contentsAfter(this.#contents, batch);
    try {
      await this.#anchor?.reserve(batch.entries.at(-1)?.event.sequence ?? 0);
      await this.#write(batch, after);
      // The cursor's write may have torn the log ahead of this one, which then would not outlast the next opening.
      if (this.#failure !== undefined) throw writeFailure(`a write beside it failed: ${this.#failure}`);
    } catch (error) {
      this.#failure = errorMessage(error);
      throw writeFailure(`a batch with ${batch.entries.length} events: ${this.#failure}`, error);
    }
    this.#contents = after;
    if (batch.history !== undefined) this.#bounds.adopt(batch.history);
    await this.#anchor?.note({
      ...after.state,
      identity: this.#identity ?? null,
      tail: after.tail,
      acknowledged: this.#bounds.acknowledged,
      buckets: after.roster.buckets,
    });
  }

  /** As of the last committed batch, from what was read and written. */
  state(): StoreState {
    return this.#contents.state;
  }

  /** What the store keeps for `state().parts`, which is the same unless it is damaged; undefined where it has kept nothing yet. */
  recordedParts(): records.StateParts | undefined {
    return this.#contents.recordedParts;
  }

  damage(): StoreDamage | undefined {
    return this.#contents.damage;
  }

  /** A large batch is encoded and handed over in slices, so that others get their turn in between; it is one write all the same. */
  async #write(batch: StoreBatch, after: StoreContents): Promise<void> {
    const { db, event } = this.#handles;
    const whole = db.batch();
    let taken = 0;
    if (batch.history?.replacing !== undefined) {
      for await (const key of event.keys()) whole.del(event.prefix + key);
    }
    const ground = { sealed: this.#sealed, before: this.#contents, after, bounds: this.#bounds };
    for (const [key, value] of putsOf(batch, ground)) {
      if (value === undefined) whole.del(key);
      else whole.put(key, value);
      taken += 1;
      if (taken % SLICE === 0) await turnOfOthers();
    }
    await whole.write({ sync: true });
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
    const before = this.#contents;
    try {
      await this.#handles.db.close();
      this.#sealed = new SealedRecords(handlesOf(this.#directory), this.#sealed.keys);
      await this.#handles.db.open({ createIfMissing: false });
      await this.#load();
      await this.#checkNotOlder(before);
    } catch (error) {
      throw writeFailure(`it could not be opened again: ${errorMessage(error)}`, error);
    }
    this.#failure = undefined;
  }

  /**
   * Numbers of events that are gone would be used again, and cards that were revoked be live. Such a database answers nothing: then
   * the watchdog is not fed, and the next start sees to it.
   */
  async #checkNotOlder(before: StoreContents): Promise<void> {
    if (this.#contents.state.generation >= before.state.generation) return;
    this.#contents = before;
    await this.#handles.db.close();
    throw new CardeaError('store-damaged', 'it is older than it was; a restart sets it aside');
  }

  /** Seals with `seal` from now on, which also opens all that is there; `former` are keys whose records were not sealed anew yet. */
  useSeal(seal: RecordSeal, former: readonly number[]): Promise<void> {
    return this.#turns.run(async () => {
      this.#sealed = new SealedRecords(this.#handles, recordKeys(seal, former));
    });
  }

  /** The next records behind the key `after`. Rejects with CardeaError `store-write-failed`. */
  sealAnew(after: string): Promise<ResealedSlice> {
    return this.#turns.run(() =>
      this.#putBeside('records sealed anew', () => resealSlice(this.#handles.db, after, this.#sealed.keys)),
    );
  }

  /** Rewrites the files, so that nothing is left in them of what was deleted or replaced. Rejects as the database does. */
  compact(): Promise<void> {
    return compact(this.#handles.db);
  }

  snapshot(): Promise<StoreSnapshot> {
    return openSnapshot(this.#handles, this.#sealed.keys.seal);
  }

  probe(): void {
    this.#handles.meta.getSync('format');
  }

  tail(): LogTail {
    return this.#contents.tail;
  }

  entryAt(sequence: number): LogEntry | undefined {
    return this.#sealed.event(eventKey(sequence));
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
    return found.map(([key, sealed]) => this.#sealed.openEvent(key, sealed));
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
      const [key, value] = this.#sealed.sealAs(this.#handles.meta, 'sent', this.#bounds.cursors);
      await this.#putBeside('the outbox cursor', () => this.#handles.db.put(key, value));
    });
  }

  trim(upTo: number): Promise<void> {
    return this.#turns.run(() => this.#trim(upTo));
  }

  async #trim(upTo: number): Promise<void> {
    const { db, event, meta } = this.#handles;
    const { trimmed, acknowledged } = this.#bounds;
    const last = Math.min(upTo, acknowledged, this.tail().sequence - 1);
    if (last <= trimmed.sequence) return;
    const [first] = await this.entriesAfter(last, 1);
    if (first === undefined) return;
    const gone = { sequence: first.event.sequence - 1, hash: first.event.previousHash };
    const beginning = records.encodeTrimmed(this.#bounds.beginningAfter(gone));
    const batch = db.batch().put(...this.#sealed.sealAs(meta, 'trimmed', beginning));
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
    await claimDatabase(this.#handles, this.#directory, this.#identity);
    this.#contents = await readContents(this.#sealed);
    const [cursors, trimmed] = [await this.#sealed.meta('sent'), await this.#sealed.meta('trimmed')];
    this.#bounds.load({ cursors, trimmed }, this.#contents.tail.sequence);
  }
}

const turnOfOthers = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const writeFailure = (what: string, cause?: unknown): CardeaError =>
  new CardeaError('store-write-failed', `the store does not take writes: ${what}`, { cause });
