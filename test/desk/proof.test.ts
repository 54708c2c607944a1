// What counts as proof of an operation, and what does not.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type OperationProof, proofOf } from '../../src/desk/proof.ts';
import type { GatewayRecord, Operation, Proof, Usage } from '../../src/desk/records.ts';

const NOW = Date.parse('2026-01-05T08:00:00Z');
const NEW = '04A2B3C4D5E681';
const OLD = '04A2B3C4D5E680';

const operation: Operation = {
  id: 'op-2',
  kind: 'replacement',
  at: '2026-01-05T07:59:00.000Z',
  operator: 'li',
  signedAs: 'clerk',
  stoppedCards: [OLD],
  newCard: NEW,
  access: [{ doors: ['front'], schedule: 'always' }],
  activation: 'active',
  message: { type: 'card-bound', messageId: 'm-2', revision: 2, json: '{}' },
  deadline: '2026-01-05T08:04:00.000Z',
  sentAt: '2026-01-05T07:59:00.100Z',
};

const gateway = (name: string, doors: readonly string[] = ['front']): GatewayRecord => ({
  gateway: name,
  doors,
  firstSeen: '2026-01-01T00:00:00.000Z',
  lastSeen: '2026-01-05T07:00:00.000Z',
  isOnline: true,
  isVerified: true,
});

type Receipt = NonNullable<Proof['receipt']>;
const receipt = (result: Receipt['result'], fields: Partial<Receipt> = {}): Receipt => ({
  result,
  code: null,
  detail: null,
  doors: ['front'],
  superseded: [OLD],
  warnings: [],
  appliedAt: '2026-01-05T07:59:01.000Z',
  clockSynchronized: true,
  sequence: 7,
  ...fields,
});

const proof = (name: string, fields: Partial<Proof>): Proof => ({
  operation: 'op-2',
  gateway: name,
  isVerified: true,
  ...fields,
});

interface Given {
  readonly gateways?: readonly GatewayRecord[];
  readonly proofs?: readonly Proof[];
  readonly usage?: Usage;
  readonly now?: number;
  readonly areSignaturesNeeded?: boolean;
  readonly operation?: Partial<Operation>;
}

const judged = (given: Given = {}): OperationProof =>
  proofOf(
    { ...operation, ...given.operation },
    {
      gateways: given.gateways ?? [gateway('lobby-1')],
      proofOf: (name) => given.proofs?.find((each) => each.gateway === name),
      usageOf: (card) => (given.usage?.card === card ? given.usage : undefined),
      now: given.now ?? NOW,
      rules: { areSignaturesNeeded: given.areSignaturesNeeded ?? true },
    },
  );

describe('an operation is', () => {
  test('confirmed by a receipt that says applied, or by a roster that is equal', () => {
    for (const fields of [
      { receipt: receipt('applied') },
      { receipt: receipt('duplicate') },
      { receipt: receipt('stale'), roster: { revision: 3, at: operation.at } },
      { roster: { revision: 2, at: operation.at } },
    ]) {
      assert.equal(judged({ proofs: [proof('lobby-1', fields)] }).state, 'confirmed');
    }
  });

  test('not confirmed by being sent, nor where no gateway is known', () => {
    assert.deepEqual([judged().state, judged().missing], ['open', ['lobby-1']]);
    assert.equal(judged({ gateways: [] }).state, 'open');
    assert.equal(judged({ proofs: [proof('lobby-1', { receipt: receipt('stale') })] }).state, 'open');
  });

  test('overdue after its deadline, and refused as soon as one gateway refuses', () => {
    assert.equal(judged({ now: Date.parse(operation.deadline) }).state, 'overdue');
    const refusal = receipt('rejected', { code: 'card-in-use', detail: 'of E2' });
    const { state, gateways } = judged({ proofs: [proof('lobby-1', { receipt: refusal })] });
    assert.deepEqual([state, gateways[0]?.state, gateways[0]?.code], ['refused', 'refused', 'card-in-use']);
  });

  test('not believed without the signature of the gateway, where one is needed', () => {
    const proofs = [proof('lobby-1', { receipt: receipt('applied'), isVerified: false })];
    const { state, gateways } = judged({ proofs });
    assert.deepEqual([state, gateways[0]?.state], ['open', 'unverified']);
    assert.equal(judged({ proofs, areSignaturesNeeded: false }).state, 'confirmed');
  });
});

describe('a door', () => {
  const doorsOf = (given: Given) =>
    judged(given).gateways[0]?.doors.map(({ door, isExpected, opens }) => [door, isExpected, opens]);

  test('opens where the receipt says so, and is told of where it should and does not', () => {
    const gateways = [gateway('lobby-1', ['front', 'lab'])];
    const closed = [proof('lobby-1', { receipt: receipt('applied', { doors: [] }) })];
    assert.deepEqual(doorsOf({ gateways, proofs: closed }), [
      ['front', true, false],
      ['lab', false, false],
    ]);
    assert.deepEqual(judged({ gateways, proofs: closed }).closedDoors, ['lobby-1/front']);
    assert.deepEqual(judged({ gateways, proofs: closed, operation: { activation: 'pending' } }).closedDoors, []);
    assert.deepEqual(doorsOf({ gateways, operation: { access: [{ level: 'staff' }] } })?.[0], ['front', null, null]);
  });

  test('has the first granted tap of the new binding, and the gateway the taps of the old card since', () => {
    const tap = {
      gateway: 'lobby-1',
      sequence: 9,
      door: 'front',
      time: '2026-01-05T08:00:00Z',
      event: 'access-granted',
      reason: null,
    };
    const used = { card: NEW, bindingRevision: 2, granted: { 'lobby-1/front': tap }, taps: [tap] };
    assert.equal(judged({ usage: used }).gateways[0]?.doors[0]?.firstGranted?.sequence, 9);
    assert.equal(judged({ usage: { ...used, bindingRevision: 1 } }).gateways[0]?.doors[0]?.firstGranted, null);
    const before = { ...tap, sequence: 3, time: '2026-01-05T07:00:00Z' };
    const old = { card: OLD, bindingRevision: 1, granted: {}, taps: [{ ...tap, event: 'access-denied' }, before] };
    assert.deepEqual(
      judged({ usage: old }).gateways[0]?.oldCardTaps.map(({ sequence }) => sequence),
      [9],
    );
  });
});

test('nothing is confirmed while a gateway has neither applied it nor an equal roster', () => {
  const word = fc.record(
    {
      receipt: fc
        .constantFrom<Receipt['result']>('applied', 'duplicate', 'stale', 'rejected')
        .map((result) => receipt(result)),
      roster: fc.integer({ min: 2, max: 9 }).map((revision) => ({ revision, at: operation.at })),
      isVerified: fc.boolean(),
    },
    { requiredKeys: ['isVerified'] },
  );
  const names = ['a', 'b', 'c'];
  const words = fc.tuple(...names.map(() => fc.option(word, { nil: undefined })));
  fc.assert(
    fc.property(words, fc.boolean(), fc.boolean(), (told, areSignaturesNeeded, isLate) => {
      const proofs = told.flatMap((each, index) => (each === undefined ? [] : [proof(names[index] ?? '', each)]));
      const lacking = names.filter((name) => {
        const { receipt: said, roster, isVerified = false } = proofs.find((each) => each.gateway === name) ?? {};
        const hasIt = roster !== undefined || said?.result === 'applied' || said?.result === 'duplicate';
        return !hasIt || (areSignaturesNeeded && !isVerified);
      });
      const now = isLate ? NOW + 3_600_000 : NOW;
      const { state, missing } = judged({
        gateways: names.map((name) => gateway(name)),
        proofs,
        areSignaturesNeeded,
        now,
      });
      assert.equal(state === 'confirmed', lacking.length === 0);
      assert.deepEqual(missing, lacking);
    }),
  );
});
