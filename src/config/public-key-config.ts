// A public key as a checked file gives it: itself, or the file that it is in.

import { resolve } from 'node:path';
import { parsePublicKey } from '../domain/trusted-key.ts';
import { certain } from './certain.ts';
import type { PublicKeyConfig } from './config.ts';

interface GivenKey {
  readonly publicKey?: string | undefined;
  readonly publicKeyFile?: string | undefined;
}

/** A relative path starts at `directory`; `path` is where the key stands, for an error. */
export const publicKeyOf = (
  { publicKey, publicKeyFile }: GivenKey,
  path: string,
  directory: string,
): PublicKeyConfig =>
  publicKeyFile === undefined
    ? { publicKey: certain(parsePublicKey(publicKey ?? ''), `${path}.publicKey`) }
    : { publicKeyFile: resolve(directory, publicKeyFile) };
