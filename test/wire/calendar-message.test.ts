// `calendar` messages: what is taken, what is refused, and where the sender is told to look.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CalendarMessage, decodeCalendarSections, encodeCalendar } from '../../src/wire/calendar-message.ts';
import { siteId } from '../domain/samples.ts';
import { CALENDAR, decode, rejected, TOPICS } from './messages.ts';

const taken = (content: unknown, retained = false): CalendarMessage => {
  const decoded = decode(content, { topic: TOPICS.calendar, retained });
  assert.ok(decoded.kind === 'calendar', JSON.stringify(decoded));
  return decoded.calendar;
};

const { schedules: _, holidays: __, levels: ___, ...COMMON } = CALENDAR;

describe('a calendar message', () => {
  it('says schedules, holidays and levels as the configuration does', () => {
    const { definition, revision, messageId, operator } = taken(CALENDAR);
    assert.deepEqual([revision, messageId, operator], [7, 'cal-7', 'hr.desk-2']);
    assert.deepEqual(definition.schedules, CALENDAR.schedules);
    assert.deepEqual(definition.holidays, CALENDAR.holidays);
    assert.deepEqual(definition.levels, {
      staff: [
        { doors: ['front', 'lab'], schedule: 'office-hours' },
        { doors: ['*'], schedule: 'always' },
      ],
    });
  });

  it('may leave each part out: then there is nothing of it', () => {
    assert.deepEqual(taken(COMMON).definition, { schedules: {}, holidays: {}, levels: {} });
  });

  it('is welcome as the retained copy of the broker', () => {
    assert.deepEqual(taken(CALENDAR, true), taken(CALENDAR));
  });

  it('is encoded to what decodes to the same', () => {
    const message = taken(CALENDAR);
    assert.deepEqual(taken(encodeCalendar(siteId('hq'), message)), message);
  });

  it('may have fields of HR in the message, a window and a grant, and has names that begin with x-', () => {
    const window = { days: ['mon'], from: '08:00', to: '09:00' };
    const plain = taken({ ...COMMON, schedules: { 'x-ray': [window] }, levels: { staff: [{ doors: ['lab'] }] } });
    const noted = taken({
      ...COMMON,
      'x-note': 1,
      schedules: { 'x-ray': [{ ...window, 'x-note': 1 }] },
      levels: { staff: [{ doors: ['lab'], 'x-note': 1 }] },
    });
    assert.deepEqual(noted, plain);
    assert.ok('x-ray' in noted.definition.schedules);
  });

  it('may use names that objects have by nature', () => {
    const { schedules } = taken({
      ...COMMON,
      schedules: { constructor: [{ days: ['mon'], from: '08:00', to: '09:00' }] },
    }).definition;
    assert.equal(schedules['constructor']?.length, 1);
  });
});

const WINDOW = { days: ['mon'], from: '08:00', to: '18:00' };

/** What is wrong, with the place that the sender is told. */
const REFUSED: readonly (readonly [what: string, content: object, path: string])[] = [
  ['an unknown field', { ...CALENDAR, validUntil: '2026-11-22T09:00:00Z' }, 'validUntil'],
  [
    'an unknown field of a window',
    { ...COMMON, schedules: { a: [{ ...WINDOW, till: '18:00' }] } },
    'schedules.a[0].till',
  ],
  ['no revision', { ...CALENDAR, revision: undefined }, 'revision'],
  ['revision 0', { ...CALENDAR, revision: 0 }, 'revision'],
  ['no operator', { ...CALENDAR, operator: undefined }, 'operator'],
  ['a time without offset', { ...CALENDAR, issuedAt: '2026-11-22T09:00:00' }, 'issuedAt'],
  ['another site', { ...CALENDAR, site: 'hq-2' }, 'site'],
  ['a list of schedules', { ...COMMON, schedules: [] }, 'schedules'],
  ['null', { ...COMMON, levels: null }, 'levels'],
  ['a name that is none', { ...COMMON, schedules: { 'Office hours': [WINDOW] } }, 'schedules.Office hours'],
  ['always', { ...COMMON, schedules: { always: [WINDOW] } }, 'schedules.always'],
  ['a schedule without windows', { ...COMMON, schedules: { a: [] } }, 'schedules.a'],
  ['a day that is none', { ...COMMON, schedules: { a: [{ ...WINDOW, days: ['monday'] }] } }, 'schedules.a[0].days[0]'],
  ['a window on no day', { ...COMMON, schedules: { a: [{ from: '08:00', to: '18:00' }] } }, 'schedules.a[0]'],
  ['a time that is none', { ...COMMON, schedules: { a: [{ ...WINDOW, from: '8:00' }] } }, 'schedules.a[0].from'],
  ['a beginning at 24:00', { ...COMMON, schedules: { a: [{ ...WINDOW, from: '24:00' }] } }, 'schedules.a[0].from'],
  ['a window without length', { ...COMMON, schedules: { a: [{ ...WINDOW, to: '08:00' }] } }, 'schedules.a[0].to'],
  ['a number for a name', { ...COMMON, schedules: { '7': [{ ...WINDOW, to: '08:00' }] } }, 'schedules.7[0].to'],
  [
    'a list of holidays that this calendar lacks',
    { ...COMMON, schedules: { a: [WINDOW, { holidays: ['public'], from: '10:00', to: '12:00' }] } },
    'schedules.a[1].holidays[0]',
  ],
  ['31 April', { ...COMMON, holidays: { public: ['12-25', '04-31'] } }, 'holidays.public[1]'],
  ['a range backwards', { ...COMMON, holidays: { public: ['2026-04-03..2026-04-01'] } }, 'holidays.public[0]'],
  ['words for a date', { ...COMMON, holidays: { public: ['Christmas'] } }, 'holidays.public[0]'],
  ['a level that names a level', { ...COMMON, levels: { staff: [{ level: 'guests' }] } }, 'levels.staff[0].doors'],
  ['a level that opens nothing', { ...COMMON, levels: { staff: [] } }, 'levels.staff'],
  ['a door that is none', { ...COMMON, levels: { staff: [{ doors: ['Front door'] }] } }, 'levels.staff[0].doors[0]'],
  [
    'too many schedules',
    { ...COMMON, schedules: Object.fromEntries([...Array(257).keys()].map((n) => [`s${n}`, [WINDOW]])) },
    'schedules',
  ],
  [
    'more days than a week has',
    { ...COMMON, schedules: { a: [{ ...WINDOW, days: Array(8).fill('mon') }] } },
    'schedules.a[0].days',
  ],
  ['too many holidays', { ...COMMON, holidays: { a: Array(401).fill('12-25') } }, 'holidays.a'],
  ['too many grants of a level', { ...COMMON, levels: { a: Array(65).fill({ doors: ['*'] }) } }, 'levels.a'],
  ['too many windows', { ...COMMON, schedules: { a: Array(65).fill(WINDOW) } }, 'schedules.a'],
];

describe('a calendar message is refused whole', () => {
  for (const [what, content, path] of REFUSED) {
    it(`for ${what}, at ${path}`, () => {
      const rejection = rejected(content, { topic: TOPICS.calendar });
      assert.deepEqual([rejection.code, rejection.path], [path === 'site' ? 'wrong-site' : 'invalid-message', path]);
      assert.deepEqual([rejection.messageType, rejection.messageId], ['calendar', 'cal-7']);
    });
  }

  it('for a name that would get lost in an object', () => {
    const text = JSON.stringify({ ...COMMON, schedules: { NAME: [WINDOW] } }).replace('NAME', '__proto__');
    assert.equal(rejected(text, { topic: TOPICS.calendar }).path, 'schedules.__proto__');
  });

  it('without a look at what comes behind the first fault', () => {
    const unseen = {
      get from(): string {
        throw new TypeError('this was looked at');
      },
    };
    const decoded = decodeCalendarSections({ schedules: { a: [{ days: ['mon'] }], b: [unseen] } });
    assert.ok('fault' in decoded && decoded.fault.path === 'schedules.a[0].from');
  });

  it('for a name that is given twice', () => {
    const text = JSON.stringify({ ...COMMON, holidays: { a: [], b: [] } }).replace('"b"', '"a"');
    assert.equal(rejected(text, { topic: TOPICS.calendar }).path, 'holidays.a');
  });

  it('for its size', () => {
    const holidays = {
      public: Array(400).fill('2026-08-03..2026-08-21'),
      works: Array(400).fill('2026-08-03..2026-08-21'),
    };
    const many = {
      ...COMMON,
      holidays: {
        ...holidays,
        a: holidays.public,
        b: holidays.public,
        c: holidays.public,
        d: holidays.public,
        e: holidays.public,
      },
    };
    assert.equal(rejected(many, { topic: TOPICS.calendar }).code, 'too-large');
  });

  it('on the topic of other messages, as they are on its own', () => {
    assert.equal(rejected(CALENDAR, { topic: TOPICS.cardBound }).code, 'wrong-topic');
    assert.equal(rejected({ ...CALENDAR, type: 'card-bound' }, { topic: TOPICS.calendar }).code, 'wrong-topic');
  });
});

describe('the sections of a calendar in a file', () => {
  it('are what the message says of them', () => {
    const { schedules, holidays, levels } = CALENDAR;
    assert.deepEqual(decodeCalendarSections({ schedules, holidays, levels }), {
      definition: taken(CALENDAR).definition,
    });
  });

  it('come without anything of the message', () => {
    const decoded = decodeCalendarSections({ revision: 7 });
    assert.ok('fault' in decoded && decoded.fault.path === 'revision');
  });
});
