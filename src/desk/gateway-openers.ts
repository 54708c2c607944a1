// Whose word a receipt or a status is: the gateway's own, where the desk has its key and the signature fits.

import type { PublicKey } from '../domain/trusted-key.ts';
import { thumbprint } from '../domain/trusted-key.ts';
import { isSigned } from '../wire/message-envelope.ts';
import { signatureOpener } from '../wire/signed-message.ts';
import type { GatewayOpener } from './confirmations.ts';

/**
 * Opens what the gateways have signed with the keys in `keys`, by gateway. What another key has signed is no word of that gateway. Of a
 * gateway without a key here, and in unsigned messages, the content is taken as unverified; the only unsigned word that is taken of a
 * gateway with a key is the broker's, that it is gone.
 */
export const gatewayOpenerFor = (keys: ReadonlyMap<string, PublicKey>): GatewayOpener => {
  const openers = new Map(
    [...keys].map(([gateway, publicKey]) => [
      gateway,
      signatureOpener([{ kid: thumbprint(publicKey), publicKey, may: [] }]),
    ]),
  );
  return async (gateway, payload) => {
    const open = openers.get(gateway);
    if (open === undefined) return { json: isSigned(payload) ? contentOf(payload) : payload, isVerified: false };
    if (!isSigned(payload)) return isFarewell(payload) ? { json: payload, isVerified: false } : undefined;
    const opened = await open(payload);
    return opened.kind === 'opened' ? { json: opened.json, isVerified: true } : undefined;
  };
};

const isFarewell = (payload: Uint8Array): boolean => {
  try {
    const { type, online } = Object(JSON.parse(Buffer.from(payload).toString()));
    return type === 'status' && online === false;
  } catch {
    return false;
  }
};

const contentOf = (jws: Uint8Array): Uint8Array =>
  Buffer.from(Buffer.from(jws).toString('latin1').split('.')[1] ?? '', 'base64url');
