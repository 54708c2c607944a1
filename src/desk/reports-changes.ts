// What was done with cards: one row for each operation of the period, the oldest first.

import { decodeRecord, operationRecord } from './records.ts';
import { type Report, reportOf } from './report.ts';
import { operationFits, personColumns } from './report-operations.ts';
import type { ReportOptions, ReportSources } from './reports.ts';
import { turnOfOthers } from './turn-of-others.ts';

/** Operations that are looked at in one go. */
const SLICE = 200;

export const changesReport = ({ store, state }: ReportSources, { period, filter }: ReportOptions): Report =>
  reportOf(
    [
      ...(['operation', 'time', 'kind', 'reason', 'operator', 'cardholder', 'name', 'department'] as const),
      ...(['newCard', 'stoppedCards', 'revokedCard', 'validFrom', 'validUntil', 'note', 'batch'] as const),
      ...(['revision', 'sentAt', 'confirmedAt', 'secondsToConfirm'] as const),
    ],
    async function* () {
      let count = 0;
      for await (const [key, value] of store.entries('operation')) {
        count += 1;
        if (count % SLICE === 0) await turnOfOthers();
        const { at } = Object(value);
        if (typeof at === 'string' && !period.includes(at)) continue;
        const operation = decodeRecord(operationRecord, value, `operation ${key}`);
        if (!operationFits(operation, filter)) continue;
        const { id, kind, reason = null, operator, newCard = null, stoppedCards, revokedCard = null } = operation;
        const { validFrom, validUntil, note = null, batch, message, sentAt, confirmedAt } = operation;
        const text = (time: string | undefined): string | null => (time === undefined ? null : period.text(time));
        yield {
          ...{ operation: id, time: period.text(operation.at), kind, reason, operator },
          ...personColumns(operation.cardholder, state),
          ...{ newCard, stoppedCards, revokedCard, validFrom: text(validFrom), validUntil: text(validUntil), note },
          batch: batch === undefined ? null : `${batch.id}:${batch.line}`,
          ...{ revision: message.revision, sentAt: text(sentAt), confirmedAt: text(confirmedAt) },
          secondsToConfirm: confirmedAt === undefined ? null : secondsBetween(operation.at, confirmedAt),
        };
      }
    },
  );

const secondsBetween = (one: string, other: string): number => Math.round((Date.parse(other) - Date.parse(one)) / 1000);
