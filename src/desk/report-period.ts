// The time that a report is about, and how times look in it: by the clock on the wall in one zone.

import { dateText, localText, parseDate } from '../domain/local-text.ts';
import { type LocalClock, localClock, UTC } from '../domain/local-time.ts';
import { type Instant, instant } from '../domain/units.ts';
import type { Checked } from './card-checks.ts';
import type { RefusalCode } from './refusal.ts';

const DAY = 86_400_000;

/** Each is a date, such as 2026-11-01, or an RFC 3339 time with offset; `to` is part of the period. */
export interface PeriodRequest {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** IANA name; default: UTC. */
  readonly timezone?: string | undefined;
}

export interface ReportPeriod {
  readonly clock: LocalClock;
  includes(time: string): boolean;
  includesDate(date: string): boolean;
  /** The time in the zone. */
  text(time: string): string;
  /** Instants around it, and `days` more before and after; undefined where it is open. */
  readonly around: (days: number) => { readonly from: Instant | undefined; readonly to: Instant | undefined };
}

export const parsePeriod = ({ from, to, timezone }: PeriodRequest): Checked<ReportPeriod> => {
  const clock = clockOf(timezone);
  if (clock === undefined) {
    return invalid(`${JSON.stringify(timezone)} is not a time zone, such as Asia/Taipei`, 'timezone');
  }
  for (const [path, text] of Object.entries({ from, to })) {
    if (text === undefined || parseDate(text) !== undefined || isTime(text)) continue;
    return invalid(`${JSON.stringify(text)} is neither a date, such as 2026-11-01, nor a time`, path);
  }
  if (from !== undefined && to !== undefined && startOf(to) < startOf(from)) {
    return invalid(`${to} is before ${from}`, 'to');
  }
  return periodOf({ from, to }, clock);
};

const periodOf = ({ from, to }: Pick<PeriodRequest, 'from' | 'to'>, clock: LocalClock): ReportPeriod => {
  const dateOf = (at: Instant): string => dateText(clock(at));
  const dayOf = (bound: string): string => (parseDate(bound) === undefined ? dateOf(instantOf(bound)) : bound);
  const isFrom = (at: Instant): boolean => from === undefined || !isBefore(at, from, dateOf);
  const isTo = (at: Instant): boolean => to === undefined || !isAfter(at, to, dateOf);
  return {
    clock,
    includes: (time) => isFrom(instantOf(time)) && isTo(instantOf(time)),
    includesDate: (date) => (from === undefined || date >= dayOf(from)) && (to === undefined || date <= dayOf(to)),
    text: (time) => localText(instantOf(time), clock),
    around: (days) => ({
      from: from === undefined ? undefined : instant(startOf(from) - (days + 1) * DAY),
      to: to === undefined ? undefined : instant(startOf(to) + (days + 2) * DAY),
    }),
  };
};

/** Whether the instant is before the date or time, or after it. */
const isBefore = (at: Instant, bound: string, dateOf: (at: Instant) => string): boolean =>
  parseDate(bound) === undefined ? at < instantOf(bound) : dateOf(at) < bound;
const isAfter = (at: Instant, bound: string, dateOf: (at: Instant) => string): boolean =>
  parseDate(bound) === undefined ? at > instantOf(bound) : dateOf(at) > bound;

const clockOf = (zone: string | undefined): LocalClock | undefined => {
  if (zone === undefined) return UTC;
  try {
    return localClock(zone);
  } catch {
    return undefined;
  }
};

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;
const isTime = (text: string): boolean => TIME.test(text) && !Number.isNaN(Date.parse(text));

const instantOf = (time: string): Instant => instant(Date.parse(time));
/** Of a date: its beginning in UTC, which is within a day of that in any zone. */
const startOf = (bound: string): number => Date.parse(bound);

const invalid = (detail: string, path: string) => ({
  refusal: { code: 'invalid-request' satisfies RefusalCode, detail, path } as const,
});
