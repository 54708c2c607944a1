// A calendar made ready for the door: schedules, holidays and access levels, looked up by name and judged by the time on the wall.
//
// 1. A window [from, to) belongs to the day on which it begins, also where it ends on the next one.
// 2. On a holiday, a day that any of the lists has, only windows begin that name one of its lists, or `*`; no weekday's do.
// 3. What the clock on the wall shows decides: an hour that repeats counts twice, one that is skipped never.
// 4. A name that is not here is unknown, and opens nothing.

import type { CalendarDefinition, ScheduleWindow } from './calendar.ts';
import { dateNumber, type HolidaySpan, isHolidayOn, parseHolidayDate } from './holiday.ts';
import type { ScheduleId } from './ids.ts';
import {
  dayBefore,
  type LocalDate,
  type LocalTime,
  MINUTES_PER_DAY,
  parseTimeOfDay,
  type Weekday,
  weekdayOf,
} from './local-time.ts';
import { type AccessRules, ALWAYS } from './schedule.ts';

/** Throws RangeError for a calendar of which calendarFault() tells that a time or date in it is none. */
export const compileRules = ({ schedules, holidays, levels }: CalendarDefinition): AccessRules => {
  const windowsOf = new Map(Object.entries(schedules).map(([name, windows]) => [name, windows.map(compileWindow)]));
  const grantsOf = new Map(Object.entries(levels));
  const dayOn = dayBook(Object.entries(holidays).map(([name, dates]) => ({ name, spans: dates.map(compileDate) })));
  const isOpen = (windows: readonly Window[], at: LocalTime): boolean => {
    const today = dayOn(at);
    const yesterday = dayOn(dayBefore(at));
    return windows.some(
      (window) =>
        (holdsAt(window, at.minute) && beginsOn(window, today)) ||
        (holdsAt(window, at.minute + MINUTES_PER_DAY) && beginsOn(window, yesterday)),
    );
  };
  return {
    holds: (schedule: ScheduleId, at: LocalTime): boolean | undefined => {
      if (schedule === ALWAYS) return true;
      const windows = windowsOf.get(schedule);
      return windows && isOpen(windows, at);
    },
    isKnownSchedule: (schedule) => schedule === ALWAYS || windowsOf.has(schedule),
    level: (name) => grantsOf.get(name),
  };
};

interface Window {
  readonly days: ReadonlySet<Weekday>;
  readonly holidays: ReadonlySet<string>;
  /** In minutes since the midnight before it begins; `to` is over 1440 where it ends on the next day. */
  readonly from: number;
  readonly to: number;
}

interface Day {
  readonly weekday: Weekday;
  /** The lists that have it; empty for a day that is no holiday. */
  readonly holidays: readonly string[];
}

const holdsAt = ({ from, to }: Window, minute: number): boolean => from <= minute && minute < to;

const beginsOn = (window: Window, { weekday, holidays }: Day): boolean =>
  holidays.length === 0
    ? window.days.has(weekday)
    : window.holidays.has('*') || holidays.some((list) => window.holidays.has(list));

const compileWindow = ({ days = [], holidays = [], from, to }: ScheduleWindow): Window => {
  const begin = parsed(from, parseTimeOfDay);
  const end = parsed(to, parseTimeOfDay);
  const isOverMidnight = end <= begin;
  return {
    days: new Set(days),
    holidays: new Set(holidays),
    from: begin,
    to: isOverMidnight ? end + MINUTES_PER_DAY : end,
  };
};

const compileDate = (text: string): HolidaySpan => parsed(text, parseHolidayDate);

const parsed = <Value>(text: string, parse: (text: string) => Value | undefined): Value => {
  const value = parse(text);
  if (value === undefined) throw new RangeError(`${JSON.stringify(text)} in a calendar is no such time or date`);
  return value;
};

/** Doors in several time zones have a few dates at once; the rest is looked up when somebody asks about it. */
const MAX_KEPT_DAYS = 16;

/** What kind of day a date is. Remembers the last ones, since the lists may hold thousands of entries. */
const dayBook = (
  lists: readonly { readonly name: string; readonly spans: readonly HolidaySpan[] }[],
): ((date: LocalDate) => Day) => {
  const kept = new Map<number, Day>();
  return (date) => {
    const key = dateNumber(date);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const having = lists.filter(({ spans }) => spans.some((span) => isHolidayOn(date, span)));
    const day = { weekday: weekdayOf(date), holidays: having.map(({ name }) => name) };
    if (kept.size >= MAX_KEPT_DAYS) kept.clear();
    kept.set(key, day);
    return day;
  };
};
