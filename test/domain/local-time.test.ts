import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dayBefore, localClock, parseTimeOfDay, UTC, weekdayOf } from '../../src/domain/local-time.ts';
import { instant } from '../../src/domain/units.ts';
import { wallTime } from '../fixtures/wall-time.ts';
import { time } from './samples.ts';

const CLOCKS: readonly [string, string, string][] = [
  ['UTC', '2026-01-05T08:00:59.999Z', '2026-01-05 08:00'],
  ['Europe/Berlin', '2026-01-05T23:30:00Z', '2026-01-06 00:30'],
  ['Europe/Berlin', '2026-03-29T00:59:59Z', '2026-03-29 01:59'],
  ['Europe/Berlin', '2026-03-29T01:00:00Z', '2026-03-29 03:00'],
  ['Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25 02:30'],
  ['Europe/Berlin', '2026-10-25T01:30:00Z', '2026-10-25 02:30'],
  ['America/New_York', '2026-01-01T04:59:00Z', '2025-12-31 23:59'],
  ['Australia/Lord_Howe', '2026-10-03T15:30:00Z', '2026-10-04 02:30'],
  ['Asia/Kathmandu', '2028-02-28T18:15:00Z', '2028-02-29 00:00'],
  ['America/Santiago', '2026-09-06T04:00:00Z', '2026-09-06 01:00'],
];

for (const [zone, at, wall] of CLOCKS) {
  test(`at ${at} a clock in ${zone} shows ${wall}`, () => {
    assert.deepEqual(localClock(zone)(time(at)), wallTime(wall));
  });
}

test('a clock that was asked about one minute answers for the next one', () => {
  const clock = localClock('Europe/Berlin');
  const shown = ['08:00:00', '08:00:59', '08:01:00', '08:00:59'].map((at) => clock(time(`2026-01-05T${at}Z`)).minute);
  assert.deepEqual(shown, [540, 540, 541, 540]);
});

test('a time zone that there is not is an error', () => {
  assert.throws(() => localClock('Mars/Olympus'), RangeError);
});

const TIMES: readonly [string, number | undefined][] = [
  ['00:00', 0],
  ['08:05', 485],
  ['23:59', 1439],
  ['24:00', 1440],
  ['24:01', undefined],
  ['8:05', undefined],
  ['08:60', undefined],
  ['08:05:00', undefined],
  [' 08:05', undefined],
  ['0805', undefined],
  ['', undefined],
];

for (const [text, minutes] of TIMES) {
  test(`the time of day "${text}" is ${minutes ?? 'none'}`, () => assert.equal(parseTimeOfDay(text), minutes));
}

const UTC_DAYS = fc.integer({ min: 0, max: 60_000 }).map((days) => instant(days * 86_400_000));

test('UTC is what the clock of that zone shows, to the end of what a date can be', () => {
  const utc = localClock('UTC');
  const latest = 8.64e15;
  fc.assert(
    fc.property(fc.integer({ min: -60_000_000_000_000, max: latest }), (at) => {
      assert.deepEqual(UTC(instant(at)), utc(instant(at)));
    }),
  );
});

test('the day before has the date and the weekday of 24 hours ago in a zone without shifts', () => {
  const utc = localClock('UTC');
  fc.assert(
    fc.property(UTC_DAYS, (at) => {
      const { minute, ...before } = utc(instant(at - 86_400_000));
      assert.deepEqual(dayBefore(utc(at)), before);
      assert.equal(weekdayOf(utc(at)), new Date(at).toUTCString().slice(0, 3).toLowerCase());
      assert.equal(minute, 0);
    }),
  );
});
