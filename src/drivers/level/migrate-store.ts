// Brings a store that an older version has written to the present format, one format at a time.
//
// 1. The older store is only read. What is made of it is another database beside it, which takes its place when it has been read
//    back and is the same, and opens. A crash at any moment leaves the one or the other whole, and the next start goes on.
// 2. The older store is removed at the end: what it held in the clear is no longer in any file. Flash memory may keep old pages.

import { createHash } from 'node:crypto';
import { existsSync, promises as fs } from 'node:fs';
import { join } from 'node:path';
import { Level } from 'level';
import { CardeaError, errorMessage } from '../../errors.ts';
import { syncDirectory } from './durable-file.ts';
import { FROM_FORMAT_3 } from './format-3.ts';
import type { FormatStep, Row } from './format-step.ts';
import { openFailure } from './open-failure.ts';
import type { RecordSeal } from './record-seal.ts';
import { checkOwner } from './store-format.ts';

/** The next one goes at the end. */
const STEPS: readonly FormatStep[] = [FROM_FORMAT_3];

const FORMAT_KEY = '!meta!format';
const IDENTITY_KEY = '!meta!identity';
/** Rows in one synced write. */
const SLICE = 500;

export interface MigrationOptions {
  readonly dataDir: string;
  readonly identity?: string | undefined;
  readonly seal: RecordSeal;
  /** Opens the store that was made and closes it again; rejects when that does not work. */
  readonly tryOut: (directory: string) => Promise<void>;
  /** Called after each slice. */
  readonly onProgress?: (() => void) | undefined;
}

export const canMigrate = (format: unknown): boolean => STEPS.some(({ from }) => from === format);

/** Undefined where nothing tells, or it cannot be read. Rejects with CardeaError `store-locked`. */
export const formatOf = async (directory: string): Promise<string | undefined> => {
  const database = databaseAt(directory);
  try {
    await database.open({ createIfMissing: false });
    return (await database.get(FORMAT_KEY))?.toString();
  } catch (error) {
    const failure = openFailure(directory, error);
    if (failure.code === 'store-locked') throw failure;
    return undefined;
  } finally {
    await database.close();
  }
};

/** Ends the exchange of two stores that a crash interrupted. To be called before anything looks for the store. */
export const finishExchange = async (dataDir: string): Promise<void> => {
  const { store, next, former } = pathsIn(dataDir);
  if (!existsSync(former)) return;
  if (!existsSync(store)) await fs.rename(existsSync(next) ? next : former, store);
  await syncDirectory(dataDir);
  await fs.rm(former, { recursive: true, force: true });
};

/**
 * Brings the store from its format to the next one. Rejects with CardeaError `store-format` for a store of somebody else,
 * `store-write-failed`, and as `tryOut` does; then the older store is there as it was.
 */
export const migrateStore = async (options: MigrationOptions): Promise<void> => {
  const { dataDir, tryOut } = options;
  const { store, next, former } = pathsIn(dataDir);
  const older = databaseAt(store);
  await older.open({ createIfMissing: false });
  try {
    checkOwner(store, (await older.get(IDENTITY_KEY))?.toString(), options.identity);
    await fs.rm(next, { recursive: true, force: true });
    const written = await copy(older, next, options);
    if ((await sumOf(next, options)) !== written)
      throw failed(`what was written to ${next} is not what can be read there`);
    await tryOut(next);
    await syncDirectory(dataDir);
    // The older one is still open: its lock keeps others away until it is out of the way.
    await fs.rename(store, former);
  } catch (error) {
    throw error instanceof CardeaError ? error : failed(errorMessage(error), error);
  } finally {
    await older.close();
  }
  await finishExchange(dataDir);
};

const pathsIn = (dataDir: string) => ({
  store: join(dataDir, 'store'),
  next: join(dataDir, 'store.migrating'),
  former: join(dataDir, 'store.former'),
});

type Database = Level<string, Buffer>;
const databaseAt = (directory: string): Database => new Level<string, Buffer>(directory, { valueEncoding: 'buffer' });

/** Fills the new store. Fulfils with what identifies all of its rows. */
const copy = async (older: Database, next: string, { seal, onProgress }: MigrationOptions): Promise<string> => {
  const format = (await older.get(FORMAT_KEY))?.toString();
  const step = STEPS.find(({ from }) => from === format);
  if (step === undefined) throw new CardeaError('store-format', `no way is known from a store of format ${format}`);
  const newer = databaseAt(next);
  await newer.open({ errorIfExists: true });
  const sum = new RowSum();
  const write = async (rows: readonly Row[]): Promise<void> => {
    for (const row of rows) sum.add(row);
    await newer.batch(
      rows.map(([key, value]) => ({ type: 'put', key, value })),
      { sync: true },
    );
    onProgress?.();
  };
  try {
    const rows: Row[] = [];
    const convert = step.converter({ seal, get: (key) => older.get(key) });
    for await (const row of older.iterator()) {
      if (row[0] !== FORMAT_KEY) rows.push(...(await convert(row)));
      if (rows.length >= SLICE) await write(rows.splice(0));
    }
    await write([...rows, [FORMAT_KEY, Buffer.from(step.to)]]);
  } finally {
    await newer.close();
  }
  return sum.text;
};

const sumOf = async (directory: string, { onProgress }: MigrationOptions): Promise<string> => {
  const database = databaseAt(directory);
  const sum = new RowSum();
  try {
    for await (const row of database.iterator()) {
      sum.add(row);
      if (sum.rows % SLICE === 0) onProgress?.();
    }
  } finally {
    await database.close();
  }
  return sum.text;
};

/** How many rows, and the XOR of their hashes: the same in whatever order they come. */
class RowSum {
  rows = 0;
  readonly #sum = Buffer.alloc(32);

  add([key, value]: Row): void {
    this.rows += 1;
    const hash = createHash('sha256').update(key).update('\0').update(value).digest();
    for (const [at, byte] of hash.entries()) this.#sum[at] = (this.#sum[at] ?? 0) ^ byte;
  }

  get text(): string {
    return `${this.rows} ${this.#sum.toString('hex')}`;
  }
}

const failed = (detail: string, cause?: unknown): CardeaError =>
  new CardeaError(
    'store-write-failed',
    `the store could not be brought to the present format: ${detail}. That needs about three times the store's size of free ` +
      'space. The older store is as it was',
    { cause },
  );
