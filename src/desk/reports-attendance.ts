// Who was there, for each person and day, from the taps at all gateways: joined across replacements, since a tap names the person.

import * as z from 'zod';
import { memberOf } from '../domain/access-event.ts';
import { type AttendanceDay, AttendanceLedger, type Passage } from '../domain/attendance.ts';
import { durationText, localText } from '../domain/local-text.ts';
import { type MergedEvent, mergedEvents } from './event-merge.ts';
import { type Report, reportOf } from './report.ts';
import { personColumns } from './report-operations.ts';
import type { ReportOptions, ReportSources } from './reports.ts';

const TAPS = ['access-granted', 'access-not-taken'] as const;
/** A night that begins on the last day ends on the next, and one that ends on the first day began before. */
const DAYS_AROUND = 1;

const tapEvent = z.object({
  event: z.enum(TAPS),
  time: z.string(),
  clockSynchronized: z.boolean(),
  door: z.string(),
  reader: z.string().nullable(),
  direction: z.enum(['in', 'out']),
  card: z.string(),
  cardholder: z.string(),
  bindingRevision: z.int().nullable(),
});

export const attendanceReport = (
  { store, state }: Pick<ReportSources, 'store' | 'state'>,
  { period, filter: { cardholder } }: ReportOptions,
): Report =>
  reportOf(
    [
      ...(['date', 'cardholder', 'name', 'department', 'firstIn', 'lastOut', 'present', 'presentSeconds'] as const),
      ...(['unmatchedIns', 'unmatchedOuts', 'taps', 'guessedTaps', 'doors', 'cards', 'bindingRevisions'] as const),
    ],
    async function* () {
      const ledger = new AttendanceLedger({ clockOf: () => period.clock });
      const text = (passage: Passage | undefined): string | null =>
        passage === undefined ? null : localText(passage.at, period.clock);
      const rowsOf = function* (days: readonly AttendanceDay[]) {
        for (const day of days) {
          if (cardholder !== undefined && day.cardholder !== cardholder.normalize('NFC')) continue;
          if (!period.includesDate(day.date)) continue;
          const { date, present, unmatchedIns, unmatchedOuts, taps, guessedTaps, doors, cards, bindingRevisions } = day;
          const presentSeconds = Math.floor(present / 1000);
          yield {
            ...{ date, ...personColumns(day.cardholder, state) },
            ...{ firstIn: text(day.firstIn), lastOut: text(day.lastOut) },
            ...{ present: durationText(presentSeconds), presentSeconds, unmatchedIns, unmatchedOuts },
            ...{ taps, guessedTaps, doors, cards, bindingRevisions },
          };
        }
      };
      let sequence = 0;
      for await (const event of mergedEvents(store, { ...period.around(DAYS_AROUND), names: TAPS })) {
        const tap = tapOf(event);
        sequence += 1;
        if (tap !== undefined) yield* rowsOf(ledger.add({ ...tap, sequence }));
      }
      yield* rowsOf(ledger.finish());
    },
  );

/** Undefined for a tap that says too little. The doors of two gateways are two doors. */
const tapOf = ({ gateway, value }: MergedEvent) => {
  const tap = tapEvent.safeParse(value).data;
  if (tap === undefined) return undefined;
  return {
    ...tap,
    door: `${gateway}/${tap.door}`,
    reader: `${gateway}/${tap.reader}`,
    detail: memberOf(value, 'detail') ?? null,
  };
};
