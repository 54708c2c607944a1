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

/** Undefined for a calendar that compileRules() takes. */
export const calendarFault = (definition: CalendarDefinition): CalendarFault | undefined =>
  calendarFaults(definition)[0];

/** All of them. A level that names an unknown schedule is no fault: that grant opens nothing until the name is known. */
export const calendarFaults = (definition: CalendarDefinition): readonly CalendarFault[] => [
  ...sizeFaults(definition),
  ...Object.entries(definition.schedules).flatMap(([name, windows]) =>
    name === ALWAYS
      ? [{ path: ['schedules', name], detail: `${ALWAYS} is built in; choose another name` }]
      : windows.flatMap((window, index) =>
          windowFaults(window, { path: ['schedules', name, String(index)], holidays: definition.holidays }),
        ),
  ),
  ...Object.entries(definition.holidays).flatMap(([name, dates]) =>
    dates.flatMap((date, index) =>
      parseHolidayDate(date) === undefined
        ? [{ path: ['holidays', name, String(index)], detail: `${quoted(date)} is not allowed; ${HOLIDAY_RULE}` }]
        : [],
    ),
  ),
];

const sizeFaults = (definition: CalendarDefinition): readonly CalendarFault[] =>
  (['schedules', 'holidays', 'levels'] as const).flatMap((section) => {
    const { names, entries } = CALENDAR_LIMITS[section];
    const all = Object.entries(definition[section]);
    return [
      ...(all.length > names ? [tooMany([section], all.length, names)] : []),
      ...all.flatMap(([name, list]): readonly CalendarFault[] => [
        ...(SLUG.test(name) ? [] : [{ path: [section, name], detail: `${quoted(name)} ${NO_ID}` }]),
        ...(list.length > entries ? [tooMany([section, name], list.length, entries)] : []),
      ]),
    ];
  });

const NO_ID = 'is not an id; allowed: 1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit';

const tooMany = (path: readonly string[], count: number, limit: number): CalendarFault => ({
  path,
  detail: `has ${count} entries; allowed: at most ${limit}`,
});

interface WindowPlace {
  readonly path: readonly string[];
  readonly holidays: CalendarDefinition['holidays'];
}

const windowFaults = (window: ScheduleWindow, { path, holidays }: WindowPlace): readonly CalendarFault[] => {
  const fault = (key: string, detail: string): CalendarFault => ({ path: [...path, key], detail });
  const from = parseTimeOfDay(window.from);
  const to = parseTimeOfDay(window.to);
  const unknown = (window.holidays ?? []).flatMap((list, index) =>
    list === '*' || Object.hasOwn(holidays, list)
      ? []
      : [{ path: [...path, 'holidays', String(index)], detail: `there is no holiday list ${quoted(list)}` }],
  );
  return [
    ...(from === undefined || from === MINUTES_PER_DAY
      ? [fault('from', `${quoted(window.from)} is not allowed; allowed: 00:00 to 23:59`)]
      : []),
    ...(to === undefined ? [fault('to', `${quoted(window.to)} is not allowed; allowed: 00:00 to 24:00`)] : []),
    ...(to !== undefined && to === from ? [fault('to', EMPTY_WINDOW)] : []),
    ...((window.days ?? []).length + (window.holidays ?? []).length === 0 ? [{ path, detail: NEVER_BEGINS }] : []),
    ...unknown,
  ];
};

const EMPTY_WINDOW = 'is equal to from; the whole day is from 00:00 to 24:00';
const NEVER_BEGINS = 'begins on no day; give days, holidays or both';

const MAX_SHOWN = 40;
const quoted = (text: string): string =>
  JSON.stringify(text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN - 1)}…`);
