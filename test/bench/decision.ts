// Decision including the LevelDB look-up, at three sizes of roster, beside an in-memory Map of the same records.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decideAccess } from '../../src/domain/access-decision.ts';
import type { CardNumber } from '../../src/domain/card-number.ts';
import type { CardLookup } from '../../src/domain/credential.ts';
import { parseDoorId } from '../../src/domain/ids.ts';
import { UTC } from '../../src/domain/local-time.ts';
import { BUILT_IN_RULES } from '../../src/domain/schedule.ts';
import { instant } from '../../src/domain/units.ts';
import { LevelStore } from '../../src/drivers/level/level-store.ts';
import { type Figure, micro, percentile, sample, spread } from './figures.ts';
import { bindingAt, cardAt, fillStore } from './roster-fixture.ts';

const SAMPLES = 100_000;

export const measureDecisions = async (sizes: readonly number[]): Promise<Figure[]> => {
  const figures: Figure[] = [];
  for (const size of sizes) figures.push(await measureAt(size));
  return figures;
};

const measureAt = async (size: number): Promise<Figure> => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-bench-'));
  const filling = await LevelStore.open(join(folder, 'store'));
  await fillStore(filling, size);
  await filling.close();
  const store = await LevelStore.open(join(folder, 'store'));
  const cards = Array.from({ length: SAMPLES }, () => cardAt(Math.floor(Math.random() * size)));
  const map = new Map<CardNumber, CardLookup>(
    Array.from({ length: size }, (_, i) => [cardAt(i), { kind: 'live', binding: bindingAt(i) }]),
  );
  const decided = sample(SAMPLES, (i) => decide(store.findCard(pick(cards, i))));
  const inMemory = sample(SAMPLES, (i) => decide(map.get(pick(cards, i)) ?? { kind: 'unknown' }));
  await store.close();
  rmSync(folder, { recursive: true });
  return {
    what: `decision with look-up, ${size.toLocaleString('en')} cards`,
    ...spread(decided, micro),
    baseline: `Map: ${micro(percentile(inMemory, 0.5))}, p99 ${micro(percentile(inMemory, 0.99))}`,
    aim: size === 1_000_000 ? 'p99 < 50 us' : '',
  };
};

const pick = (cards: readonly CardNumber[], index: number): CardNumber => cards[index] ?? cardAt(0);

const FRONT = parseDoorId('front');

const decide = (card: CardLookup): void => {
  if (FRONT === undefined) throw new TypeError('door id');
  const now = instant(Date.now());
  const decision = decideAccess({
    card,
    door: FRONT,
    mode: 'normal',
    now,
    wall: { local: UTC(now), isTrusted: true },
    isRosterStale: false,
    rules: BUILT_IN_RULES,
  });
  if (decision.kind !== 'granted') throw new TypeError(`the benchmark's card was denied: ${decision.reason}`);
};
