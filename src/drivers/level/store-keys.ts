// The keys of a gateway's store at start: the one that the technician or the service manager keeps, and those that it opens.
//
// 1. A key is made for a new store only. A store whose key is missing or wrong is an error, never an empty allow-list.
// 2. First the key, then the header, then the database: whatever a crash leaves of a new store can be gone on with.

import { join } from 'node:path';
import { CardeaError } from '../../errors.ts';
import {
  hasSlotFor,
  type KeyRing,
  newHeader,
  type StoreHeader,
  unwrap,
  withSlots,
  writeHeader,
} from './store-header.ts';
import {
  FORMER_CREDENTIAL,
  isKeyThere,
  type KeySource,
  keyPathOf,
  readFormerKey,
  readStoreKey,
  writeNewKey,
} from './store-key.ts';

export interface StoreKeys {
  readonly header: StoreHeader;
  readonly ring: KeyRing;
}

export const headerPathOf = (dataDir: string): string => join(dataDir, 'store-header.json');

interface KeyOptions {
  readonly dataDir: string;
  readonly key: KeySource;
}

/** Those of the store that is there. Rejects with CardeaError `store-key-unusable`, `store-key-wrong` or `store-damaged`. */
export const loadStoreKeys = async (header: StoreHeader, { dataDir, key }: KeyOptions): Promise<StoreKeys> => {
  if (!isKeyThere(key)) throw keyMissing(key);
  const master = readStoreKey(key);
  if (hasSlotFor(header, master)) {
    const ring = unwrap(header, master);
    // A slot for another key is what an interrupted replacement of the key has left.
    return header.slots.length === 1 ? { header, ring } : rewrapped(header, { ring, master, dataDir });
  }
  const former = readFormerKey(key);
  if (former === undefined || !hasSlotFor(header, former)) throw keyWrong(key);
  return rewrapped(header, { ring: unwrap(header, former), master, dataDir });
};

const rewrapped = async (
  header: StoreHeader,
  { ring, master, dataDir }: { readonly ring: KeyRing; readonly master: Uint8Array; readonly dataDir: string },
): Promise<StoreKeys> => {
  const fresh = withSlots(header, ring, [master]);
  await writeHeader(headerPathOf(dataDir), fresh);
  return { header: fresh, ring };
};

/** Keys for a new store. The header is on the disk when this fulfils. Rejects with CardeaError `store-key-unusable`. */
export const makeStoreKeys = async ({ dataDir, key }: KeyOptions): Promise<StoreKeys> => {
  const master = key.kind === 'file' && !isKeyThere(key) ? await writeNewKey(key.file) : readStoreKey(key);
  const keys = newHeader(master);
  await writeHeader(headerPathOf(dataDir), keys.header);
  return keys;
};

const keyMissing = (key: KeySource): CardeaError =>
  new CardeaError(
    'store-key-unusable',
    `the key of the store is not at ${keyPathOf(key)}, and what is in the store opens with no other: put it back. Where it is ` +
      'lost, move the dataDir away and let HR fill a new one. Nothing was changed',
  );

const keyWrong = (key: KeySource): CardeaError =>
  new CardeaError(
    'store-key-wrong',
    `${keyPathOf(key)} does not open this store: it belongs to another one, or was replaced; put the right key in its place` +
      `${key.kind === 'credential' ? `, or the one before it beside it, as the credential ${FORMER_CREDENTIAL}` : ''}. ` +
      'Nothing was changed',
  );
