// `cardea report attendance`: one row for each person and day, or one for each tap.

import { type AttendanceDay, AttendanceLedger, type Passage } from '../domain/attendance.ts';
import { parseCardholderId } from '../domain/ids.ts';
import { durationText } from '../domain/local-text.ts';
import { instant } from '../domain/units.ts';
import { CardeaError } from '../errors.ts';
import { isWithin } from './report-dates.ts';
import type { Row } from './report-output.ts';
import type { Report, ReportSource } from './report-run.ts';

interface Choice {
  /** All persons, where it is left out. */
  readonly cardholder?: string;
  /** Taps at these doors alone; all, where it is left out. */
  readonly doors?: readonly string[];
}

const TAPS = ['access-granted', 'access-not-taken'] as const;

/** One row for each person and day. */
export const attendanceReport = (choice: Choice): Report => ({
  name: 'attendance',
  isOf: 'events',
  columns: [
    'date',
    'cardholder',
    'name',
    'firstIn',
    'lastOut',
    'present',
    'presentSeconds',
    'unmatchedIns',
    'unmatchedOuts',
    'taps',
    'guessedTaps',
    'doors',
    'cards',
    'bindingRevisions',
  ],
  rows: async function* (source) {
    const cardholder = personOf(choice);
    const names = await namesOf(source, cardholder);
    const { dates, clocks } = source;
    const ledger = new AttendanceLedger({ clockOf: (door) => clocks.of(door) });
    const rowsOf = function* (days: readonly AttendanceDay[]): Generator<Row> {
      for (const day of days) {
        if (cardholder !== undefined && day.cardholder !== cardholder) continue;
        if (isWithin(day.date, dates)) yield dayRow(day, names, source);
      }
    };
    // A night that begins on the last day ends on the next, and one that ends on the first day began before.
    for await (const event of source.events(TAPS, 1)) {
      if (isChosen(event.door, choice)) yield* rowsOf(ledger.add(event));
    }
    yield* rowsOf(ledger.finish());
  },
});

/** One row for each tap that was granted, and one more where it was not taken. */
export const tapsReport = (choice: Choice): Report => ({
  name: 'attendance',
  isOf: 'events',
  columns: [
    'sequence',
    'time',
    'clockTrusted',
    'event',
    'cardholder',
    'name',
    'door',
    'reader',
    'direction',
    'card',
    'bindingRevision',
  ],
  rows: async function* (source) {
    const chosen = personOf(choice);
    const names = await namesOf(source, chosen);
    const { dates, clocks } = source;
    for await (const tap of source.events(TAPS, 0)) {
      const { sequence, time, clockSynchronized, event, cardholder, door, reader, direction, card } = tap;
      const at = instant(Date.parse(time));
      if (!isChosen(door, choice) || !isWithin(clocks.date(at, door), dates)) continue;
      if (cardholder === null || (chosen !== undefined && cardholder !== chosen)) continue;
      yield {
        ...{ sequence, time: clocks.text(at, door), clockTrusted: clockSynchronized, event },
        ...{ cardholder, name: names.get(cardholder) ?? null, door, reader, direction, card },
        bindingRevision: tap.bindingRevision,
      };
    }
  },
});

const personOf = ({ cardholder }: Choice): string | undefined => {
  if (cardholder === undefined) return undefined;
  const id = parseCardholderId(cardholder);
  if (id === undefined) throw new CardeaError('invalid-request', `"${cardholder.slice(0, 64)}" is no cardholder`);
  return id;
};

const isChosen = (door: string | null, { doors }: Choice): boolean =>
  doors === undefined || (door !== null && doors.includes(door));

/** Names stand with the cards that are bound now, and nowhere else. */
const namesOf = async (source: ReportSource, cardholder: string | undefined): Promise<ReadonlyMap<string, string>> => {
  const names = new Map<string, string>();
  for await (const { binding } of source.cards({ withRetired: false })) {
    if (binding === null || binding.name === null) continue;
    if (cardholder === undefined || binding.cardholder === cardholder) names.set(binding.cardholder, binding.name);
  }
  return names;
};

const dayRow = (day: AttendanceDay, names: ReadonlyMap<string, string>, { clocks }: ReportSource): Row => {
  const { date, cardholder, present, unmatchedIns, unmatchedOuts, taps, guessedTaps } = day;
  const text = (passage: Passage | undefined): string | null =>
    passage === undefined ? null : clocks.text(passage.at, passage.door);
  const presentSeconds = Math.floor(present / 1000);
  return {
    ...{ date, cardholder, name: names.get(cardholder) ?? null },
    ...{ firstIn: text(day.firstIn), lastOut: text(day.lastOut) },
    ...{ present: durationText(presentSeconds), presentSeconds, unmatchedIns, unmatchedOuts, taps, guessedTaps },
    ...{ doors: day.doors, cards: day.cards, bindingRevisions: day.bindingRevisions },
  };
};
