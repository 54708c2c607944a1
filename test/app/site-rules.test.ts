// The configuration's calendar and HR's, together: whose word counts for a name, and what a gateway says of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SiteRules } from '../../src/app/site-rules.ts';
import { type CalendarDefinition, type CalendarRecord, EMPTY_CALENDAR } from '../../src/domain/calendar.ts';
import { calendarFingerprint } from '../../src/domain/calendar-order.ts';
import { createLog } from '../../src/log.ts';
import { doorId, messageId, revision, scheduleId, time } from '../domain/samples.ts';

const FRONT = doorId('front');
const DAY = scheduleId('day');
const NIGHT = scheduleId('night');
/** A Monday. */
const NOON = { year: 2026, month: 1, day: 5, minute: 12 * 60 };
const CHRISTMAS = { year: 2026, month: 12, day: 25, minute: 12 * 60 };

const WORKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri'] as const;
const CONFIGURED: CalendarDefinition = {
  schedules: { day: [{ days: WORKDAYS, from: '08:00', to: '18:00' }] },
  holidays: { public: ['12-25'] },
  levels: { staff: [{ doors: [FRONT], schedule: DAY }], cleaners: [{ doors: [FRONT], schedule: NIGHT }] },
};

const recordOf = (definition: CalendarDefinition): CalendarRecord => ({
  revision: revision(4),
  messageId: messageId('cal-4'),
  appliedAt: time('2026-01-05T08:00:00Z'),
  fingerprint: calendarFingerprint(definition),
  definition,
});

/** Rules over a store that holds what the test puts there. */
const makeRules = (calendar?: CalendarRecord) => {
  const store = { held: calendar };
  const deps = { configured: CONFIGURED, store: { calendar: () => store.held }, log: createLog('silent') };
  return { rules: new SiteRules(deps), store };
};

test('without a calendar from HR, the configuration’s is in force', () => {
  const { rules } = makeRules();
  assert.deepEqual(
    [rules.holds(DAY, NOON), rules.holds(DAY, CHRISTMAS), rules.holds(NIGHT, NOON)],
    [true, false, undefined],
  );
  assert.deepEqual(rules.level('staff'), CONFIGURED.levels['staff']);
  assert.deepEqual([rules.calendar, rules.alarms()], [undefined, []]);
});

test('what HR names is HR’s, as a whole, and the rest stays the configuration’s', () => {
  const { rules } = makeRules(
    recordOf({
      schedules: {
        day: [{ days: ['sun'], from: '00:00', to: '24:00' }],
        night: [{ days: ['mon'], from: '00:00', to: '24:00' }],
      },
      holidays: {},
      levels: { staff: [{ doors: ['*'], schedule: NIGHT }] },
    }),
  );
  assert.deepEqual([rules.holds(DAY, NOON), rules.holds(NIGHT, NOON)], [false, true]);
  assert.deepEqual(rules.level('staff'), [{ doors: ['*'], schedule: NIGHT }]);
  assert.deepEqual(rules.level('cleaners'), CONFIGURED.levels['cleaners']);
  assert.equal(rules.level('guests'), undefined);
  assert.equal(rules.calendar?.revision, 4);
});

test('a list of holidays is one list, whoever has named it last', () => {
  const noWorkOnNewYear = { ...EMPTY_CALENDAR, holidays: { public: ['01-01'] } };
  const { rules } = makeRules(recordOf(noWorkOnNewYear));
  assert.equal(rules.holds(DAY, CHRISTMAS), true, 'a Friday that HR has made a working day');
});

test('what the store holds counts from when it is looked at anew', () => {
  const { rules, store } = makeRules();
  store.held = recordOf({ ...EMPTY_CALENDAR, schedules: { night: [{ days: ['mon'], from: '00:00', to: '24:00' }] } });
  assert.equal(rules.isKnownSchedule(NIGHT), false);
  rules.refresh();
  assert.equal(rules.isKnownSchedule(NIGHT), true);
});

test('names that levels need are looked for in both calendars', () => {
  const { rules } = makeRules();
  assert.deepEqual(rules.unknownWith(EMPTY_CALENDAR), ['unknown-schedule: night']);
  const night = { night: [{ days: ['mon'], from: '22:00', to: '06:00' }] } as const;
  assert.deepEqual(rules.unknownWith({ ...EMPTY_CALENDAR, schedules: night }), []);
  const guests = { guests: [{ doors: ['*'], schedule: scheduleId('visits') }] } as const;
  assert.deepEqual(rules.unknownWith({ ...EMPTY_CALENDAR, schedules: night, levels: guests }), [
    'unknown-schedule: visits',
  ]);
});
