// The reports of the desk by name.

import type { Clock } from '../ports/clock.ts';
import type { DeskStore } from '../ports/desk-store.ts';
import { type Checked, isFaulty } from './card-checks.ts';
import type { DeskState } from './desk-state.ts';
import type { Standing } from './operation-standing.ts';
import type { Report, ReportName } from './report.ts';
import { type PeriodRequest, parsePeriod, type ReportPeriod } from './report-period.ts';
import { attendanceReport } from './reports-attendance.ts';
import { changesReport } from './reports-changes.ts';
import { operationsReport } from './reports-operations.ts';
import { peopleWithoutCardReport } from './reports-people-without-card.ts';
import { unusedCardsReport } from './reports-unused-cards.ts';
import type { UsageBook } from './usage-book.ts';

export interface ReportFilter {
  readonly operator?: string | undefined;
  readonly reason?: string | undefined;
  /** Id of the person. */
  readonly cardholder?: string | undefined;
}

export interface ReportRequest extends PeriodRequest, ReportFilter {}

/** What rows are made from. */
export interface ReportSources {
  readonly store: Pick<DeskStore, 'entries' | 'keys'>;
  readonly state: DeskState;
  readonly usage: UsageBook;
  readonly clock: Clock;
  readonly standing: (operation: string) => Standing;
}

export interface ReportOptions {
  readonly period: ReportPeriod;
  readonly filter: ReportFilter;
}

const MAKERS: Readonly<Record<ReportName, (sources: ReportSources, options: ReportOptions) => Report>> = {
  changes: changesReport,
  'unused-cards': unusedCardsReport,
  'people-without-card': peopleWithoutCardReport,
  operations: operationsReport,
  attendance: attendanceReport,
};

export class Reports {
  readonly #sources: ReportSources;

  constructor(sources: ReportSources) {
    this.#sources = sources;
  }

  /** Refuses what is no period. */
  make(name: ReportName, { from, to, timezone, ...filter }: ReportRequest): Checked<Report> {
    const period = parsePeriod({ from, to, timezone });
    return isFaulty(period) ? period : MAKERS[name](this.#sources, { period, filter });
  }
}
