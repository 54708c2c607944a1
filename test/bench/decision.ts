// Decision including the LevelDB look-up, at three sizes of roster, beside an in-memory Map and an unsealed LevelDB of the same
// records: for cards that always open, and for cards whose access level has a schedule and holidays.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decideAccess } from '../../src/domain/access-decision.ts';
import type { CalendarDefinition } from '../../src/domain/calendar.ts';
import type { CardNumber } from '../../src/domain/card-number.ts';
import type { CardLookup, Grant } from '../../src/domain/credential.ts';
import { parseDoorId, parseScheduleId } from '../../src/domain/ids.ts';
import { type LocalClock, localClock, UTC, WEEKDAYS } from '../../src/domain/local-time.ts';
import { compileRules } from '../../src/domain/rule-book.ts';
import { type AccessRules, BUILT_IN_RULES } from '../../src/domain/schedule.ts';
import { type Instant, instant } from '../../src/domain/units.ts';
import { openTestStore } from '../fixtures/test-store.ts';
import { type Figure, micro, percentile, sample, spread } from './figures.ts';
import { plainStore } from './plain-store.ts';
import { bindingAt, cardAt, fillStore } from './roster-fixture.ts';

const SAMPLES = 100_000;

export const measureDecisions = async (sizes: readonly number[]): Promise<Figure[]> => {
  const figures: Figure[] = [];
  for (const size of sizes) figures.push(...(await measureAt(size)));
  return figures;
};

const measureAt = async (size: number): Promise<Figure[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-bench-'));
  const filling = await openTestStore(join(folder, 'store'));
  await fillStore(filling, size);
  await filling.close();
  const store = await openTestStore(join(folder, 'store'));
  const cards = Array.from({ length: SAMPLES }, () => cardAt(Math.floor(Math.random() * size)));
  const map = new Map<CardNumber, CardLookup>(
    Array.from({ length: size }, (_, i) => [cardAt(i), { kind: 'live', binding: bindingAt(i) }]),
  );
  const decided = sample(SAMPLES, (i) => decide(store.findCard(pick(cards, i))));
  const inMemory = sample(SAMPLES, (i) => decide(map.get(pick(cards, i)) ?? { kind: 'unknown' }));
  // A tap a second: the clock on the wall is read anew for each sixtieth.
  const scheduled = sample(SAMPLES, (i) => decideBySchedule(store.findCard(pick(cards, i)), instant(NOON + i * 1000)));
  await store.close();
  const plain = await plainStore(join(folder, 'plain'), size);
  const unsealed = sample(SAMPLES, (i) => decide(plain.findCard(pick(cards, i))));
  await plain.close();
  rmSync(folder, { recursive: true });
  const aim = size === 1_000_000 ? 'p99 < 50 us' : '';
  const all = `${size.toLocaleString('en')} cards`;
  return [
    {
      what: `decision with look-up, ${all}`,
      ...spread(decided, micro),
      baseline: `Map: ${micro(percentile(inMemory, 0.5))}, p99 ${micro(percentile(inMemory, 0.99))}`,
      aim,
    },
    {
      what: `the same, ${all}, beside records that are not sealed`,
      ...spread(decided, micro),
      baseline: `unsealed: ${micro(percentile(unsealed, 0.5))}, p99 ${micro(percentile(unsealed, 0.99))}`,
      aim,
    },
    {
      what: `the same by level, schedule and holidays, ${all}`,
      ...spread(scheduled, micro),
      baseline: `always: ${micro(percentile(decided, 0.5))}, p99 ${micro(percentile(decided, 0.99))}`,
      aim,
    },
  ];
};

const pick = (cards: readonly CardNumber[], index: number): CardNumber => cards[index] ?? cardAt(0);

const FRONT = parseDoorId('front');
const OFFICE = parseScheduleId('office-hours');
const NOON = Date.parse('2026-01-05T11:00:00Z');

interface Site {
  readonly now: Instant;
  readonly localClock: LocalClock;
  readonly rules: AccessRules;
}

const decide = (card: CardLookup): void =>
  decideAt(card, { now: instant(Date.now()), localClock: UTC, rules: BUILT_IN_RULES });

const decideAt = (card: CardLookup, { now, localClock, rules }: Site): void => {
  if (FRONT === undefined) throw new TypeError('door id');
  const decision = decideAccess({
    card,
    door: FRONT,
    mode: 'normal',
    now,
    wall: { local: localClock(now), isTrusted: true },
    isRosterStale: false,
    rules,
  });
  if (decision.kind !== 'granted') throw new TypeError(`the benchmark's card was denied: ${decision.reason}`);
};

/** Twenty windows, of which only the last one is open, and ten lists of thirty holidays. */
const calendar = (): CalendarDefinition => {
  if (OFFICE === undefined) throw new TypeError('schedule id');
  const others = Array.from({ length: 19 }, () => ({ holidays: ['list-0'], from: '00:00', to: '24:00' }));
  const dates = Array.from({ length: 30 }, (_, day) => `2025-06-${String(day + 1).padStart(2, '0')}`);
  return {
    schedules: { [OFFICE]: [...others, { days: WEEKDAYS, holidays: ['*'], from: '00:00', to: '24:00' }] },
    holidays: Object.fromEntries(Array.from({ length: 10 }, (_, list) => [`list-${list}`, dates])),
    levels: { staff: [{ doors: ['*'], schedule: OFFICE }] },
  };
};

const RULES = compileRules(calendar());
const BERLIN = localClock('Europe/Berlin');
const STAFF: readonly Grant[] = [{ level: 'staff' }];

const decideBySchedule = (card: CardLookup, now: Instant): void => {
  if (card.kind !== 'live') throw new TypeError("the benchmark's card is not there");
  const binding = { ...card.binding, access: STAFF };
  decideAt({ kind: 'live', binding }, { now, localClock: BERLIN, rules: RULES });
};
