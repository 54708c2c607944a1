// What makes a calendar unusable, whoever wrote it: one judge for the configuration and for HR's messages.

import type { CalendarDefinition, ScheduleWindow } from './calendar.ts';
import { HOLIDAY_RULE, parseHolidayDate } from './holiday.ts';
import { SLUG } from './ids.ts';
import { MINUTES_PER_DAY, parseTimeOfDay } from './local-time.ts';
import { ALWAYS } from './schedule.ts';

/** Where in the definition, such as `schedules`, `night-shift`, `0`, `to`; and what is wrong there and what is allowed. */
export interface CalendarFault {
  readonly path: readonly string[];
  readonly detail: string;
}

/** How many names a section may have, and how many entries each of them: all holidays are gone through once for each new day. */
export const CALENDAR_LIMITS = {
  schedules: { names: 256, entries: 64 },
  holidays: { names: 32, entries: 400 },
  levels: { names: 256, entries: 64 },
} as const;

/** Undefined for a calendar that compileRules() takes. Looks no further than the first fault: HR's calendars are judged beside taps. */
export const calendarFault = (definition: CalendarDefinition): CalendarFault | undefined => {
  const { value } = faultsOf(definition).next();
  return value ?? undefined;
};

/** All of them. A level that names an unknown schedule is no fault: that grant opens nothing until the name is known. */
export const calendarFaults = (definition: CalendarDefinition): readonly CalendarFault[] => [...faultsOf(definition)];

function* faultsOf(definition: CalendarDefinition): Generator<CalendarFault, void> {
  yield* sizeFaults(definition);
  for (const [name, windows] of Object.entries(definition.schedules)) {
    const path = ['schedules', name];
    if (name === ALWAYS) yield { path, detail: `${ALWAYS} is built in; choose another name` };
    else {
      for (const [index, window] of windows.entries()) {
        yield* windowFaults(window, { path: [...path, String(index)], holidays: definition.holidays });
      }
    }
  }
  for (const [name, dates] of Object.entries(definition.holidays)) {
    for (const [index, date] of dates.entries()) {
      if (parseHolidayDate(date) !== undefined) continue;
      yield { path: ['holidays', name, String(index)], detail: `${quoted(date)} is not allowed; ${HOLIDAY_RULE}` };
    }
  }
}

function* sizeFaults(definition: CalendarDefinition): Generator<CalendarFault, void> {
  for (const section of ['schedules', 'holidays', 'levels'] as const) {
    const { names, entries } = CALENDAR_LIMITS[section];
    const all = Object.entries(definition[section]);
    if (all.length > names) yield tooMany([section], all.length, names);
    for (const [name, list] of all) {
      if (!SLUG.test(name)) yield { path: [section, name], detail: `${quoted(name)} ${NO_ID}` };
      if (list.length > entries) yield tooMany([section, name], list.length, entries);
    }
  }
}

const NO_ID = 'is not an id; allowed: 1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit';

const tooMany = (path: readonly string[], count: number, limit: number): CalendarFault => ({
  path,
  detail: `has ${count} entries; allowed: at most ${limit}`,
});

interface WindowPlace {
  readonly path: readonly string[];
  readonly holidays: CalendarDefinition['holidays'];
}

function* windowFaults(window: ScheduleWindow, { path, holidays }: WindowPlace): Generator<CalendarFault, void> {
  const fault = (key: string, detail: string): CalendarFault => ({ path: [...path, key], detail });
  const from = parseTimeOfDay(window.from);
  const to = parseTimeOfDay(window.to);
  if (from === undefined || from === MINUTES_PER_DAY) {
    yield fault('from', `${quoted(window.from)} is not allowed; allowed: 00:00 to 23:59`);
  }
  if (to === undefined) yield fault('to', `${quoted(window.to)} is not allowed; allowed: 00:00 to 24:00`);
  else if (to === from) yield fault('to', EMPTY_WINDOW);
  const lists = window.holidays ?? [];
  if ((window.days ?? []).length + lists.length === 0) yield { path, detail: NEVER_BEGINS };
  for (const [index, list] of lists.entries()) {
    if (list === '*' || Object.hasOwn(holidays, list)) continue;
    yield { path: [...path, 'holidays', String(index)], detail: unknownList(list) };
  }
}

const unknownList = (list: string): string =>
  `there is no holiday list ${quoted(list)}; add it under holidays, or take "*" for all lists`;

const EMPTY_WINDOW = 'is equal to from; the whole day is from 00:00 to 24:00';
const NEVER_BEGINS = 'begins on no day; give days, holidays or both';

const MAX_SHOWN = 40;
const quoted = (text: string): string =>
  JSON.stringify(text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN - 1)}…`);
