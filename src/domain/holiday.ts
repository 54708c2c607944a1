// Holidays as they are written: `2026-12-25`, `2026-08-03..2026-08-21`, or without a year for each year: `12-25`, `12-24..01-02`.

import type { LocalDate } from './local-time.ts';

/**
 * Days from `first` to `last`, both included, as numbers that sort like dates: 20261225, or 1225 for those of each year, which
 * may go over the turn of the year.
 */
export interface HolidaySpan {
  readonly isYearly: boolean;
  readonly first: number;
  readonly last: number;
}

/** What the text looks like; parseHolidayDate() knows which dates there are. */
export const HOLIDAY_PATTERN = /^(\d{4}-)?\d\d-\d\d(\.\.(\d{4}-)?\d\d-\d\d)?$/;
/** What parseHolidayDate() takes, in words. */
export const HOLIDAY_RULE =
  'allowed: a date (2026-12-25, or 12-25 for each year) or a range (2026-08-03..2026-08-21, or 12-24..01-02) that does not end before it begins';

/** The days that a text means; undefined for text of another kind, a date that no calendar has, and a range that ends before it begins. */
export const parseHolidayDate = (text: string): HolidaySpan | undefined => {
  if (!HOLIDAY_PATTERN.test(text)) return undefined;
  const [from = '', to = from] = text.split('..');
  const isYearly = from.length === YEARLY_LENGTH;
  const first = dateOf(from);
  const last = to === from ? first : dateOf(to);
  if (first === undefined || last === undefined || from.length !== to.length) return undefined;
  return isYearly || first <= last ? { isYearly, first, last } : undefined;
};

export const isHolidayOn = (date: LocalDate, { isYearly, first, last }: HolidaySpan): boolean => {
  const day = isYearly ? yearlyNumber(date) : dateNumber(date);
  return first <= last ? first <= day && day <= last : first <= day || day <= last;
};

/** Sorts as dates do: 20261225. */
export const dateNumber = (date: LocalDate): number => date.year * 10_000 + yearlyNumber(date);

const yearlyNumber = ({ month, day }: LocalDate): number => month * 100 + day;

const YEARLY_LENGTH = 'MM-DD'.length;
/** Stands for every year: one that has a 29 February. */
const ANY_YEAR = 2000;

const dateOf = (text: string): number | undefined => {
  const isYearly = text.length === YEARLY_LENGTH;
  const year = isYearly ? ANY_YEAR : Number(text.slice(0, 4));
  const month = Number(text.slice(-5, -3));
  const day = Number(text.slice(-2));
  const isThere = month >= 1 && month <= 12 && day >= 1 && (day <= SHORTEST_MONTH || day <= daysIn(year, month));
  if (!isThere) return undefined;
  return isYearly ? yearlyNumber({ year, month, day }) : dateNumber({ year, month, day });
};

/** A calendar has thousands of days, and next to none of them is asked of a month. */
const SHORTEST_MONTH = 28;

/** Day 0 of the next month is the last of this one. */
const daysIn = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();
