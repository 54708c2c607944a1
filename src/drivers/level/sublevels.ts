// The database and its parts, by noun.

import { Level } from 'level';

/** The block cache holds the hot part of a large roster. */
const CACHE_BYTES = 16 * 1024 * 1024;

export type Database = Level<string, Buffer>;
const sublevelOf = (db: Database, name: 'card' | 'cardholder' | 'event' | 'meta' | 'passage') =>
  db.sublevel<string, Buffer>(name, { valueEncoding: 'buffer' });
export type Sublevel = ReturnType<typeof sublevelOf>;

export interface Handles {
  readonly db: Database;
  readonly card: Sublevel;
  readonly cardholder: Sublevel;
  readonly event: Sublevel;
  readonly meta: Sublevel;
  readonly passage: Sublevel;
}

/** Nothing is opened yet. */
export const handlesOf = (directory: string): Handles => {
  const db: Database = new Level<string, Buffer>(directory, { cacheSize: CACHE_BYTES, valueEncoding: 'buffer' });
  return {
    db,
    card: sublevelOf(db, 'card'),
    cardholder: sublevelOf(db, 'cardholder'),
    event: sublevelOf(db, 'event'),
    meta: sublevelOf(db, 'meta'),
    passage: sublevelOf(db, 'passage'),
  };
};
