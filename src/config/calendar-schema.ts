// What the configuration may say of schedules, holidays and access levels. Rules beyond the single value stand in
// domain/calendar-faults.ts, which judges HR's calendars too.

import * as z from 'zod';
import { CALENDAR_LIMITS } from '../domain/calendar-faults.ts';
import { HOLIDAY_PATTERN, HOLIDAY_RULE, parseHolidayDate } from '../domain/holiday.ts';
import { parseDoorId, parseScheduleId, SLUG } from '../domain/ids.ts';
import { BEGINNING_TIME, ENDING_TIME, WEEKDAYS } from '../domain/local-time.ts';
import { ALWAYS } from '../domain/schedule.ts';
import { showValue } from './faults.ts';
import { ID_RULE } from './schema-terms.ts';

const window = z
  .strictObject({
    days: z.array(z.enum(WEEKDAYS)).min(1).optional().describe('Weekdays on which it begins, except on holidays'),
    holidays: z
      .array(z.string())
      .min(1)
      .optional()
      .describe('Holidays on which it begins: names of lists under holidays, or "*" for the days of all lists'),
    from: z
      .string()
      .regex(BEGINNING_TIME, 'allowed: 00:00 to 23:59')
      .describe('When it begins, as the clock on the wall shows it, such as 08:00'),
    to: z
      .string()
      .regex(ENDING_TIME, 'allowed: 00:00 to 24:00')
      .describe('When it ends; a time that is not later than from is on the next day. 24:00 is the end of the day'),
  })
  .describe('One weekly window');

export const schedule = z
  .array(window)
  .meta({ maxItems: CALENDAR_LIMITS.schedules.entries })
  .describe('The windows of one schedule, at most 64; it holds while any of them does');

export const holidayList = z
  .array(
    z
      .string()
      .refine((text) => parseHolidayDate(text) !== undefined, {
        error: ({ input }) => `${showValue(input)} is not allowed; ${HOLIDAY_RULE}`,
      })
      .meta({ pattern: HOLIDAY_PATTERN.source }),
  )
  .meta({ maxItems: CALENDAR_LIMITS.holidays.entries })
  .describe(
    'The days of one list, at most 400: 2026-12-25, 12-25 for each year, or ranges like 2026-08-03..2026-08-21 and 12-24..01-02',
  );

const idOf = <Id extends string>(pattern: RegExp, rule: string, parse: (text: string) => Id | undefined) =>
  z
    .string()
    .meta({ pattern: pattern.source })
    .transform((text, context): Id => {
      const id = parse(text);
      if (id !== undefined) return id;
      context.issues.push({ code: 'custom', message: `${showValue(text)} is not allowed; ${rule}`, input: text });
      return z.NEVER;
    });

const ALL = '*';
const doors = idOf(/^(\*|[a-z0-9][a-z0-9-]{0,62})$/, 'allowed: the id of a door, or "*" for all doors', (text) =>
  text === ALL ? text : parseDoorId(text),
);

export const level = z
  .array(
    z
      .strictObject({
        doors: z.array(doors).min(1).describe('Ids of doors, of any gateway of the site, or "*" for all doors'),
        schedule: idOf(SLUG, ID_RULE, parseScheduleId)
          .prefault(ALWAYS)
          .describe('When: the name of a schedule, or always'),
      })
      .describe('Doors and when they open'),
  )
  .meta({ maxItems: CALENDAR_LIMITS.levels.entries })
  .describe('What one access level opens, at most 64 entries');

const named = <Section extends z.ZodType>(section: Section, maxProperties: number, description: string) =>
  z
    .record(z.string(), section)
    .prefault({})
    .meta({ propertyNames: { pattern: SLUG.source }, maxProperties })
    .describe(description);

/** The three sections of the file. */
export const calendarSections = {
  schedules: named(
    schedule,
    CALENDAR_LIMITS.schedules.names,
    'Schedules, at most 256, each under the name by which HR grants and access levels refer to it; always is built in. A schedule of the same name that HR pushes takes its place',
  ),
  holidays: named(
    holidayList,
    CALENDAR_LIMITS.holidays.names,
    'Lists of holidays, at most 32, each under its name. A day of any list is a holiday: only windows with holidays begin on it',
  ),
  levels: named(level, CALENDAR_LIMITS.levels.names, 'Access levels, at most 256, each under the name that HR grants'),
};
