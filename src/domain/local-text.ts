// Dates and times of a time zone as text.

import type { LocalClock, LocalDate } from './local-time.ts';
import type { Instant } from './units.ts';

const MINUTE = 60_000;

const digits = (value: number, count: number): string => String(value).padStart(count, '0');

/** `YYYY-MM-DD`, which sorts as dates do. */
export const dateText = ({ year, month, day }: LocalDate): string =>
  `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;

/** RFC 3339 with the offset of that zone and whole seconds, such as `2026-11-02T08:01:33+01:00`. */
export const localText = (at: Instant, clock: LocalClock): string => {
  const local = clock(at);
  const { year, month, day, minute } = local;
  const ahead = Math.round(Date.UTC(year, month - 1, day, 0, minute) / MINUTE - Math.floor(at / MINUTE));
  const second = Math.floor(at / 1000) - Math.floor(at / MINUTE) * 60;
  const offset = `${ahead < 0 ? '-' : '+'}${hoursAndMinutes(Math.abs(ahead))}`;
  return `${dateText(local)}T${hoursAndMinutes(minute)}:${digits(second, 2)}${offset}`;
};

/** `H:MM:SS`, which spreadsheets take for a length of time. */
export const durationText = (seconds: number): string =>
  `${Math.floor(seconds / 3600)}:${digits(Math.floor(seconds / 60) % 60, 2)}:${digits(seconds % 60, 2)}`;

const hoursAndMinutes = (minutes: number): string =>
  `${digits(Math.floor(minutes / 60), 2)}:${digits(minutes % 60, 2)}`;

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;

/** A date written as `YYYY-MM-DD`; undefined for other text, and for a day that no calendar has. */
export const parseDate = (text: string): LocalDate | undefined => {
  const [, year, month, day] = (DATE.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = { year, month, day };
  return new Date(Date.UTC(year, month - 1, day)).toJSON()?.startsWith(text) ? date : undefined;
};
