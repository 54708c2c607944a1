// Signed messages: JWS compact (RFC 7515) with EdDSA over Ed25519 (RFC 8037), whose payload is exactly the JSON of the message.
//
// 1. Nothing opens but what the holder of a listed key has signed, for a message type that the key may send.
// 2. One message has one spelling: what differs from it in any character does not open.

import { CompactSign, compactVerify, errors, type CryptoKey as JoseKey, type KeyObject } from 'jose';
import * as z from 'zod';
import type { Permission, TrustedKey } from '../domain/trusted-key.ts';
import { errorMessage } from '../errors.ts';
import type { HrMessageType, MessageEnvelope, MessageSeal, OpenedMessage } from './message-envelope.ts';
import { parseJsonObject, schemaFault } from './message-json.ts';

/** The only algorithm there is here; never taken from the message. */
const ALGORITHM = 'EdDSA';
/** In base64url; ours has about 80. */
const MAX_HEADER_CHARACTERS = 512;
const MAX_KID_CHARACTERS = 64;

/** What a key needs in order to send such a message. */
export const NEEDED_PERMISSION: Readonly<Record<HrMessageType, Permission>> = {
  'card-bound': 'bind',
  'card-revoked': 'revoke',
  'roster-digest': 'roster',
  'roster-page': 'roster',
  'event-ack': 'events',
  command: 'command',
  calendar: 'calendar',
};

/** `trust.messages: signed`. Keys that overlap in time are simply both listed. */
export const signedEnvelope = (keys: readonly TrustedKey[]): MessageEnvelope => {
  const open = signatureOpener(keys);
  return async (payload, messageType) => {
    const opened = await open(payload);
    const needed = NEEDED_PERMISSION[messageType];
    if (opened.kind === 'refused' || opened.key.may.includes(needed)) return opened;
    return refused('not-permitted', `key ${JSON.stringify(opened.key.kid)} lacks the permission "${needed}" here`);
  };
};

/** What was opened, and the key that has signed it. */
export type OpenedSignature = { readonly kind: 'opened'; readonly json: Uint8Array; readonly key: TrustedKey };

/** Opens what one of the keys has signed, whatever it says: receipts and statuses of gateways, too. Never rejects. */
export const signatureOpener = (
  keys: readonly TrustedKey[],
): ((payload: Uint8Array) => Promise<OpenedSignature | Refusal>) => {
  // The library keeps what it has made of a JWK as long as the object lives.
  const trusted = new Map(keys.map((key) => [key.kid, { key, jwk: jwkOf(key) }]));
  return async (payload) => {
    const claim = readClaim(payload);
    if (claim.kind === 'refused') return claim;
    const signer = trusted.get(claim.kid);
    if (signer === undefined) return refused('unknown-key', `no key ${JSON.stringify(claim.kid)} is trusted here`);
    try {
      const { payload: json } = await compactVerify(claim.jws, signer.jwk, { algorithms: [ALGORITHM] });
      return { kind: 'opened', json, key: signer.key };
    } catch (error) {
      return refused('bad-signature', verificationFault(error));
    }
  };
};

/**
 * Signs with the private key of `kid`, which goes into the header, as does `typ`, for what must not be taken for a message. The
 * promise rejects when the key cannot sign.
 */
export const sealWith =
  (key: JoseKey | KeyObject, kid: string, typ?: string): MessageSeal =>
  (json) =>
    new CompactSign(new TextEncoder().encode(json))
      .setProtectedHeader({ alg: ALGORITHM, kid, ...(typ !== undefined && { typ }) })
      .sign(key);

const jwkOf = ({ publicKey }: TrustedKey) => ({ kty: 'OKP', crv: 'Ed25519', x: publicKey });

const verificationFault = (error: unknown): string =>
  error instanceof errors.JWSSignatureVerificationFailed
    ? 'the signature does not fit the message and the key'
    : `the signature cannot be checked: ${errorMessage(error)}`;

const refused = (code: 'not-signed' | 'bad-signature' | 'unknown-key' | 'not-permitted', detail: string) =>
  ({ kind: 'refused', code, detail }) as const satisfies OpenedMessage;

type Claim = { readonly kind: 'claim'; readonly jws: string; readonly kid: string };
type Refusal = Extract<OpenedMessage, { kind: 'refused' }>;

const readClaim = (payload: Uint8Array): Claim | Refusal => {
  const jws = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('latin1');
  if (/^\s*($|[{["])/.test(jws)) {
    return refused('not-signed', 'the message is not signed; expected is its JSON as JWS compact, alg EdDSA');
  }
  const [, header] = COMPACT.exec(jws) ?? [];
  if (header === undefined) return refused('bad-signature', 'the message is not a JWS in compact form');
  if (!jws.split('.').every(isCanonical)) {
    return refused('bad-signature', 'a part of the JWS is not canonical base64url');
  }
  const kid = kidIn(header);
  return typeof kid === 'string' ? { kind: 'claim', jws, kid } : kid;
};

/** Header, payload, signature of 64 bytes; no padding, no white space. */
const COMPACT = /^([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}$/;

/** Whether encoding again what it decodes to would give the same text: the bits that the last character has too many are zero. */
const isCanonical = (segment: string): boolean => {
  const tail = segment.slice(segment.length - (segment.length % 4));
  return Buffer.from(tail, 'base64url').toString('base64url') === tail;
};

/** Whatever would have to be understood beyond algorithm and key (crit, b64, jwk, x5c ...) is refused; typ and cty only describe. */
const headerSchema = z.strictObject({
  alg: z.literal(ALGORITHM),
  kid: z.string().max(MAX_KID_CHARACTERS).optional(),
  typ: z.string().optional(),
  cty: z.string().optional(),
});

const kidIn = (header: string): string | Refusal => {
  if (header.length > MAX_HEADER_CHARACTERS) {
    return refused('bad-signature', `the header has more than ${MAX_HEADER_CHARACTERS} characters`);
  }
  const json = parseJsonObject(Buffer.from(header, 'base64url'));
  if ('fault' in json) return refused('bad-signature', 'the header is not a JSON object with each name once');
  const parsed = headerSchema.safeParse(json.content);
  if (!parsed.success) {
    const { path, detail } = schemaFault(parsed.error);
    return refused('bad-signature', `the header: ${path}: ${detail}`);
  }
  return parsed.data.kid ?? refused('unknown-key', 'the header names no key (kid)');
};
