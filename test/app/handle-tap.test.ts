import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RECORD_LIMIT } from '../../src/app/handle-tap.ts';
import type { DenialReason } from '../../src/domain/access-event.ts';
import type { Binding, CardRecord } from '../../src/domain/credential.ts';
import { CardeaError } from '../../src/errors.ts';
import {
  bindingOf,
  cardholderId,
  cardNumber,
  revision,
  scheduleId,
  time,
  tombstoneOf,
  uidOf,
} from '../domain/samples.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { makeDoorBench, settle } from './door-bench.ts';

const UID = '04A2B3C4D5E680';
const live = { cards: { [UID]: bindingOf() } };

test('a live card unlocks the strike in the same call, and the event says who, where and which binding', async () => {
  const bench = await makeDoorBench({ cards: { [UID]: bindingOf({ revision: revision(42) }) } });
  bench.tap(UID);
  assert.equal(bench.strike(), 'unlocked');
  const [event, ...others] = await bench.events();
  assert.deepEqual(others, []);
  assert.deepEqual(
    { ...event, hash: '', previousHash: '' },
    {
      type: 'event',
      gateway: 'lobby-1',
      sequence: 1,
      event: 'access-granted',
      time: '2026-01-05T08:00:00.000Z',
      clockSynchronized: true,
      door: 'front',
      reader: 'front-in',
      direction: 'in',
      card: UID,
      cardholder: 'E1001',
      bindingRevision: 42,
      reason: null,
      detail: null,
      previousHash: '',
      hash: '',
    },
  );
  assert.deepEqual(
    bench.outcomes.map(({ kind }) => kind),
    ['granted'],
  );
});

test('cards of 4, 7 and 10 bytes each open with their own binding and with no other', async () => {
  for (const uid of ['DEADBEEF', UID, '11223344556677889900']) {
    const bench = await makeDoorBench({ cards: { [uid]: bindingOf() } });
    const others = ['DEADBEEF', UID, '11223344556677889900', '04A2B3C4', '88041122', '00DEADBEEF0000'].filter(
      (other) => other !== uid,
    );
    for (const other of others) bench.tap(other);
    assert.deepEqual(bench.strikes(), []);
    bench.tap(uid);
    assert.deepEqual(bench.strikes(), ['unlocked'], uid);
  }
});

const denials: readonly [string, DenialReason, CardRecord | undefined][] = [
  ['never heard of', 'unknown-card', undefined],
  ['lost', 'lost', tombstoneOf({ reason: 'lost' })],
  ['stolen', 'stolen', tombstoneOf({ reason: 'stolen' })],
  ['replaced', 'replaced', tombstoneOf({ reason: 'replaced' })],
  ['damaged, hence replaced', 'replaced', tombstoneOf({ reason: 'damaged' })],
  ['suspended', 'suspended', tombstoneOf({ reason: 'suspended' })],
  ['of somebody who left', 'left', tombstoneOf({ reason: 'left' })],
  ['expired at HR', 'expired', tombstoneOf({ reason: 'expired' })],
  ['revoked for another reason', 'revoked', tombstoneOf({ reason: 'other' })],
  ['pending', 'pending', bindingOf({ activation: 'pending' })],
  ['not yet valid', 'not-yet-valid', bindingOf({ validFrom: time('2026-01-05T08:00:00.001Z') })],
  ['expired to the millisecond', 'expired', bindingOf({ validUntil: time('2026-01-05T08:00:00Z') })],
  ['for another door', 'door-not-permitted', bindingOf({ access: [{ doors: [], schedule: scheduleId('always') }] })],
  ['at a level nobody knows', 'door-not-permitted', bindingOf({ access: [{ level: 'staff' }] })],
  [
    'at a schedule nobody knows',
    'outside-schedule',
    bindingOf({ access: [{ doors: ['*'], schedule: scheduleId('nights') }] }),
  ],
];

for (const [what, reason, record] of denials) {
  test(`invariant 5: a card that is ${what} is denied as ${reason}, and the strike is not touched`, async () => {
    const bench = await makeDoorBench({ cards: record === undefined ? {} : { [UID]: record } });
    bench.tap(UID);
    await settle();
    assert.deepEqual(await bench.eventNames(), [`access-denied: ${reason}`]);
    assert.deepEqual(bench.strikes(), []);
    assert.deepEqual(
      bench.outcomes.map((outcome) => outcome.kind === 'denied' && outcome.reason),
      [reason],
    );
    const [event] = await bench.events();
    assert.equal(event?.card, UID);
    assert.equal(event?.cardholder, record === undefined ? null : 'E1001');
  });
}

test('invariant 5: while the clock is untrusted a card with a window is denied, a card without one opens', async () => {
  const window = bindingOf({ validUntil: time('2030-01-01T00:00:00Z') });
  const bench = await makeDoorBench({ cards: { [UID]: window, DEADBEEF: bindingOf() }, synchronized: false });
  bench.tap(UID);
  bench.tap('DEADBEEF');
  assert.deepEqual(await bench.eventNames(), ['access-denied: clock-untrusted', 'access-granted']);
  const events = await bench.events();
  assert.deepEqual(
    events.map(({ clockSynchronized }) => clockSynchronized),
    [false, false],
  );
});

test('invariant 5: a record that cannot be read is denied as store-failure', async () => {
  const bench = await makeDoorBench(live);
  bench.store.garbleCard(cardNumber(UID));
  bench.tap(UID);
  assert.deepEqual(await bench.eventNames(), ['access-denied: store-failure']);
  assert.deepEqual(bench.strikes(), []);
});

test('invariant 5: a store that throws although it must not is a denial, not an exception', async () => {
  class ThrowingStore extends MemoryStore {
    override findCard(): never {
      throw new CardeaError('store-record-unreadable', 'out of my hands');
    }
  }
  const bench = await makeDoorBench({ lookup: new ThrowingStore() });
  bench.tap(UID);
  assert.deepEqual(await bench.eventNames(), ['access-denied: store-failure']);
});

test('invariant 5: rules that throw are a denial, not an exception', async () => {
  const fail = (): never => {
    throw new CardeaError('config-invalid', 'no rules');
  };
  const nights = { [UID]: bindingOf({ access: [{ doors: ['*'], schedule: scheduleId('nights') }] }) };
  const bench = await makeDoorBench({ cards: nights, rules: { holds: fail, isKnownSchedule: fail, level: fail } });
  bench.tap(UID);
  assert.deepEqual(await bench.eventNames(), ['access-denied: store-failure']);
  assert.deepEqual(bench.strikes(), []);
});

test('invariant 5: a random UID is denied as such, even if a record of that number exists', async () => {
  const bench = await makeDoorBench({ cards: { '08A1B2C3': bindingOf() } });
  bench.tap('08A1B2C3');
  assert.deepEqual(await bench.eventNames(), ['access-denied: random-uid']);
  const lossy = await makeDoorBench({ cards: { '08A1B2C3': bindingOf() }, format: 'wiegand26' });
  lossy.tap('08A1B2C3');
  assert.deepEqual(await lossy.eventNames(), ['access-denied: random-uid']);
});

test('invariant 5: a UID of an impossible length, or without a number in the format, is an ambiguous read', async () => {
  for (const uid of ['', '04', '04A2B3', '04A2B3C4D5', '1122334455667788', '112233445566778899AABB']) {
    const bench = await makeDoorBench();
    bench.tap(uid);
    assert.deepEqual(await bench.eventNames(), ['access-denied: ambiguous-read'], uid);
  }
  const decimal = await makeDoorBench({ format: 'decimal' });
  decimal.tap('00000011223344');
  assert.deepEqual(await decimal.eventNames(), ['access-denied: ambiguous-read']);
});

test('invariant 5: two cards at once, a short read and noise are denied once per presentation, with their cause', async () => {
  for (const cause of ['collision', 'short-read', 'noise'] as const) {
    const bench = await makeDoorBench(live);
    for (let look = 0; look < 50; look++) bench.handler.onObservation({ kind: 'ambiguous', cause });
    const events = await bench.events();
    assert.deepEqual(
      events.map(({ reason, detail, card }) => ({ reason, detail, card })),
      [{ reason: 'ambiguous-read', detail: cause, card: null }],
    );
    assert.deepEqual(bench.strikes(), []);
  }
});

test('invariant 4: the strike does not wait for the disk: with a commit that hangs it is unlocked at once', async () => {
  const bench = await makeDoorBench({ cards: { [UID]: bindingOf(), DEADBEEF: bindingOf() } });
  bench.store.holdCommits();
  bench.tap(UID);
  assert.equal(bench.strike(), 'unlocked');
  await settle();
  bench.clock.advance(60_000);
  assert.equal(bench.strike(), 'locked');
  bench.tap('DEADBEEF');
  assert.equal(bench.strike(), 'unlocked', 'nor does the next tap wait for the record of the one before');
  assert.deepEqual(await bench.eventNames(), []);
  bench.store.releaseCommits();
  assert.deepEqual(await bench.eventNames(), ['access-granted', 'access-not-taken', 'access-granted']);
});

test('invariant 4: a store that refuses every write does not keep a live card out', async () => {
  const bench = await makeDoorBench(live);
  bench.store.commitFailure = new CardeaError('store-write-failed', 'disk full');
  bench.tap(UID);
  assert.equal(bench.strike(), 'unlocked');
  await settle();
  bench.store.commitFailure = undefined;
  bench.clock.advance(30_000);
  const names = await bench.eventNames();
  assert.equal(names[0], 'access-granted');
  assert.ok(names.includes('store-recovered'), String(names));
});

test('recordBeforeRelease: the strike waits until the event is durable', async () => {
  const bench = await makeDoorBench({ ...live, recordBeforeRelease: true });
  bench.store.holdCommits();
  bench.tap(UID);
  await settle();
  assert.deepEqual(bench.strikes(), []);
  bench.store.releaseCommits();
  await settle();
  assert.deepEqual(bench.strikes(), ['unlocked']);
  assert.deepEqual(await bench.eventNames(), ['access-granted']);
  assert.equal(bench.outcomes[0]?.kind, 'granted');
});

test('recordBeforeRelease: an event that cannot be written is a denial as store-failure', async () => {
  const bench = await makeDoorBench({ ...live, recordBeforeRelease: true });
  bench.store.commitFailure = new CardeaError('store-write-failed', 'disk full');
  bench.tap(UID);
  await settle();
  assert.deepEqual(bench.strikes(), []);
  assert.deepEqual(
    bench.outcomes.map((outcome) => outcome.kind === 'denied' && outcome.reason),
    ['store-failure'],
  );
});

test('recordBeforeRelease: a record that took too long releases nothing, since the person may be gone', async () => {
  const bench = await makeDoorBench({ ...live, recordBeforeRelease: true });
  bench.store.holdCommits();
  bench.tap(UID);
  await settle();
  bench.clock.advance(RECORD_LIMIT + 1);
  bench.store.releaseCommits();
  assert.deepEqual(await bench.eventNames(), ['access-granted', 'access-not-taken: store-failure']);
  assert.deepEqual(bench.strikes(), []);
  const [granted, withdrawn] = await bench.events();
  for (const field of ['card', 'cardholder', 'bindingRevision', 'reader', 'direction', 'door'] as const) {
    assert.equal(withdrawn?.[field], granted?.[field], field);
  }
  assert.equal(withdrawn?.detail, 'the record took too long');
  assert.deepEqual(
    bench.outcomes.map((outcome) => outcome.kind === 'denied' && outcome.reason),
    ['store-failure'],
  );
});

test('recordBeforeRelease: a strike that cannot be driven withdraws the recorded grant, and does not contradict it', async () => {
  const bench = await makeDoorBench({ ...live, recordBeforeRelease: true });
  bench.breakStrike();
  bench.tap(UID);
  assert.deepEqual(await bench.eventNames(), ['access-granted', 'access-not-taken: door-blocked']);
  assert.match(String((await bench.events())[1]?.detail), /strike: GPIO line 17/);
  bench.clock.advance(60_000);
  assert.equal((await bench.events()).length, 2, 'once');
  assert.equal(bench.outcomes[0]?.kind, 'denied');
});

test('recordBeforeRelease: a card that is revoked in the batch that holds its record stays outside', async () => {
  const bench = await makeDoorBench({ ...live, recordBeforeRelease: true });
  bench.store.holdCommits();
  bench.writer.record({ event: 'operator-action', at: bench.clock.now(), clockSynchronized: true });
  await settle();
  bench.tap(UID);
  void bench.writer.write((tx) =>
    tx.putChange({
      cards: new Map([[cardNumber(UID), tombstoneOf()]]),
      cardholders: new Map(),
      revision: revision(2),
    }),
  );
  bench.store.releaseCommits();
  assert.deepEqual(await bench.eventNames(), ['operator-action', 'access-granted', 'access-not-taken: lost']);
  assert.deepEqual(bench.strikes(), []);
});

test('recordBeforeRelease: a door that is blocked while the record is written stays shut', async () => {
  const bench = await makeDoorBench({ ...live, recordBeforeRelease: true });
  bench.store.holdCommits();
  bench.tap(UID);
  await settle();
  bench.controller.setMode('blocked');
  bench.store.releaseCommits();
  assert.deepEqual(await bench.eventNames(), ['access-granted', 'access-not-taken: door-blocked']);
  assert.deepEqual(bench.strikes(), []);
});

test('a blocked door denies a live card as door-blocked, a door held open grants it', async () => {
  const bench = await makeDoorBench(live);
  bench.controller.setMode('blocked');
  bench.tap(UID);
  bench.controller.setMode('held-open');
  bench.tap(UID);
  assert.deepEqual(await bench.eventNames(), ['access-denied: door-blocked', 'access-granted']);
  assert.deepEqual(bench.strikes(), ['unlocked']);
});

test('invariant 6: a strike that cannot be driven is a denial that says so, and no grant is recorded', async () => {
  const bench = await makeDoorBench(live);
  bench.breakStrike();
  bench.tap(UID);
  const [event, ...others] = await bench.events();
  assert.deepEqual([event?.event, event?.reason, others.length], ['access-denied', 'door-blocked', 0]);
  assert.match(String(event?.detail), /strike: GPIO line 17/);
  bench.clock.advance(60_000);
  assert.equal((await bench.events()).length, 1, 'nobody took or failed to take what was never given');
  bench.mendStrike();
  bench.tap(UID);
  assert.equal(bench.strike(), 'unlocked', 'the next tap tries again');
  assert.equal((await bench.eventNames()).at(-1), 'access-granted');
});

test('one presentation is one tap, however often the reader reports it', async () => {
  const bench = await makeDoorBench(live);
  for (let look = 0; look < 1000; look++) bench.handler.onObservation({ kind: 'card', uid: uidOf(UID) });
  assert.deepEqual(await bench.eventNames(), ['access-granted']);
  assert.equal(bench.store.lookups, 1);
});

test('an enrolment reader reports the number and opens nothing', async () => {
  const bench = await makeDoorBench({ ...live, role: 'enrolment' });
  bench.tap(UID);
  bench.tap('08A1B2C3');
  const events = await bench.events();
  assert.deepEqual(
    events.map(({ event, card, door }) => [event, card, door]),
    [
      ['card-presented', UID, null],
      ['access-denied', '08A1B2C3', null],
    ],
  );
  assert.deepEqual(bench.strikes(), []);
});

test('a pending card is activated once at an activation reader, opens nothing by it, and opens from then on', async () => {
  const pending = bindingOf({ activation: 'pending', revision: revision(7) });
  const bench = await makeDoorBench({ cards: { [UID]: pending }, role: 'activation' });
  const before = bench.store.roster();
  bench.tap(UID);
  await settle();
  assert.deepEqual(bench.strikes(), []);
  assert.deepEqual(await bench.eventNames(), ['card-activated']);
  const found = bench.store.findCard(cardNumber(UID));
  assert.deepEqual(found, { kind: 'live', binding: { ...pending, activation: 'active' } });
  assert.deepEqual(
    bench.store.roster().buckets,
    before.buckets,
    'the digest is about revisions, and there is no new one',
  );
  bench.tap(UID);
  assert.equal(bench.strike(), 'unlocked');
  assert.deepEqual(await bench.eventNames(), ['card-activated', 'access-granted']);
  assert.deepEqual(
    bench.outcomes.map(({ kind }) => kind),
    ['activated', 'granted'],
  );
});

test('a pending card at an ordinary reader stays pending', async () => {
  const bench = await makeDoorBench({ cards: { [UID]: bindingOf({ activation: 'pending' }) } });
  bench.tap(UID);
  await settle();
  const found = bench.store.findCard(cardNumber(UID));
  assert.equal(found.kind === 'live' && found.binding.activation, 'pending');
});

test('a card that is revoked while its activation waits is not brought back by it', async () => {
  const bench = await makeDoorBench({ cards: { [UID]: bindingOf({ activation: 'pending' }) }, role: 'activation' });
  bench.store.holdCommits();
  bench.writer.record({ event: 'operator-action', at: bench.clock.now(), clockSynchronized: true });
  await settle();
  const number = cardNumber(UID);
  const retired = tombstoneOf({ cardholder: cardholderId('E1001') });
  void bench.writer.write((tx) =>
    tx.putChange({ cards: new Map([[number, retired]]), cardholders: new Map(), revision: revision(2) }),
  );
  bench.tap(UID);
  bench.store.releaseCommits();
  assert.deepEqual(await bench.eventNames(), ['operator-action', 'access-denied: lost']);
  assert.equal(bench.store.findCard(number).kind, 'retired');
});

const useless: readonly [string, DenialReason, Partial<Binding>][] = [
  ['expired', 'expired', { validUntil: time('2026-01-05T08:00:00Z') }],
  ['not yet valid', 'not-yet-valid', { validFrom: time('2026-01-05T08:00:00.001Z') }],
  ['for another door', 'door-not-permitted', { access: [{ doors: [], schedule: scheduleId('always') }] }],
];

for (const [what, reason, changes] of useless) {
  test(`a pending card that is ${what} is denied as ${reason} at an activation reader, and stays pending`, async () => {
    const pending = bindingOf({ activation: 'pending', ...changes });
    const bench = await makeDoorBench({ cards: { [UID]: pending }, role: 'activation' });
    bench.tap(UID);
    assert.deepEqual(await bench.eventNames(), [`access-denied: ${reason}`]);
    assert.deepEqual(bench.store.findCard(cardNumber(UID)), { kind: 'live', binding: pending });
    assert.deepEqual(bench.strikes(), []);
  });
}

test('a card that is retired already is denied at an activation reader with the reason of its tombstone', async () => {
  const bench = await makeDoorBench({ cards: { [UID]: tombstoneOf({ reason: 'stolen' }) }, role: 'activation' });
  bench.tap(UID);
  assert.deepEqual(await bench.eventNames(), ['access-denied: stolen']);
});

test('two taps of a pending card while the disk hangs activate it once and open nothing', async () => {
  const bench = await makeDoorBench({ cards: { [UID]: bindingOf({ activation: 'pending' }) }, role: 'activation' });
  bench.store.holdCommits();
  bench.tap(UID);
  await settle();
  bench.tap(UID);
  await settle();
  bench.store.releaseCommits();
  assert.deepEqual(await bench.eventNames(), ['card-activated', 'access-denied: pending']);
  assert.deepEqual(bench.strikes(), []);
});

test('an activation that cannot be stored is a denial, and the card stays pending', async () => {
  const bench = await makeDoorBench({ cards: { [UID]: bindingOf({ activation: 'pending' }) }, role: 'activation' });
  bench.store.commitFailure = new CardeaError('store-write-failed', 'disk full');
  bench.tap(UID);
  await settle();
  assert.deepEqual(
    bench.outcomes.map((outcome) => outcome.kind === 'denied' && outcome.reason),
    ['store-failure'],
  );
  const found = bench.store.findCard(cardNumber(UID));
  assert.equal(found.kind === 'live' && found.binding.activation, 'pending');
});

test('a reader that goes offline and comes back says so in the log of events and in status; a good start is no news', async () => {
  const bench = await makeDoorBench();
  assert.deepEqual(bench.handler.view(), { door: 'front', state: 'starting', detail: null });
  bench.handler.onCondition({ state: 'online', detail: 'version 92' });
  bench.handler.onCondition({ state: 'offline', detail: 'no chip answers' });
  assert.deepEqual(bench.handler.view(), { door: 'front', state: 'offline', detail: 'no chip answers' });
  bench.handler.onCondition({ state: 'online', detail: 'version 92' });
  assert.deepEqual(await bench.eventNames(), ['reader-offline', 'reader-online']);
  assert.equal(bench.changes(), 3);
  const dead = await makeDoorBench();
  dead.handler.onCondition({ state: 'offline', detail: 'no chip answers' });
  assert.deepEqual(await dead.eventNames(), ['reader-offline']);
});

test('no full card number, name or department gets into the log of lines', async () => {
  const cards = { [UID]: bindingOf({ name: 'Ada Person', department: 'Works' }), DEADBEEF: tombstoneOf() };
  const bench = await makeDoorBench({ cards });
  for (const uid of [UID, 'DEADBEEF', '11223344556677889900', '08A1B2C3']) bench.tap(uid);
  bench.breakStrike();
  bench.clock.advance(10_000);
  bench.tap(UID);
  await settle();
  assert.ok(bench.log.lines.length >= 5);
  for (const line of bench.log.lines) {
    assert.doesNotMatch(line, /04A2B3C4D5E680|DEADBEEF|11223344556677889900|08A1B2C3|Ada|Works/i);
  }
});
