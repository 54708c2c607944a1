// Reads the keys that the configuration names and makes of them what opens HR's messages and seals our own. Starts nothing and
// keeps nothing open: called again it sees changed files, so that keys rotate without a restart.

import type { Config } from './config/config.ts';
import { publicHalf, readPrivateKey, readPrivateKeyIfThere, trustedKeys } from './config/key-files.ts';
import { thumbprint } from './domain/trusted-key.ts';
import { type MessageEnvelope, type MessageSeal, unsignedEnvelope, unsignedSeal } from './wire/message-envelope.ts';
import { sealWith, signedEnvelope } from './wire/signed-message.ts';

export interface Trust {
  readonly envelope: MessageEnvelope;
  readonly seal: MessageSeal;
  /** The `kid` of the gateway's own signatures; undefined for a gateway without a key. */
  readonly keyId?: string;
}

/** Rejects with CardeaError `key-unusable`, which tells the file and the remedy; what was loaded before stays good. */
export const loadTrust = async ({ trust }: Pick<Config, 'trust'>): Promise<Trust> => {
  const envelope = trust.messages === 'signed' ? signedEnvelope(trustedKeys(trust.keys)) : unsignedEnvelope;
  const { file, isRequired } = trust.gatewayKey;
  const key = isRequired ? readPrivateKey(file) : readPrivateKeyIfThere(file);
  if (key === undefined) return { envelope, seal: unsignedSeal };
  const keyId = thumbprint(publicHalf(key, file));
  return { envelope, seal: sealWith(key, keyId), keyId };
};
