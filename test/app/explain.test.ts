import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainAccess, grantStates } from '../../src/app/explain.ts';
import type { CardNumberFormat } from '../../src/domain/card-number.ts';
import type { CardRecord, Grant } from '../../src/domain/credential.ts';
import { compileRules } from '../../src/domain/rule-book.ts';
import { bindingOf, cardNumber, doorId, originOf, revision, scheduleId, time, tombstoneOf } from '../domain/samples.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { judgeOf } from '../fixtures/access-judge.ts';

const UID = '04A2B3C4D5E680';

const makeStore = async (record: CardRecord | undefined): Promise<MemoryStore> => {
  const store = new MemoryStore();
  await store.commit({
    cards: new Map(record === undefined ? [] : [[cardNumber(UID), record]]),
    cardholders: new Map(),
    roster: { ...store.roster(), revision: revision(9) },
    doorOrders: new Map(),
    commands: undefined,
    entries: [],
  });
  return store;
};

const explain = (store: MemoryStore, card: string, changes: { mode?: 'blocked'; format?: CardNumberFormat } = {}) =>
  explainAccess(
    { store, cardNumberFormat: changes.format ?? 'hex', judge: judgeOf({ clock: new VirtualClock() }) },
    {
      card,
      door: doorId('front'),
      mode: changes.mode ?? 'normal',
      at: time('2026-01-05T08:00:00Z'),
    },
  );

test('the answer names the decision, the message behind it and the revision up to which the gateway knows', async () => {
  const binding = bindingOf({ origin: originOf(7) });
  const store = await makeStore(binding);
  assert.deepEqual(explain(store, '04:a2:b3:c4:d5:e6:80'), {
    card: UID,
    door: 'front',
    decision: { kind: 'granted', binding },
    found: 'live',
    grants: [{ schedule: 'always', level: null, state: 'open' }],
    origin: originOf(7),
    rosterRevision: 9,
  });
});

test('a card that was retired, never heard of or cannot be read says so', async () => {
  const retired = explain(await makeStore(tombstoneOf({ reason: 'stolen', origin: originOf(8) })), UID);
  assert.deepEqual(
    [retired.decision, retired.found, retired.origin],
    [{ kind: 'denied', reason: 'stolen' }, 'retired', originOf(8)],
  );
  const unknown = explain(await makeStore(undefined), UID);
  assert.deepEqual(
    [unknown.decision, unknown.found, unknown.origin],
    [{ kind: 'denied', reason: 'unknown-card' }, 'unknown', null],
  );
  const store = await makeStore(bindingOf());
  store.garbleCard(cardNumber(UID));
  const unreadable = explain(store, UID);
  assert.deepEqual(
    [unreadable.decision, unreadable.found],
    [{ kind: 'denied', reason: 'store-failure' }, 'unreadable'],
  );
});

test('the mode of the door counts, as it does at the door', async () => {
  const blocked = explain(await makeStore(bindingOf()), UID, { mode: 'blocked' });
  assert.deepEqual(blocked.decision, { kind: 'denied', reason: 'door-blocked' });
});

test('text that is no card number, and a random UID, are answered rather than refused', async () => {
  const store = await makeStore(bindingOf());
  for (const text of ['', 'front door', '04A2', '04A2B3C4D5E68Z', '\u0000']) {
    const answer = explain(store, text);
    assert.deepEqual([answer.card, answer.decision], [null, { kind: 'denied', reason: 'unknown-card' }], text);
  }
  assert.deepEqual(explain(store, '08A1B2C3').decision, { kind: 'denied', reason: 'random-uid' });
  assert.deepEqual(explain(store, '0145043139', { format: 'decimal' }).decision, {
    kind: 'denied',
    reason: 'random-uid',
  });
});

const RULES = compileRules({
  schedules: { mornings: [{ days: ['mon'], from: '06:00', to: '12:00' }] },
  holidays: {},
  levels: { staff: [{ doors: [doorId('front'), doorId('lab')], schedule: scheduleId('mornings') }] },
});
const ACCESS: readonly Grant[] = [
  { doors: [doorId('front')], schedule: scheduleId('nights') },
  { level: 'staff' },
  { doors: [doorId('lab')], schedule: scheduleId('always') },
  { level: 'guests' },
  { doors: ['*'], schedule: scheduleId('always') },
];

const grants = (clock: VirtualClock, at?: string) =>
  grantStates(judgeOf({ clock, rules: RULES }), {
    card: { kind: 'live', binding: bindingOf({ access: ACCESS }) },
    door: doorId('front'),
    ...(at !== undefined && { at: time(at) }),
  }).map(({ schedule, level, state }) => `${schedule ?? '-'} ${level ?? '-'} ${state}`);

test('each grant that names the door says where its schedule comes from and whether it holds then', () => {
  const clock = new VirtualClock();
  const others = ['- guests unknown-level', 'always - open'];
  assert.deepEqual(grants(clock), ['nights - unknown-schedule', 'mornings staff open', ...others]);
  assert.deepEqual(grants(clock, '2026-01-05T12:00:00Z'), [
    'nights - unknown-schedule',
    'mornings staff closed',
    ...others,
  ]);
});

test('while the clock is a guess it cannot be told whether a schedule holds, but for another time that is named', () => {
  const clock = new VirtualClock({ synchronized: false });
  assert.equal(grants(clock)[1], 'mornings staff clock-untrusted');
  assert.equal(grants(clock, '2026-01-05T11:59:00Z')[1], 'mornings staff open');
});

test('a card that is not live has no grants', () => {
  const judge = judgeOf({ clock: new VirtualClock() });
  const retired = { kind: 'retired', tombstone: tombstoneOf() } as const;
  assert.deepEqual(grantStates(judge, { card: retired, door: doorId('front') }), []);
});
