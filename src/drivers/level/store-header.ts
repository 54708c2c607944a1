// The marker beside the database: that a store was made here, for whom, and its data keys, wrapped with the key that the
// technician or the service manager keeps. While that key is replaced there is a slot for each.

import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CardeaError, errorMessage } from '../../errors.ts';
import { writeFileDurably } from './durable-file.ts';
import { DATA_KEY_BYTES, type DataKey } from './record-seal.ts';

const HEADER_VERSION = 1;
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What of it is secret. */
export interface KeyRing {
  /** What is sealed from now on. */
  readonly current: DataKey;
  /** What older records are still sealed with, until they were sealed anew. */
  readonly former: readonly DataKey[];
}

export interface StoreHeader {
  readonly version: number;
  /** Of this store, for ever: a header does not open another store's slots. */
  readonly id: string;
  /** Whether the database was there once: then it is not made again in silence. */
  readonly isProvisioned: boolean;
  readonly slots: readonly KeySlot[];
}

interface KeySlot {
  /** Fingerprint of the key that opens it. */
  readonly key: string;
  /** The key ring, sealed, base64url. */
  readonly ring: string;
}

/** A new store's header and keys. Not written yet. */
export const newHeader = (master: Uint8Array): { readonly header: StoreHeader; readonly ring: KeyRing } => {
  const ring = { current: newDataKey(1), former: [] };
  const header = { version: HEADER_VERSION, id: randomUUID(), isProvisioned: false, slots: [] };
  return { header: withSlots(header, ring, [master]), ring };
};

export const newDataKey = (id: number): DataKey => ({ id, secret: randomBytes(DATA_KEY_BYTES) });

/** The header with a slot for each of `masters`, and no others. */
export const withSlots = (header: StoreHeader, ring: KeyRing, masters: readonly Uint8Array[]): StoreHeader => ({
  ...header,
  slots: masters.map((master) => ({ key: fingerprintOf(master), ring: wrap(ring, master, header.id) })),
});

export const hasSlotFor = (header: StoreHeader, master: Uint8Array): boolean =>
  header.slots.some(({ key }) => key === fingerprintOf(master));

/** Throws CardeaError `store-key-wrong`. */
export const unwrap = (header: StoreHeader, master: Uint8Array): KeyRing => {
  const slot = header.slots.find(({ key }) => key === fingerprintOf(master));
  if (slot === undefined) {
    throw new CardeaError('store-key-wrong', 'the header of the store has no slot for this key');
  }
  return parseRing(opened(slot.ring, master, header.id));
};

/** Undefined where there is none. Throws CardeaError `store-damaged`. */
export const readHeader = (path: string): StoreHeader | undefined => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new CardeaError('store-open-failed', `${path} cannot be read: ${errorMessage(error)}`, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged(path);
  }
  // Before anything else: what a newer one looks like is not known.
  if (isFields(value) && typeof value['version'] === 'number' && value['version'] !== HEADER_VERSION) {
    throw new CardeaError(
      'store-format',
      `${path} has version ${value['version']}, this program reads ${HEADER_VERSION}: use the version that wrote it, or a newer one`,
    );
  }
  if (!isHeader(value)) throw damaged(path);
  return value;
};

export const writeHeader = (path: string, header: StoreHeader): Promise<void> =>
  writeFileDurably(path, `${JSON.stringify(header, undefined, 2)}\n`);

/** Tells keys apart and nothing else. */
export const fingerprintOf = (master: Uint8Array): string =>
  createHash('sha256').update('cardea store key').update(master).digest('base64url').slice(0, 16);

const wrapKey = (master: Uint8Array, id: string): Buffer =>
  Buffer.from(hkdfSync('sha256', master, id, 'cardea store: key ring', DATA_KEY_BYTES));

const wrap = ({ current, former }: KeyRing, master: Uint8Array, id: string): string => {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, wrapKey(master, id), nonce, { authTagLength: TAG_BYTES });
  const keys = [current, ...former].map(({ id: key, secret }) => [key, Buffer.from(secret).toString('base64url')]);
  const body = Buffer.concat([cipher.update(JSON.stringify(keys), 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url');
};

const opened = (ring: string, master: Uint8Array, id: string): string => {
  try {
    const bytes = Buffer.from(ring, 'base64url');
    const opener = createDecipheriv(CIPHER, wrapKey(master, id), bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    opener.setAuthTag(bytes.subarray(-TAG_BYTES));
    return opener.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + opener.final('utf8');
  } catch (cause) {
    throw new CardeaError('store-damaged', 'the header of the store was changed: its keys do not open', { cause });
  }
};

const parseRing = (text: string): KeyRing => {
  const keys: unknown = JSON.parse(text);
  const parsed = Array.isArray(keys) ? keys.map(parseDataKey) : [];
  const [current, ...former] = parsed;
  if (current === undefined || parsed.includes(undefined)) {
    throw new CardeaError('store-damaged', 'the header of the store holds no keys');
  }
  return { current, former: former.filter((key) => key !== undefined) };
};

const parseDataKey = (value: unknown): DataKey | undefined => {
  if (!Array.isArray(value) || typeof value[0] !== 'number' || typeof value[1] !== 'string') return undefined;
  const secret = Buffer.from(value[1], 'base64url');
  return secret.length === DATA_KEY_BYTES ? { id: value[0], secret } : undefined;
};

type Fields = { readonly [key: string]: unknown };
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

const isHeader = (value: unknown): value is StoreHeader =>
  isFields(value) &&
  typeof value['version'] === 'number' &&
  typeof value['id'] === 'string' &&
  typeof value['isProvisioned'] === 'boolean' &&
  Array.isArray(value['slots']) &&
  value['slots'].every((slot) => isFields(slot) && typeof slot['key'] === 'string' && typeof slot['ring'] === 'string');

const damaged = (path: string): CardeaError => new CardeaError('store-damaged', `${path} is not the header of a store`);
