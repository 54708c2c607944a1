// Cards, cardholders and the event log in one LevelDB, opened by this process alone.
//
// 1. Durable before acknowledged: a commit is one batch, written with sync.
// 2. What cannot be read is said to be unreadable; nothing is made up for it.

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Level } from 'level';
import type { DoorMode } from '../../domain/access-decision.ts';
import { EMPTY_LOG, type LogTail } from '../../domain/access-event.ts';
import type { CardNumber } from '../../domain/card-number.ts';
import type { CardholderRecord, CardLookup } from '../../domain/credential.ts';
import type { CardholderId, DoorId } from '../../domain/ids.ts';
import { DIGEST_BYTES, emptyRoster, type RosterSummary } from '../../domain/roster-digest.ts';
import { CardeaError, errorMessage } from '../../errors.ts';
import type { CredentialStore, StoreBatch } from '../../ports/credential-store.ts';
import type { EventLog, LogEntry } from '../../ports/event-log.ts';
import * as records from './records.ts';

/** The layout of keys and sublevels; a store with another one is refused. */
const FORMAT = '1';
/** Hex digits of a sequence number in a key, so that keys sort as numbers do: 2^53 has 14. */
const SEQUENCE_DIGITS = 14;
/** The block cache holds the hot part of a large roster. */
const CACHE_BYTES = 16 * 1024 * 1024;

type Database = Level<string, string>;
const sublevelOf = (db: Database, name: 'card' | 'cardholder' | 'event' | 'meta') => db.sublevel(name);
type Sublevel = ReturnType<typeof sublevelOf>;
type Operation = { type: 'put'; key: string; value: string; sublevel: Sublevel };

const DOOR_MODES: readonly DoorMode[] = ['normal', 'blocked', 'held-open'];

export class LevelStore implements CredentialStore, EventLog {
  readonly #db: Database;
  readonly #card: Sublevel;
  readonly #cardholder: Sublevel;
  readonly #event: Sublevel;
  readonly #meta: Sublevel;
  #roster: RosterSummary = emptyRoster();
  #tail: LogTail = EMPTY_LOG;
  #sentUpTo = 0;
  readonly #doorModes = new Map<DoorId, DoorMode>();

  private constructor(db: Database) {
    this.#db = db;
    this.#card = sublevelOf(db, 'card');
    this.#cardholder = sublevelOf(db, 'cardholder');
    this.#event = sublevelOf(db, 'event');
    this.#meta = sublevelOf(db, 'meta');
  }

  /**
   * Opens the store in `directory`, which is made if it is missing. Rejects with CardeaError `store-locked` when another
   * process has it open, `store-format` when another version wrote it, `store-open-failed` otherwise.
   */
  static async open(directory: string): Promise<LevelStore> {
    let db: Database | undefined;
    try {
      mkdirSync(dirname(directory), { recursive: true, mode: 0o750 });
      db = new Level<string, string>(directory, { cacheSize: CACHE_BYTES });
      await db.open();
      const store = new LevelStore(db);
      await store.#load();
      return store;
    } catch (error) {
      // Also ends an opening that failed halfway; there is nothing to flush.
      await db?.close();
      throw error instanceof CardeaError ? error : openFailure(directory, error);
    }
  }

  findCard(card: CardNumber): CardLookup {
    try {
      const text = this.#card.getSync(card);
      if (text === undefined) return { kind: 'unknown' };
      const record = records.decodeCard(text);
      return record.state === 'live' ? { kind: 'live', binding: record } : { kind: 'retired', tombstone: record };
    } catch (error) {
      return { kind: 'unreadable', detail: errorMessage(error) };
    }
  }

  findCardholder(id: CardholderId): CardholderRecord | undefined {
    const text = this.#cardholder.getSync(id);
    return text === undefined ? undefined : records.decodeCardholder(text);
  }

  roster(): RosterSummary {
    return this.#roster;
  }

  doorMode(door: DoorId): DoorMode | undefined {
    return this.#doorModes.get(door);
  }

  async commit(batch: StoreBatch): Promise<void> {
    const operations: Operation[] = [];
    const put = (sublevel: Sublevel, key: string, value: string): void => {
      operations.push({ type: 'put', sublevel, key, value });
    };
    for (const [card, record] of batch.cards) put(this.#card, card, records.encodeCard(record));
    for (const [id, record] of batch.cardholders) put(this.#cardholder, id, records.encodeCardholder(record));
    for (const [door, mode] of batch.doorModes) put(this.#meta, `mode/${door}`, mode);
    for (const entry of batch.entries) put(this.#event, eventKey(entry.event.sequence), records.encodeEntry(entry));
    if (batch.roster !== undefined) {
      put(this.#meta, 'roster', records.encodeRoster(batch.roster));
      put(this.#meta, 'buckets', Buffer.from(batch.roster.buckets).toString('base64'));
    }
    try {
      await this.#db.batch(operations, { sync: true });
    } catch (error) {
      throw new CardeaError(
        'store-write-failed',
        `the store refused a batch of ${operations.length} records: ${errorMessage(error)}`,
        {
          cause: error,
        },
      );
    }
    this.#adopt(batch);
  }

  probe(): void {
    this.#meta.getSync('format');
  }

  tail(): LogTail {
    return this.#tail;
  }

  entryAt(sequence: number): LogEntry | undefined {
    const text = this.#event.getSync(eventKey(sequence));
    return text === undefined ? undefined : records.decodeEntry(text);
  }

  async entriesAfter(after: number, limit: number): Promise<readonly LogEntry[]> {
    const texts = await this.#event.values({ gt: eventKey(after), limit }).all();
    return texts.map(records.decodeEntry);
  }

  sentUpTo(): number {
    return this.#sentUpTo;
  }

  async saveSentUpTo(sequence: number): Promise<void> {
    await this.#meta.put('sent', String(sequence));
    this.#sentUpTo = sequence;
  }

  async close(): Promise<void> {
    await this.#db.close();
  }

  async #load(): Promise<void> {
    const format = await this.#meta.get('format');
    if (format === undefined) {
      await this.#db.batch([{ type: 'put', sublevel: this.#meta, key: 'format', value: FORMAT }], { sync: true });
    } else if (format !== FORMAT) {
      throw new CardeaError(
        'store-format',
        `the store has format ${format}, this version reads ${FORMAT}: use the version that wrote it, or a newer one`,
      );
    }
    this.#roster = await this.#loadRoster();
    const [last] = await this.#event.values({ reverse: true, limit: 1 }).all();
    if (last !== undefined) {
      const { sequence, hash } = records.decodeEntry(last).event;
      this.#tail = { sequence, hash };
    }
    this.#sentUpTo = sequenceOf(await this.#meta.get('sent'));
    for await (const [key, value] of this.#meta.iterator({ gt: 'mode/', lt: 'mode0' })) {
      const mode = DOOR_MODES.find((known) => known === value);
      if (mode === undefined) throw unreadable(`door mode "${value}"`);
      // Keys of this range are written by commit only, from door ids.
      this.#doorModes.set(key.slice('mode/'.length) as DoorId, mode);
    }
  }

  async #loadRoster(): Promise<RosterSummary> {
    const [roster, buckets] = await this.#meta.getMany(['roster', 'buckets']);
    if (roster === undefined && buckets === undefined) return emptyRoster();
    const bytes = Buffer.from(buckets ?? '', 'base64');
    if (roster === undefined || bytes.length !== DIGEST_BYTES) throw unreadable('roster digest');
    return { ...records.decodeRoster(roster), buckets: new Uint8Array(bytes) };
  }

  #adopt(batch: StoreBatch): void {
    const last = batch.entries.at(-1);
    if (last !== undefined) this.#tail = { sequence: last.event.sequence, hash: last.event.hash };
    if (batch.roster !== undefined) this.#roster = batch.roster;
    for (const [door, mode] of batch.doorModes) this.#doorModes.set(door, mode);
  }
}

const eventKey = (sequence: number): string => sequence.toString(16).padStart(SEQUENCE_DIGITS, '0');

const sequenceOf = (text: string | undefined): number => {
  const sequence = Number(text ?? '0');
  if (!Number.isSafeInteger(sequence) || sequence < 0) throw unreadable(`outbox cursor "${text}"`);
  return sequence;
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
