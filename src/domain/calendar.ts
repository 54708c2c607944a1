// Schedules, holidays and access levels as they are written in the configuration and in HR's calendar, and as they are stored.

import type { DoorGrant } from './credential.ts';
import type { MessageId, Revision } from './ids.ts';
import type { Weekday } from './local-time.ts';
import type { Instant } from './units.ts';

/** One weekly window of a schedule. */
export type ScheduleWindow = {
  /** Weekdays on which it begins, except on holidays. */
  readonly days?: readonly Weekday[] | undefined;
  /** Holidays on which it begins: names of holiday lists, or `*` for any of them. */
  readonly holidays?: readonly string[] | undefined;
  /** `HH:MM` on the wall, 00:00 to 23:59. */
  readonly from: string;
  /** `HH:MM`, 00:00 to 24:00, exclusive; not later than `from` means on the next day. Never equal to `from`. */
  readonly to: string;
};

/** Each map is keyed by the name. */
export interface CalendarDefinition {
  readonly schedules: Readonly<Record<string, readonly ScheduleWindow[]>>;
  /** `2026-12-25`, `2026-08-03..2026-08-21`, or each year: `12-25`, `12-24..01-02`. */
  readonly holidays: Readonly<Record<string, readonly string[]>>;
  /** What an access level opens; a level names no level. */
  readonly levels: Readonly<Record<string, readonly DoorGrant[]>>;
}

export const EMPTY_CALENDAR: CalendarDefinition = { schedules: {}, holidays: {}, levels: {} };

/** Both calendars in one; a schedule, holiday list or level that both have is HR's, as a whole. */
export const mergeCalendars = (config: CalendarDefinition, hr: CalendarDefinition): CalendarDefinition => ({
  schedules: { ...config.schedules, ...hr.schedules },
  holidays: { ...config.holidays, ...hr.holidays },
  levels: { ...config.levels, ...hr.levels },
});

/** A calendar that HR has pushed. */
export interface CalendarRecord {
  readonly revision: Revision;
  readonly messageId: MessageId;
  readonly appliedAt: Instant;
  /** Hash of its content, to tell a redelivery from a conflict. */
  readonly fingerprint: string;
  readonly definition: CalendarDefinition;
}
