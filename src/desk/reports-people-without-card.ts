// People who are here and have no card that opens anything, with the last one that they had.

import type { Instant } from '../domain/units.ts';
import type { LiveCard } from './records.ts';
import { type Report, reportOf } from './report.ts';
import type { ReportOptions, ReportSources } from './reports.ts';
import { turnOfOthers } from './turn-of-others.ts';

/** People who are looked at in one go. */
const SLICE = 1_000;

export const peopleWithoutCardReport = (
  { state, clock }: Pick<ReportSources, 'state' | 'clock'>,
  { period, filter: { cardholder } }: ReportOptions,
): Report =>
  reportOf(
    ['cardholder', 'name', 'department', 'addedAt', 'lastCard', 'reason', 'stoppedAt'] as const,
    async function* () {
      let count = 0;
      for (const { id, name, department = null, status, addedAt } of state.people.all()) {
        count += 1;
        if (count % SLICE === 0) await turnOfOthers();
        if (status !== 'active' || state.liveCardsOf(id).some((card) => !isOver(card, clock.now()))) continue;
        if (cardholder !== undefined && id !== cardholder.normalize('NFC')) continue;
        const [last] = state.allCardsOf(id);
        const stopped = last?.state === 'stopped' ? last : undefined;
        yield {
          ...{ cardholder: id, name, department, addedAt: period.text(addedAt), lastCard: last?.card ?? null },
          reason: last?.state === 'live' ? 'expired' : (stopped?.reason ?? null),
          stoppedAt: stopped === undefined ? null : period.text(stopped.stoppedAt),
        };
      }
    },
  );

const isOver = ({ validUntil }: LiveCard, now: Instant): boolean =>
  validUntil !== undefined && Date.parse(validUntil) <= now;
