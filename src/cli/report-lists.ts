// `cardea report cards`, `changes` and `denied`: what the gateway holds, what HR sent, and who was not let in.

import type { CardLine } from '../admin/protocol.ts';
import { type AccessEvent, memberOf } from '../domain/access-event.ts';
import type { JsonValue } from '../domain/canonical-json.ts';
import { instant } from '../domain/units.ts';
import { grantText } from './card.ts';
import { isWithin } from './report-dates.ts';
import type { Cell, Row } from './report-output.ts';
import type { Report, ReportSource } from './report-run.ts';

/** One row for each card; retired ones only `withRetired`. */
export const cardsReport = ({ withRetired }: { readonly withRetired: boolean }): Report => ({
  name: 'cards',
  isOf: 'cards',
  columns: [
    ...['card', 'state', 'cardholder', 'name', 'department', 'access', 'kind', 'validFrom', 'validUntil'],
    ...['overridesLockdown', 'extendedRelease', 'revision', 'reason', 'messageId', 'messageRevision', 'appliedAt'],
  ],
  rows: async function* (source) {
    let unreadable = 0;
    for await (const line of source.cards({ withRetired })) {
      if (line.found === 'unreadable') unreadable += 1;
      else yield cardRow(line, source);
    }
    if (unreadable > 0)
      source.note(`${unreadable} card records cannot be read: those cards open nothing and are missing here`);
  },
});

const cardRow = ({ card, binding, tombstone, origin }: CardLine, { clocks }: ReportSource): Row => {
  const text = (time: string | null): string | null =>
    time === null ? null : clocks.text(instant(Date.parse(time)), null);
  const state = binding === null ? 'retired' : binding.state === 'pending' ? 'pending' : 'bound';
  return {
    ...{ card, state, cardholder: binding?.cardholder ?? tombstone?.cardholder ?? null },
    ...{ name: binding?.name ?? null, department: binding?.department ?? null },
    ...{ access: binding?.access.map(grantText) ?? [], kind: binding?.kind ?? null },
    ...{ validFrom: text(binding?.validFrom ?? null), validUntil: text(binding?.validUntil ?? null) },
    overridesLockdown: binding?.overridesLockdown ?? null,
    extendedRelease: binding?.extendedRelease ?? null,
    ...{ revision: binding?.revision ?? tombstone?.revision ?? null, reason: tombstone?.reason ?? null },
    ...{ messageId: origin?.messageId ?? null, messageRevision: origin?.revision ?? null },
    appliedAt: text(origin?.appliedAt ?? null),
  };
};

/** One row for each message of HR, whatever became of it. */
export const changesReport: Report = {
  name: 'changes',
  isOf: 'events',
  columns: [
    ...['sequence', 'time', 'clockTrusted', 'operator', 'type', 'result', 'code', 'card', 'cardholder'],
    ...['superseded', 'revision', 'messageId'],
  ],
  rows: async function* (source) {
    for await (const event of source.events(['card-change'], 0)) {
      const head = headOf(event, source);
      if (head === undefined) continue;
      const { card, cardholder, reason, bindingRevision, detail } = event;
      const revision = bindingRevision ?? cellOf(memberOf(detail, 'revision'));
      yield {
        ...head,
        operator: cellOf(memberOf(detail, 'operator')),
        type: cellOf(memberOf(detail, 'messageType')),
        result: cellOf(memberOf(detail, 'result')),
        ...{ code: reason, card, cardholder },
        superseded: cellOf(memberOf(detail, 'superseded')),
        ...{ revision, messageId: cellOf(memberOf(detail, 'messageId')) },
      };
    }
  },
};

/** One row for each tap that was denied. */
export const deniedReport: Report = {
  name: 'denied',
  isOf: 'events',
  columns: [
    ...['sequence', 'time', 'clockTrusted', 'door', 'reader', 'direction', 'card', 'cardholder'],
    ...['bindingRevision', 'reason'],
  ],
  rows: async function* (source) {
    for await (const event of source.events(['access-denied'], 0)) {
      const head = headOf(event, source);
      const { door, reader, direction, card, cardholder, bindingRevision, reason } = event;
      if (head !== undefined) yield { ...head, door, reader, direction, card, cardholder, bindingRevision, reason };
    }
  },
};

/** Undefined for an event of another day. */
const headOf = ({ sequence, time, clockSynchronized, door }: AccessEvent, { dates, clocks }: ReportSource) => {
  const at = instant(Date.parse(time));
  if (!isWithin(clocks.date(at, door), dates)) return undefined;
  return { sequence, time: clocks.text(at, door), clockTrusted: clockSynchronized };
};

const cellOf = (value: JsonValue | undefined): Cell => {
  if (value === undefined || value === null) return null;
  return typeof value === 'object' ? Object.values(value).map(String) : value;
};
