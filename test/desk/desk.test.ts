// What operators do with cards, as the desk takes it, publishes it, and shows what the gateways make of it.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as turnOfOthers } from 'node:timers/promises';
import type { Desk } from '../../src/desk/desk.ts';
import { DeskWriter } from '../../src/desk/desk-writer.ts';
import { findOperations } from '../../src/desk/operation-search.ts';
import { stateOf } from '../../src/desk/operation-standing.ts';
import { MemoryDeskStore } from '../fakes/memory-desk-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { CLERK, openDesk, receiptFor, refusalOf, SECURITY, statusOf, taken } from '../fixtures/open-desk.ts';

const OLD = '04A2B3C4D5E680';
const NEW = '04A2B3C4D5E681';
const RECEIPTS = 'cardea/hq/gateways/lobby-1/receipt';
const STATUS = 'cardea/hq/gateways/lobby-1/status';

/** Wang with one card, and one gateway with a door. */
const site = async (t: TestContext, options: Parameters<typeof openDesk>[1] = {}) => {
  const opened = await openDesk(t, options);
  const { desk, link } = opened;
  link.connect();
  await link.deliver(STATUS, statusOf(desk, 'lobby-1', ['front']));
  await taken(desk.employees.add({ id: 'E1001', name: '王小明', department: 'Lab' }, CLERK));
  const bound = await taken(desk.cards.bind({ cardholder: 'E1001', card: OLD }, CLERK));
  await link.deliver(RECEIPTS, receiptFor(bound));
  return { ...opened, bound };
};

describe('a lost card is replaced', () => {
  test('with one message, which stops the old card and binds the new one', async (t) => {
    const { desk, link } = await site(t);
    const operation = await taken(desk.cards.replace({ cardholder: 'E1001', newCard: NEW, reason: 'lost' }, CLERK));
    const sent = link.published
      .filter(({ topic }) => topic === 'cardea/hq/hr/card-bound')
      .map(({ payload }) => JSON.parse(payload));
    const [message] = sent.filter(({ messageId }) => messageId === operation.message.messageId);
    assert.equal(message.card, NEW);
    assert.equal(message.supersedes, 'all');
    assert.equal(message.revision, 2);
    assert.equal(message.operator, 'li');
    assert.deepEqual(message.cardholder, { id: 'E1001', name: '王小明', department: 'Lab' });
    assert.deepEqual(operation.stoppedCards, [OLD]);
    assert.equal(desk.state.cards.get(OLD)?.state, 'stopped');
    assert.equal(desk.state.cards.get(NEW)?.state, 'live');
  });

  test('and is confirmed when the gateway says so, not before', async (t) => {
    const { desk, link } = await site(t);
    const operation = await taken(desk.cards.replace({ cardholder: 'E1001', newCard: NEW, reason: 'lost' }, CLERK));
    const before = await desk.operation(operation.id);
    assert.equal(before?.proof.state, 'open');
    assert.deepEqual(before?.proof.missing, ['lobby-1']);
    await link.deliver(RECEIPTS, receiptFor(operation));
    const after = await desk.operation(operation.id);
    assert.equal(after?.proof.state, 'confirmed');
    assert.deepEqual(after?.proof.gateways[0]?.doors, [
      { door: 'front', isExpected: true, opens: true, firstGranted: null },
    ]);
  });

  test('once, however often the same request comes', async (t) => {
    const { desk } = await site(t);
    const request = { cardholder: 'E1001', newCard: NEW, reason: 'lost', requestId: 'r-1' } as const;
    const both = await Promise.all([desk.cards.replace(request, CLERK), desk.cards.replace(request, CLERK)]);
    const again = await desk.cards.replace(request, CLERK);
    const ids = [...both, again].map((outcome) => (outcome.kind === 'done' ? outcome.value.id : 'refused'));
    assert.deepEqual(ids, ['op-2', 'op-2', 'op-2']);
    const other = await refusalOf(desk.cards.replace({ ...request, newCard: '04A2B3C4D5E682' }, CLERK));
    assert.equal(other.code, 'request-conflict');
    assert.equal(desk.state.roster.revision, 2);
  });

  test('by one of a hundred clerks who hold the same new card', async (t) => {
    const { desk } = await site(t);
    const people = Array.from({ length: 100 }, (_, i) => `E2${String(i).padStart(3, '0')}`);
    for (const [index, id] of people.entries()) {
      await taken(desk.employees.add({ id, name: `Person ${index}` }, CLERK));
      await taken(desk.cards.bind({ cardholder: id, card: `04B000${String(index).padStart(8, '0')}` }, CLERK));
    }
    const outcomes = await Promise.all(
      people.map((cardholder, index) =>
        desk.cards.replace({ cardholder, newCard: NEW, reason: 'lost' }, { name: `clerk-${index}`, roles: ['clerk'] }),
      ),
    );
    assert.equal(outcomes.filter(({ kind }) => kind === 'done').length, 1);
    const codes = outcomes.flatMap((outcome) => (outcome.kind === 'refused' ? [outcome.refusal.code] : []));
    assert.deepEqual(new Set(codes), new Set(['card-in-use']));
  });
});

describe('what is refused, with a reason', () => {
  const refusals: readonly [string, object, string][] = [
    ['a number that is none', { newCard: '12' }, 'invalid-card-number'],
    ['a number that changes at every tap', { newCard: '08A2B3C4' }, 'random-uid'],
    ['a card of somebody else', { newCard: '04FFFFFFFFFFFF' }, 'card-in-use'],
    ['the same card', { newCard: OLD }, 'same-card'],
    ['a person whom nobody knows', { cardholder: 'E9' }, 'unknown-employee'],
    ['a person who has left', { cardholder: 'E1002' }, 'employee-left'],
    ['a time that is over', { validUntil: '2025-01-01T00:00:00Z' }, 'date-in-past'],
    [
      'an end before the beginning',
      { validFrom: '2027-02-01T00:00:00Z', validUntil: '2027-01-01T00:00:00Z' },
      'invalid-window',
    ],
    ['a door that no gateway has', { access: [{ doors: ['roof'], schedule: 'always' }] }, 'unknown-door'],
    ['an old card that is not theirs', { oldCard: '04FFFFFFFFFFFF' }, 'not-their-card'],
  ];
  for (const [what, fields, code] of refusals) {
    test(what, async (t) => {
      const { desk } = await site(t);
      for (const [id, card] of [
        ['E1002', '04EEEEEEEEEEEE'],
        ['E1003', '04FFFFFFFFFFFF'],
      ] as const) {
        await taken(desk.employees.add({ id, name: id }, CLERK));
        await taken(desk.cards.bind({ cardholder: id, card }, CLERK));
      }
      await taken(desk.cards.leave({ cardholder: 'E1002' }, SECURITY));
      const { revision } = desk.state.roster;
      const request = { cardholder: 'E1001', newCard: NEW, reason: 'lost' as const, ...fields };
      const refusal = await refusalOf(desk.cards.replace(request, CLERK));
      assert.equal(refusal.code, code, refusal.detail);
      assert.equal(desk.state.roster.revision, revision);
    });
  }

  test('a clerk who revokes, and a guard who binds', async (t) => {
    const { desk } = await site(t);
    assert.equal((await refusalOf(desk.cards.revoke({ card: OLD, reason: 'other' }, CLERK))).code, 'not-permitted');
    assert.equal(
      (await refusalOf(desk.cards.bind({ cardholder: 'E1001', card: NEW }, SECURITY))).code,
      'not-permitted',
    );
  });
});

describe('a card that was reported lost', () => {
  test('stops at once, and comes back when it is found', async (t) => {
    const { desk } = await site(t);
    const loss = await taken(desk.cards.reportLoss({ cardholder: 'E1001', reason: 'lost' }, SECURITY));
    assert.equal(JSON.parse(loss.message.json).reason, 'suspended');
    assert.equal(desk.state.roster.size, 0);
    const back = await taken(desk.cards.reinstate({ card: OLD }, CLERK));
    assert.equal(JSON.parse(back.message.json).supersedes, 'none');
    assert.equal(desk.state.cards.get(OLD)?.state, 'live');
  });

  test('does not come back once it is replaced', async (t) => {
    const { desk } = await site(t);
    await taken(desk.cards.reportLoss({ cardholder: 'E1001', reason: 'lost' }, SECURITY));
    await taken(desk.cards.replace({ cardholder: 'E1001', newCard: NEW, reason: 'lost' }, CLERK));
    assert.equal((await refusalOf(desk.cards.reinstate({ card: OLD }, CLERK))).code, 'not-suspended');
  });

  test('comes back as it was: one that nobody has activated opens nothing yet', async (t) => {
    const { desk } = await site(t);
    await taken(desk.cards.replace({ cardholder: 'E1001', newCard: NEW, reason: 'damaged', isPending: true }, CLERK));
    await taken(desk.cards.reportLoss({ cardholder: 'E1001', reason: 'lost' }, SECURITY));
    const back = await taken(desk.cards.reinstate({ card: NEW }, CLERK));
    assert.equal(JSON.parse(back.message.json).state, 'pending');
    assert.equal(desk.state.cards.get(NEW)?.activation, 'pending');
  });

  const ends = {
    'its holder leaves': (desk: Desk) => desk.cards.leave({ cardholder: 'E1001' }, SECURITY),
    'it is replaced for another reason': (desk: Desk) =>
      desk.cards.replace({ cardholder: 'E1001', newCard: NEW, reason: 'other' }, CLERK),
  };
  for (const [what, end] of Object.entries(ends)) {
    test(`is handed out to nobody unasked after ${what}`, async (t) => {
      const { desk } = await site(t);
      await taken(desk.employees.add({ id: 'E1002', name: 'Chen' }, CLERK));
      await taken(desk.cards.reportLoss({ cardholder: 'E1001', reason: 'stolen' }, SECURITY));
      await taken(end(desk));
      const request = { cardholder: 'E1002', card: OLD };
      assert.equal((await refusalOf(desk.cards.bind(request, CLERK))).code, 'card-was-lost');
      await taken(desk.cards.bind({ ...request, isReused: true }, CLERK));
    });
  }

  test('is not mistaken for the temporary one that its holder has meanwhile', async (t) => {
    const { desk } = await site(t);
    await taken(desk.cards.reportLoss({ cardholder: 'E1001', reason: 'stolen' }, SECURITY));
    const temporary = { card: NEW, isTemporary: true, validUntil: '2026-01-06T00:00:00Z' };
    await taken(desk.cards.bind({ cardholder: 'E1001', ...temporary }, CLERK));
    const request = { cardholder: 'E1001', newCard: '04A2B3C4D5E682', reason: 'stolen' } as const;
    const { code, detail } = await refusalOf(desk.cards.replace(request, CLERK));
    assert.equal(code, 'ambiguous-card');
    assert.match(detail, new RegExp(`${NEW}.*${OLD}`));
    const operation = await taken(desk.cards.replace({ ...request, oldCard: OLD }, CLERK));
    assert.deepEqual(operation.stoppedCards, []);
  });
});

describe('operations that somebody looks for', () => {
  test('are decided in slices, and others have their turn in between', async (t) => {
    const { desk, store, bound } = await site(t);
    for (let number = 2; number <= 400; number++) desk.state.open.set(`op-${number}`, { ...bound, id: `op-${number}` });
    let [slice, longest] = [0, 0];
    const turn = (): void => {
      slice = 0;
      next = setImmediate(turn);
    };
    let next = setImmediate(turn);
    t.after(() => clearImmediate(next));
    const sources = { state: desk.state, clock: new VirtualClock(), rules: { areSignaturesNeeded: false } };
    const isAt = (id: string) => {
      slice += 1;
      longest = Math.max(longest, slice);
      return stateOf(id, sources);
    };
    const found = await findOperations({ state: 'refused', limit: 10 }, { state: desk.state, store, stateOf: isAt });
    assert.deepEqual(found, { ids: [], next: null });
    assert.ok(longest <= 100, `${longest} in one go`);
  });
});

describe('a write that hangs', () => {
  test('is waited for, although the desk has given up', async () => {
    let resolve = (): void => {};
    const hanging = new Promise<void>((fulfil) => {
      resolve = fulfil;
    });
    const store = new MemoryDeskStore();
    store.write = () => hanging;
    const writer = new DeskWriter(store, () => {});
    const written = writer.write([{ kind: 'meta', key: 'desk', value: null }]);
    writer.abandon(new Error('ahead of the disk'));
    let isSettled = false;
    const settled = writer.settled().then(() => {
      isSettled = true;
    });
    await turnOfOthers();
    assert.equal(isSettled, false);
    resolve();
    await Promise.all([settled, written]);
  });
});

describe('after a restart', () => {
  test('everything is as it was, and what was not sent is sent', async (t) => {
    const store = new MemoryDeskStore();
    const before = await site(t, { store });
    before.link.disconnect();
    const operation = await taken(
      before.desk.cards.replace({ cardholder: 'E1001', newCard: NEW, reason: 'lost' }, CLERK),
    );
    await before.desk.close();
    const { desk, link } = await openDesk(t, { store, clock: before.clock });
    assert.equal(desk.state.roster.revision, 2);
    assert.equal(desk.state.people.find('E1001')?.name, '王小明');
    assert.equal(desk.unsent, 1);
    link.connect();
    await link.deliver(RECEIPTS, receiptFor(operation));
    assert.equal(link.published.filter(({ topic }) => topic === 'cardea/hq/hr/card-bound').length, 1);
    assert.equal((await desk.operation(operation.id))?.proof.state, 'confirmed');
  });

  test('a store that fails takes no more changes, and nothing of what failed goes out', async (t) => {
    const store = new MemoryDeskStore();
    const { desk, link, failures } = await site(t, { store });
    const count = link.published.length;
    store.isBroken = true;
    const request = { cardholder: 'E1001', newCard: NEW, reason: 'lost' } as const;
    await assert.rejects(desk.cards.replace(request, CLERK), { code: 'store-write-failed' });
    store.isBroken = false;
    await assert.rejects(desk.cards.replace(request, CLERK), { code: 'store-write-failed' });
    assert.equal(link.published.length, count);
    assert.equal(failures.length, 1);
  });
});
