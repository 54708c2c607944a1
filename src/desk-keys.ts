// The keys with which the desk signs: one for each role, in files of their own below its data, made when they are first wanted.
//
// A key is named after its role and its public half, as in desk-clerk-3f2a91c0: the key that takes its place has another name, so that
// gateways can have both in their configuration while it is being replaced.

import type { KeyObject } from 'node:crypto';
import { chownSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode, fileReason } from './config/file-reason.ts';
import { publicHalf, readPrivateKey, readPrivateKeyIfThere } from './config/key-files.ts';
import { makeKey } from './config/make-key.ts';
import { KEY_PERMISSIONS, SIGNING_ROLES, type SigningRole } from './desk/permissions.ts';
import { type PublicKey, type TrustedKey, thumbprint } from './domain/trusted-key.ts';
import { CardeaError } from './errors.ts';
import { type MessageSeal, unsignedSeal } from './wire/message-envelope.ts';
import { sealWith } from './wire/signed-message.ts';

export interface DeskKey {
  readonly role: SigningRole;
  readonly file: string;
  /** As gateways have to list it under trust.keys, with what it may send. */
  readonly trusted: TrustedKey;
  readonly privateKey: KeyObject;
}

/** Makes what is missing. Throws CardeaError `key-unusable`. */
export const openDeskKeys = (dataDir: string): readonly DeskKey[] => {
  const folder = join(dataDir, 'keys');
  makeFolder(folder);
  return SIGNING_ROLES.map((role) => {
    const file = join(folder, `${role}.key`);
    const privateKey = readPrivateKeyIfThere(file) ?? makeAndRead(file);
    const publicKey = publicHalf(privateKey, file);
    const trusted = { kid: kidOf(role, publicKey), publicKey, may: KEY_PERMISSIONS[role] };
    return { role, file, trusted, privateKey };
  });
};

/** Without keys nothing is signed. */
export const sealsOf = (keys: readonly DeskKey[]): Readonly<Record<SigningRole, MessageSeal>> => {
  const sealOf = (role: SigningRole): MessageSeal => {
    const key = keys.find((each) => each.role === role);
    return key === undefined ? unsignedSeal : sealWith(key.privateKey, key.trusted.kid);
  };
  return { clerk: sealOf('clerk'), security: sealOf('security'), desk: sealOf('desk') };
};

const makeAndRead = (file: string): KeyObject => {
  try {
    makeKey(file, { isReplacing: false });
  } catch (error) {
    // Somebody else was faster; theirs is as good.
    if (!(error instanceof CardeaError && error.code === 'key-exists')) throw error;
  }
  return readPrivateKey(file);
};

const NAMED_DIGITS = 8;

const kidOf = (role: SigningRole, publicKey: PublicKey): string =>
  `desk-${role}-${Buffer.from(thumbprint(publicKey), 'base64url').toString('hex').slice(0, NAMED_DIGITS)}`;

/** Made by root it is still the service that has to write to it. */
const makeFolder = (folder: string): void => {
  try {
    const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (first === undefined || process.getuid?.() !== 0) return;
    const { uid, gid } = statSync(dirname(first));
    for (let path = folder; path.length >= first.length; path = dirname(path)) chownSync(path, uid, gid);
  } catch (error) {
    const reason = errorCode(error) === 'EEXIST' ? `${folder} is no directory` : fileReason(error, folder);
    throw new CardeaError('key-unusable', `the directory for keys cannot be made: ${reason}`, { cause: error });
  }
};
