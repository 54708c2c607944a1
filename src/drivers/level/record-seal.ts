// What keeps the store's records secret and whole on the disk: values are sealed with AES-256-GCM under the name that they have,
// and names that would tell a card or a person are HMACs.
//
// 1. A value that was changed, cut, or moved to another name does not open: it is unreadable, never wrong.
// 2. A nonce is used once: each life of the process counts on from a random one of 2^96. A million lives that seal a million records
//    each would meet with a probability below 2^-36 (NIST SP 800-38D, 8.3, asks for 2^-32).

import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import { CardeaError } from '../../errors.ts';

/** First byte of every sealed value. */
const LAYOUT = 1;
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
/** Node counts exactly as far as 6 bytes. */
const COUNTER_BYTES = 6;
/** NIST SP 800-38D allows shorter ones; there is no reason for it. */
const TAG_BYTES = 16;
const HEADER_BYTES = 2 + NONCE_BYTES;
export const DATA_KEY_BYTES = 32;
/** Of an HMAC-SHA-256 in a name: 128 bits, 22 characters. */
const NAME_BYTES = 16;

/** A key that records are sealed with. It is never shown; the store's header holds it wrapped (store-header.ts). */
export interface DataKey {
  /** 1 to 255, in every value that was sealed with it. */
  readonly id: number;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

type SecretKey = ReturnType<typeof createSecretKey>;
interface Derived {
  readonly id: number;
  readonly encryption: SecretKey;
  readonly naming: SecretKey;
}

export class RecordSeal {
  readonly #current: Derived;
  readonly #byId: ReadonlyMap<number, Derived>;
  readonly #nonce = randomBytes(NONCE_BYTES);

  /** Seals with `current`; opens what `former` keys have sealed too. */
  constructor(current: DataKey, former: readonly DataKey[] = []) {
    this.#current = derive(current);
    this.#byId = new Map([this.#current, ...former.map(derive)].map((key) => [key.id, key]));
  }

  /** The id of the key that it seals with. */
  get currentId(): number {
    return this.#current.id;
  }

  /** Ids of all keys it knows, the current one first. */
  get keyIds(): readonly number[] {
    return [...this.#byId.keys()];
  }

  /** What `text` is called in the store: under the current key, or under the key named. */
  nameOf(text: string, keyId: number = this.#current.id): string {
    const key = this.#byId.get(keyId);
    if (key === undefined) throw unreadable(`no key ${keyId} is known`);
    return createHmac('sha256', key.naming).update(text).digest().toString('base64url', 0, NAME_BYTES);
  }

  /** `name` is the whole key of the record; it is not in the result, and needed to open it. */
  seal(name: string, text: string): Buffer {
    const nonce = this.#nextNonce();
    const cipher = createCipheriv(CIPHER, this.#current.encryption, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(name));
    const body = cipher.update(text, 'utf8');
    cipher.final();
    return Buffer.concat([Buffer.of(LAYOUT, this.#current.id), nonce, body, cipher.getAuthTag()]);
  }

  /** Throws CardeaError `store-record-unreadable`. */
  open(name: string, sealed: Uint8Array): string {
    const key = this.#byId.get(sealed[1] ?? 0);
    if (sealed[0] !== LAYOUT || key === undefined || sealed.length < HEADER_BYTES + TAG_BYTES) {
      throw unreadable('it was not sealed with a key of this store');
    }
    const bodyEnd = sealed.length - TAG_BYTES;
    const opener = createDecipheriv(CIPHER, key.encryption, sealed.subarray(2, HEADER_BYTES), {
      authTagLength: TAG_BYTES,
    });
    opener.setAAD(Buffer.from(name));
    opener.setAuthTag(sealed.subarray(bodyEnd));
    try {
      // Decoded as a whole: piece by piece takes longer.
      const body = opener.update(sealed.subarray(HEADER_BYTES, bodyEnd));
      opener.final();
      return body.toString();
    } catch (cause) {
      throw unreadable('it was changed since it was sealed', cause);
    }
  }

  /** The same buffer each time, counted on. */
  #nextNonce(): Buffer {
    const at = NONCE_BYTES - COUNTER_BYTES;
    this.#nonce.writeUIntBE(
      (this.#nonce.readUIntBE(at, COUNTER_BYTES) + 1) % 2 ** (8 * COUNTER_BYTES),
      at,
      COUNTER_BYTES,
    );
    return this.#nonce;
  }
}

/** The key id of a sealed value; undefined for what is none. */
export const keyIdOf = (sealed: Uint8Array): number | undefined => (sealed[0] === LAYOUT ? sealed[1] : undefined);

/** One secret for two purposes: RFC 5869 keeps them apart. */
const derive = ({ id, secret }: DataKey): Derived => {
  const part = (purpose: string): SecretKey =>
    createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `cardea store: ${purpose}`, DATA_KEY_BYTES)));
  return { id, encryption: part('values'), naming: part('names') };
};

const unreadable = (detail: string, cause?: unknown): CardeaError =>
  new CardeaError('store-record-unreadable', `a record does not open: ${detail}`, { cause });
