// Times as a person at this computer writes and reads them: in its own time zone.

import { localText, parseDate } from '../domain/local-text.ts';
import { localClock } from '../domain/local-time.ts';
import { instant } from '../domain/units.ts';
import { CardeaError } from '../errors.ts';

/** The time zone of this computer, such as Asia/Taipei. */
export const localZone = (): string => new Intl.DateTimeFormat('en').resolvedOptions().timeZone;

/** RFC 3339 with the offset of this computer's zone; what is no time stays as it is. */
export const localTime = (time: string): string => {
  const at = Date.parse(time);
  return Number.isNaN(at) ? time : localText(instant(at), localClock(localZone()));
};

const LOCAL = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?)?$/;

/**
 * RFC 3339 with offset from what somebody wrote: that, or a date, alone or with a time of day, of this computer's zone. A date alone
 * means its beginning, or with `isEnd` its last moment. Throws CardeaError `invalid-request` that names `option`.
 */
export const parseTime = (text: string, option: string, { isEnd }: { readonly isEnd: boolean }): string => {
  if (/[Zz]$|[+-]\d\d:\d\d$/.test(text) && !Number.isNaN(Date.parse(text))) return text;
  const [, date = '', hour, minute, second] = LOCAL.exec(text) ?? [];
  const day = parseDate(date);
  const isTime = Number(hour ?? 0) < 24 && Number(minute ?? 0) < 60 && Number(second ?? 0) < 60;
  if (day === undefined || !isTime) {
    const message = `${option} "${text.slice(0, 40)}" is no time, such as 2026-11-30, 2026-11-30T18:00 or 2026-11-30T18:00:00+08:00`;
    throw new CardeaError('invalid-request', message);
  }
  const ofDay: [number, number, number, number] =
    hour === undefined
      ? isEnd
        ? [23, 59, 59, 999]
        : [0, 0, 0, 0]
      : [Number(hour), Number(minute), Number(second ?? 0), 0];
  return new Date(day.year, day.month - 1, day.day, ...ofDay).toISOString();
};
