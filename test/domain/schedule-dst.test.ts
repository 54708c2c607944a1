// Schedules against a second computation that shares nothing with the first: moment-timezone's own tables instead of Node's, and
// windows laid out minute by minute on a calendar instead of compared. Every minute of the weeks in which clocks are changed, of
// a leap day and of a turn of the year.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import moment from 'moment-timezone';
import type { CalendarDefinition, ScheduleWindow } from '../../src/domain/calendar.ts';
import { calendarFault } from '../../src/domain/calendar-faults.ts';
import { localClock, WEEKDAYS } from '../../src/domain/local-time.ts';
import { compileRules } from '../../src/domain/rule-book.ts';
import { instant } from '../../src/domain/units.ts';
import { scheduleId } from './samples.ts';

const CALENDAR: CalendarDefinition = {
  schedules: {
    office: [
      { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00' },
      { holidays: ['*'], from: '10:00', to: '12:00' },
    ],
    night: [{ days: WEEKDAYS, from: '22:00', to: '06:00' }],
    'around-the-change': [
      { days: ['sun'], from: '01:45', to: '02:15' },
      { days: ['sun'], from: '02:30', to: '03:00' },
      { days: ['sat'], from: '23:30', to: '00:30' },
    ],
    saturday: [{ days: ['sat'], from: '00:00', to: '24:00' }],
    sunday: [{ days: ['sun'], from: '00:00', to: '24:00' }],
    'all-but-a-minute': [{ days: WEEKDAYS, holidays: ['*'], from: '02:00', to: '01:59' }],
    'factory-holidays': [{ holidays: ['factory'], from: '23:00', to: '03:00' }],
  },
  holidays: {
    public: ['12-24..01-02', '02-29', '2026-03-29', '2026-11-02', '2026-04-02..2026-04-03'],
    factory: ['2026-10-24', '2026-09-05', '10-03', '03-09', '2027-01-02'],
  },
  levels: {},
};

const MINUTE = 60_000;
const MINUTES_PER_WEEK = 7 * 1440;

/** The zone, a Monday, and by how many minutes the clocks are put forward in the week after it. */
const WEEKS: readonly [string, string, number][] = [
  ['Europe/Berlin', '2026-03-23', 60],
  ['Europe/Berlin', '2026-10-19', -60],
  ['America/New_York', '2026-03-02', 60],
  ['America/New_York', '2026-10-26', -60],
  ['Australia/Lord_Howe', '2026-03-30', -30],
  ['Australia/Lord_Howe', '2026-09-28', 30],
  // Midnight itself is skipped here, or comes twice.
  ['America/Santiago', '2026-03-30', -60],
  ['America/Santiago', '2026-08-31', 60],
  ['Europe/Berlin', '2028-02-28', 0],
  ['Australia/Lord_Howe', '2026-12-28', 0],
];

const offsetAt = (zone: string, at: number): number => {
  const table = moment.tz.zone(zone);
  assert.ok(table !== null, zone);
  return -table.utcOffset(at);
};

/** `2026-01-05 08:00` on the wall. */
const wallText = (at: number, offset: number): string =>
  new Date(at + offset * MINUTE).toISOString().slice(0, 16).replace('T', ' ');

const YEARS = [2025, 2026, 2027, 2028];

/** The days of one entry, walked from its first to its last; a 29 February that the year does not have is left out. */
const daysOf = (entry: string): readonly string[] => {
  const [first = '', last = first] = entry.split('..');
  const isYearly = first.length === 'MM-DD'.length;
  const starts = isYearly ? YEARS.map((year) => `${year}-${first}`) : [first];
  return starts.flatMap((start) => {
    const cursor = moment.utc(start, 'YYYY-MM-DD', true);
    const days: string[] = [];
    if (!cursor.isValid()) return days;
    for (;;) {
      const day = cursor.format('YYYY-MM-DD');
      days.push(day);
      if (day.endsWith(last)) return days;
      cursor.add(1, 'day');
    }
  });
};

const HOLIDAYS = Object.entries(CALENDAR.holidays).map(([name, entries]) => ({
  name,
  days: new Set(entries.flatMap(daysOf)),
}));

const listsOn = (day: string): readonly string[] =>
  HOLIDAYS.filter(({ days }) => days.has(day)).map(({ name }) => name);

const beginsOn = ({ days = [], holidays = [] }: ScheduleWindow, day: string): boolean => {
  const lists = listsOn(day);
  if (lists.length > 0) return holidays.some((name) => name === '*' || lists.includes(name));
  return days.some((name) => name === moment.utc(day).format('ddd').toLowerCase());
};

/** All minutes on the wall at which a schedule is open, from the windows that begin on these days. */
const openMinutes = (windows: readonly ScheduleWindow[], days: readonly string[]): ReadonlySet<string> => {
  const open = new Set<string>();
  for (const day of days) {
    for (const window of windows.filter((window) => beginsOn(window, day))) {
      const end = window.to === '24:00' ? '00:00' : window.to;
      let at = Date.parse(`${day}T${window.from}Z`);
      let wall = wallText(at, 0);
      do {
        open.add(wall);
        at += MINUTE;
        wall = wallText(at, 0);
      } while (!wall.endsWith(` ${end}`));
    }
  }
  return open;
};

for (const [zone, monday, shift] of WEEKS) {
  const change = shift === 0 ? 'no change of the clock' : `clocks changed by ${shift} minutes`;
  test(`every minute of the week of ${monday} in ${zone}, with ${change}, is judged as a second computation has it`, () => {
    assert.equal(calendarFault(CALENDAR), undefined);
    const first = moment.tz(monday, zone).valueOf();
    const week = Array.from({ length: MINUTES_PER_WEEK }, (_, minute) => first + minute * MINUTE);
    assert.equal(offsetAt(zone, first + MINUTES_PER_WEEK * MINUTE) - offsetAt(zone, first), shift);
    const days = Array.from({ length: 10 }, (_, day) =>
      moment
        .utc(monday)
        .add(day - 2, 'days')
        .format('YYYY-MM-DD'),
    );
    const expected = Object.entries(CALENDAR.schedules).map(([name, windows]) => {
      return { schedule: scheduleId(name), open: openMinutes(windows, days) };
    });
    const rules = compileRules(CALENDAR);
    const clock = localClock(zone);
    for (const at of week) {
      const wall = wallText(at, offsetAt(zone, at));
      const local = clock(instant(at));
      for (const { schedule, open } of expected) {
        if (rules.holds(schedule, local) !== open.has(wall))
          assert.fail(`${schedule} at ${wall} (${new Date(at).toISOString()})`);
      }
    }
  });
}
