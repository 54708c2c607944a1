// Cards that open doors, were bound in the period, and were not granted anything since: nobody seems to have them, or need them.

import type { LiveCard, Usage } from './records.ts';
import { type Report, reportOf } from './report.ts';
import { personColumns } from './report-operations.ts';
import type { ReportOptions, ReportSources } from './reports.ts';

const DAY = 86_400_000;

export const unusedCardsReport = (
  { state, usage, clock }: ReportSources,
  { period, filter: { cardholder } }: ReportOptions,
): Report =>
  reportOf(
    [
      ...(['card', 'cardholder', 'name', 'department', 'kind', 'activation', 'boundAt', 'days'] as const),
      ...(['validUntil', 'lastGranted', 'lastTap'] as const),
    ],
    async function* () {
      for (const card of [...state.cards.values()]) {
        if (card.state !== 'live' || !period.includes(card.boundAt)) continue;
        if (cardholder !== undefined && card.cardholder !== cardholder.normalize('NFC')) continue;
        const used = await usage.find(card.card);
        if (isUsed(card, used)) continue;
        const { kind, activation, boundAt, validUntil } = card;
        const text = (time: string | undefined): string | null => (time === undefined ? null : period.text(time));
        yield {
          card: card.card,
          ...personColumns(card.cardholder, state),
          ...{ kind, activation, boundAt: period.text(boundAt), validUntil: text(validUntil) },
          days: Math.floor((clock.now() - Date.parse(boundAt)) / DAY),
          // Of an earlier binding, or a tap that was denied.
          ...{ lastGranted: text(used?.lastGranted?.time), lastTap: text(used?.taps[0]?.time) },
        };
      }
    },
  );

/** Since it was bound: by the binding that gateways have named, not by their clocks. */
const isUsed = ({ revision }: LiveCard, usage: Usage | undefined): boolean =>
  usage?.bindingRevision === revision && Object.keys(usage.granted).length > 0;
