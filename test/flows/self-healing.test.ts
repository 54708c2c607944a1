// Whatever gets lost, doubled or overtaken between HR and a gateway: after a digest and its pages the gateway holds HR's roster,
// and no replay of what was ever said brings a dead card back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HrMessage } from '../../src/wire/change-messages.ts';
import { cardOf, makeReconciliation, type ReconcileBench, restored } from '../app/reconcile-bench.ts';
import { cardNumber } from '../domain/samples.ts';

const CARDS = Array.from({ length: 6 }, (_, index) => cardOf(index));
const PEOPLE = ['E1', 'E2', 'E3'];

type Step =
  | {
      readonly kind: 'bind';
      readonly card: number;
      readonly person: number;
      readonly supersedes: 'all' | 'none' | number;
    }
  | { readonly kind: 'revoke'; readonly card: number }
  | { readonly kind: 'leave'; readonly person: number };

const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('bind' as const),
      card: fc.nat(CARDS.length - 1),
      person: fc.nat(PEOPLE.length - 1),
      supersedes: fc.oneof(fc.constant('all' as const), fc.constant('none' as const), fc.nat(CARDS.length - 1)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('revoke' as const), card: fc.nat(CARDS.length - 1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), person: fc.nat(PEOPLE.length - 1) }) },
);

/** A step of the history, whether its message gets lost, and after how many more it is delivered. */
const HISTORY = fc.array(fc.record({ step: STEP, isLost: fc.boolean(), delay: fc.nat(4) }), { maxLength: 25 });

const carryOut = (bench: ReconcileBench, step: Step): HrMessage => {
  switch (step.kind) {
    case 'bind': {
      const card = CARDS[step.card] ?? '';
      const person = PEOPLE[step.person] ?? '';
      const holder = bench.hr.find(cardNumber(card))?.cardholder;
      const other = typeof step.supersedes === 'number' ? CARDS[step.supersedes] : undefined;
      const supersedes = other === undefined || other === card ? 'all' : [other];
      return bench.bind(card, person, {
        supersedes: typeof step.supersedes === 'string' ? step.supersedes : supersedes,
        ...(holder !== undefined && holder !== person && { transferFrom: holder }),
      });
    }
    case 'revoke':
      return bench.revoke(CARDS[step.card] ?? '');
    case 'leave':
      return bench.leave(PEOPLE[step.person] ?? '');
  }
};

const liveHere = (bench: ReconcileBench): string[] => CARDS.map((card) => bench.held(card)).map(liveOnly);
const liveOnly = (held: string): string => (held.startsWith('live') ? held : 'dead');
const liveAtHr = ({ hr }: ReconcileBench): string[] =>
  CARDS.map((card) => {
    const held = hr.find(cardNumber(card));
    return held === undefined ? 'dead' : `live ${held.cardholder} ${held.revision}`;
  });

/** The messages in the order that the numbers give them. */
const inOrder = (messages: readonly HrMessage[], order: fc.Stream<number>): HrMessage[] =>
  messages
    .map((message) => ({ message, rank: order.next().value }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ message }) => message);

const heal = async (bench: ReconcileBench): Promise<void> => {
  await bench.reconcile();
  await bench.digest();
  await bench.wait(300_000);
  await bench.answer();
};

test('after any losses, doublings and detours a gateway comes to hold what HR holds, and a replay of everything changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(HISTORY, fc.infiniteStream(fc.nat()), async (history, order) => {
      const bench = makeReconciliation();
      const messages: HrMessage[] = [];
      const deliveries: { readonly at: number; readonly message: HrMessage }[] = [];
      for (const [index, { step, isLost, delay }] of history.entries()) {
        const message = carryOut(bench, step);
        messages.push(message);
        if (!isLost) deliveries.push({ at: index + delay, message });
      }
      for (const { message } of deliveries.toSorted((a, b) => a.at - b.at)) await bench.deliver(message);
      await heal(bench);
      assert.deepEqual(liveHere(bench), liveAtHr(bench));
      assert.equal(bench.store.roster().reconciled, bench.hr.revision);
      await bench.deliver(...inOrder(messages, order));
      assert.deepEqual(liveHere(bench), liveAtHr(bench));
    }),
    { numRuns: 150 },
  );
});

test('after HR was restored from a backup a gateway follows it, and a replay of everything before and after changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(HISTORY, HISTORY, HISTORY, fc.infiniteStream(fc.nat()), async (kept, forgotten, later, order) => {
      const bench = makeReconciliation({ trustsEpochs: true });
      const messages: HrMessage[] = [];
      const live = async (history: typeof kept): Promise<void> => {
        for (const { step, isLost } of history) {
          const message = carryOut(bench, step);
          messages.push(message);
          if (!isLost) await bench.deliver(message);
        }
      };
      await live(kept);
      await bench.digest();
      const backup = bench.hr.save();
      await live(forgotten);
      bench.hr = restored({ save: () => backup }, '2026-b', bench.hr.revision);
      await bench.digest();
      await live(later);
      await heal(bench);
      assert.deepEqual(liveHere(bench), liveAtHr(bench));
      await bench.deliver(...inOrder(messages, order));
      assert.deepEqual(liveHere(bench), liveAtHr(bench));
    }),
    { numRuns: 120 },
  );
});
