// Opens the store of a gateway with everything that goes with it: its key, its header and its database.
//
// 1. A key is made for a new store only. A store whose key is missing or wrong is an error, never an empty allow-list.
// 2. A database that was there once is not made anew in silence.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CardeaError } from '../../errors.ts';
import type { StoreAnchor } from './anchor.ts';
import type { Ballast } from './ballast.ts';
import { LevelStore, type StoreOptions } from './level-store.ts';
import { canMigrate, finishExchange, formatOf, migrateStore } from './migrate-store.ts';
import { RecordSeal } from './record-seal.ts';
import { checkFormat, FORMAT } from './store-format.ts';
import { readHeader, writeHeader } from './store-header.ts';
import type { KeySource } from './store-key.ts';
import { headerPathOf, loadStoreKeys, makeStoreKeys, type StoreKeys } from './store-keys.ts';

export interface SealedStoreOptions {
  /** Holds the database in `store`, and its header beside it. */
  readonly dataDir: string;
  readonly identity?: string;
  readonly key: KeySource;
  /** What is given back when there is no room for opening the database. */
  readonly ballast?: Ballast;
  /** What is told of every batch, so that a loss shows. */
  readonly anchor?: StoreAnchor;
  /** Called now and then while a store of an older format is being brought to the present one, which may take minutes. */
  readonly onProgress?: () => void;
}

/**
 * Rejects with CardeaError `store-key-unusable` or `store-key-wrong`, and as LevelStore.open and migrateStore do; then nothing was
 * changed.
 */
export const openSealedStore = async (options: SealedStoreOptions): Promise<LevelStore> => {
  const { dataDir, identity, ballast, anchor } = options;
  const directory = join(dataDir, 'store');
  await finishExchange(dataDir);
  const { header, ring } = await keysOf(directory, options);
  const seal = new RecordSeal(ring.current, ring.former);
  const createIfMissing = !header.isProvisioned;
  const store = await openMigrated(directory, options, { identity, seal, ballast, anchor, createIfMissing });
  if (!header.isProvisioned) await writeHeader(headerPathOf(dataDir), { ...header, isProvisioned: true });
  return store;
};

/** A store of a format that had no keys is given some, as a new one is. */
const keysOf = async (directory: string, { dataDir, key }: SealedStoreOptions): Promise<StoreKeys> => {
  const headerPath = headerPathOf(dataDir);
  const header = readHeader(headerPath);
  if (header !== undefined) return loadStoreKeys(header, { dataDir, key });
  if (existsSync(directory)) {
    const format = await formatOf(directory);
    if (format === undefined || format === FORMAT) {
      throw new CardeaError('store-damaged', `there is a store in ${directory}, but ${headerPath} is gone`);
    }
    if (!canMigrate(format)) checkFormat(format);
  }
  return makeStoreKeys({ dataDir, key });
};

/** A store of an older format is brought to the present one first. */
const openMigrated = async (
  directory: string,
  { dataDir, onProgress }: SealedStoreOptions,
  options: StoreOptions,
): Promise<LevelStore> => {
  const { identity, seal } = options;
  const tryOut = async (made: string): Promise<void> =>
    (await LevelStore.open(made, { identity, seal, createIfMissing: false })).close();
  for (;;) {
    try {
      return await LevelStore.open(directory, options);
    } catch (error) {
      if (!(error instanceof CardeaError) || !canMigrate(error.context['format'])) throw error;
      await migrateStore({ dataDir, identity, seal, tryOut, onProgress });
    }
  }
};
