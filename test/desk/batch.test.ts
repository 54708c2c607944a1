// Many replacements in one go: tried out beforehand, carried out once each, and gone on with after a crash at any moment.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as turnOfOthers } from 'node:timers/promises';
import fc from 'fast-check';
import { BatchDesk } from '../../src/desk/batch-desk.ts';
import { BatchRecords } from '../../src/desk/batch-records.ts';
import type { BatchView } from '../../src/desk/batch-view.ts';
import type { Desk } from '../../src/desk/desk.ts';
import type { BatchRow } from '../../src/desk/records.ts';
import { sha256Hex } from '../../src/domain/canonical-json.ts';
import { MemoryDeskStore } from '../fakes/memory-desk-store.ts';
import { MortalDeskStore } from '../fakes/mortal-desk-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { CLERK, openDesk, receiptFor, SECURITY, statusOf, taken } from '../fixtures/open-desk.ts';

const STATUS = 'cardea/hq/gateways/lobby-1/status';
const RECEIPTS = 'cardea/hq/gateways/lobby-1/receipt';

const old = (index: number): string => `04A0${String(index).padStart(10, '0')}`;
const fresh = (index: number): string => `04B0${String(index).padStart(10, '0')}`;
const person = (index: number): string => `E${index}`;

/** So many people with a card each. */
const people = async (desk: Desk, count: number): Promise<void> => {
  const employees = Array.from({ length: count }, (_, index) => ({ id: person(index), name: `Person ${index}` }));
  await taken(desk.employees.import(employees, CLERK));
  for (let index = 0; index < count; index++) {
    await taken(desk.cards.bind({ cardholder: person(index), card: old(index) }, CLERK));
  }
};

const row = (index: number, fields: Partial<BatchRow> = {}): BatchRow => ({
  line: index + 1,
  cardholder: person(index),
  newCard: fresh(index),
  reason: 'damaged',
  ...fields,
});

const rows = (count: number): readonly BatchRow[] => Array.from({ length: count }, (_, index) => row(index));

const site = async (t: TestContext, count: number, options: Parameters<typeof openDesk>[1] = {}) => {
  const opened = await openDesk(t, options);
  await people(opened.desk, count);
  return opened;
};

/** The batch when all its lines are done. */
const finished = async (desk: Desk, id: string): Promise<BatchView> => {
  for (;;) {
    const view = await desk.batches.view(id);
    assert.ok(view);
    if (view.state !== 'running') return view;
    await turnOfOthers();
  }
};

const begin = async (
  desk: Desk,
  request: Parameters<Desk['batches']['start']>[0],
  actor = CLERK,
): Promise<BatchView> => {
  const started = await desk.batches.start(request, actor);
  assert.equal(started.kind, 'done', JSON.stringify(started));
  return started.kind === 'done' ? started.value : assert.fail();
};

const outcomes = ({ lines }: BatchView) => lines.map(({ line, outcome, code }) => [line, code ?? outcome]);

describe('a dry run', () => {
  const check = async (desk: Desk, given: readonly BatchRow[]) =>
    (await taken(desk.batches.check(given, CLERK))).map(({ line, code, path }) => [line, code, path]);

  test('finds every fault by its line, and changes nothing', async (t) => {
    const { desk } = await site(t, 6);
    await taken(desk.cards.leave({ cardholder: person(4) }, SECURITY));
    const { revision } = desk.state.roster;
    const faults = await check(desk, [
      row(0),
      row(1, { newCard: fresh(0) }),
      row(2, { newCard: 'no number' }),
      row(3, { newCard: old(0) }),
      row(4),
      row(9, { cardholder: 'nobody' }),
      row(6, { cardholder: person(0), newCard: fresh(6) }),
      row(7, { cardholder: person(5), oldCard: old(3) }),
    ]);
    assert.deepEqual(faults, [
      [2, 'card-in-use', 'newCard'],
      [3, 'invalid-card-number', 'newCard'],
      // Line 1 has freed it meanwhile; a card that was damaged may be handed out again, this one as well.
      [5, 'employee-left', 'cardholder'],
      [7, 'invalid-request', 'cardholder'],
      [8, 'not-their-card', 'oldCard'],
      [10, 'unknown-employee', 'cardholder'],
    ]);
    assert.equal(desk.state.roster.revision, revision);
  });

  test('takes two cards of one person where it says which is for which', async (t) => {
    const { desk } = await site(t, 1);
    await taken(desk.cards.bind({ cardholder: person(0), card: old(8) }, CLERK));
    const two = [row(0, { oldCard: old(0) }), row(1, { cardholder: person(0), oldCard: old(8) })];
    assert.deepEqual(await check(desk, two), []);
    assert.deepEqual(await check(desk, [row(0)]), [[1, 'ambiguous-card', 'oldCard']]);
  });

  test('is for clerks', async (t) => {
    const { desk } = await site(t, 1);
    const outcome = await desk.batches.check(rows(1), SECURITY);
    assert.equal(outcome.kind === 'refused' && outcome.refusal.code, 'not-permitted');
  });
});

describe('a batch', () => {
  test('is not begun where all lines are wanted and one is faulty', async (t) => {
    const { desk, store } = await site(t, 3);
    const given = [...rows(2), row(2, { newCard: fresh(0) })];
    const outcome = await desk.batches.start({ id: 'b', mode: 'all', rows: given }, CLERK);
    assert.deepEqual(outcome.kind === 'faulty' && outcome.faults.map(({ line }) => line), [3]);
    assert.equal(desk.state.roster.revision, 3);
    assert.equal(await desk.batches.view('b'), undefined);
    assert.equal(await store.read('batch', 'b'), undefined);
  });

  test('does the good lines and says of the others why not, where that is wanted', async (t) => {
    const { desk } = await site(t, 3);
    const given = [row(0), row(1, { newCard: fresh(0) }), row(2)];
    const { id } = await begin(desk, { mode: 'good', rows: given });
    const view = await finished(desk, id);
    assert.deepEqual(outcomes(view), [
      [1, 'done'],
      [2, 'card-in-use'],
      [3, 'done'],
    ]);
    assert.deepEqual([view.total, view.done, view.refused, view.already], [3, 2, 1, 0]);
    assert.equal(desk.state.cards.get(fresh(2))?.state, 'live');
    assert.equal(desk.state.cards.get(old(1))?.state, 'live');
  });

  test('takes its lines in their order, so that one may hand out the card that another has freed', async (t) => {
    const { desk } = await site(t, 2);
    const given = [row(1, { newCard: old(0) }), row(0)];
    const view = await finished(desk, (await begin(desk, { mode: 'all', rows: given })).id);
    assert.equal(view.done, 2);
    const card = desk.state.cards.get(old(0));
    assert.deepEqual([card?.cardholder, card?.state], [person(1), 'live']);
  });

  test('that comes again is the same; other lines under its id are refused', async (t) => {
    const { desk } = await site(t, 3);
    const [one, other] = await Promise.all([
      begin(desk, { mode: 'all', rows: rows(3) }),
      begin(desk, { mode: 'all', rows: rows(3).toReversed() }),
    ]);
    assert.equal(one.id, other.id);
    await finished(desk, one.id);
    assert.equal((await begin(desk, { mode: 'good', rows: rows(3) })).done, 3);
    assert.equal(desk.state.roster.revision, 6);
    const conflict = await desk.batches.start({ id: one.id, mode: 'all', rows: rows(2) }, CLERK);
    assert.equal(conflict.kind === 'refused' && conflict.refusal.code, 'request-conflict');
  });

  test('that comes again tries refused lines anew, once what was in their way is gone, and no other', async (t) => {
    const { desk } = await site(t, 2);
    const given = [...rows(2), row(2)];
    const first = await finished(desk, (await begin(desk, { mode: 'good', rows: given })).id);
    assert.deepEqual([first.done, first.refused, first.lines.at(-1)?.code], [2, 1, 'unknown-employee']);
    assert.equal((await begin(desk, { mode: 'good', rows: given })).refused, 1);
    await taken(desk.employees.add({ id: person(2), name: 'Person 2' }, CLERK));
    await taken(desk.cards.bind({ cardholder: person(2), card: old(2) }, CLERK));
    const { revision } = desk.state.roster;
    const again = await finished(desk, (await begin(desk, { mode: 'good', rows: given })).id);
    assert.deepEqual([again.done, again.refused], [3, 0]);
    assert.equal(desk.state.roster.revision, revision + 1);
  });

  test('under another id finds done what is done', async (t) => {
    const { desk } = await site(t, 3);
    await finished(desk, (await begin(desk, { id: 'first', mode: 'all', rows: rows(2) })).id);
    const view = await finished(desk, (await begin(desk, { id: 'second', mode: 'all', rows: rows(3) })).id);
    assert.deepEqual(
      view.lines.map(({ outcome, operation }) => [outcome, operation]),
      [
        ['already', 'op-4'],
        ['already', 'op-5'],
        ['done', 'op-6'],
      ],
    );
  });

  test('tells of each line which gateways and doors lag, and is settled when none does', async (t) => {
    const { desk, link } = await site(t, 2);
    link.connect();
    await link.deliver(STATUS, statusOf(desk, 'lobby-1', ['front']));
    const { id } = await begin(desk, { mode: 'all', rows: rows(2) });
    const before = await finished(desk, id);
    assert.deepEqual(
      before.lines.map(({ state, missing }) => [state, missing]),
      [
        ['open', ['lobby-1']],
        ['open', ['lobby-1']],
      ],
    );
    const settled = desk.batches.settled(id, new AbortController().signal);
    for (const { operation } of before.lines) {
      const view = await desk.operation(operation ?? '');
      assert.ok(view);
      await link.deliver(RECEIPTS, receiptFor(view.operation));
    }
    await settled;
    const after = await desk.batches.view(id);
    assert.deepEqual([after?.confirmed, after?.lines.map(({ missing }) => missing)], [2, [[], []]]);
  });

  test('ends with the rights of its operator', async (t) => {
    const { desk, clock, store } = await site(t, 60);
    let asked = 0;
    const batches = new BatchDesk({
      ...{ state: desk.state, writer: desk.writer, audit: desk.audit, cards: desk.cards, clock },
      rules: { areSignaturesNeeded: false },
      records: new BatchRecords(store, desk.writer),
      onOperationChange: (listener) => desk.onOperationChange(listener),
      onFault: assert.fail,
      rolesOf: (operator) => {
        asked += 1;
        return operator === CLERK.name && asked <= 30 ? ['clerk', 'admin'] : undefined;
      },
    });
    t.after(() => batches.close());
    await batches.start({ id: 'b', mode: 'all', rows: rows(60) }, CLERK);
    while ((await batches.view('b'))?.state === 'running') await turnOfOthers();
    const view = await batches.view('b');
    assert.deepEqual([view?.done, view?.refused], [30, 30]);
    assert.deepEqual(new Set(view?.lines.slice(30).map(({ code }) => code)), new Set(['not-permitted']));
    assert.equal(desk.state.cards.get(old(59))?.state, 'live');
  });

  test('is looked at once for all who wait for it', async (t) => {
    const store = new MemoryDeskStore();
    const { desk, link } = await site(t, 2, { store });
    link.connect();
    await link.deliver(STATUS, statusOf(desk, 'lobby-1', ['front']));
    const { id } = await begin(desk, { mode: 'all', rows: rows(2) });
    const before = await finished(desk, id);
    const reads = t.mock.method(store, 'read');
    const loads = (): number => reads.mock.calls.filter(({ arguments: [kind] }) => kind === 'batch').length;
    const polls = Array.from({ length: 500 }, async () => {
      await desk.batches.settled(id, new AbortController().signal);
      return desk.batches.view(id);
    });
    const gone = new AbortController();
    const leaving = desk.batches.settled(id, gone.signal);
    gone.abort();
    await leaving;
    for (const { operation } of before.lines) {
      const view = await desk.operation(operation ?? '');
      assert.ok(view);
      await link.deliver(RECEIPTS, receiptFor(view.operation));
    }
    const views = await Promise.all(polls);
    assert.equal(new Set(views).size, 1);
    assert.equal(views[0]?.confirmed, 2);
    assert.equal(loads(), 2);
  });

  test('refuses what cannot be one: no lines, a line twice, an id that is none', async (t) => {
    const { desk } = await site(t, 1);
    for (const request of [{ rows: [] }, { rows: [row(0), row(0)] }, { id: 'a!b', rows: rows(1) }]) {
      const outcome = await desk.batches.start({ mode: 'all', ...request }, CLERK);
      assert.equal(outcome.kind === 'refused' && outcome.refusal.code, 'invalid-request');
    }
  });
});

describe('a desk that dies in the middle of a batch', () => {
  /** Lines over few people and cards, so that they get into each other's way. */
  const card = fc.integer({ min: 0, max: 3 }).chain((index) => fc.constantFrom(old(index), fresh(index)));
  const line = fc.record({
    cardholder: fc.integer({ min: 0, max: 3 }).map(person),
    newCard: card,
    oldCard: fc.option(card, { nil: undefined }),
    reason: fc.constantFrom('damaged' as const, 'lost' as const),
  });
  const lines = fc.array(line, { minLength: 1, maxLength: 60 });

  /** What became of it, and what the roster is then. */
  const endOf = async (desk: Desk, id: string) => {
    const { lines: done } = await finished(desk, id);
    return {
      outcomes: done.map(({ line: number, outcome, code, operation }) => [number, outcome, code, operation]),
      revision: desk.state.roster.revision,
      digest: sha256Hex(desk.state.roster.digest().buckets),
    };
  };

  test('goes on where it was, and ends as one that lived', async (t) => {
    await fc.assert(
      fc.asyncProperty(lines, fc.integer({ min: 0, max: 12 }), fc.boolean(), async (given, lives, isWritten) => {
        const request = {
          id: 'b',
          mode: 'good',
          rows: given.map((each, index) => ({ ...each, line: index + 1 })),
        } as const;
        const lucky = await site(t, 4);
        await begin(lucky.desk, request);
        const expected = await endOf(lucky.desk, 'b');

        const disk = new MemoryDeskStore();
        const clock = new VirtualClock();
        await (await site(t, 4, { store: disk, clock })).desk.close();
        const mortal = new MortalDeskStore(disk, { writes: lives, isLastWritten: isWritten });
        const dying = await openDesk(t, { store: mortal, clock });
        await dying.desk.batches.start(request, CLERK).catch(() => {});
        while (dying.failures.length === 0 && (await dying.desk.batches.view('b'))?.state === 'running') {
          await turnOfOthers();
        }
        await dying.desk.close();

        const { desk } = await openDesk(t, { store: disk, clock });
        // A batch that did not come so far is handed in again.
        if ((await desk.batches.find('b')) === undefined) await begin(desk, request);
        assert.deepEqual(await endOf(desk, 'b'), expected);
      }),
      { numRuns: 40 },
    );
  });
});
