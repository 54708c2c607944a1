// Opens the store of a gateway with everything that goes with it: its key, its header and its database.
//
// 1. A key is made for a new store only. A store whose key is missing or wrong is an error, never an empty allow-list.
// 2. A database that was there once is not made anew in silence.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CardeaError } from '../../errors.ts';
import { LevelStore } from './level-store.ts';
import { RecordSeal } from './record-seal.ts';
import { newHeader, readHeader, type StoreHeader, unwrap, withSlots, writeHeader } from './store-header.ts';
import { isKeyThere, type KeySource, keyPathOf, readFormerKey, readStoreKey, writeNewKey } from './store-key.ts';

export interface SealedStoreOptions {
  /** Holds the database in `store`, and its header beside it. */
  readonly dataDir: string;
  readonly identity?: string;
  readonly key: KeySource;
}

/**
 * Rejects with CardeaError `store-key-unusable` or `store-key-wrong`, and as LevelStore.open does; then nothing was changed.
 */
export const openSealedStore = async ({ dataDir, identity, key }: SealedStoreOptions): Promise<LevelStore> => {
  const directory = join(dataDir, 'store');
  const headerPath = join(dataDir, 'store-header.json');
  const existing = readHeader(headerPath);
  const isNew = existing === undefined && !existsSync(directory);
  const master = isNew && key.kind === 'file' && !isKeyThere(key) ? writeNewKey(key.file) : readStoreKey(key);
  if (existing === undefined && !isNew) {
    throw new CardeaError('store-damaged', `there is a store in ${directory}, but ${headerPath} is gone`);
  }
  const { header, ring } =
    existing === undefined
      ? newHeader(master)
      : { header: existing, ring: ringOf(existing, { key, master, headerPath }) };
  if (existing === undefined) writeHeader(headerPath, header);
  const seal = new RecordSeal(ring.current, ring.former);
  const store = await LevelStore.open(directory, { identity, seal, createIfMissing: !header.isProvisioned });
  if (!header.isProvisioned) writeHeader(headerPath, { ...header, isProvisioned: true });
  return store;
};

/** The data keys. With the key's predecessor at hand too, the header is wrapped with the new one. */
const ringOf = (
  header: StoreHeader,
  { key, master, headerPath }: { readonly key: KeySource; readonly master: Uint8Array; readonly headerPath: string },
) => {
  try {
    return unwrap(header, master);
  } catch (error) {
    const former = readFormerKey(key);
    if (!(error instanceof CardeaError) || error.code !== 'store-key-wrong' || former === undefined) {
      throw error instanceof CardeaError && error.code === 'store-key-wrong'
        ? new CardeaError(error.code, `${keyPathOf(key)}: ${error.message}`, { cause: error })
        : error;
    }
    const ring = unwrap(header, former);
    writeHeader(headerPath, withSlots(header, ring, [master]));
    return ring;
  }
};
