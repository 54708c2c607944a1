import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AccessQuestion, decideAccess, denialOf } from '../../src/domain/access-decision.ts';
import {
  type Binding,
  type CardLookup,
  type DoorGrant,
  type Grant,
  REVOCATION_REASONS,
} from '../../src/domain/credential.ts';
import { UTC } from '../../src/domain/local-time.ts';
import {
  type AccessRules,
  BUILT_IN_RULES,
  permissionAt,
  unknownNames,
  type WallClock,
} from '../../src/domain/schedule.ts';
import { bindingOf, doorId, scheduleId, time, tombstoneOf } from './samples.ts';

const FRONT = doorId('front');
const NOW = time('2026-01-05T08:00:00Z');
const ALWAYS = scheduleId('always');
const TRUSTED: WallClock = { local: UTC(NOW), isTrusted: true };
const UNTRUSTED: WallClock = { local: UTC(NOW), isTrusted: false };

const live = (changes: Partial<Binding> = {}): CardLookup => ({ kind: 'live', binding: bindingOf(changes) });

const decide = (changes: Partial<AccessQuestion>): string => {
  const decision = decideAccess({
    card: live(),
    door: FRONT,
    mode: 'normal',
    now: NOW,
    wall: TRUSTED,
    isRosterStale: false,
    rules: BUILT_IN_RULES,
    ...changes,
  });
  return decision.kind === 'granted' ? 'granted' : decision.reason;
};

const before = time('2026-01-05T07:59:59.999Z');
const later = time('2026-01-05T08:00:00.001Z');

const TABLE: readonly [string, Partial<AccessQuestion>, string][] = [
  ['a live card', {}, 'granted'],
  ['a live card at a door that is held open', { mode: 'held-open' }, 'granted'],
  ['a live card of its own door', { card: live({ access: [{ doors: [FRONT], schedule: ALWAYS }] }) }, 'granted'],
  ['a card that becomes valid now', { card: live({ validFrom: NOW }) }, 'granted'],
  ['a card that is valid for one more millisecond', { card: live({ validUntil: later }) }, 'granted'],
  ['a card without a window while the clock is untrusted', { wall: UNTRUSTED }, 'granted'],
  ['a record that cannot be read', { card: { kind: 'unreadable', detail: '' } }, 'store-failure'],
  ['a card nobody has heard of', { card: { kind: 'unknown' } }, 'unknown-card'],
  ['a retired card', { card: { kind: 'retired', tombstone: tombstoneOf({ reason: 'stolen' }) } }, 'stolen'],
  ['a pending card', { card: live({ activation: 'pending' }) }, 'pending'],
  ['a card of tomorrow', { card: live({ validFrom: later }) }, 'not-yet-valid'],
  ['a card of a roster that is too old', { isRosterStale: true }, 'roster-stale'],
  ['a card that expires now', { card: live({ validUntil: NOW }) }, 'expired'],
  ['a card of yesterday', { card: live({ validUntil: before }) }, 'expired'],
  [
    'a card with a beginning while the clock is untrusted',
    { card: live({ validFrom: before }), wall: UNTRUSTED },
    'clock-untrusted',
  ],
  [
    'a card with an end while the clock is untrusted',
    { card: live({ validUntil: later }), wall: UNTRUSTED },
    'clock-untrusted',
  ],
  [
    'a card that is over by an untrusted clock',
    { card: live({ validUntil: before }), wall: UNTRUSTED },
    'clock-untrusted',
  ],
  [
    'a card of another door',
    { card: live({ access: [{ doors: [doorId('lab')], schedule: ALWAYS }] }) },
    'door-not-permitted',
  ],
  ['a card without grants', { card: live({ access: [] }) }, 'door-not-permitted'],
  ['a level nobody knows', { card: live({ access: [{ level: 'staff' }] }) }, 'door-not-permitted'],
  [
    'a schedule nobody knows',
    { card: live({ access: [{ doors: ['*'], schedule: scheduleId('nights') }] }) },
    'outside-schedule',
  ],
  ['a live card at a blocked door', { mode: 'blocked' }, 'door-blocked'],
  ['a live card at a door that its schedule unlocks', { mode: 'unlocked' }, 'granted'],
  ['a live card in a lockdown', { mode: 'lockdown' }, 'lockdown'],
  ['a card that overrides it, in a lockdown', { mode: 'lockdown', card: live({ overridesLockdown: true }) }, 'granted'],
  [
    'a card that overrides a lockdown, at a blocked door',
    { mode: 'blocked', card: live({ overridesLockdown: true }) },
    'door-blocked',
  ],
];

for (const [what, changes, expected] of TABLE) {
  test(`${what}: ${expected}`, () => {
    assert.equal(decide(changes), expected);
  });
}

test('invariant 5: whatever is denied at a normal door is denied, for the same reason, at a blocked and at a held-open one', () => {
  for (const [, changes, expected] of TABLE) {
    if (expected === 'granted' || changes.mode !== undefined) continue;
    assert.equal(decide({ ...changes, mode: 'blocked' }), expected);
    assert.equal(decide({ ...changes, mode: 'held-open' }), expected);
  }
});

test('a granted decision hands on the binding that it was decided by', () => {
  const binding = bindingOf();
  const question = {
    door: FRONT,
    mode: 'normal',
    now: NOW,
    wall: TRUSTED,
    isRosterStale: false,
    rules: BUILT_IN_RULES,
  } as const;
  const decision = decideAccess({ ...question, card: { kind: 'live', binding } });
  assert.equal(decision.kind === 'granted' && decision.binding, binding);
});

test('every reason of a revocation is told at the door in the words of PROTOCOL.md', () => {
  assert.deepEqual(Object.fromEntries(REVOCATION_REASONS.map((reason) => [reason, denialOf(reason)])), {
    lost: 'lost',
    stolen: 'stolen',
    damaged: 'replaced',
    replaced: 'replaced',
    left: 'left',
    suspended: 'suspended',
    expired: 'expired',
    other: 'revoked',
  });
});

const RULES: AccessRules = {
  holds: (schedule) => (schedule === ALWAYS ? true : undefined),
  isKnownSchedule: (schedule) => schedule === ALWAYS,
  level: (name) => {
    const levels: Record<string, readonly DoorGrant[]> = {
      staff: [{ doors: [FRONT], schedule: ALWAYS }],
      night: [{ doors: ['*'], schedule: scheduleId('nights') }],
      empty: [],
    };
    return Object.hasOwn(levels, name) ? levels[name] : undefined;
  },
};

test('the best grant counts: permitted before outside-schedule before not-permitted, in any order', () => {
  const permitted: Grant = { doors: [FRONT], schedule: ALWAYS };
  const outside: Grant = { doors: ['*'], schedule: scheduleId('nights') };
  const foreign: Grant = { doors: [doorId('lab')], schedule: ALWAYS };
  const best = (grants: readonly Grant[]) => [
    permissionAt(grants, FRONT, { rules: RULES, wall: TRUSTED }),
    permissionAt([...grants].reverse(), FRONT, { rules: RULES, wall: TRUSTED }),
  ];
  assert.deepEqual(best([foreign, outside, permitted]), ['permitted', 'permitted']);
  assert.deepEqual(best([foreign, outside]), ['outside-schedule', 'outside-schedule']);
  assert.deepEqual(best([foreign]), ['not-permitted', 'not-permitted']);
  assert.deepEqual(best([]), ['not-permitted', 'not-permitted']);
});

test('a level stands for its grants, and one that is not known opens nothing', () => {
  const permission = (level: string) => permissionAt([{ level }], FRONT, { rules: RULES, wall: TRUSTED });
  assert.deepEqual(['staff', 'night', 'empty', 'unknown', '__proto__', 'constructor'].map(permission), [
    'permitted',
    'outside-schedule',
    'not-permitted',
    'not-permitted',
    'not-permitted',
    'not-permitted',
  ]);
});

test('names that nobody knows are told once each', () => {
  const grants: Grant[] = [
    { doors: [FRONT], schedule: scheduleId('nights') },
    { doors: ['*'], schedule: scheduleId('nights') },
    { doors: ['*'], schedule: ALWAYS },
    { level: 'staff' },
    { level: 'guests' },
  ];
  assert.deepEqual(unknownNames(grants, RULES), ['unknown-schedule: nights', 'unknown-level: guests']);
});
