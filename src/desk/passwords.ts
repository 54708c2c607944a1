// Passwords: which ones are taken, how they are kept, and how one is compared with what is kept.
//
// 1. What is kept is scrypt's hash (RFC 7914) with its salt and what it cost: those to come may cost more.
// 2. Hashing is bounded: so many at once, so many that wait, and who comes beyond is told so.
// 3. A name that nobody has costs as much as one that somebody has.

import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { CardeaError } from '../errors.ts';
import { foldText } from './people.ts';
import type { Refusal } from './refusal.ts';

/** As RFC 7914, 2 has them. Memory: 128 * N * r bytes. */
export interface ScryptCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** OWASP, Password Storage Cheat Sheet, scrypt: the one with 32 MiB. */
export const USUAL_COST: ScryptCost = { N: 2 ** 15, r: 8, p: 3 };

export interface PasswordHasherOptions {
  readonly cost?: ScryptCost;
  /** Node has four threads for this by default, and the store needs some of them. */
  readonly mostAtOnce?: number;
  readonly mostWaiting?: number;
}

const SALT_BYTES = 16;
const HASH_BYTES = 32;
const STORED = /^scrypt\$(\d{1,10})\$(\d{1,4})\$(\d{1,4})\$([\w-]{1,128})\$([\w-]{1,128})$/;

export class PasswordHasher {
  readonly #cost: ScryptCost;
  readonly #mostAtOnce: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  /** What a password is compared with that belongs to nobody. */
  readonly #nobody = { salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };
  #running = 0;

  constructor({ cost = USUAL_COST, mostAtOnce = 2, mostWaiting = 64 }: PasswordHasherOptions = {}) {
    this.#cost = cost;
    this.#mostAtOnce = mostAtOnce;
    this.#mostWaiting = mostWaiting;
  }

  /** `scrypt$N$r$p$salt$hash`. */
  async hash(password: string): Promise<string | 'overloaded'> {
    const salt = randomBytes(SALT_BYTES);
    const hash = await this.#bounded(() => derive(password, salt, this.#cost));
    if (hash === 'overloaded') return hash;
    const { N, r, p } = this.#cost;
    return ['scrypt', N, r, p, salt.toString('base64url'), hash.toString('base64url')].join('$');
  }

  /** `stored` is undefined where nobody has the name. Rejects with CardeaError `store-record-unreadable` for what `hash` has not made. */
  async verify(password: string, stored: string | undefined): Promise<boolean | 'overloaded'> {
    const {
      salt,
      hash: expected,
      cost,
    } = stored === undefined ? { ...this.#nobody, cost: this.#cost } : parsed(stored);
    const hash = await this.#bounded(() => derive(password, salt, cost, expected.length));
    if (hash === 'overloaded') return hash;
    return timingSafeEqual(hash, expected) && stored !== undefined;
  }

  async #bounded<Value>(work: () => Promise<Value>): Promise<Value | 'overloaded'> {
    if (this.#running >= this.#mostAtOnce) {
      if (this.#waiting.length >= this.#mostWaiting) return 'overloaded';
      // Whoever ends hands its place on, so that #running stays as it is.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

const derive = (password: string, salt: Buffer, { N, r, p }: ScryptCost, length = HASH_BYTES): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const options: ScryptOptions = { N, r, p, maxmem: 2 * 128 * r * (N + p + 2) };
    scrypt(composed(password), salt, length, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });

const parsed = (stored: string) => {
  const [, N, r, p, salt = '', hash = ''] = STORED.exec(stored) ?? [];
  if (N === undefined)
    throw new CardeaError('store-record-unreadable', 'the password of an operator is not one of scrypt');
  return {
    cost: { N: Number(N), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64url'),
    hash: Buffer.from(hash, 'base64url'),
  };
};

/** The same password typed on two keyboards is the same. */
const composed = (password: string): string => password.normalize('NFKC');

const FEWEST_CHARACTERS = 12;
/** "aaaaaaaaaaaa" is long, too. */
const FEWEST_DIFFERENT = 5;
/** Of a name: one of two letters is found in many a good password. */
const TELLING_NAME = 4;

/** Undefined where nothing is wrong. */
export const passwordFault = (password: string, name: string, path = 'password'): Refusal | undefined => {
  const characters = [...composed(password)];
  const detail = faultText(characters, foldText(password), foldText(name));
  return detail === undefined ? undefined : { code: 'weak-password', detail, path };
};

const faultText = (characters: readonly string[], password: string, name: string): string | undefined => {
  if (characters.length < FEWEST_CHARACTERS) return `a password has ${FEWEST_CHARACTERS} characters or more`;
  if (new Set(characters).size < FEWEST_DIFFERENT)
    return `a password has ${FEWEST_DIFFERENT} different characters or more`;
  const isNamed = name.length >= TELLING_NAME && (password.includes(name) || name.includes(password));
  return isNamed ? 'a password does not have the name in it' : undefined;
};
