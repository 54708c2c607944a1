// The secret that opens the store: a credential from the service manager, or a file that only its owner can read, made at the
// first start. It is never shown, and never made anew where a store is there already.

import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CardeaError, errorMessage } from '../../errors.ts';
import { writeFileDurably } from './durable-file.ts';

/** Name of the credential (systemd.exec(5), LoadCredential). */
export const CREDENTIAL = 'cardea-store-key';
/** The credential's predecessor, while it is being replaced. */
export const FORMER_CREDENTIAL = 'cardea-store-key-former';
export const MASTER_KEY_BYTES = 32;

/** Where the key is. */
export type KeySource =
  | { readonly kind: 'credential'; readonly directory: string }
  | { readonly kind: 'file'; readonly file: string };

/** The credential, where the service manager has given one; the file otherwise. */
export const keySourceOf = (environment: Readonly<Record<string, string | undefined>>, file: string): KeySource => {
  const directory = environment['CREDENTIALS_DIRECTORY'];
  if (directory === undefined || directory === '') return { kind: 'file', file };
  return isThere(join(directory, CREDENTIAL)) ? { kind: 'credential', directory } : { kind: 'file', file };
};

export const keyPathOf = (source: KeySource): string =>
  source.kind === 'file' ? source.file : join(source.directory, CREDENTIAL);

/** 32 bytes. Throws CardeaError `store-key-unusable`. */
export const readStoreKey = (source: KeySource): Uint8Array => {
  const path = keyPathOf(source);
  // The service manager decides who reads a credential, and gives it modes of its own.
  return parseKey(readKeyFile(path, source.kind === 'file'), path);
};

/** The key before the present one; undefined where none is given. */
export const readFormerKey = (source: KeySource): Uint8Array | undefined => {
  if (source.kind === 'file') return undefined;
  const path = join(source.directory, FORMER_CREDENTIAL);
  return isThere(path) ? parseKey(readKeyFile(path, false), path) : undefined;
};

export const isKeyThere = (source: KeySource): boolean => isThere(keyPathOf(source));

/** Makes a key and keeps it in `file`. */
export const writeNewKey = async (file: string): Promise<Uint8Array> => {
  const key = newStoreKey();
  await writeStoreKey(file, key);
  return key;
};

export const newStoreKey = (): Uint8Array => randomBytes(MASTER_KEY_BYTES);

/** In the place of the one that is there, with one step: it is the old one or the new one. */
export const writeStoreKey = (file: string, key: Uint8Array): Promise<void> =>
  writeFileDurably(file, `${Buffer.from(key).toString('base64url')}\n`);

const isThere = (path: string): boolean => {
  try {
    closeSync(openSync(path, 'r'));
    return true;
  } catch (error) {
    // A key that is there and may not be read is another matter than one that is not there.
    return !(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'));
  }
};

const readKeyFile = (path: string, isPrivate: boolean): string => {
  try {
    const descriptor = openSync(path, 'r');
    try {
      if (isPrivate && (fstatSync(descriptor).mode & 0o077) !== 0) {
        throw unusable(`${path} may be read by others; run chmod 600 on it`);
      }
      return readFileSync(descriptor, 'utf8');
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (error instanceof CardeaError) throw error;
    throw unusable(`${path} cannot be read: ${errorMessage(error)}`, error);
  }
};

const FORMS = [
  ['base64url', /^[A-Za-z0-9_-]{43}=?$/],
  ['base64', /^[A-Za-z0-9+/]{43}=?$/],
  ['hex', /^[0-9a-f]{64}$/i],
] as const;

const parseKey = (text: string, path: string): Uint8Array => {
  const trimmed = text.trim();
  for (const [encoding, form] of FORMS) if (form.test(trimmed)) return Buffer.from(trimmed, encoding);
  throw unusable(`${path} does not hold a key: 32 bytes in base64 or hex; openssl rand -base64 32 makes one`);
};

const unusable = (detail: string, cause?: unknown): CardeaError =>
  new CardeaError('store-key-unusable', `the key of the store: ${detail}`, { cause });
