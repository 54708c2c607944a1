// Operations that not every gateway has confirmed, the oldest first, with the gateways and doors that lag.

import { type Report, reportOf } from './report.ts';
import { operationFits, personColumns } from './report-operations.ts';
import type { ReportOptions, ReportSources } from './reports.ts';
import { turnOfOthers } from './turn-of-others.ts';

/** Operations that are looked at in one go: each may have fifty gateways. */
const SLICE = 50;

export const operationsReport = ({ state, standing }: ReportSources, { period, filter }: ReportOptions): Report =>
  reportOf(
    [
      ...(['operation', 'time', 'deadline', 'state', 'kind', 'reason', 'operator'] as const),
      ...(['cardholder', 'name', 'department', 'newCard', 'stoppedCards', 'revokedCard', 'sentAt'] as const),
      ...(['confirmed', 'missing', 'refusals', 'closedDoors'] as const),
    ],
    async function* () {
      let count = 0;
      for (const operation of [...state.open.values()]) {
        count += 1;
        if (count % SLICE === 0) await turnOfOthers();
        if (!period.includes(operation.at) || !operationFits(operation, filter)) continue;
        const { state: is, gateways, missing, closedDoors } = standing(operation.id);
        if (is === 'confirmed') continue;
        const { id, kind, reason = null, operator, newCard = null, stoppedCards, revokedCard = null } = operation;
        const { at, deadline, sentAt } = operation;
        yield {
          ...{ operation: id, time: period.text(at), deadline: period.text(deadline), state: is, kind, reason },
          operator,
          ...personColumns(operation.cardholder, state),
          ...{ newCard, stoppedCards, revokedCard, sentAt: sentAt === undefined ? null : period.text(sentAt) },
          ...{ confirmed: gateways.length - missing.length, missing, closedDoors },
          refusals: gateways.flatMap((each) => (each.state === 'refused' ? [`${each.gateway}: ${each.code}`] : [])),
        };
      }
    },
  );
