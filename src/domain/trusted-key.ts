// Keys that vouch for messages: how they are named and written, and which messages each of them may send. Ed25519 only (RFC 8032).

import { createHash } from 'node:crypto';

/** bind: card-bound. revoke: card-revoked. roster: roster-digest and roster-page. command: door commands. calendar: calendar. events: event-ack. */
export const PERMISSIONS = ['bind', 'revoke', 'roster', 'command', 'calendar', 'events'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Names a key in a signature (`kid`): 1 to 64 printable ASCII characters without spaces, not the name that objects reserve. */
export const KEY_ID = /^(?!__proto__$)[\x21-\x7e]{1,64}$/;

declare const brand: unique symbol;
/** The 32 bytes of a public key in base64url without padding, as `x` in a JWK (RFC 8037, 2). */
export type PublicKey = string & { readonly [brand]: 'PublicKey' };

export interface TrustedKey {
  readonly kid: string;
  readonly publicKey: PublicKey;
  readonly may: readonly Permission[];
}

/** Undefined for text that is not 32 bytes in canonical base64url, or a key for which anybody can make signatures. */
export const parsePublicKey = (text: string): PublicKey | undefined => {
  const bytes = Buffer.from(text, 'base64url');
  const isCanonical = bytes.length === 32 && bytes.toString('base64url') === text;
  return isCanonical && !isOfSmallOrder(bytes) ? (text as PublicKey) : undefined;
};

/**
 * Encodings of the points of order 1, 2, 4 and 8, without the sign bit; the last two are not reduced. Verifiers accept them, and
 * a signature that fits every message is easy to find: 43 times A would be such a key.
 */
const SMALL_ORDER: readonly string[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

const isOfSmallOrder = (bytes: Buffer): boolean => {
  const unsigned = Buffer.from(bytes);
  unsigned[31] = bytes.readUInt8(31) & 0x7f;
  return SMALL_ORDER.includes(unsigned.toString('hex'));
};

/** The name of a key that was given no other: its thumbprint (RFC 7638, with the members of RFC 8037 A.3). */
export const thumbprint = (key: PublicKey): string =>
  createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${key}"}`).digest('base64url');
