// Makes a key pair and shows public halves. A key that is there is not lost by accident, and none is ever half written.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fchownSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errorCode, fileReason } from '../config/file-reason.ts';
import { readPublicHalf } from '../config/key-files.ts';
import { loadConfig } from '../config/load.ts';
import { type PublicKey, thumbprint } from '../domain/trusted-key.ts';
import { CardeaError } from '../errors.ts';
import type { CliSession } from './session.ts';

interface KeyOptions {
  readonly config?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

export const generateKey = async (
  named: string | undefined,
  options: KeyOptions,
  session: CliSession,
): Promise<void> => {
  const file = named ?? gatewayKeyFile(options, session);
  // The gateway's own key may come before its first start.
  if (named === undefined) mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
  const { privateKey } = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  writeKey(file, privateKey, { isReplacing: options.force === true });
  await print(readPublicHalf(file), options, session, `file: ${file}\n`);
};

export const showKey = async (named: string | undefined, options: KeyOptions, session: CliSession): Promise<void> => {
  const file = named ?? gatewayKeyFile(options, session);
  if (named === undefined && !existsSync(file)) {
    const message = `this gateway has no key of its own at ${file}; cardea keys generate makes one`;
    throw new CardeaError('key-unusable', message, { context: { file } });
  }
  await print(readPublicHalf(file), options, session);
};

const gatewayKeyFile = (options: KeyOptions, session: CliSession): string =>
  loadConfig(session.configPath(options)).config.trust.gatewayKey.file;

const print = (key: PublicKey, { json }: KeyOptions, session: CliSession, heading = ''): Promise<void> => {
  const kid = thumbprint(key);
  if (json === true) return session.printJson({ kty: 'OKP', crv: 'Ed25519', x: key, kid, alg: 'EdDSA', use: 'sig' });
  return session.print(`${heading}kid: ${kid}\npublicKey: ${key}\n`);
};

/** Throws CardeaError `key-exists`, or `key-unusable` when the file cannot be written. */
const writeKey = (file: string, pem: string, { isReplacing }: { readonly isReplacing: boolean }): void => {
  const unfinished = `${file}.${randomUUID()}`;
  try {
    writeForOwner(unfinished, pem);
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

const writeForOwner = (file: string, text: string): void => {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeSync(descriptor, text);
    // Made by root in the gateway's directory it is still the gateway that has to read it.
    const { uid, gid } = statSync(dirname(file));
    if (process.getuid?.() === 0) fchownSync(descriptor, uid, gid);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
};
