// The same cards in a LevelDB as they would lie there unsealed, under their numbers: what sealing costs is seen beside it.

import { Level } from 'level';
import type { CardNumber } from '../../src/domain/card-number.ts';
import type { CardLookup } from '../../src/domain/credential.ts';
import { decodeCard, encodeCard } from '../../src/drivers/level/records.ts';
import { bindingAt, cardAt } from './roster-fixture.ts';

const BATCH = 1_000;
/** As the store of the gateway has it. */
const CACHE_BYTES = 16 * 1024 * 1024;

export interface PlainStore {
  findCard(card: CardNumber): CardLookup;
  close(): Promise<void>;
}

/** Fills the database in `directory` with `count` cards, closes it and opens it again. */
export const plainStore = async (directory: string, count: number): Promise<PlainStore> => {
  const filling = new Level<string, string>(directory);
  for (let from = 0; from < count; from += BATCH) {
    const indices = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => from + i);
    await filling.batch(
      indices.map((i) => {
        const number = cardAt(i);
        return { type: 'put', key: `!card!${number}`, value: encodeCard({ number, record: bindingAt(i) }) };
      }),
    );
  }
  await filling.close();
  const db = new Level<string, string>(directory, { cacheSize: CACHE_BYTES });
  await db.open();
  return {
    findCard: (card) => {
      const text = db.getSync(`!card!${card}`);
      if (text === undefined) return { kind: 'unknown' };
      const { record } = decodeCard(text);
      return record.state === 'live' ? { kind: 'live', binding: record } : { kind: 'retired', tombstone: record };
    },
    close: () => db.close(),
  };
};
