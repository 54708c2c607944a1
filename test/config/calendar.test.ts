// Schedules, holidays, access levels, time zones and the policy for a clock that is not set.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOLIDAY_RULE } from '../../src/domain/holiday.ts';
import { compileRules } from '../../src/domain/rule-book.ts';
import { scheduleId } from '../domain/samples.ts';
import { wallTime } from '../fixtures/wall-time.ts';
import { configOf, faultsOf, textWith, warningsOf } from './config-text.ts';

/** The first line is line 2 of the file. */
const withLines = (...lines: readonly string[]): string => textWith({ 1: ['site: hq', ...lines].join('\n') });

const WINDOW = '{ days: [mon], from: "08:00", to: "18:00" }';

describe('a calendar in the configuration', () => {
  it('is what the doors are judged by', () => {
    const text = withLines(
      'schedules:',
      '  office-hours: [ { days: [mon, tue, wed, thu, fri], from: 08:00, to: 18:00 }, { holidays: ["*"], from: "10:00", to: "12:00" } ]',
      'holidays: { public: [12-25, 2026-04-03, 12-24..01-02, 2026-08-03..2026-08-21] }',
      'levels: { staff: [ { doors: ["*"], schedule: office-hours } ] }',
      'timezone: Europe/Berlin',
    );
    assert.deepEqual(warningsOf(text), []);
    const rules = compileRules(configOf(text).calendar);
    const holds = (at: string) => rules.holds(scheduleId('office-hours'), wallTime(at));
    assert.deepEqual(['2026-04-02 09:00', '2026-04-03 09:00', '2026-04-03 11:00'].map(holds), [true, false, true]);
    assert.deepEqual(rules.level('staff'), [{ doors: ['*'], schedule: 'office-hours' }]);
  });

  const FAULTS: readonly [string, readonly string[], readonly string[]][] = [
    [
      'a window on no day',
      ['schedules: { day: [{ from: "08:00", to: "18:00" }] }'],
      ['2:20 schedules.day.0: begins on no day; give days, holidays or both'],
    ],
    [
      'a time that there is not',
      ['schedules: { day: [{ days: [mon], from: "8:00", to: "24:01" }] }'],
      [
        '2:41 schedules.day.0.from: "8:00" is not allowed; allowed: 00:00 to 23:59',
        '2:53 schedules.day.0.to: "24:01" is not allowed; allowed: 00:00 to 24:00',
      ],
    ],
    [
      'a time that YAML takes for a number',
      ['schedules: { day: [{ days: [mon], from: 8, to: "18:00" }] }'],
      ['2:41 schedules.day.0.from: 8 is not allowed; allowed: text; put it in quotes'],
    ],
    [
      'a window without length',
      ['schedules: { day: [{ days: [mon], from: "08:00", to: "08:00" }] }'],
      ['2:54 schedules.day.0.to: is equal to from; the whole day is from 00:00 to 24:00'],
    ],
    [
      'a day that there is not',
      ['schedules: { day: [{ days: [monday], from: "08:00", to: "18:00" }] }'],
      ['2:29 schedules.day.0.days.0: "monday" is not allowed; allowed: sun, mon, tue, wed, thu, fri, sat'],
    ],
    [
      'a misspelt key of a window',
      ['schedules: { day: [{ day: [mon], from: "08:00", to: "18:00" }] }'],
      ['2:22 schedules.day.0.day: unknown key; did you mean days?'],
    ],
    [
      'a schedule that is no list',
      ['schedules: { day: 5 }'],
      ['2:19 schedules.day: 5 is not allowed; allowed: a block with the keys days, holidays, from, to, in a list'],
    ],
    [
      'schedules that are no block',
      ['schedules: [mon]'],
      ['2:12 schedules: a list is not allowed; allowed: a block of ids, each with its own list'],
    ],
    [
      'always, said anew',
      [`schedules: { always: [${WINDOW}] }`],
      ['2:14 schedules.always: always is built in; choose another name'],
    ],
    [
      'a name that is no id',
      [`schedules: { Day: [${WINDOW}] }`],
      [
        '2:14 schedules.Day: "Day" is not an id; allowed: 1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit',
      ],
    ],
    [
      'a holiday list that there is not',
      ['schedules: { day: [{ holidays: [pulbic], from: "08:00", to: "18:00" }] }', 'holidays: { public: [12-25] }'],
      [
        '2:33 schedules.day.0.holidays.0: there is no holiday list "pulbic"; add it under holidays, or take "*" for all lists',
      ],
    ],
    [
      'a date that there is not',
      ['holidays: { public: [12-25, 04-31] }'],
      [`2:29 holidays.public.1: "04-31" is not allowed; ${HOLIDAY_RULE}`],
    ],
    [
      'a level that names a level',
      ['levels: { all: [{ level: staff }] }'],
      [
        '2:11 levels.all.0.doors: is missing; allowed: text, at least one, in a list (Ids of doors, of any gateway of the site, or "*" for all doors)',
        '2:19 levels.all.0.level: unknown key; it belongs to log',
      ],
    ],
    [
      'a level with a door that cannot be',
      ['levels: { staff: [{ doors: [Front] }] }'],
      ['2:29 levels.staff.0.doors.0: "Front" is not allowed; allowed: the id of a door, or "*" for all doors'],
    ],
    [
      'a time zone that there is not',
      ['timezone: Berlin'],
      ['2:11 timezone: is no time zone that is known here; allowed: IANA names like Europe/Berlin or UTC'],
    ],
    [
      'a policy that there is not',
      ['clock: { untrustedPolicy: deny }'],
      ['2:27 clock.untrustedPolicy: "deny" is not allowed; allowed: deny-windowed, allow'],
    ],
  ];

  for (const [name, lines, faults] of FAULTS) {
    it(`is refused with ${name}`, () => assert.deepEqual(faultsOf(withLines(...lines)), faults));
  }

  it('may name what is known elsewhere, with a warning', () => {
    const text = withLines(
      `schedules: { office-hours: [${WINDOW}] }`,
      'levels:',
      '  staff: [{ doors: [front], schedule: office-hour }, { doors: [frnt, lab], schedule: nights }, { doors: [front] }]',
      'timezone: Europe/Berlin',
    );
    assert.deepEqual(faultsOf(text), []);
    assert.deepEqual(warningsOf(text), [
      '4:39 levels.staff.0.schedule: there is no schedule office-hour here; did you mean office-hours? it opens nothing until HR pushes one',
      '4:64 levels.staff.1.doors.0: there is no door frnt here; did you mean front? it is right only if another gateway has it',
      '4:70 levels.staff.1.doors.1: there is no door lab here; it is right only if another gateway has it',
      '4:86 levels.staff.1.schedule: there is no schedule nights here; it opens nothing until HR pushes one',
    ]);
  });

  it('may have a list that only HR fills', () => {
    configOf(
      withLines('schedules: { day: [{ holidays: [public], from: "08:00", to: "18:00" }] }', 'holidays: { public: [] }'),
    );
  });

  it('knows the name of what is wrong by itself, and tells the fault once', () => {
    const text = withLines(
      'schedules: { day: [{ days: [mon] }] }',
      'levels: { staff: [{ doors: [front], schedule: day }] }',
      'timezone: Europe/Berlin',
    );
    assert.equal(faultsOf(text).length, 2);
    assert.deepEqual(warningsOf(text), []);
  });
});

describe('the time zone of a door', () => {
  it('is the site’s where it has none of its own', () => {
    const text = textWith({
      1: 'site: hq\ntimezone: Europe/Berlin',
      8: '    strike: { line: 17 }\n  boston: { strike: { line: 5 }, timezone: America/New_York }',
    });
    assert.deepEqual(
      configOf(text).doors.map(({ id, timezone }) => [id, timezone]),
      [
        ['front', 'Europe/Berlin'],
        ['boston', 'America/New_York'],
      ],
    );
  });
});

describe('schedules without a time zone', () => {
  const schedules = `schedules: { day: [${WINDOW}] }`;

  it('are warned of where a door goes by them', () => {
    assert.deepEqual(warningsOf(withLines(schedules)), [
      '2:1 schedules: are meant in UTC, because there is no timezone; if that is right, write timezone: UTC',
    ]);
  });

  it('are right where each door has its own, and where the file says UTC', () => {
    assert.deepEqual(warningsOf(withLines(schedules, 'timezone: UTC')), []);
    const text = textWith({
      1: `site: hq\n${schedules}`,
      8: '    strike: { line: 17 }\n    timezone: America/New_York',
    });
    assert.deepEqual(warningsOf(text), []);
  });
});

describe('the policy for a clock that is not set', () => {
  it('means nothing where the clock always counts as set', () => {
    assert.deepEqual(warningsOf(withLines('clock: { trust: always, untrustedPolicy: allow }')), [
      '2:25 clock.untrustedPolicy: has no effect with clock.trust: always',
    ]);
    assert.deepEqual(warningsOf(withLines('clock: { trust: always }')), []);
    assert.deepEqual(warningsOf(withLines('clock: { untrustedPolicy: allow }')), []);
  });
});
