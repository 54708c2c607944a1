// What the clock on the wall shows, and which day it is, in a time zone at an instant. Node's own time-zone data decides.

import type { Instant } from './units.ts';

export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export interface LocalTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
  /** Since local midnight as the clock on the wall counts it, 0 to 1439: an hour that is skipped has none, one that repeats has them twice. */
  readonly minute: number;
}

export type LocalClock = (at: Instant) => LocalTime;

const MILLISECONDS_PER_MINUTE = 60_000;
export const MINUTES_PER_DAY = 1440;

/** Clock of an IANA time zone. Throws RangeError for a name that this Node does not know. */
export const localClock = (timeZone: string): LocalClock => {
  const format = new Intl.DateTimeFormat('en-GB-u-ca-gregory-nu-latn', {
    timeZone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  });
  // Taps come many to the minute, and all offsets of today are whole minutes.
  let last: { readonly minute: number; readonly time: LocalTime } | undefined;
  return (at) => {
    const minute = Math.floor(at / MILLISECONDS_PER_MINUTE);
    if (last?.minute === minute) return last.time;
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? Number.NaN;
    const time = {
      year: part('year'),
      month: part('month'),
      day: part('day'),
      minute: part('hour') * 60 + part('minute'),
    };
    last = { minute, time };
    return time;
  };
};

/** Needs none of the time-zone data, whose loading every program that imports this module would wait for. */
export const UTC: LocalClock = (at) => {
  const date = new Date(at);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    minute: date.getUTCHours() * 60 + date.getUTCMinutes(),
  };
};

/** A date in the Gregorian calendar. */
export type LocalDate = Pick<LocalTime, 'year' | 'month' | 'day'>;

/** Day of the week of a date. */
export const weekdayOf = ({ year, month, day }: LocalDate): Weekday =>
  WEEKDAYS[new Date(Date.UTC(year, month - 1, day)).getUTCDay()] ?? 'sun';

/** The date before a date. */
export const dayBefore = ({ year, month, day }: LocalDate): LocalDate => {
  const before = new Date(Date.UTC(year, month - 1, day - 1));
  return { year: before.getUTCFullYear(), month: before.getUTCMonth() + 1, day: before.getUTCDate() };
};

/** `HH:MM` at which something begins, and at which it ends: 24:00 is the end of the day. */
export const BEGINNING_TIME = /^([01]\d|2[0-3]):[0-5]\d$/;
export const ENDING_TIME = /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/;

/** Minutes since midnight of `HH:MM`, 0 for 00:00 to 1440 for 24:00; undefined for other text. */
export const parseTimeOfDay = (text: string): number | undefined =>
  ENDING_TIME.test(text) ? Number(text.slice(0, 2)) * 60 + Number(text.slice(3)) : undefined;
