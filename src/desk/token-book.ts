// Sessions and programs' tokens, in memory as the store has them. What is handed out is `id.secret`; what is kept is the secret's
// hash.
//
// 1. Nobody can make a token from what is kept: a secret has 256 random bits.
// 2. Sessions of one operator are bounded; the oldest makes room.
// 3. What a clock has made that was ahead is void: it would be good for years.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { formatInstant, type Instant, seconds } from '../domain/units.ts';
import type { DeskPut, DeskStore } from '../ports/desk-store.ts';
import type { Role } from './permissions.ts';
import { decodeRecord, type TokenRecord, toJson, tokenRecord } from './records.ts';

const SECRET_BYTES = 32;
const ID_BYTES = 9;
const TOKEN = /^([\w-]{12})\.([\w-]{43})$/;
const MOST_SESSIONS = 20;
/** A clock may be set back by as much. */
const CLOCK_TOLERANCE = seconds(5 * 60);

export interface NewTokenRecord {
  readonly kind: TokenRecord['kind'];
  readonly name: string;
  readonly roles: readonly Role[];
  readonly createdBy: string;
  readonly expiresAt?: string | undefined;
}

export class TokenBook {
  readonly #records = new Map<string, TokenRecord>();

  /** Rejects with CardeaError `store-record-unreadable`. */
  static async load(store: DeskStore): Promise<TokenBook> {
    const book = new TokenBook();
    for await (const [key, value] of store.entries('token')) {
      book.#records.set(key, decodeRecord(tokenRecord, value, `token ${key}`));
    }
    return book;
  }

  /** The record of a token that is good now. */
  find(token: string, now: Instant): TokenRecord | undefined {
    const [, id = '', secret = ''] = TOKEN.exec(token) ?? [];
    const record = this.#records.get(id);
    const isEqual = timingSafeEqual(
      hashOf(secret),
      record === undefined ? NO_HASH : Buffer.from(record.secretHash, 'hex'),
    );
    return isEqual && record !== undefined && !isVoid(record, now) ? record : undefined;
  }

  /** Programs' tokens, expired ones too, in the order in which they were made. */
  programs(): readonly TokenRecord[] {
    return this.#all('token').sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt));
  }

  /** What programs of that name may do now; undefined where there is none with a token that is good. */
  rolesOf(name: string, now: Instant): readonly Role[] | undefined {
    const good = this.programs().filter((record) => record.name === name && !isVoid(record, now));
    return good.length === 0 ? undefined : [...new Set(good.flatMap(({ roles }) => roles))];
  }

  program(id: string): TokenRecord | undefined {
    const record = this.#records.get(id);
    return record?.kind === 'token' ? record : undefined;
  }

  /** Counts from now on; the records have to be written before the token is handed out. */
  issue(
    { kind, name, roles, createdBy, expiresAt }: NewTokenRecord,
    now: Instant,
  ): { readonly record: TokenRecord; readonly token: string; readonly puts: readonly DeskPut[] } {
    const id = randomBytes(ID_BYTES).toString('base64url');
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const record: TokenRecord = {
      id,
      secretHash: hashOf(secret).toString('hex'),
      kind,
      name,
      roles,
      createdAt: formatInstant(now),
      createdBy,
      ...(expiresAt !== undefined && { expiresAt }),
    };
    const ended = kind === 'session' ? [...this.#void(now), ...this.#surplus(name)] : [];
    this.#records.set(id, record);
    return {
      record,
      token: `${id}.${secret}`,
      puts: [...this.remove(ended), { kind: 'token', key: id, value: toJson(record) }],
    };
  }

  /** They are good for nothing from now on. */
  remove(records: readonly TokenRecord[]): readonly DeskPut[] {
    return [...new Set(records)].map(({ id }) => {
      this.#records.delete(id);
      return { kind: 'token', key: id, value: undefined };
    });
  }

  endSessionsOf(name: string): readonly DeskPut[] {
    return this.remove(this.#sessionsOf(name));
  }

  #all(kind: TokenRecord['kind']): TokenRecord[] {
    return [...this.#records.values()].filter((record) => record.kind === kind);
  }

  #sessionsOf(name: string): TokenRecord[] {
    return this.#all('session').filter((record) => record.name === name);
  }

  #void(now: Instant): readonly TokenRecord[] {
    return this.#all('session').filter((record) => isVoid(record, now));
  }

  /** Those that have to go so that there is room for one more. */
  #surplus(name: string): readonly TokenRecord[] {
    const sessions = this.#sessionsOf(name).sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt));
    return sessions.slice(0, Math.max(0, sessions.length + 1 - MOST_SESSIONS));
  }
}

const isVoid = ({ createdAt, expiresAt }: TokenRecord, now: Instant): boolean =>
  Date.parse(createdAt) > now + CLOCK_TOLERANCE || (expiresAt !== undefined && Date.parse(expiresAt) <= now);

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();
/** No secret has it. */
const NO_HASH = Buffer.alloc(32);

/** Whether both texts are the same, in a time that tells nothing of either. */
export const areEqualSecrets = (one: string, other: string): boolean => timingSafeEqual(hashOf(one), hashOf(other));
