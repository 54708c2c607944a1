// Reads the keys that the configuration names and makes of them what opens HR's messages and seals our own. Starts nothing and
// keeps nothing open: called again it sees changed files, so that keys rotate without a restart.

import type { Config } from './config/config.ts';
import { publicHalf, readPrivateKey, readPrivateKeyIfThere, trustedKeys } from './config/key-files.ts';
import { type TrustedKey, thumbprint } from './domain/trusted-key.ts';
import { CHECKPOINT_TYP, type CheckpointSigner } from './wire/checkpoint.ts';
import { type MessageEnvelope, type MessageSeal, unsignedEnvelope, unsignedSeal } from './wire/message-envelope.ts';
import { sealWith, signedEnvelope } from './wire/signed-message.ts';

export interface Trust {
  readonly envelope: MessageEnvelope;
  readonly seal: MessageSeal;
  /** Whose messages are believed; none where unsigned ones are. */
  readonly keys: readonly TrustedKey[];
  readonly signCheckpoint: CheckpointSigner;
  /** The `kid` of the gateway's own signatures; undefined for a gateway without a key. */
  readonly keyId?: string;
}

/** Rejects with CardeaError `key-unusable`, which tells the file and the remedy; what was loaded before stays good. */
export const loadTrust = async ({ trust }: Pick<Config, 'trust'>): Promise<Trust> => {
  const keys = trust.messages === 'signed' ? trustedKeys(trust.keys) : [];
  const envelope = trust.messages === 'signed' ? signedEnvelope(keys) : unsignedEnvelope;
  const { file, isRequired } = trust.gatewayKey;
  const key = isRequired ? readPrivateKey(file) : readPrivateKeyIfThere(file);
  if (key === undefined) return { envelope, keys, seal: unsignedSeal, signCheckpoint: undefined };
  const keyId = thumbprint(publicHalf(key, file));
  const signCheckpoint = { kid: keyId, sign: sealWith(key, keyId, CHECKPOINT_TYP) };
  return { envelope, keys, seal: sealWith(key, keyId), signCheckpoint, keyId };
};
