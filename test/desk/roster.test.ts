import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Roster } from '../../src/desk/roster.ts';
import { flagsOf } from '../../src/domain/credential.ts';
import { digestOf, emptyRoster, toggleCard } from '../../src/domain/roster-digest.ts';
import { MAX_MESSAGE_BYTES } from '../../src/wire/hr-messages.ts';
import { cardholderId, cardNumber, revision, siteId, time } from '../domain/samples.ts';
import { binding, cardsOf, cardText, changed, newRoster, note, refusal, rosterOf, SETTINGS } from './desk-samples.ts';
import { GatewayView, received } from './gateway-view.ts';

const OLD = 'DEADBEEF';
const NEW = '04A2B3C4D5E680';

test('a bound card is held as the message says, and the message carries the roster’s next revision', () => {
  const roster = newRoster();
  const { message, bound, stopped } = changed(
    roster.bind(
      binding('04:a2:b3:c4:d5:e6:80', 'E1001', {
        access: [{ doors: ['front'], schedule: 'office-hours' }, { level: 'staff' }],
        kind: 'temporary',
        state: 'pending',
        validFrom: '2026-11-22T09:00:00+08:00',
        validUntil: '2026-11-23T09:00:00+08:00',
      }),
      note(),
    ),
  );
  assert.equal(message.revision, 1);
  assert.deepEqual(stopped, []);
  assert.deepEqual(bound, roster.find(cardNumber(NEW)));
  assert.deepEqual(bound, {
    card: NEW,
    revision: 1,
    cardholder: 'E1001',
    access: [{ doors: ['front'], schedule: 'office-hours' }, { level: 'staff' }],
    kind: 'temporary',
    activation: 'pending',
    validFrom: time('2026-11-22T01:00:00Z'),
    validUntil: time('2026-11-23T01:00:00Z'),
  });
  assert.deepEqual([roster.revision, roster.size], [1, 1]);
});

test('what a gateway decodes from a published message is the message', () => {
  const roster = newRoster();
  const person = { id: 'E1001', name: 'Ada "L"', department: 'R&D' };
  const bindings = [
    binding(OLD, 'E1001', { cardholder: person, state: 'pending' }),
    binding(NEW, 'E1001', {
      kind: 'temporary',
      validFrom: '2026-11-22T00:00:00Z',
      validUntil: '2026-12-01T00:00:00Z',
      supersedes: [OLD],
      transferFrom: 'E9',
    }),
    binding(OLD, 'E1001', { supersedes: 'none' }),
    binding(OLD, 'E1001', { overridesLockdown: true, extendedRelease: true }),
  ];
  for (const change of bindings) {
    const { message } = changed(roster.bind(change, note()));
    assert.deepEqual(received(SETTINGS.site, message), message);
  }
  for (const outcome of [roster.revokeCard(OLD, 'lost', note()), roster.revokeCardholder('E1001', 'left', note())]) {
    const { message } = changed(outcome);
    assert.deepEqual(received(SETTINGS.site, message), message);
  }
});

test('a replacement stops every other card of its holder, and nobody else’s', () => {
  const roster = newRoster();
  changed(roster.bind(binding(OLD, 'E1001'), note()));
  changed(roster.bind(binding('AAAAAAAA', 'E1001', { supersedes: 'none' }), note()));
  changed(roster.bind(binding('BBBBBBBB', 'E2'), note()));
  const { stopped } = changed(roster.bind(binding(NEW, 'E1001'), note()));
  assert.deepEqual([...stopped].sort(), ['AAAAAAAA', OLD]);
  assert.deepEqual(
    cardsOf(roster).map(({ card }) => card),
    [NEW, 'BBBBBBBB'],
  );
  assert.deepEqual(
    roster.cardsOf(cardholderId('E1001')).map(({ card }) => card),
    [NEW],
  );
});

test('a list in supersedes stops just those cards that are live', () => {
  const roster = newRoster();
  for (const card of [OLD, 'AAAAAAAA']) changed(roster.bind(binding(card, 'E1', { supersedes: 'none' }), note()));
  const { stopped } = changed(roster.bind(binding(NEW, 'E1', { supersedes: [OLD, 'CCCCCCCC'] }), note()));
  assert.deepEqual(stopped, [OLD]);
  assert.equal(roster.size, 2);
});

test('a revocation stops the card, or all cards of the person, and is published also when there is none', () => {
  const roster = newRoster();
  for (const card of [OLD, NEW]) changed(roster.bind(binding(card, 'E1', { supersedes: 'none' }), note()));
  assert.deepEqual(changed(roster.revokeCard('dead-beef', 'lost', note())).stopped, [OLD]);
  assert.deepEqual(changed(roster.revokeCard(OLD, 'lost', note())).stopped, []);
  assert.deepEqual(changed(roster.revokeCardholder('E1', 'left', note())).stopped, [NEW]);
  assert.deepEqual(changed(roster.revokeCardholder('E404', 'left', note())).stopped, []);
  assert.deepEqual([roster.size, roster.revision], [0, 6]);
});

test('a card that is live for somebody else is bound only with that person in transferFrom', () => {
  const roster = newRoster();
  changed(roster.bind(binding(OLD, 'E1'), note()));
  const before = cardsOf(roster);
  assert.deepEqual(refusal(roster.bind(binding(OLD, 'E2'), note())), ['card-in-use', 'card']);
  assert.deepEqual(refusal(roster.bind(binding(OLD, 'E2', { transferFrom: 'E3' }), note())), ['card-in-use', 'card']);
  assert.deepEqual([cardsOf(roster), roster.revision], [before, 1]);
  changed(roster.bind(binding(OLD, 'E2', { transferFrom: 'E1' }), note()));
  assert.equal(roster.find(cardNumber(OLD))?.cardholder, 'E2');
  assert.deepEqual(roster.cardsOf(cardholderId('E1')), []);
});

test('what no gateway would take is refused with the code of its receipt, and uses up no revision', () => {
  const roster = newRoster();
  const refusals = [
    roster.bind(binding('not a card', 'E1'), note()),
    roster.bind(binding('08A2B3C4', 'E1'), note()),
    roster.bind(binding(OLD, 'E1', { supersedes: [NEW, 'x'] }), note()),
    roster.bind(binding(OLD, 'E1', { supersedes: [OLD] }), note()),
    roster.bind(binding(OLD, 'E1', { kind: 'temporary' }), note()),
    roster.bind(binding(OLD, 'E1', { validFrom: '2026-12-01T00:00:00Z', validUntil: '2026-11-01T00:00:00Z' }), note()),
    roster.bind(binding(OLD, 'E1', { validUntil: '2026-12-01' }), note()),
    roster.bind(binding(OLD, 'E1', { access: [] }), note()),
    roster.bind(binding(OLD, '', {}), note()),
    roster.bind(Object.assign(binding(OLD, 'E1'), { validUntill: '2026-12-01T00:00:00Z' }), note()),
    roster.bind(binding(OLD, 'E1'), { ...note(), messageId: '' }),
    roster.revokeCard('123', 'lost', note()),
    roster.revokeCardholder('', 'left', note()),
  ];
  assert.deepEqual(refusals.map(refusal), [
    ['invalid-card-number', 'card'],
    ['random-uid', 'card'],
    ['invalid-card-number', 'supersedes[1]'],
    ['invalid-message', 'supersedes'],
    ['invalid-window', 'validUntil'],
    ['invalid-window', 'validUntil'],
    ['invalid-message', 'validUntil'],
    ['invalid-message', 'access'],
    ['invalid-message', 'cardholder.id'],
    ['invalid-message', 'validUntill'],
    ['invalid-message', 'messageId'],
    ['invalid-card-number', 'card'],
    ['invalid-message', 'cardholder'],
  ]);
  assert.deepEqual(roster.digest(), { revision: 0, cards: 0, buckets: emptyRoster().buckets, epoch: '2026-a' });
});

test('a message that would be too large once it is signed is refused', () => {
  const door = (index: number): string => `door-${String(index).padStart(50, '0')}`;
  const access = [{ doors: Array.from({ length: 256 }, (_, index) => door(index)) }];
  const times = (count: number) => Array.from({ length: count }, () => access[0] ?? { level: 'staff' });
  const roster = newRoster();
  const { message } = changed(roster.bind(binding(OLD, 'E1', { access: times(3) }), note()));
  assert.equal(received(SETTINGS.site, message).revision, 1);
  assert.ok(JSON.stringify(times(4)).length < MAX_MESSAGE_BYTES);
  assert.deepEqual(refusal(roster.bind(binding(OLD, 'E1', { access: times(4) }), note())), ['too-large', undefined]);
});

test('a person has no more live cards than gateways take', () => {
  const roster = newRoster();
  const next = (index: number) => roster.bind(binding(cardText(index), 'E1', { supersedes: 'none' }), note());
  for (let index = 0; index < 1000; index++) changed(next(index));
  assert.deepEqual(refusal(next(1000)), ['invalid-message', 'cardholder.id']);
  changed(next(0));
  assert.equal(changed(roster.bind(binding(cardText(1000), 'E1'), note())).stopped.length, 1000);
  assert.equal(roster.size, 1);
});

type Operation = (roster: Roster) => ReturnType<Roster['bind']>;

const card = fc.integer({ min: 0, max: 7 }).map(cardText);
const person = fc.integer({ min: 0, max: 3 }).map((index) => `E${index}`);
const supersedes = fc.oneof(
  fc.constantFrom<'all' | 'none'>('all', 'none'),
  fc.uniqueArray(card, { minLength: 1, maxLength: 3 }),
);
const flags = fc.record({ overridesLockdown: fc.boolean(), extendedRelease: fc.boolean() }, { requiredKeys: [] });
const bind = fc
  .record({ card, person, supersedes, transferFrom: fc.option(person, { nil: undefined }), flags })
  .map(({ card, person, supersedes, transferFrom, flags }): Operation => {
    const changes = { supersedes, ...(transferFrom !== undefined && { transferFrom }), ...flags };
    return (roster) => roster.bind(binding(card, person, changes), note());
  });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { arbitrary: bind, weight: 4 },
  {
    arbitrary: card.map(
      (text): Operation =>
        (roster) =>
          roster.revokeCard(text, 'lost', note()),
    ),
    weight: 1,
  },
  {
    arbitrary: person.map(
      (id): Operation =>
        (roster) =>
          roster.revokeCardholder(id, 'left', note()),
    ),
    weight: 1,
  },
);
const operations = fc.array(operation, { maxLength: 60 });

test('what a gateway decodes from any published change is that change, and what HR holds has its flags', () => {
  fc.assert(
    fc.property(operations, (list) => {
      const roster = newRoster();
      for (const change of list) {
        const outcome = change(roster);
        if (outcome.kind === 'refused') continue;
        const { message, bound } = outcome;
        assert.deepEqual(received(SETTINGS.site, message), message);
        if (message.change.kind !== 'bind-card') continue;
        assert.deepEqual(flagsOf(bound ?? {}), flagsOf(message.change));
      }
    }),
    { numRuns: 300 },
  );
});

test('after any changes the digest is the one that is made anew from the live cards', () => {
  fc.assert(
    fc.property(operations, (list) => {
      const roster = newRoster();
      for (const change of list) change(roster);
      const { buckets } = emptyRoster();
      for (const { card, revision } of cardsOf(roster)) toggleCard(buckets, card, revision);
      const digest = roster.digest();
      assert.deepEqual(digest.buckets, buckets);
      assert.equal(digest.cards, cardsOf(roster).length);
    }),
    { numRuns: 300 },
  );
});

test('a gateway that takes the messages in order holds the same cards at the same revisions, and stops the same ones', () => {
  fc.assert(
    fc.property(operations, (list) => {
      const roster = newRoster();
      const gateway = new GatewayView();
      for (const change of list) {
        const outcome = change(roster);
        if (outcome.kind === 'refused') continue;
        const before = gateway.allowList();
        const { result, superseded } = gateway.take(SETTINGS.site, outcome.message);
        assert.equal(result, 'applied');
        const { change: content } = outcome.message;
        const told = content.kind === 'revoke-card' ? [content.card] : superseded;
        assert.deepEqual([...outcome.stopped].sort(), told.filter((number) => before.has(number)).sort());
      }
      const held = cardsOf(roster).map(({ card, cardholder, revision }) => [card, [cardholder, revision]]);
      assert.deepEqual(Object.fromEntries(held), Object.fromEntries(gateway.allowList()));
    }),
    { numRuns: 300 },
  );
});

test('a roster that is saved and loaded is the same, also when the saved one has changed meanwhile', () => {
  const roster = rosterOf(20);
  const saved = roster.save();
  const digest = roster.digest();
  const cards = cardsOf(roster);
  changed(roster.revokeCard(cardText(3), 'lost', note()));
  const loaded = new Roster(SETTINGS, saved);
  assert.deepEqual([loaded.digest(), cardsOf(loaded)], [digest, cards]);
  assert.equal(changed(loaded.bind(binding(NEW, 'E0'), note())).stopped[0], cardText(0));
});

test('a saved roster that contradicts itself is not loaded', () => {
  const [first] = cardsOf(rosterOf(1));
  assert.ok(first !== undefined);
  const load = (cards: readonly (typeof first)[]) =>
    new Roster(SETTINGS, { epoch: '2026-a', revision: revision(5), cards });
  assert.throws(() => load([first, first]), { code: 'roster-invalid' });
  assert.throws(() => load([{ ...first, revision: revision(6) }]), { code: 'roster-invalid' });
});

test('a roster from a backup counts on above what gateways have seen, in an epoch of its own', () => {
  const backup = rosterOf(3).save();
  const restored = Roster.fromBackup(SETTINGS, backup, { epoch: '2026-b', atLeast: revision(1042) });
  assert.deepEqual([restored.epoch, restored.revision, restored.size], ['2026-b', 1042, 3]);
  assert.equal(changed(restored.revokeCard(cardText(1), 'lost', note())).message.revision, 1043);
  assert.equal(Roster.fromBackup(SETTINGS, backup, { epoch: '2026-b', atLeast: 0 }).revision, 3);
  assert.throws(() => Roster.fromBackup(SETTINGS, backup, { epoch: '2026-a', atLeast: revision(9) }), {
    code: 'roster-invalid',
  });
});

test('card numbers are read in the site’s format', () => {
  const roster = new Roster(
    { site: siteId('hq'), cardNumberFormat: 'decimal' },
    { epoch: 'a', revision: 0, cards: [] },
  );
  const { bound } = changed(roster.bind(binding('3735928559', 'E1'), note()));
  assert.equal(bound?.card, '3735928559');
  assert.deepEqual(refusal(roster.bind(binding(OLD, 'E1'), note())), ['invalid-card-number', 'card']);
});

test('the digest that was handed out does not change with the roster', () => {
  const roster = rosterOf(1);
  const before = roster.digest();
  const text = digestOf({ ...emptyRoster(), buckets: before.buckets });
  changed(roster.revokeCard(cardText(0), 'lost', note()));
  assert.equal(digestOf({ ...emptyRoster(), buckets: before.buckets }), text);
});
