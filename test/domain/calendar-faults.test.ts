import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CalendarDefinition,
  EMPTY_CALENDAR,
  mergeCalendars,
  type ScheduleWindow,
} from '../../src/domain/calendar.ts';
import { CALENDAR_LIMITS, calendarFault, calendarFaults } from '../../src/domain/calendar-faults.ts';
import { HOLIDAY_RULE } from '../../src/domain/holiday.ts';
import { compileRules } from '../../src/domain/rule-book.ts';
import { scheduleId } from './samples.ts';

const calendarOf = (parts: Partial<CalendarDefinition>): CalendarDefinition => ({ ...EMPTY_CALENDAR, ...parts });
const withWindow = (window: Partial<ScheduleWindow>): CalendarDefinition =>
  calendarOf({
    schedules: { shift: [{ days: ['mon'], from: '08:00', to: '18:00', ...window }] },
    holidays: { public: ['12-25'] },
  });
const many = <Value>(count: number, value: Value): Record<string, Value> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, value]));

const SOUND: readonly [string, CalendarDefinition][] = [
  ['an empty one', EMPTY_CALENDAR],
  ['a window over midnight', withWindow({ from: '22:00', to: '06:00' })],
  ['a window to the end of the day', withWindow({ from: '00:00', to: '24:00' })],
  ['a window on any holiday', withWindow({ days: undefined, holidays: ['*'] })],
  ['a window on days and on the holidays of a list', withWindow({ holidays: ['public'] })],
  ['empty lists', calendarOf({ schedules: { never: [] }, holidays: { none: [] }, levels: { nothing: [] } })],
  [
    'a level with an unknown schedule',
    calendarOf({ levels: { a: [{ doors: ['*'], schedule: scheduleId('later') }] } }),
  ],
  [
    'as many names as are allowed',
    calendarOf({
      schedules: many(CALENDAR_LIMITS.schedules.names, []),
      holidays: many(CALENDAR_LIMITS.holidays.names, []),
    }),
  ],
];

for (const [name, definition] of SOUND) {
  test(`a calendar is sound: ${name}`, () => {
    assert.equal(calendarFault(definition), undefined);
    compileRules(definition);
  });
}

const TIME = { from: '08:00', to: '18:00' };
const FAULTY: readonly [string, CalendarDefinition, string, string][] = [
  [
    'a beginning that is no time',
    withWindow({ from: '8:00' }),
    'schedules.shift.0.from',
    '"8:00" is not allowed; allowed: 00:00 to 23:59',
  ],
  [
    'a beginning at the end of the day',
    withWindow({ from: '24:00' }),
    'schedules.shift.0.from',
    '"24:00" is not allowed; allowed: 00:00 to 23:59',
  ],
  [
    'an end that is no time',
    withWindow({ to: '24:30' }),
    'schedules.shift.0.to',
    '"24:30" is not allowed; allowed: 00:00 to 24:00',
  ],
  [
    'a window without length',
    withWindow({ to: '08:00' }),
    'schedules.shift.0.to',
    'is equal to from; the whole day is from 00:00 to 24:00',
  ],
  [
    'a window on no day',
    withWindow({ days: undefined }),
    'schedules.shift.0',
    'begins on no day; give days, holidays or both',
  ],
  [
    'a window on an empty list of days',
    withWindow({ days: [], holidays: [] }),
    'schedules.shift.0',
    'begins on no day; give days, holidays or both',
  ],
  [
    'a holiday list that there is not',
    withWindow({ holidays: ['public', 'pulbic'] }),
    'schedules.shift.0.holidays.1',
    'there is no holiday list "pulbic"; add it under holidays, or take "*" for all lists',
  ],
  [
    'a holiday list named like a property of every object',
    withWindow({ holidays: ['constructor'] }),
    'schedules.shift.0.holidays.0',
    'there is no holiday list "constructor"; add it under holidays, or take "*" for all lists',
  ],
  [
    'a date that there is not',
    calendarOf({ holidays: { a: ['12-25', '04-31'] } }),
    'holidays.a.1',
    `"04-31" is not allowed; ${HOLIDAY_RULE}`,
  ],
  [
    'a range that ends before it begins',
    calendarOf({ holidays: { a: ['2026-02-02..2026-02-01'] } }),
    'holidays.a.0',
    `"2026-02-02..2026-02-01" is not allowed; ${HOLIDAY_RULE}`,
  ],
  [
    'a long text for a date',
    calendarOf({ holidays: { a: ['x'.repeat(99)] } }),
    'holidays.a.0',
    `"${'x'.repeat(39)}…" is not allowed; ${HOLIDAY_RULE}`,
  ],
  [
    'a schedule named always',
    calendarOf({ schedules: { always: [{ days: ['mon'], ...TIME }] } }),
    'schedules.always',
    'always is built in; choose another name',
  ],
  [
    'a name that is no id',
    calendarOf({ schedules: { 'Night shift': [] } }),
    'schedules.Night shift',
    '"Night shift" is not an id; allowed: 1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit',
  ],
  [
    'too many schedules',
    calendarOf({ schedules: many(257, []) }),
    'schedules',
    'has 257 entries; allowed: at most 256',
  ],
  [
    'too many windows',
    calendarOf({ schedules: { a: Array.from({ length: 65 }, () => ({ days: ['mon'] as const, ...TIME })) } }),
    'schedules.a',
    'has 65 entries; allowed: at most 64',
  ],
  ['too many holiday lists', calendarOf({ holidays: many(33, []) }), 'holidays', 'has 33 entries; allowed: at most 32'],
  [
    'too many holidays',
    calendarOf({ holidays: { a: Array.from({ length: 401 }, () => '12-25') } }),
    'holidays.a',
    'has 401 entries; allowed: at most 400',
  ],
  ['too many levels', calendarOf({ levels: many(257, []) }), 'levels', 'has 257 entries; allowed: at most 256'],
  [
    'too many grants',
    calendarOf({
      levels: { a: Array.from({ length: 65 }, () => ({ doors: ['*'] as const, schedule: scheduleId('always') })) },
    }),
    'levels.a',
    'has 65 entries; allowed: at most 64',
  ],
];

for (const [name, definition, path, detail] of FAULTY) {
  test(`a calendar has a fault: ${name}`, () => {
    const fault = calendarFault(definition);
    assert.deepEqual(fault && { path: fault.path.join('.'), detail: fault.detail }, { path, detail });
  });
}

test('all faults are told', () => {
  const calendar = calendarOf({
    schedules: { Shift: [{ from: '8', to: '9' }], night: [{ days: ['mon'], from: '22:00', to: '22:00' }] },
    holidays: { a: ['x', 'y'] },
  });
  assert.deepEqual(
    calendarFaults(calendar).map(({ path }) => path.join('.')),
    [
      'schedules.Shift',
      'schedules.Shift.0.from',
      'schedules.Shift.0.to',
      'schedules.Shift.0',
      'schedules.night.0.to',
      'holidays.a.0',
      'holidays.a.1',
    ],
  );
});

test('of two calendars each name is HR’s as a whole, where HR has it', () => {
  const config = calendarOf({
    schedules: { shift: [{ days: ['mon'], ...TIME }], own: [] },
    holidays: { public: ['12-25'], own: ['05-01'] },
    levels: { staff: [{ doors: ['*'], schedule: scheduleId('own') }] },
  });
  const hr = calendarOf({
    schedules: { shift: [], late: [] },
    holidays: { public: ['01-01'] },
    levels: { staff: [], cleaners: [] },
  });
  assert.deepEqual(mergeCalendars(config, hr), {
    schedules: { shift: [], own: [], late: [] },
    holidays: { public: ['01-01'], own: ['05-01'] },
    levels: { staff: [], cleaners: [] },
  });
  assert.deepEqual(mergeCalendars(config, EMPTY_CALENDAR), config);
});

test('where one fault is enough, nothing behind it is looked at', () => {
  const unseen = {
    to: '18:00',
    get from(): string {
      throw new TypeError('this was looked at');
    },
  };
  const calendar = calendarOf({ schedules: { shift: [{ days: ['mon'], from: '8', to: '18:00' }, unseen] } });
  assert.deepEqual(calendarFault(calendar)?.path, ['schedules', 'shift', '0', 'from']);
  assert.throws(() => calendarFaults(calendar), TypeError);
});
