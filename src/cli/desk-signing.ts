// What a desk command does about signatures: signs what it sends with the key that it was given, and takes the signature off
// receipts and statuses, which it checks where the gateway's key is at hand.

import type { Config } from '../config/config.ts';
import { publicHalf, readPrivateKey, readPublicHalf, trustedKeys } from '../config/key-files.ts';
import { type TrustedKey, thumbprint } from '../domain/trusted-key.ts';
import { CardeaError } from '../errors.ts';
import { type HrMessageType, isSigned, type MessageSeal, unsignedSeal } from '../wire/message-envelope.ts';
import { NEEDED_PERMISSION, sealWith, signatureOpener } from '../wire/signed-message.ts';

/** The JSON in a message of the gateway; undefined for one that is not to be believed. */
export type GatewayOpener = (payload: Uint8Array) => Promise<Uint8Array | undefined>;

/**
 * The seal for a message of that type. Throws CardeaError `invalid-request` when a key is missing or too many, `key-unusable` when
 * the gateway would refuse what it signs.
 */
export const deskSeal = (config: Config, type: HrMessageType, keyFile: string | undefined): MessageSeal => {
  const { messages, keys } = config.trust;
  if (messages === 'unsigned') {
    if (keyFile === undefined) return unsignedSeal;
    const message = 'trust.messages is unsigned, and the gateway would refuse a signed message; leave --key out';
    throw new CardeaError('invalid-request', message);
  }
  if (keyFile === undefined) {
    const message = 'the gateway takes signed messages only (trust.messages); name the private key with --key FILE';
    throw new CardeaError('invalid-request', message);
  }
  const privateKey = readPrivateKey(keyFile);
  const publicKey = publicHalf(privateKey, keyFile);
  const trusted = trustedKeys(keys).find((key) => key.publicKey === publicKey);
  return sealWith(privateKey, permitted(trusted, { type, keyFile, publicKey }).kid);
};

const permitted = (
  key: TrustedKey | undefined,
  { type, keyFile, publicKey }: { readonly type: HrMessageType; readonly keyFile: string; readonly publicKey: string },
): TrustedKey => {
  if (key === undefined) {
    const message = `the key in ${keyFile} is none of trust.keys in the configuration; its publicKey is ${publicKey}`;
    throw new CardeaError('key-unusable', message);
  }
  const needed = NEEDED_PERMISSION[type];
  if (key.may.includes(needed)) return key;
  const message = `the key "${key.kid}" may not send ${type}: "${needed}" is not in trust.keys.${key.kid}.may`;
  throw new CardeaError('key-unusable', message);
};

/** A gateway on another machine keeps its key there: then its signatures are taken off unchecked, as the broker vouches for them. */
export const gatewayOpener = (config: Config): GatewayOpener => {
  const publicKey = publicKeyIn(config.trust.gatewayKey.file);
  if (publicKey === undefined) return uncheckedOpener;
  const open = signatureOpener([{ kid: thumbprint(publicKey), publicKey, may: [] }]);
  return async (payload) => {
    const opened = await open(payload);
    return opened.kind === 'opened' ? opened.json : undefined;
  };
};

/** Takes signatures off unchecked. */
export const uncheckedOpener: GatewayOpener = async (payload) =>
  isSigned(payload) ? uncheckedContent(payload) : payload;

/** Undefined where there is none, or for somebody who may not read it. */
const publicKeyIn = (file: string) => {
  try {
    return readPublicHalf(file);
  } catch {
    return undefined;
  }
};

const uncheckedContent = (jws: Uint8Array): Uint8Array =>
  Buffer.from(Buffer.from(jws).toString('latin1').split('.')[1] ?? '', 'base64url');
