import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CalendarDefinition, EMPTY_CALENDAR, type ScheduleWindow } from '../../src/domain/calendar.ts';
import { dayBefore, type LocalTime, WEEKDAYS, weekdayOf } from '../../src/domain/local-time.ts';
import { compileRules } from '../../src/domain/rule-book.ts';
import { ALWAYS } from '../../src/domain/schedule.ts';
import { wallTime } from '../fixtures/wall-time.ts';
import { doorId, scheduleId } from './samples.ts';

const SHIFT = scheduleId('shift');
const WORKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri'] as const;

const holds = (windows: readonly ScheduleWindow[], at: LocalTime, holidays: CalendarDefinition['holidays'] = {}) =>
  compileRules({ ...EMPTY_CALENDAR, schedules: { shift: windows }, holidays }).holds(SHIFT, at);

const OFFICE: ScheduleWindow = { days: WORKDAYS, from: '08:00', to: '18:00' };
const NIGHT: ScheduleWindow = { days: ['fri'], from: '22:00', to: '06:00' };
const SATURDAY: ScheduleWindow = { days: ['sat'], from: '00:00', to: '24:00' };
const TO_MIDNIGHT: ScheduleWindow = { days: ['mon'], from: '20:00', to: '00:00' };
const PUBLIC: ScheduleWindow = { holidays: ['public'], from: '10:00', to: '12:00' };
const ANY_HOLIDAY: ScheduleWindow = { holidays: ['*'], from: '22:00', to: '02:00' };
const BOTH: ScheduleWindow = { days: ['mon'], holidays: ['factory'], from: '09:00', to: '10:00' };
/** 2026-01-05 is a Monday. Friday the 9th and Saturday the 10th are days of `public`, Monday the 12th is one of `factory`. */
const HOLIDAYS = { public: ['2026-01-09..2026-01-10'], factory: ['01-12'] };

const TABLE: readonly [string, readonly ScheduleWindow[], string, boolean][] = [
  ['the minute before it begins', [OFFICE], '2026-01-05 07:59', false],
  ['the minute at which it begins', [OFFICE], '2026-01-05 08:00', true],
  ['its last minute', [OFFICE], '2026-01-05 17:59', true],
  ['the minute at which it ends', [OFFICE], '2026-01-05 18:00', false],
  ['another weekday', [OFFICE], '2026-01-11 09:00', false],
  ['one of several windows', [PUBLIC, NIGHT, OFFICE], '2026-01-05 09:00', true],
  ['the evening on which a night begins', [NIGHT], '2026-01-16 22:00', true],
  ['the last minute of that day', [NIGHT], '2026-01-16 23:59', true],
  ['the midnight in it', [NIGHT], '2026-01-17 00:00', true],
  ['the morning after', [NIGHT], '2026-01-17 05:59', true],
  ['the end of that night', [NIGHT], '2026-01-17 06:00', false],
  ['the early morning of its own day', [NIGHT], '2026-01-16 05:00', false],
  ['the evening after', [NIGHT], '2026-01-17 22:00', false],
  ['the first minute of a whole day', [SATURDAY], '2026-01-17 00:00', true],
  ['the last minute of a whole day', [SATURDAY], '2026-01-17 23:59', true],
  ['the first minute after a whole day', [SATURDAY], '2026-01-18 00:00', false],
  ['the last minute before midnight', [TO_MIDNIGHT], '2026-01-05 23:59', true],
  ['the midnight at which it ends', [TO_MIDNIGHT], '2026-01-06 00:00', false],
  ['a weekday that is a holiday', [OFFICE], '2026-01-09 09:00', false],
  ['a weekday that is a holiday of another list', [OFFICE, PUBLIC], '2026-01-12 11:00', false],
  ['a holiday in its own window', [OFFICE, PUBLIC], '2026-01-09 11:00', true],
  ['a holiday outside its own window', [OFFICE, PUBLIC], '2026-01-09 12:00', false],
  ['no holiday in the window of one', [PUBLIC], '2026-01-08 11:00', false],
  [
    'the holiday morning after a night that began on a working day',
    [{ ...NIGHT, days: ['thu'] }],
    '2026-01-09 05:59',
    true,
  ],
  ['the morning after a night that would have begun on a holiday', [NIGHT], '2026-01-10 05:59', false],
  ['the evening of any holiday', [ANY_HOLIDAY], '2026-01-12 22:00', true],
  ['the morning after any holiday', [ANY_HOLIDAY], '2026-01-13 01:59', true],
  ['the early morning of the first holiday', [ANY_HOLIDAY], '2026-01-09 01:00', false],
  ['a weekday with a window that has holidays too', [BOTH], '2026-01-05 09:30', true],
  ['a holiday of its list', [BOTH], '2026-01-12 09:30', true],
  ['a holiday of another list', [BOTH], '2026-01-09 09:30', false],
  ['no window at all', [], '2026-01-05 09:00', false],
];

for (const [name, windows, at, expected] of TABLE) {
  test(`a schedule is ${expected ? 'open' : 'closed'} at ${name}`, () => {
    assert.equal(holds(windows, wallTime(at), HOLIDAYS), expected);
  });
}

test('a leap day and the turn of a year are days like others', () => {
  const leapDay: ScheduleWindow = { days: ['tue'], from: '22:00', to: '02:00' };
  assert.equal(holds([leapDay], wallTime('2028-02-29 23:00')), true);
  assert.equal(holds([leapDay], wallTime('2028-03-01 01:00')), true);
  assert.equal(holds([leapDay], wallTime('2028-02-29 01:00')), false);
  const lastDay: ScheduleWindow = { days: ['thu'], from: '22:00', to: '02:00' };
  assert.equal(holds([lastDay], wallTime('2026-12-31 23:00')), true);
  assert.equal(holds([lastDay], wallTime('2027-01-01 01:00')), true);
});

test('a name that is not in the calendar is unknown, also one that every object has', () => {
  const rules = compileRules({ ...EMPTY_CALENDAR, schedules: { shift: [OFFICE] }, levels: { staff: [] } });
  for (const name of ['night', 'constructor', 'valueof']) {
    assert.equal(rules.holds(scheduleId(name), wallTime('2026-01-05 09:00')), undefined);
    assert.equal(rules.isKnownSchedule(scheduleId(name)), false);
    assert.equal(rules.level(name), undefined);
  }
  assert.equal(rules.isKnownSchedule(SHIFT), true);
  assert.deepEqual(rules.level('staff'), []);
});

test('always holds, whatever the calendar says of it', () => {
  const rules = compileRules({ ...EMPTY_CALENDAR, schedules: { always: [] } });
  assert.equal(rules.holds(ALWAYS, wallTime('2026-01-05 09:00')), true);
  assert.equal(rules.isKnownSchedule(ALWAYS), true);
});

test('a level has the grants that the calendar gives it', () => {
  const grants = [{ doors: [doorId('front')], schedule: SHIFT }];
  assert.deepEqual(compileRules({ ...EMPTY_CALENDAR, levels: { staff: grants } }).level('staff'), grants);
});

test('a calendar that was never checked and is wrong is refused', () => {
  for (const wrong of [
    { ...EMPTY_CALENDAR, schedules: { shift: [{ days: ['mon'] as const, from: '8', to: '18:00' }] } },
    { ...EMPTY_CALENDAR, holidays: { public: ['02-30'] } },
  ]) {
    assert.throws(() => compileRules(wrong), RangeError);
  }
});

const MINUTE = fc.integer({ min: 0, max: 1439 });
const text = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
const DATE = fc
  .record({
    year: fc.integer({ min: 2024, max: 2032 }),
    month: fc.integer({ min: 1, max: 12 }),
    day: fc.integer({ min: 1, max: 28 }),
  })
  .map((date) => date);

test('a window and the one from its end to its beginning share out the time between them', () => {
  const always = { days: WEEKDAYS };
  fc.assert(
    fc.property(MINUTE, MINUTE, MINUTE, DATE, (from, to, minute, date) => {
      fc.pre(from !== to);
      const at = { ...date, minute };
      const isOpen = holds([{ ...always, from: text(from), to: text(to) }], at);
      const isOpenElse = holds([{ ...always, from: text(to), to: text(from) }], at);
      assert.notEqual(isOpen, isOpenElse);
    }),
  );
});

test('a window of one weekday holds on no day but that one and, over midnight, the next', () => {
  fc.assert(
    fc.property(fc.constantFrom(...WEEKDAYS), MINUTE, MINUTE, MINUTE, DATE, (weekday, from, to, minute, date) => {
      fc.pre(from !== to);
      if (!holds([{ days: [weekday], from: text(from), to: text(to) }], { ...date, minute })) return;
      const begins = minute >= from ? date : dayBefore(date);
      assert.equal(weekdayOf(begins), weekday);
      assert.ok(minute >= from || (to < from && minute < to));
    }),
  );
});

test('on a day of any list nothing begins for the weekday, and everything that names the list or any', () => {
  fc.assert(
    fc.property(MINUTE, DATE, (minute, date) => {
      const pad = (number: number): string => String(number).padStart(2, '0');
      const holidays = { a: [`${date.year}-${pad(date.month)}-${pad(date.day)}`], b: [] };
      const at = { ...date, minute };
      const whole = { from: '00:00', to: '24:00' };
      assert.equal(holds([{ days: WEEKDAYS, ...whole }], at, holidays), false);
      assert.equal(holds([{ holidays: ['b'], ...whole }], at, holidays), false);
      assert.equal(holds([{ holidays: ['a'], ...whole }], at, holidays), true);
      assert.equal(holds([{ holidays: ['*'], ...whole }], at, holidays), true);
    }),
  );
});
