// The desk's records in LevelDB, one sublevel for each kind.
//
// 1. A batch is written whole and synced, or not at all.
// 2. A folder is the desk's of one process: who comes second is told so.

import { mkdirSync } from 'node:fs';
import { Level } from 'level';
import type { JsonValue } from '../../domain/canonical-json.ts';
import { CardeaError, errorMessage } from '../../errors.ts';
import type { DeskPut, DeskRecord, DeskRecordKind, DeskStore, KeyRange } from '../../ports/desk-store.ts';

const CACHE_BYTES = 16 * 1024 * 1024;
/** Between the kind and the key; no kind has it. */
const SEPARATOR = '!';
/** The character after it, for the end of a kind. */
const AFTER_SEPARATOR = '"';

type Database = Level<string, string>;

export class LevelDeskStore implements DeskStore {
  readonly #db: Database;

  private constructor(db: Database) {
    this.#db = db;
  }

  /** Makes the folder where there is none, for its owner alone. Rejects with CardeaError `store-locked` or `store-open-failed`. */
  static async open(folder: string): Promise<LevelDeskStore> {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const db: Database = new Level(folder, { cacheSize: CACHE_BYTES, valueEncoding: 'utf8' });
      await db.open();
      return new LevelDeskStore(db);
    } catch (error) {
      throw openFailure(folder, error);
    }
  }

  async read(kind: DeskRecordKind, key: string): Promise<JsonValue | undefined> {
    const text = await this.#db.get(keyOf(kind, key));
    return text === undefined ? undefined : parsed(kind, text);
  }

  async *entries(kind: DeskRecordKind, range?: KeyRange): AsyncGenerator<readonly [string, JsonValue]> {
    for await (const [key, text] of this.#db.iterator(boundsOf(kind, range))) {
      yield [key.slice(kind.length + 1), parsed(kind, text)];
    }
  }

  async *keys(kind: DeskRecordKind, range?: KeyRange): AsyncGenerator<string> {
    for await (const key of this.#db.keys(boundsOf(kind, range))) yield key.slice(kind.length + 1);
  }

  /** An iterator sees the records as they were when it was made. */
  async *records(): AsyncGenerator<DeskRecord> {
    for await (const [key, text] of this.#db.iterator()) {
      const end = key.indexOf(SEPARATOR);
      const kind = key.slice(0, end);
      yield { kind, key: key.slice(end + 1), value: parsed(kind, text) };
    }
  }

  async write(puts: readonly DeskPut[]): Promise<void> {
    const operations = puts.map(({ kind, key, value }) =>
      value === undefined
        ? ({ type: 'del', key: keyOf(kind, key) } as const)
        : ({ type: 'put', key: keyOf(kind, key), value: JSON.stringify(value) } as const),
    );
    try {
      await this.#db.batch(operations, { sync: true });
    } catch (error) {
      const message = `the desk's records could not be written: ${causeOf(error)}`;
      throw new CardeaError('store-write-failed', message, { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.#db.close();
  }
}

const keyOf = (kind: DeskRecordKind, key: string): string => `${kind}${SEPARATOR}${key}`;

const boundsOf = (kind: DeskRecordKind, { from = '', to, isReversed = false, limit = -1 }: KeyRange = {}) => ({
  gte: keyOf(kind, from),
  lt: to === undefined ? `${kind}${AFTER_SEPARATOR}` : keyOf(kind, to),
  reverse: isReversed,
  limit,
});

const parsed = (kind: string, text: string): JsonValue => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CardeaError('store-record-unreadable', `a record of the desk (${kind}) is no JSON`, { cause: error });
  }
};

const causeOf = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined ? errorMessage(error.cause) : errorMessage(error);

const openFailure = (folder: string, error: unknown): CardeaError => {
  const isLocked = error instanceof Error && Object(error.cause).code === 'LEVEL_LOCKED';
  return isLocked
    ? new CardeaError('store-locked', `another desk works with ${folder}; end it first`, { cause: error })
    : new CardeaError('store-open-failed', `the desk's records in ${folder} cannot be opened: ${causeOf(error)}`, {
        cause: error,
      });
};
