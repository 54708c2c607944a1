// Seals records anew under the present key, a few at a time. A record gets its new name and loses the former one in one batch.

import type { RecordNames } from './record-names.ts';
import { keyIdOf, type RecordSeal } from './record-seal.ts';
import * as records from './records.ts';
import type { Database } from './sublevels.ts';

export interface ResealedSlice {
  /** Where the next slice goes on; undefined at the end. */
  readonly last: string | undefined;
  readonly sealedAnew: number;
  /** Records that did not open, and are as they were. */
  readonly unreadable: number;
}

/** Records in one slice: some milliseconds on a small machine, for which a tap waits at most. */
const SLICE = 32;

/** Nobody else may write meanwhile. Rejects as the database does. */
export const resealSlice = async (
  database: Database,
  after: string,
  { seal, names }: { readonly seal: RecordSeal; readonly names: RecordNames },
): Promise<ResealedSlice> => {
  const rows = await database.iterator({ gt: after, limit: SLICE }).all();
  const due = rows.filter(([, value]) => ![undefined, seal.currentId].includes(keyIdOf(value)));
  const batch = database.batch();
  let unreadable = 0;
  for (const [name, value] of due) {
    try {
      const text = seal.open(name, value);
      const renamed = nameOf(name, text, names);
      batch.put(renamed, seal.seal(renamed, text));
      if (renamed !== name) batch.del(name);
    } catch {
      unreadable += 1;
    }
  }
  const sealedAnew = due.length - unreadable;
  if (sealedAnew > 0) await batch.write();
  else await batch.close();
  return { last: rows.length < SLICE ? undefined : rows.at(-1)?.[0], sealedAnew, unreadable };
};

/** The name of a record that has this text. Throws CardeaError `store-record-unreadable`. */
const nameOf = (name: string, text: string, names: RecordNames): string => {
  const prefix = /^![a-z]+!/.exec(name)?.[0];
  switch (prefix) {
    case '!card!':
      return prefix + names.card(records.decodeCard(text).number);
    case '!cardholder!':
      return prefix + names.cardholder(records.decodeCardholder(text).id);
    case '!passage!': {
      const { zone, cardholder } = records.decodePassage(text);
      return `${prefix}${names.passage(`${zone}/${cardholder}`)}`;
    }
    default:
      return name;
  }
};

/** Rewrites the files, so that nothing is left in them of what was deleted or replaced. Rejects as the database does. */
export const compact = async (database: Database): Promise<void> => {
  // The package's types are those of what it is in a browser, too.
  if (hasCompactRange(database)) await database.compactRange('!', '~');
};

const hasCompactRange = (
  database: object,
): database is { readonly compactRange: (start: string, end: string) => Promise<void> } => 'compactRange' in database;
