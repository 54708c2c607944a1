// A hundred thousand mutated and forged messages, over valid ones of every type and key: none opens but what was signed.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { HR_MESSAGE_TYPES, type HrMessageType } from '../../src/wire/message-envelope.ts';
import { NEEDED_PERMISSION, sealWith, signedEnvelope } from '../../src/wire/signed-message.ts';
import { seededRandom } from '../fixtures/seeded-random.ts';
import { signingKey } from '../fixtures/signing-keys.ts';
import { CALENDAR, CARD_REVOKED, CARDHOLDER_REVOKED, COMMAND, FULL_BOUND, SHORT_BOUND } from '../wire/messages.ts';

const FORGERIES = 100_000;
const SEED = 20261122;

const HR = signingKey('hr-2026', 'bind', 'revoke', 'roster', 'calendar', 'command');
const GUARDS = signingKey('guards', 'revoke');
const ATTACKER = signingKey('hr-2026');

const DIGEST = { type: 'roster-digest', site: 'hq', revision: 9, cards: 0, buckets: 'A'.repeat(2732), epoch: '2026-a' };
const PAGE = {
  type: 'roster-page',
  site: 'hq',
  requestId: 'r',
  revision: 9,
  page: 1,
  pages: 1,
  buckets: [3],
  cards: [],
};
const CONTENTS = [FULL_BOUND, SHORT_BOUND, CARD_REVOKED, CARDHOLDER_REVOKED, CALENDAR, DIGEST, PAGE, COMMAND];

interface Sealed {
  readonly jws: string;
  readonly json: string;
  /** Whose signature it carries. */
  readonly may: readonly string[];
}

const { below, pick } = seededRandom(SEED);
const ALPHABET = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];
const encode = (text: string | Buffer): string => Buffer.from(text).toString('base64url');
const splice = (text: string, at: number, cut: number, put: string): string =>
  text.slice(0, at) + put + text.slice(at + cut);
/** One of the three parts made anew. */
const withPart = (jws: string, index: number, change: (part: string) => string): string => {
  const parts = jws.split('.');
  return parts.with(index, change(parts[index] ?? '')).join('.');
};
const lastBits = (part: string): string => {
  const last = ALPHABET.indexOf(part.slice(-1));
  return part.slice(0, -1) + (ALPHABET[last ^ (1 + below(15))] ?? '');
};

const HEADERS = [
  { alg: 'none', kid: 'hr-2026' },
  { alg: 'none' },
  { alg: 'Ed25519', kid: 'hr-2026' },
  { alg: 'EdDSA', kid: 'guards' },
  { alg: 'EdDSA', kid: 'nobody' },
  { alg: 'EdDSA', kid: 'hr-2026', crit: ['b64'], b64: false },
  { alg: 'EdDSA', kid: 'hr-2026', jwk: ATTACKER.publicKey.export({ format: 'jwk' }) },
  { alg: 'EdDSA', kid: 'hr-2026', typ: 'JWT' },
  { kid: 'hr-2026', alg: 'EdDSA' },
];
const SECRETS = [
  HR.trusted.publicKey,
  Buffer.from(HR.trusted.publicKey, 'base64url'),
  HR.publicKey.export({ type: 'spki', format: 'pem' }),
  HR.publicKey.export({ type: 'spki', format: 'der' }),
];

type Forge = (valid: Sealed, other: Sealed) => string | Promise<string>;

/** What an attacker may do without the private key of a listed key; `other` is a valid message of the same or another key. */
const FORGERY: readonly Forge[] = [
  // Accidents and malice of single bits and characters.
  ({ jws }) => {
    const bytes = Buffer.from(jws);
    const at = below(bytes.length);
    bytes[at] = bytes.readUInt8(at) ^ (1 << below(8));
    return bytes.toString('latin1');
  },
  ({ jws }) => splice(jws, below(jws.length), 1, pick(ALPHABET)),
  ({ jws }) => splice(jws, below(jws.length), 0, pick([...ALPHABET, '.', '=', ' ', '\n', '\0', '\t'])),
  ({ jws }) => splice(jws, below(jws.length), 1 + below(3), ''),
  ({ jws }) => jws.slice(0, below(jws.length)),
  ({ jws }) => jws + pick(['=', '==', '.', 'A', '\n', ' ', '\0', '.AAAA', jws]),
  ({ jws }) => pick([' ', '\n', '.', 'A', '\ufeff', '\0']) + jws,
  ({ jws }) => withPart(jws, below(3), lastBits),
  ({ jws }) => withPart(jws, 2, (part) => splice(part, below(part.length), 1, pick(ALPHABET))),
  // Parts of one message in another.
  ({ jws }, other) => withPart(jws, below(3), () => other.jws.split('.')[below(3)] ?? ''),
  ({ jws }, other) => withPart(jws, 2, () => other.jws.split('.')[2] ?? ''),
  ({ jws }, other) => withPart(jws, 1, () => encode(other.json)),
  // Another content under the old signature.
  ({ jws, json }) => withPart(jws, 1, () => encode(json.replace(/\d/, (digit) => String((Number(digit) + 1) % 10)))),
  ({ jws, json }) => withPart(jws, 1, () => encode(`${json} `)),
  // Another header over the old signature, or over none.
  ({ jws }) => withPart(jws, 0, () => encode(JSON.stringify(pick(HEADERS)))),
  ({ json }) => `${encode(JSON.stringify(pick(HEADERS)))}.${encode(json)}.`,
  ({ json }) => `${encode(JSON.stringify(pick(HEADERS)))}.${encode(json)}.${'A'.repeat(86)}`,
  // The public key as a shared secret.
  ({ json }) => {
    const content = `${encode('{"alg":"HS256","kid":"hr-2026"}')}.${encode(json)}`;
    return `${content}.${createHmac('sha512', pick(SECRETS)).update(content).digest('base64url')}`;
  },
  // The attacker's own key under a trusted name.
  ({ json }) => sealWith(ATTACKER.privateKey, pick(['hr-2026', 'guards']))(json),
  ({ json }) => json,
];

const sealAll = async (): Promise<readonly Sealed[]> => {
  const of = (key: typeof HR) =>
    CONTENTS.map(async (content) => {
      const json = JSON.stringify(content);
      return { json, jws: await key.seal(json), may: key.trusted.may };
    });
  return Promise.all([...of(HR), ...of(GUARDS)]);
};

test(`of ${FORGERIES} mutated or forged messages none opens, unless it is a genuine one of a key with the permission`, async () => {
  const open = signedEnvelope([HR.trusted, GUARDS.trusted]);
  const genuine = await sealAll();
  const byText = new Map(genuine.map((sealed) => [sealed.jws, sealed]));
  const codes = new Map<string, number>();
  const judge = async (jws: string, type: HrMessageType): Promise<void> => {
    const opened = await open(Buffer.from(jws, 'latin1'), type);
    const outcome = opened.kind === 'opened' ? 'opened' : opened.code;
    codes.set(outcome, (codes.get(outcome) ?? 0) + 1);
    const original = byText.get(jws);
    const isRight = original?.may.includes(NEEDED_PERMISSION[type]) === true;
    assert.equal(opened.kind === 'opened', isRight, `${outcome} on ${type}: ${JSON.stringify(jws)}`);
    if (opened.kind === 'opened') assert.equal(Buffer.from(opened.json).toString(), original?.json);
  };
  for (const type of HR_MESSAGE_TYPES) for (const { jws } of genuine) await judge(jws, type);
  codes.clear();

  for (let made = 0; made < FORGERIES; ) {
    const batch = Array.from({ length: 200 }, async () => {
      const forged = await pick(FORGERY)(pick(genuine), pick(genuine));
      await judge(forged, pick(HR_MESSAGE_TYPES));
    });
    made += batch.length;
    await Promise.all(batch);
  }

  // Each way of being refused was met; a mutation now and then changes nothing, and a part may be swapped for itself.
  for (const code of ['bad-signature', 'unknown-key', 'not-signed', 'not-permitted']) {
    assert.ok((codes.get(code) ?? 0) > 100, `${code}: ${codes.get(code)}`);
  }
  assert.ok((codes.get('bad-signature') ?? 0) > FORGERIES * 0.7, `bad-signature: ${codes.get('bad-signature')}`);
});
