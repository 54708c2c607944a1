// CredentialStore and EventLog in memory. It keeps the port's promises, and its failures are called for: a commit that is
// refused, a commit that hangs, a record that cannot be read. What was committed lives on the disk and outlasts the store.

import { EMPTY_LOG, type LogTail } from '../../src/domain/access-event.ts';
import type { CalendarRecord } from '../../src/domain/calendar.ts';
import type { CardNumber } from '../../src/domain/card-number.ts';
import type { CardholderRecord, CardLookup, CardRecord } from '../../src/domain/credential.ts';
import type { CommandRecord } from '../../src/domain/door-command.ts';
import { type DoorOrders, NO_ORDERS } from '../../src/domain/door-mode.ts';
import type { CardholderId, DoorId } from '../../src/domain/ids.ts';
import type { SequenceRange } from '../../src/domain/log-chain.ts';
import type { PassageEntry } from '../../src/domain/passage.ts';
import { bucketOf, emptyRoster, type RosterSummary } from '../../src/domain/roster-digest.ts';
import { CardeaError } from '../../src/errors.ts';
import type { CredentialStore, StoreBatch, StoreDamage } from '../../src/ports/credential-store.ts';
import type { EventLog, LogEntry } from '../../src/ports/event-log.ts';
import type { SnapshotRecord, SnapshotSource, StoreSnapshot } from '../../src/ports/store-snapshot.ts';

/** What stays when a store is closed. Only one store may have it open. */
export class MemoryDisk {
  readonly cards = new Map<CardNumber, CardRecord>();
  readonly cardholders = new Map<CardholderId, CardholderRecord>();
  readonly doorOrders = new Map<DoorId, DoorOrders>();
  calendar: CalendarRecord | 'unreadable' | undefined;
  readonly passages = new Map<string, PassageEntry>();
  passageEra = 0;
  /** In the order of their numbers. */
  readonly entries: LogEntry[] = [];
  readonly garbledCards = new Set<CardNumber>();
  readonly garbledCardholders = new Set<CardholderId>();
  readonly garbledEntries = new Set<number>();
  roster: RosterSummary = emptyRoster();
  commands: readonly CommandRecord[] = [];
  damage: StoreDamage | undefined;
  sentUpTo = 0;
  acknowledgedUpTo = 0;
  trimmedUpTo: LogTail = EMPTY_LOG;
  gap: SequenceRange | undefined;
  isOpen = false;
}

export class MemoryStore implements CredentialStore, EventLog, SnapshotSource {
  readonly #disk: MemoryDisk;
  #isClosed = false;
  #held: (() => void)[] | undefined;
  #keepsRefused = false;
  #recovery: (() => void) | undefined;

  /** While set, commits are refused with it. */
  commitFailure: CardeaError | undefined;
  /** While set, probe and the synchronous reads of the log throw it. */
  readFailure: CardeaError | undefined;
  /** While set, the cursor cannot be moved. */
  cursorFailure: CardeaError | undefined;
  /** The batches that were asked for, refused ones included. */
  readonly commits: StoreBatch[] = [];
  /** How often a card was looked up. */
  lookups = 0;

  constructor(disk: MemoryDisk = new MemoryDisk()) {
    if (disk.isOpen) throw new CardeaError('store-locked', 'another store has this disk open');
    this.#disk = disk;
    disk.isOpen = true;
  }

  findCard(card: CardNumber): CardLookup {
    this.lookups += 1;
    if (this.#isClosed) return { kind: 'unreadable', detail: 'the store is closed' };
    if (this.#disk.garbledCards.has(card)) return { kind: 'unreadable', detail: 'a card record does not decode' };
    const record = this.#disk.cards.get(card);
    if (record === undefined) return { kind: 'unknown' };
    return record.state === 'live' ? { kind: 'live', binding: record } : { kind: 'retired', tombstone: record };
  }

  findCardholder(id: CardholderId): CardholderRecord | undefined {
    if (this.#disk.garbledCardholders.has(id)) throw unreadable('a cardholder record');
    return this.#disk.cardholders.get(id);
  }

  async cardsOf(id: CardholderId): Promise<readonly (readonly [CardNumber, CardRecord])[]> {
    return [...this.#disk.cards].filter(
      ([card, record]) => record.cardholder === id && !this.#disk.garbledCards.has(card),
    );
  }

  async *cardsIn(bucket: number): AsyncGenerator<readonly [CardNumber, CardRecord] | undefined> {
    for (const [card, record] of this.#disk.cards) {
      if (bucketOf(card) === bucket) yield this.#disk.garbledCards.has(card) ? undefined : [card, record];
    }
  }

  roster(): RosterSummary {
    return this.#disk.roster;
  }

  doorOrders(door: DoorId): DoorOrders {
    return this.#disk.doorOrders.get(door) ?? NO_ORDERS;
  }

  calendar(): CalendarRecord | 'unreadable' | undefined {
    return this.#disk.calendar;
  }

  async *passages(): AsyncGenerator<PassageEntry> {
    yield* this.#disk.passages.values();
  }

  passageEra(): number {
    return this.#disk.passageEra;
  }

  damage(): StoreDamage | undefined {
    return this.#disk.damage;
  }

  commands(): readonly CommandRecord[] {
    return this.#disk.commands;
  }

  async commit(batch: StoreBatch): Promise<void> {
    this.commits.push(batch);
    const held = this.#held;
    if (held !== undefined) await new Promise<void>((resolve) => held.push(resolve));
    if (this.#isClosed) throw new CardeaError('store-write-failed', 'the store is closed');
    if (this.#keepsRefused) {
      this.#keepsRefused = false;
      this.#recovery = () => this.#write(batch);
      throw new CardeaError('store-write-failed', 'the disk did not confirm the write');
    }
    if (this.commitFailure !== undefined) throw this.commitFailure;
    this.#write(batch);
  }

  #write(batch: StoreBatch): void {
    const disk = this.#disk;
    for (const [card, record] of batch.cards) {
      disk.cards.set(card, record);
      disk.garbledCards.delete(card);
    }
    for (const [id, record] of batch.cardholders) {
      disk.cardholders.set(id, record);
      disk.garbledCardholders.delete(id);
    }
    for (const [door, orders] of batch.doorOrders) disk.doorOrders.set(door, orders);
    if (batch.calendar !== undefined) disk.calendar = batch.calendar;
    for (const entry of batch.passages ?? []) disk.passages.set(`${entry.zone}/${entry.cardholder}`, entry);
    if (batch.passageEra !== undefined) disk.passageEra = batch.passageEra;
    if (batch.history !== undefined && (batch.history.first ?? this.firstSequence()) === this.firstSequence()) {
      const { entries, trimmed, replacing } = batch.history;
      if (replacing !== undefined) {
        disk.entries.length = 0;
        disk.gap = replacing.gap;
        disk.sentUpTo = replacing.acknowledgedUpTo;
        disk.acknowledgedUpTo = replacing.acknowledgedUpTo;
      }
      disk.entries.unshift(...[...entries].sort((a, b) => a.event.sequence - b.event.sequence));
      disk.trimmedUpTo = trimmed;
    }
    disk.entries.push(...batch.entries);
    if (batch.commands !== undefined) disk.commands = batch.commands;
    if (batch.damage !== undefined) disk.damage = batch.damage;
    if (batch.roster !== undefined) disk.roster = batch.roster;
  }

  async recover(): Promise<void> {
    if (this.#recovery === undefined) return;
    const recovery = this.#recovery;
    this.#recovery = undefined;
    recovery();
  }

  async snapshot(): Promise<StoreSnapshot> {
    const disk = this.#disk;
    const orders = [...disk.doorOrders].map(([door, held]): SnapshotRecord => ({ kind: 'orders', door, orders: held }));
    const watermarks = [...disk.cardholders].flatMap(([cardholder, { watermark }]): SnapshotRecord[] =>
      watermark === undefined ? [] : [{ kind: 'watermark', cardholder, watermark }],
    );
    const cards = [...disk.cards].map(([card, record]): SnapshotRecord | undefined =>
      disk.garbledCards.has(card) ? undefined : { kind: 'card', card, record },
    );
    const events = disk.entries.map((entry): SnapshotRecord => ({ kind: 'event', entry })).reverse();
    const { calendar } = disk;
    const all = [
      ...(calendar === undefined
        ? []
        : [calendar === 'unreadable' ? undefined : ({ kind: 'calendar', calendar } as const)]),
      ...orders,
      ...watermarks,
      ...cards,
      ...events,
    ];
    const { roster, acknowledgedUpTo } = disk;
    const tail = this.tail();
    return {
      roster,
      tail,
      acknowledgedUpTo,
      async *records() {
        yield* all;
      },
      close: async () => {},
    };
  }

  /** The batch of the next commit gets to the disk although the commit is refused: seen after recover(), not before. */
  refuseButKeepNextCommit(): void {
    this.#keepsRefused = true;
  }

  probe(): void {
    if (this.readFailure !== undefined) throw this.readFailure;
    if (this.#isClosed) throw new CardeaError('store-open-failed', 'the store is closed');
  }

  tail(): LogTail {
    const last = this.#disk.entries.at(-1)?.event;
    return last === undefined ? EMPTY_LOG : { sequence: last.sequence, hash: last.hash };
  }

  entryAt(sequence: number): LogEntry | undefined {
    if (this.readFailure !== undefined) throw this.readFailure;
    if (this.#disk.garbledEntries.has(sequence)) throw unreadable('an event record');
    return this.#disk.entries.find(({ event }) => event.sequence === sequence);
  }

  async entriesAfter(after: number, limit: number): Promise<readonly LogEntry[]> {
    const first = this.#disk.entries.findIndex(({ event }) => event.sequence > after);
    const entries = first === -1 ? [] : this.#disk.entries.slice(first, first + limit);
    const garbled = entries.find(({ event }) => this.#disk.garbledEntries.has(event.sequence));
    if (garbled !== undefined) throw unreadable('an event record', { sequence: garbled.event.sequence });
    return entries;
  }

  firstSequence(): number {
    return this.#disk.trimmedUpTo.sequence + 1;
  }

  trimmedUpTo(): LogTail {
    return this.#disk.trimmedUpTo;
  }

  gap(): SequenceRange | undefined {
    return this.#disk.gap;
  }

  sentUpTo(): number {
    return this.#disk.sentUpTo;
  }

  acknowledgedUpTo(): number {
    return this.#disk.acknowledgedUpTo;
  }

  async saveSentUpTo(sequence: number): Promise<void> {
    if (this.cursorFailure !== undefined) throw this.cursorFailure;
    this.#disk.sentUpTo = Math.max(this.#disk.sentUpTo, sequence);
  }

  async saveAcknowledgedUpTo(sequence: number): Promise<void> {
    await this.saveSentUpTo(sequence);
    this.#disk.acknowledgedUpTo = Math.max(this.#disk.acknowledgedUpTo, sequence);
  }

  async trim(upTo: number): Promise<void> {
    if (this.commitFailure !== undefined) throw this.commitFailure;
    const disk = this.#disk;
    const last = Math.min(upTo, disk.acknowledgedUpTo, this.tail().sequence - 1);
    if (last <= disk.trimmedUpTo.sequence) return;
    const [first] = await this.entriesAfter(last, 1);
    if (first === undefined) return;
    disk.trimmedUpTo = { sequence: first.event.sequence - 1, hash: first.event.previousHash };
    disk.entries.splice(0, disk.entries.indexOf(first));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#disk.isOpen = false;
  }

  /** From now on commits hang until releaseCommits(). */
  holdCommits(): void {
    this.#held ??= [];
  }

  /** Lets the commits that hang go on, and holds no longer. */
  releaseCommits(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const release of held) release();
  }

  garbleCard(card: CardNumber): void {
    this.#disk.garbledCards.add(card);
  }

  garbleCardholder(id: CardholderId): void {
    this.#disk.garbledCardholders.add(id);
  }

  garbleCalendar(): void {
    this.#disk.calendar = 'unreadable';
  }

  garbleEntry(sequence: number): void {
    this.#disk.garbledEntries.add(sequence);
  }

  /** As if they had never been there. */
  removeEntries(from: number, to: number): void {
    const { entries } = this.#disk;
    entries.splice(0, entries.length, ...entries.filter(({ event: { sequence } }) => sequence < from || sequence > to));
  }

  /** Every card ever heard of, for comparing. */
  get cards(): ReadonlyMap<CardNumber, CardRecord> {
    return this.#disk.cards;
  }

  get cardholders(): ReadonlyMap<CardholderId, CardholderRecord> {
    return this.#disk.cardholders;
  }

  get entries(): readonly LogEntry[] {
    return this.#disk.entries;
  }
}

const unreadable = (what: string, context?: { readonly sequence: number }): CardeaError =>
  new CardeaError('store-record-unreadable', `${what} does not decode`, { ...(context !== undefined && { context }) });
