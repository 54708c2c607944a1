// Random histories of bind, replace, transfer, revoke and redelivery, in random order and with duplicates, through the whole
// change flow, held against the model of roster-model.ts.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { digestOf } from '../../src/domain/roster-digest.ts';
import type { CredentialStore } from '../../src/ports/credential-store.ts';
import type { EventLog } from '../../src/ports/event-log.ts';
import { cardholderId } from '../domain/samples.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { openTestStore } from '../fixtures/test-store.ts';
import { allowListOf, digestFromScratch, makeChangeFlow, receiptIn, wholeLog, wireOf } from './change-flow.ts';
import { type ModelMessage, type ModelOutcome, RosterModel } from './roster-model.ts';

const CARDS = ['DEADBEEF', '04A2B3C4D5E680', '04A2B3C4D5E681', '11223344556677889900'];
const PEOPLE = ['E1', 'E2', 'E3'];
const REVISIONS = fc.integer({ min: 1, max: 12 });

const bindOf = (card: fc.Arbitrary<string>, person: fc.Arbitrary<string>): fc.Arbitrary<ModelMessage> =>
  fc
    .record({
      revision: REVISIONS,
      card,
      cardholder: person,
      supersedes: fc.oneof(
        fc.constant('all' as const),
        fc.constant('none' as const),
        fc.subarray(CARDS, { minLength: 1, maxLength: 3 }),
      ),
      transferFrom: fc.option(fc.constantFrom(...PEOPLE), { nil: undefined, freq: 2 }),
    })
    .map(({ supersedes, ...bind }) => {
      const listed = typeof supersedes === 'string' ? supersedes : supersedes.filter((other) => other !== bind.card);
      return { kind: 'bind', ...bind, supersedes: listed.length === 0 ? 'none' : listed };
    });

const REVOKE: fc.Arbitrary<ModelMessage> = fc.oneof(
  fc.record({ kind: fc.constant('revoke-card' as const), revision: REVISIONS, card: fc.constantFrom(...CARDS) }),
  fc.record({
    kind: fc.constant('revoke-cardholder' as const),
    revision: REVISIONS,
    cardholder: fc.constantFrom(...PEOPLE),
  }),
);

const ANY_BIND = bindOf(fc.constantFrom(...CARDS), fc.constantFrom(...PEOPLE));
const ANY_MESSAGE = fc.oneof({ weight: 3, arbitrary: ANY_BIND }, { weight: 2, arbitrary: REVOKE });
/** Every card has one owner: nothing is ever in use by somebody else. */
const OWNED_BIND = fc
  .nat({ max: CARDS.length - 1 })
  .chain((i) => bindOf(fc.constant(CARDS[i] ?? ''), fc.constant(PEOPLE[i % PEOPLE.length] ?? '')));
const OWNED_MESSAGE = fc.oneof({ weight: 3, arbitrary: OWNED_BIND }, { weight: 2, arbitrary: REVOKE });

const historyOf = (message: fc.Arbitrary<ModelMessage>) =>
  fc.uniqueArray(message, { selector: ({ revision }) => revision, minLength: 1, maxLength: 12 });

/** Every message of the history at least once, in any order. */
const deliveriesOf = (history: readonly ModelMessage[]): fc.Arbitrary<ModelMessage[]> =>
  fc
    .tuple(
      fc.shuffledSubarray([...history], { minLength: history.length, maxLength: history.length }),
      fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 5 }),
    )
    .map(([shuffled, extra]) => {
      const all = [...shuffled];
      for (const [what, where] of extra) {
        const again = shuffled[what % shuffled.length];
        if (again !== undefined) all.splice(where % (all.length + 1), 0, again);
      }
      return all;
    });

const inRevisionOrder = (history: readonly ModelMessage[]): ModelMessage[] =>
  [...history].sort((a, b) => a.revision - b.revision);

/** Delivers in groups of `together`, each group sharing a batch. */
const deliverAll = async (
  store: CredentialStore & EventLog,
  messages: readonly ModelMessage[],
  together: number,
): Promise<void> => {
  const flow = makeChangeFlow(store);
  for (let at = 0; at < messages.length; at += together) {
    const group = messages.slice(at, at + together).map(wireOf);
    await Promise.all(group.map(({ topic, payload }) => flow.deliver(topic, payload)));
  }
};

interface Expected {
  readonly outcome: ModelOutcome;
  readonly changed: boolean;
  readonly live: ReadonlyMap<string, readonly [string, number]>;
}

const model = (messages: readonly ModelMessage[]): { final: RosterModel; steps: Expected[] } => {
  const final = new RosterModel();
  let before = JSON.stringify([...final.allowList()]);
  const steps = messages.map((message): Expected => {
    const outcome = final.take(message);
    const live = final.allowList();
    const after = JSON.stringify([...live]);
    const changed = after !== before;
    before = after;
    return { outcome, changed, live };
  });
  return { final, steps };
};

const sorted = (live: ReadonlyMap<string, unknown>): unknown[] => [...live].sort(([a], [b]) => (a < b ? -1 : 1));

const revisionsOf = (live: ReadonlyMap<string, readonly [string, number]>): [string, number][] =>
  [...live].map(([card, [, revision]]) => [card, revision]);

const assertStoreHolds = (store: CredentialStore, expected: ReadonlyMap<string, readonly [string, number]>): void => {
  assert.deepEqual(sorted(allowListOf(store, CARDS)), sorted(expected), 'allow-list');
  assert.equal(store.roster().cards, expected.size, 'count of live cards');
  assert.equal(digestOf(store.roster()), digestFromScratch(revisionsOf(expected)), 'digest');
  for (const person of PEOPLE) {
    const held = [...expected].filter(([, [owner]]) => owner === person).map(([card]) => card);
    const listed = store.findCardholder(cardholderId(person))?.cards ?? [];
    assert.deepEqual([...listed].sort(), held.sort(), `cards of ${person}`);
  }
};

const assertReceipts = async (
  log: EventLog,
  messages: readonly ModelMessage[],
  steps: readonly Expected[],
): Promise<void> => {
  const entries = await wholeLog(log);
  assert.equal(entries.length, messages.length, 'one receipt for each delivery');
  for (const [i, message] of messages.entries()) {
    const step = steps[i];
    const receipt = receiptIn(entries[i]);
    assert.ok(step !== undefined);
    assert.equal(receipt.revision, message.revision);
    assert.equal(receipt.sequence, i + 1);
    assert.equal(receipt.roster.cards, step.live.size);
    assert.equal(receipt.roster.digest, digestFromScratch(revisionsOf(step.live)));
    assertResult(receipt, step);
    for (const card of receipt.superseded) assert.ok(!step.live.has(card), `superseded ${card} is live`);
    if (message.kind === 'revoke-cardholder') continue;
    assert.equal(receipt.card, message.card);
    const opens = receipt.result !== 'rejected' && step.live.has(message.card);
    assert.equal(receipt.doors.length > 0, opens, 'doors say what the card opens');
    if (message.kind !== 'bind' || receipt.result === 'rejected') continue;
    const [owner, revision] = step.live.get(message.card) ?? [];
    const isInForce = owner === message.cardholder && revision === message.revision;
    assert.equal(
      receipt.result !== 'stale',
      isInForce,
      `${receipt.result}, but the binding is${isInForce ? '' : ' not'} in force`,
    );
  }
};

const assertResult = (receipt: { result: string; code: string | null }, step: Expected): void => {
  const { result, code } = receipt;
  switch (step.outcome) {
    case 'conflict':
      assert.deepEqual([result, code, step.changed], ['rejected', 'revision-conflict', false]);
      break;
    case 'in-use':
      // Below the cardholder's watermark it would have been stale even if the card were free.
      if (result === 'stale') assert.equal(code, null);
      else assert.deepEqual([result, code], ['rejected', 'card-in-use']);
      assert.equal(step.changed, false);
      break;
    case 'taken':
      assert.ok(['applied', 'duplicate', 'stale'].includes(result), result);
      if (result === 'duplicate') assert.equal(step.changed, false, 'a duplicate changes nothing');
  }
};

const TOGETHER = fc.constantFrom(1, 3, 100);

test('invariant 3: whatever arrives, in whatever order, the gateway holds what the model of PROTOCOL.md holds', async () => {
  const cases = fc
    .oneof(fc.array(ANY_MESSAGE, { minLength: 1, maxLength: 14 }), historyOf(ANY_MESSAGE))
    .chain((history) => fc.record({ deliveries: deliveriesOf(history), together: TOGETHER }));
  await fc.assert(
    fc.asyncProperty(cases, async ({ deliveries, together }) => {
      const store = new MemoryStore();
      await deliverAll(store, deliveries, together);
      const { final, steps } = model(deliveries);
      assertStoreHolds(store, final.allowList());
      await assertReceipts(store, deliveries, steps);
    }),
    { numRuns: 350 },
  );
});

test('invariant 3: the allow-list is the same in any order of arrival when no card is claimed by two people', async () => {
  const cases = historyOf(OWNED_MESSAGE).chain((history) =>
    fc.record({ history: fc.constant(history), deliveries: deliveriesOf(history), together: TOGETHER }),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ({ history, deliveries, together }) => {
      const [inOrder, shuffled] = [new MemoryStore(), new MemoryStore()];
      await deliverAll(inOrder, inRevisionOrder(history), 1);
      await deliverAll(shuffled, deliveries, together);
      assert.deepEqual(sorted(allowListOf(shuffled, CARDS)), sorted(allowListOf(inOrder, CARDS)));
      assert.equal(digestOf(shuffled.roster()), digestOf(inOrder.roster()));
      assert.equal(shuffled.roster().revision <= inOrder.roster().revision, true);
    }),
    { numRuns: 350 },
  );
});

test('invariant 3: with transfers too, as long as no binding is rejected for a card in use', async () => {
  const cases = historyOf(ANY_MESSAGE).chain((history) =>
    fc.record({ history: fc.constant(history), deliveries: deliveriesOf(history), together: TOGETHER }),
  );
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(cases, async ({ history, deliveries, together }) => {
      const ordered = inRevisionOrder(history);
      if ([...model(ordered).steps, ...model(deliveries).steps].some(({ outcome }) => outcome !== 'taken')) return;
      compared += 1;
      const [inOrder, shuffled] = [new MemoryStore(), new MemoryStore()];
      await deliverAll(inOrder, ordered, 1);
      await deliverAll(shuffled, deliveries, together);
      assert.deepEqual(sorted(allowListOf(shuffled, CARDS)), sorted(allowListOf(inOrder, CARDS)));
    }),
    { numRuns: 350 },
  );
  assert.ok(compared > 100, `only ${compared} histories were free of rejections`);
});

test('invariant 3: replaying the whole past in any order onto the present changes nothing', async () => {
  const cases = fc
    .array(ANY_MESSAGE, { minLength: 1, maxLength: 12 })
    .chain((history) =>
      deliveriesOf(history).chain((deliveries) =>
        fc.record({ deliveries: fc.constant(deliveries), replay: deliveriesOf(deliveries) }),
      ),
    );
  await fc.assert(
    fc.asyncProperty(cases, async ({ deliveries, replay }) => {
      const store = new MemoryStore();
      await deliverAll(store, deliveries, 100);
      const { final, steps } = model(deliveries);
      // What was rejected for the state of things at that time may rightly be taken later: it was news then and is news now.
      const rejected = new Set(
        deliveries.filter((_, i) => steps[i]?.outcome !== 'taken').map((m) => JSON.stringify(m)),
      );
      const [cards, people] = [new Map(store.cards), new Map(store.cardholders)];
      await deliverAll(
        store,
        replay.filter((message) => !rejected.has(JSON.stringify(message))),
        100,
      );
      assert.deepEqual(store.cards, cards);
      assert.deepEqual(store.cardholders, people);
      assertStoreHolds(store, final.allowList());
    }),
    { numRuns: 350 },
  );
});

test('invariant 3: the same holds on LevelDB, also when it is closed and opened between any two groups', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-roster-'));
  t.after(() => rmSync(folder, { recursive: true }));
  let run = 0;
  const cases = fc.array(ANY_MESSAGE, { minLength: 1, maxLength: 14 }).chain(deliveriesOf);
  await fc.assert(
    fc.asyncProperty(cases, async (deliveries) => {
      run += 1;
      for (let at = 0; at < deliveries.length; at += 5) {
        const store = await openTestStore(join(folder, String(run)));
        await deliverAll(store, deliveries.slice(at, at + 5), 3);
        await store.close();
      }
      const store = await openTestStore(join(folder, String(run)));
      try {
        const { final, steps } = model(deliveries);
        assertStoreHolds(store, final.allowList());
        await assertReceipts(store, deliveries, steps);
      } finally {
        await store.close();
      }
    }),
    { numRuns: 15 },
  );
});
