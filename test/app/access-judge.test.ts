// Schedules and validity at the doors of a gateway: by the clock on the wall there, and only by a clock that is set.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessJudge } from '../../src/app/access-judge.ts';
import type { Binding, Grant } from '../../src/domain/credential.ts';
import { localClock } from '../../src/domain/local-time.ts';
import { compileRules } from '../../src/domain/rule-book.ts';
import type { UntrustedPolicy } from '../../src/domain/schedule.ts';
import { bindingOf, doorId, scheduleId, time } from '../domain/samples.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { judgeOf } from '../fixtures/access-judge.ts';

const BERLIN = doorId('berlin');
const BOSTON = doorId('boston');
const ALWAYS = scheduleId('always');
const OFFICE = scheduleId('office');
const RULES = compileRules({
  schedules: { office: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00' }] },
  holidays: { public: ['01-06'] },
  levels: { staff: [{ doors: [BERLIN, BOSTON], schedule: OFFICE }] },
});

const OFFICE_HOURS: Grant = { doors: ['*'], schedule: OFFICE };
const AT_ANY_TIME: Grant = { doors: ['*'], schedule: ALWAYS };

interface Site {
  readonly now: string;
  readonly synchronized?: boolean;
  readonly untrustedPolicy?: UntrustedPolicy;
}

const judgeAt = ({ now, synchronized = true, untrustedPolicy = 'deny-windowed' }: Site): AccessJudge =>
  judgeOf({
    rules: RULES,
    clock: new VirtualClock({ now, synchronized }),
    localClocks: new Map([
      [BERLIN, localClock('Europe/Berlin')],
      [BOSTON, localClock('America/New_York')],
    ]),
    untrustedPolicy,
  });

const decide = (site: Site, card: Partial<Binding>, { door = BERLIN, at = '' } = {}): string => {
  const decision = judgeAt(site).decide({
    card: { kind: 'live', binding: bindingOf(card) },
    door,
    mode: 'normal',
    at: at === '' ? undefined : time(at),
  });
  return decision.kind === 'granted' ? 'granted' : decision.reason;
};

const MORNING = { now: '2026-01-05T07:30:00Z' };
const WINDOWED = { access: [OFFICE_HOURS] };

test('each door goes by the clock on its own wall', () => {
  assert.equal(decide(MORNING, WINDOWED), 'granted');
  assert.equal(decide(MORNING, WINDOWED, { door: BOSTON }), 'outside-schedule');
  const evening = { now: '2026-01-05T17:30:00Z' };
  assert.equal(decide(evening, WINDOWED), 'outside-schedule');
  assert.equal(decide(evening, WINDOWED, { door: BOSTON }), 'granted');
});

test('a level opens its doors in its hours, and not on a holiday', () => {
  const staff = { access: [{ level: 'staff' }] };
  assert.equal(decide(MORNING, staff), 'granted');
  assert.equal(decide(MORNING, staff, { door: doorId('lab') }), 'door-not-permitted');
  assert.equal(decide({ now: '2026-01-06T07:30:00Z' }, staff), 'outside-schedule');
});

test('which day it is depends on the door too', () => {
  const night = { now: '2026-01-06T23:30:00Z' };
  const dayOf = (door: typeof BERLIN): number => judgeAt(night).wallClock(door).local.day;
  assert.deepEqual([dayOf(BERLIN), dayOf(BOSTON)], [7, 6]);
});

const UNSET = { ...MORNING, synchronized: false };
const VALID = { validFrom: time('2026-01-01T00:00:00Z'), validUntil: time('2027-01-01T00:00:00Z') };

/** A card, its decision while the clock is not set under either policy, and once it is set. */
const UNTRUSTED: readonly [string, Partial<Binding>, { deny: string; allow: string; set: string }][] = [
  ['without windows', {}, { deny: 'granted', allow: 'granted', set: 'granted' }],
  ['with a schedule that holds', WINDOWED, { deny: 'clock-untrusted', allow: 'granted', set: 'granted' }],
  [
    'with a schedule at one door and always at all',
    { access: [OFFICE_HOURS, AT_ANY_TIME] },
    { deny: 'granted', allow: 'granted', set: 'granted' },
  ],
  [
    'with always at another door',
    { access: [{ doors: [BOSTON], schedule: ALWAYS }, OFFICE_HOURS] },
    { deny: 'clock-untrusted', allow: 'granted', set: 'granted' },
  ],
  [
    'with a schedule that nobody knows',
    { access: [{ doors: ['*'], schedule: scheduleId('nights') }] },
    { deny: 'outside-schedule', allow: 'outside-schedule', set: 'outside-schedule' },
  ],
  ['that is valid', VALID, { deny: 'clock-untrusted', allow: 'granted', set: 'granted' }],
  [
    'that is no longer valid',
    { validUntil: time('2026-01-05T07:30:00Z') },
    { deny: 'clock-untrusted', allow: 'expired', set: 'expired' },
  ],
  [
    'that is not valid yet',
    { validFrom: time('2026-01-05T07:30:01Z') },
    { deny: 'clock-untrusted', allow: 'not-yet-valid', set: 'not-yet-valid' },
  ],
  [
    'that is valid, with always',
    { ...VALID, access: [AT_ANY_TIME] },
    { deny: 'clock-untrusted', allow: 'granted', set: 'granted' },
  ],
  ['that is pending', { ...VALID, activation: 'pending' }, { deny: 'pending', allow: 'pending', set: 'pending' }],
];

for (const [name, card, { deny, allow, set }] of UNTRUSTED) {
  test(`a card ${name}: ${deny} while the clock is not set, ${allow} where the policy allows, ${set} by a clock that is`, () => {
    assert.equal(decide(UNSET, card), deny);
    assert.equal(decide({ ...UNSET, untrustedPolicy: 'allow' }, card), allow);
    assert.equal(decide(MORNING, card), set);
  });
}

test('another moment is judged as if the clock were right then, set or not', () => {
  assert.equal(decide(UNSET, WINDOWED, { at: '2026-01-05T09:00:00Z' }), 'granted');
  assert.equal(decide(UNSET, WINDOWED, { at: '2026-01-05T20:00:00Z' }), 'outside-schedule');
});
