// Ed25519 keys on the disk: PEM (PKCS#8, SPKI) or JWK. A private key that others may read is refused, and so is one where
// only the public half belongs. What a file holds is never repeated in an error.

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import { type PublicKey, parsePublicKey, type TrustedKey } from '../domain/trusted-key.ts';
import { CardeaError } from '../errors.ts';
import type { TrustedKeyConfig } from './config.ts';
import { errorCode, fileReason } from './file-reason.ts';

/** Throws CardeaError `key-unusable`, also when anybody but the owner may read or write the file. */
export const readPrivateKey = (file: string): KeyObject => {
  const { key, mode } = readKey(file);
  if (key.type !== 'private') throw unusable(file, 'holds no private key; cardea keys generate makes one');
  if ((mode & 0o077) !== 0) throw unusable(file, 'holds a private key that others may read; run chmod 600 on it');
  return key;
};

/** As `readPrivateKey`; undefined when there is no such file. */
export const readPrivateKeyIfThere = (file: string): KeyObject | undefined => {
  try {
    return readPrivateKey(file);
  } catch (error) {
    if (error instanceof CardeaError && errorCode(error.cause) === 'ENOENT') return undefined;
    throw error;
  }
};

/** Throws CardeaError `key-unusable`, also when everybody may write the file: whoever does decides who is believed. */
export const readPublicKey = (file: string): PublicKey => {
  const { key, mode } = readKey(file);
  if (key.type !== 'public') {
    throw unusable(file, 'holds a private key, which stays with its owner; put the line of cardea keys show FILE here');
  }
  if ((mode & 0o002) !== 0) throw unusable(file, 'may be written by everybody; run chmod o-w on it');
  return publicHalf(key, file);
};

/** The keys of `trust.keys`, those in files included. Throws CardeaError `key-unusable`. */
export const trustedKeys = (keys: readonly TrustedKeyConfig[]): readonly TrustedKey[] =>
  keys.map(({ kid, may, publicKey, publicKeyFile }) => ({
    kid,
    may,
    publicKey: publicKey ?? readPublicKey(publicKeyFile),
  }));

/** Of a private or a public key. Throws CardeaError `key-unusable`. */
export const readPublicHalf = (file: string): PublicKey => publicHalf(readKey(file).key, file);

/** Throws CardeaError `key-unusable` for a key of no use; `file` is where it came from. */
export const publicHalf = (key: KeyObject, file: string): PublicKey => {
  const { x } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  const parsed = parsePublicKey(x ?? '');
  if (parsed === undefined) throw unusable(file, 'holds a key for which anybody can make signatures; make a new one');
  return parsed;
};

const readKey = (file: string): { readonly key: KeyObject; readonly mode: number } => {
  const { text, mode } = readText(file);
  const key = parseKey(text);
  if (key?.asymmetricKeyType === 'ed25519') return { key, mode };
  throw unusable(file, 'holds no Ed25519 key; allowed: PEM without a passphrase (PKCS#8 or SPKI), or JWK');
};

const readText = (file: string): { readonly text: string; readonly mode: number } => {
  try {
    const descriptor = openSync(file, 'r');
    try {
      return { text: readFileSync(descriptor, 'utf8'), mode: fstatSync(descriptor).mode };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const message = `the key cannot be read: ${fileReason(error, file)}`;
    throw new CardeaError('key-unusable', message, { cause: error, context: { file } });
  }
};

const jwkSchema = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  d: z.string().optional(),
});

const parseKey = (text: string): KeyObject | undefined => {
  try {
    if (!text.trimStart().startsWith('{')) {
      return text.includes('PRIVATE KEY') ? createPrivateKey(text) : createPublicKey(text);
    }
    const { d, ...half } = jwkSchema.parse(JSON.parse(text));
    return d === undefined
      ? createPublicKey({ key: half, format: 'jwk' })
      : createPrivateKey({ key: { ...half, d }, format: 'jwk' });
  } catch {
    return undefined;
  }
};

const unusable = (file: string, what: string): CardeaError =>
  new CardeaError('key-unusable', `the key file ${file} ${what}`, { context: { file } });
