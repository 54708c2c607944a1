// The rows of PROTOCOL.md's table, one by one, and what a plan looks like. Random histories: test/flows/roster-order.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CardNumber } from '../../src/domain/card-number.ts';
import { type CardholderRecord, type CardRecord, flagsOf, type RevocationReason } from '../../src/domain/credential.ts';
import type { CardholderId } from '../../src/domain/ids.ts';
import {
  type BindCard,
  type ChangePlan,
  fingerprintOf,
  planChange,
  type RosterChange,
  type RosterView,
  rebuildCardholder,
  type Supersedes,
} from '../../src/domain/roster-change.ts';
import type { RosterSummary } from '../../src/domain/roster-digest.ts';
import { planPresentCard } from '../../src/domain/roster-repair.ts';
import { cardholderId, cardNumber, originOf, scheduleId } from './samples.ts';

const [A, B, C] = [cardNumber('AAAAAAAA'), cardNumber('BBBBBBBB'), cardNumber('CCCCCCCC')];
const [P, Q] = [cardholderId('P'), cardholderId('Q')];

const bind = (card: CardNumber, person: CardholderId, changes: Partial<BindCard> = {}): BindCard => ({
  kind: 'bind-card',
  card,
  cardholder: { id: person },
  access: [{ doors: ['*'], schedule: scheduleId('always') }],
  cardKind: 'permanent',
  activation: 'active',
  supersedes: { kind: 'all' },
  ...changes,
});
const revoke = (card: CardNumber, reason: RevocationReason = 'lost'): RosterChange => ({
  kind: 'revoke-card',
  card,
  reason,
});
const leave = (cardholder: CardholderId): RosterChange => ({ kind: 'revoke-cardholder', cardholder, reason: 'left' });
const NONE: Supersedes = { kind: 'none' };
const listed = (...cards: CardNumber[]): Supersedes => ({ kind: 'cards', cards });

class Roster implements RosterView {
  readonly cards = new Map<CardNumber, CardRecord>();
  readonly cardholders = new Map<CardholderId, CardholderRecord>();
  reconciled: RosterSummary['reconciled'] = 0;
  pastEpochs: readonly string[] = [];

  roster() {
    return this;
  }

  card(number: CardNumber): CardRecord | undefined {
    return this.cards.get(number);
  }

  cardholder(id: CardholderId): CardholderRecord | undefined {
    return this.cardholders.get(id);
  }

  take(revision: number, change: RosterChange): ChangePlan {
    const plan = planChange(this, change, originOf(revision));
    for (const [number, record] of plan.cards) this.cards.set(number, record);
    for (const [id, record] of plan.cardholders) this.cardholders.set(id, record);
    return plan;
  }

  /** Live cards with their revision; retired ones with revision and reason. */
  describe(number: CardNumber): string {
    const record = this.cards.get(number);
    if (record === undefined) return 'unknown';
    return record.state === 'live' ? `live ${record.revision}` : `${record.reason} ${record.revision}`;
  }
}

const after = (...messages: readonly (readonly [number, RosterChange])[]) => {
  const roster = new Roster();
  const results = messages.map(([revision, change]) => roster.take(revision, change).result);
  return { roster, results, last: results.at(-1) };
};

test('invariant 2: a replacement is one plan: the old card is out and the new one in', () => {
  const { roster } = after([1, bind(A, P)]);
  const plan = roster.take(2, bind(B, P));
  assert.deepEqual([plan.result, plan.superseded], ['applied', [A]]);
  assert.deepEqual([...plan.cards.keys()].sort(), [A, B]);
  assert.deepEqual([roster.describe(A), roster.describe(B)], ['replaced 1', 'live 2']);
  assert.deepEqual(roster.cardholder(P)?.cards, [B]);
});

test('with supersedes none the other cards stay', () => {
  const { roster } = after([1, bind(A, P)], [2, bind(B, P, { supersedes: NONE })]);
  assert.deepEqual([roster.describe(A), roster.describe(B)], ['live 1', 'live 2']);
});

test('a list supersedes those cards and no others, seen here or not', () => {
  const { roster } = after([1, bind(A, P, { supersedes: NONE })], [2, bind(B, P, { supersedes: NONE })]);
  const plan = roster.take(3, bind(cardNumber('DDDDDDDD'), P, { supersedes: listed(B, C) }));
  assert.deepEqual(plan.superseded, [B, C]);
  assert.deepEqual(
    [roster.describe(A), roster.describe(B), roster.describe(C)],
    ['live 1', 'replaced 3', 'replaced 3'],
  );
  assert.equal(roster.take(2, bind(C, Q, { supersedes: NONE })).result, 'stale');
});

test('a list that names a card which was lost keeps saying lost', () => {
  const { roster } = after([1, bind(A, P)], [2, revoke(A, 'lost')], [3, bind(B, P, { supersedes: listed(A) })]);
  assert.equal(roster.describe(A), 'lost 3');
});

test('a list does not touch a card whose own revision is higher', () => {
  const { roster } = after([5, bind(A, P)], [3, bind(B, P, { supersedes: listed(A) })]);
  assert.equal(roster.describe(A), 'live 5');
});

test('the same revision and content is a duplicate, the same revision and other content a conflict', () => {
  const { roster } = after([1, bind(A, P)]);
  assert.equal(roster.take(1, bind(A, P)).result, 'duplicate');
  for (const other of [bind(A, Q), bind(A, P, { supersedes: NONE }), revoke(A), bind(B, P), leave(P)]) {
    const plan = roster.take(1, other);
    assert.deepEqual([plan.result, plan.cards.size, plan.cardholders.size], ['revision-conflict', 0, 0]);
  }
});

test('a binding has the flags of its message, and a newer message without them takes them away', () => {
  const { roster } = after([1, bind(A, P, { overridesLockdown: true, extendedRelease: true })]);
  const flags = () => {
    const record = roster.card(A);
    return record?.state === 'live' && flagsOf(record);
  };
  assert.deepEqual(flags(), { overridesLockdown: true, extendedRelease: true });
  roster.take(2, bind(A, P));
  assert.deepEqual(flags(), {});
});

test('a card that came pending by a page and was activated stays so when the message that binds it comes at last', () => {
  const roster = new Roster();
  const change = bind(A, P, { activation: 'pending' });
  const { access, cardKind: kind } = change;
  const held = { card: A, revision: originOf(7).revision, cardholder: P, access, kind, activation: 'pending' } as const;
  const { cards } = planPresentCard(roster, held, { ...originOf(7), isDamaged: false });
  const record = cards.get(A);
  assert.ok(record?.state === 'live' && record.activation === 'pending');
  roster.cards.set(A, { ...record, activation: 'active' });
  assert.equal(roster.take(7, change).result, 'applied');
  const now = roster.card(A);
  assert.ok(now?.state === 'live');
  assert.deepEqual([now.activation, now.fingerprint], ['active', fingerprintOf(change)]);
  roster.take(8, change);
  const newer = roster.card(A);
  assert.equal(newer?.state === 'live' && newer.activation, 'pending');
});

test("invariant 3: what is older than the card's tombstone is stale", () => {
  assert.deepEqual(after([5, revoke(A)], [4, bind(A, P)]).results, ['applied', 'stale']);
  assert.deepEqual(after([5, revoke(A)], [4, revoke(A, 'stolen')]).results, ['applied', 'stale']);
  assert.deepEqual(after([5, revoke(A)], [6, bind(A, P)]).results, ['applied', 'applied']);
});

test("invariant 3: what is older than the cardholder's watermark is stale, whether by a binding or by leaving", () => {
  const replaced = after([5, bind(B, P)], [4, bind(A, P)]);
  assert.deepEqual([replaced.last, replaced.roster.describe(A)], ['stale', 'replaced 4']);
  const gone = after([5, leave(P)], [4, bind(A, P, { supersedes: NONE })]);
  assert.deepEqual([gone.last, gone.roster.describe(A)], ['stale', 'left 4']);
  assert.equal(after([5, leave(P)], [6, bind(A, P)]).last, 'applied');
  assert.equal(after([5, leave(P)], [4, bind(A, Q)]).last, 'applied', 'another person is not concerned');
});

test('a list or a binding beside the others sets no watermark', () => {
  assert.equal(after([5, bind(B, P, { supersedes: NONE })], [4, bind(A, P, { supersedes: NONE })]).last, 'applied');
  assert.equal(
    after([5, bind(B, P, { supersedes: listed(C) })], [4, bind(A, P, { supersedes: NONE })]).last,
    'applied',
  );
});

test('a binding that was overtaken still retires what it was meant to retire', () => {
  const { roster } = after([1, bind(A, P)], [3, revoke(B)], [2, bind(B, P)]);
  assert.deepEqual([roster.describe(A), roster.describe(B)], ['replaced 1', 'lost 3']);
  const byList = after([1, bind(A, P)], [3, revoke(B)], [2, bind(B, P, { supersedes: listed(A) })]);
  assert.equal(byList.roster.describe(A), 'replaced 2');
});

test('leaving stops every card of the person and names them in order', () => {
  const { roster } = after(
    [1, bind(A, P, { supersedes: NONE })],
    [2, bind(B, P, { supersedes: NONE })],
    [4, bind(C, P, { supersedes: NONE })],
  );
  const plan = roster.take(3, leave(P));
  assert.deepEqual([plan.result, plan.superseded], ['applied', [A, B]]);
  assert.deepEqual(
    [A, B, C].map((card) => roster.describe(card)),
    ['left 1', 'left 2', 'live 4'],
  );
});

test('a card that is live for somebody else needs transferFrom, a card that is not live does not', () => {
  assert.equal(after([1, bind(A, P)], [2, bind(A, Q)]).last, 'card-in-use');
  assert.equal(after([1, bind(A, P)], [2, bind(A, Q, { transferFrom: Q })]).last, 'card-in-use');
  assert.equal(after([1, bind(A, P)], [2, bind(A, Q, { transferFrom: P })]).last, 'applied');
  assert.equal(after([1, bind(A, P)], [2, revoke(A)], [3, bind(A, Q)]).last, 'applied');
  assert.equal(after([1, bind(A, P)], [2, leave(P)], [3, bind(A, Q)]).last, 'applied');
  assert.equal(after([1, bind(A, P)], [2, bind(A, P)]).last, 'applied', 'nor does the same person');
});

test('a rejected binding has no effect at all: what it was to supersede stays', () => {
  const { roster } = after([1, bind(A, P)], [2, bind(B, Q)]);
  const plan = roster.take(3, bind(A, Q));
  assert.deepEqual([plan.result, plan.cards.size, plan.cardholders.size, plan.superseded], ['card-in-use', 0, 0, []]);
  assert.equal(roster.describe(B), 'live 2');
});

test('a transfer takes the card off the list of the one and puts it on that of the other', () => {
  const { roster } = after([1, bind(A, P)], [2, bind(A, Q, { transferFrom: P })]);
  assert.deepEqual([roster.cardholder(P)?.cards, roster.cardholder(Q)?.cards], [[], [A]]);
});

test("a transfer that is late still finds its place between a binding and the person's next one", () => {
  const { roster } = after([1, bind(A, P)], [3, bind(B, P)], [2, bind(A, Q, { transferFrom: P })]);
  assert.deepEqual([roster.describe(A), roster.describe(B)], ['live 2', 'live 3']);
});

test('planning changes nothing that it looks at', () => {
  const { roster } = after([1, bind(A, P)]);
  const before = JSON.stringify([[...roster.cards], [...roster.cardholders]]);
  planChange(roster, bind(B, P), originOf(2));
  planChange(roster, leave(P), originOf(2));
  assert.equal(JSON.stringify([[...roster.cards], [...roster.cardholders]]), before);
});

test('the fingerprint is of the content alone, and every part of the content counts', () => {
  const base = bind(A, P);
  assert.equal(fingerprintOf(base), fingerprintOf({ ...base, access: [...base.access] }));
  const variants: RosterChange[] = [
    bind(B, P),
    bind(A, Q),
    bind(A, P, { cardholder: { id: P, name: 'Ada' } }),
    bind(A, P, { access: [{ level: 'staff' }] }),
    bind(A, P, { cardKind: 'temporary' }),
    bind(A, P, { activation: 'pending' }),
    bind(A, P, { supersedes: NONE }),
    bind(A, P, { supersedes: listed(B) }),
    bind(A, P, { supersedes: listed(C) }),
    bind(A, P, { transferFrom: Q }),
    revoke(A),
    revoke(A, 'stolen'),
    leave(P),
  ];
  assert.equal(new Set([base, ...variants].map(fingerprintOf)).size, variants.length + 1);
});

test("a person's record made anew keeps the latest trace of a watermark, which is that of the latest epoch", () => {
  const { roster } = after([90, bind(A, P)], [91, leave(P)]);
  roster.pastEpochs = ['2026-a'];
  roster.take(5, bind(B, P));
  roster.take(6, { kind: 'revoke-cardholder', cardholder: P, reason: 'stolen' });
  const { watermark } = rebuildCardholder([...roster.cards]);
  assert.deepEqual([watermark?.era, watermark?.revision, watermark?.reason], [1, 6, 'stolen']);
});
