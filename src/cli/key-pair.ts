// Makes a key pair and shows public halves.

import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { readPublicHalf } from '../config/key-files.ts';
import { loadConfig } from '../config/load.ts';
import { makeKey } from '../config/make-key.ts';
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
  makeKey(file, { isReplacing: options.force === true });
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
