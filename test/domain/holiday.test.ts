import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOLIDAY_PATTERN, isHolidayOn, parseHolidayDate } from '../../src/domain/holiday.ts';
import { wallTime } from '../fixtures/wall-time.ts';

const isOn = (text: string, date: string): boolean => {
  const span = parseHolidayDate(text);
  assert.ok(span !== undefined, text);
  return isHolidayOn(wallTime(date), span);
};

/** Days that are holidays, and days that are not. */
const TABLE: readonly [string, readonly string[], readonly string[]][] = [
  ['2026-04-03', ['2026-04-03'], ['2026-04-02', '2026-04-04', '2025-04-03', '2027-04-03']],
  ['12-25', ['2025-12-25', '2026-12-25', '2099-12-25'], ['2026-12-24', '2026-12-26', '2026-11-25']],
  ['02-29', ['2028-02-29', '2000-02-29'], ['2028-02-28', '2028-03-01', '2026-02-28', '2026-03-01']],
  ['2028-02-29', ['2028-02-29'], ['2028-03-01', '2032-02-29']],
  ['2026-08-03..2026-08-21', ['2026-08-03', '2026-08-12', '2026-08-21'], ['2026-08-02', '2026-08-22', '2027-08-12']],
  ['2026-12-24..2027-01-02', ['2026-12-24', '2026-12-31', '2027-01-02'], ['2026-12-23', '2027-01-03', '2027-12-31']],
  [
    '12-24..01-02',
    ['2026-12-24', '2026-12-31', '2027-01-01', '2026-01-02'],
    ['2026-12-23', '2026-01-03', '2026-07-01'],
  ],
  ['02-28..03-01', ['2028-02-28', '2028-02-29', '2028-03-01', '2026-03-01'], ['2028-02-27', '2028-03-02']],
  ['02-29..03-01', ['2028-02-29', '2028-03-01', '2026-03-01'], ['2026-02-28', '2028-02-28']],
  ['2026-05-01..2026-05-01', ['2026-05-01'], ['2026-04-30', '2026-05-02']],
  ['01-01..12-31', ['2026-01-01', '2026-06-15', '2028-02-29', '2026-12-31'], []],
];

for (const [text, holidays, others] of TABLE) {
  test(`${text} is a holiday on its days and on no other`, () => {
    for (const date of holidays) assert.equal(isOn(text, date), true, date);
    for (const date of others) assert.equal(isOn(text, date), false, date);
  });
}

const NONE: readonly string[] = [
  ...['2026-02-29', '2100-02-29', '2026-04-31', '04-31', '02-30', '00-10', '13-01', '01-00', '2026-00-01'],
  ...['2026-08-21..2026-08-03', '2026-12-24..01-02', '12-24..2027-01-02', '12-24..', '..01-02', '12-24..01-02..01-03'],
  ...['', '25.12.', '12/25', '2026-4-3', '26-04-03', ' 12-25', '12-25 ', '12-24...01-02', '2026-04-03T00:00'],
];

for (const text of NONE) {
  test(`"${text}" is no holiday`, () => assert.equal(parseHolidayDate(text), undefined));
}

const DATE = fc
  .date({ min: new Date('2001-01-01'), max: new Date('2199-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));

test('a range with years has exactly the days between its ends, as text compares them', () => {
  fc.assert(
    fc.property(DATE, DATE, DATE, (a, b, day) => {
      const [first, last] = a <= b ? [a, b] : [b, a];
      assert.equal(isOn(`${first}..${last}`, day), first <= day && day <= last);
    }),
  );
});

test('two yearly ranges that meet share the year between them', () => {
  fc.assert(
    fc.property(DATE, DATE, DATE, (a, b, day) => {
      const [first, last] = [a.slice(5), b.slice(5)];
      const isEnd = day.slice(5) === first || day.slice(5) === last;
      if (first === last || isEnd) return;
      assert.notEqual(isOn(`${first}..${last}`, day), isOn(`${last}..${first}`, day));
    }),
  );
});

test('no text is taken that does not look like one, and none throws', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9.-]{0,24}$/), fc.stringMatching(HOLIDAY_PATTERN));
  fc.assert(
    fc.property(text, (text) => {
      if (parseHolidayDate(text) !== undefined) assert.match(text, HOLIDAY_PATTERN);
    }),
  );
});
