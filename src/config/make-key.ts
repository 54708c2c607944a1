// Makes Ed25519 key pairs on the disk. A key that is there is not lost by accident, and none is ever half written.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { closeSync, fchownSync, fsyncSync, linkSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { CardeaError } from '../errors.ts';
import { errorCode, fileReason } from './file-reason.ts';

/**
 * Writes a new private key as PEM, for its owner alone. Throws CardeaError `key-exists` where there is one that is not to be replaced,
 * or `key-unusable` when the file cannot be written.
 */
export const makeKey = (file: string, { isReplacing }: { readonly isReplacing: boolean }): void => {
  const { privateKey } = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const unfinished = `${file}.${randomUUID()}`;
  try {
    writeForOwner(unfinished, privateKey);
    // A link fails where the name is taken, whoever took it a moment ago.
    if (isReplacing) renameSync(unfinished, file);
    else linkSync(unfinished, file);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') {
      const message = `${file} is there already; give --force to lose the key in it, or name another file`;
      throw new CardeaError('key-exists', message, { cause: error, context: { file } });
    }
    const message = `the key cannot be written: ${fileReason(error, dirname(file))}`;
    throw new CardeaError('key-unusable', message, { cause: error, context: { file } });
  } finally {
    rmSync(unfinished, { force: true });
  }
};

/** Made by root in a service's directory it is still the service that has to read it. Throws the system's error. */
export const writeForOwner = (file: string, text: string): void => {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeSync(descriptor, text);
    const { uid, gid } = statSync(dirname(file));
    if (process.getuid?.() === 0) fchownSync(descriptor, uid, gid);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
};
