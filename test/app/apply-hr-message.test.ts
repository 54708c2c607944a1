import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { NAMELESS_RECEIPTS_PER_SECOND } from '../../src/app/apply-hr-message.ts';
import { CardeaError } from '../../src/errors.ts';
import { cardholderId, cardNumber } from '../domain/samples.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { type ChangeFlow, digestFromScratch, makeChangeFlow, receiptIn, TOPICS } from '../flows/change-flow.ts';
import { settle } from './door-bench.ts';

const OLD = 'DEADBEEF';
const NEW = '04A2B3C4D5E680';

const bound = (revision: number, changes: object = {}): string =>
  JSON.stringify({
    type: 'card-bound',
    site: 'hq',
    messageId: `bind-${revision}`,
    revision,
    issuedAt: '2026-01-05T09:00:00+08:00',
    operator: 'hr.desk-2',
    card: OLD,
    cardholder: { id: 'E1001', name: 'Ada Person', department: 'Works' },
    access: [{ doors: ['front', 'annex'] }],
    ...changes,
  });

const revoked = (revision: number, changes: object): string =>
  JSON.stringify({
    type: 'card-revoked',
    site: 'hq',
    messageId: `revoke-${revision}`,
    revision,
    issuedAt: '2026-01-05T09:00:00+08:00',
    operator: 'hr.desk-2',
    reason: 'lost',
    ...changes,
  });

const makeFlow = (): ChangeFlow & { readonly store: MemoryStore } => {
  const store = new MemoryStore();
  return { ...makeChangeFlow(store), store };
};

/** Delivers and reads the receipt. */
const answer = async (flow: { store: MemoryStore } & ChangeFlow, topic: string, payload: string | Uint8Array) => {
  await flow.deliver(topic, payload);
  return receiptIn(flow.store.entries.at(-1));
};

const isPending = async (promise: Promise<unknown>): Promise<boolean> => {
  let isSettled = false;
  const done = (): void => {
    isSettled = true;
  };
  promise.then(done, done);
  await settle();
  return !isSettled;
};

test('invariant 1: a message is not acknowledged while its commit hangs', async () => {
  const flow = makeFlow();
  flow.store.holdCommits();
  const handled = flow.deliver(TOPICS.cardBound, bound(1));
  assert.equal(await isPending(handled), true);
  const second = flow.deliver(TOPICS.cardRevoked, revoked(2, { card: OLD }));
  const garbage = flow.deliver(TOPICS.cardBound, 'garbage');
  assert.deepEqual([await isPending(second), await isPending(garbage)], [true, true]);
  flow.store.releaseCommits();
  await Promise.all([handled, second, garbage]);
  assert.deepEqual(
    flow.store.entries.map((entry) => receiptIn(entry).result),
    ['applied', 'applied', 'rejected'],
  );
});

test('invariant 1: a message whose commit fails is not acknowledged, and applies when it is delivered again', async () => {
  const flow = makeFlow();
  flow.store.commitFailure = new CardeaError('store-write-failed', 'disk full');
  await assert.rejects(flow.deliver(TOPICS.cardBound, bound(1)), CardeaError);
  assert.equal(flow.store.findCard(cardNumber(OLD)).kind, 'unknown');
  await assert.rejects(flow.deliver(TOPICS.cardBound, 'garbage'), CardeaError);
  flow.store.commitFailure = undefined;
  await flow.deliver(TOPICS.cardBound, bound(1));
  assert.equal(receiptIn(flow.store.entries[0]).result, 'applied');
  assert.equal(flow.store.findCard(cardNumber(OLD)).kind, 'live');
});

test('invariant 2: at no commit are both cards of a replacement valid, or neither', async () => {
  class WatchedStore extends MemoryStore {
    readonly seen: string[] = [];

    override async commit(batch: Parameters<MemoryStore['commit']>[0]): Promise<void> {
      await super.commit(batch);
      this.seen.push([OLD, NEW].map((card) => this.findCard(cardNumber(card)).kind).join(' '));
    }
  }
  const store = new WatchedStore();
  const flow = makeChangeFlow(store);
  await flow.deliver(TOPICS.cardBound, bound(1));
  await flow.deliver(TOPICS.cardBound, bound(2, { card: NEW }));
  assert.deepEqual(store.seen, ['live unknown', 'retired live']);
  const [, replacement] = store.commits;
  assert.deepEqual([replacement?.cards.size, replacement?.entries.length], [2, 1]);
});

test('a receipt says what became of the message, what the card opens here, and what the roster is now', async () => {
  const flow = makeFlow();
  const first = await answer(flow, TOPICS.cardBound, bound(1041));
  const expected = {
    type: 'receipt',
    gateway: 'lobby-1',
    messageType: 'card-bound',
    messageId: 'bind-1041',
    revision: 1041,
    result: 'applied',
    card: OLD,
    cardholder: 'E1001',
    superseded: [],
    doors: ['front'],
    code: null,
    detail: null,
    path: null,
    payloadSha256: null,
    warnings: [],
    appliedAt: '2026-01-05T08:00:00.000Z',
    clockSynchronized: true,
    sequence: 1,
    roster: { revision: 1041, cards: 1, digest: digestFromScratch([[OLD, 1041]]) },
  };
  assert.deepEqual(first, expected);
  const second = await answer(flow, TOPICS.cardBound, bound(1042, { card: NEW, access: [{ doors: ['*'] }] }));
  assert.deepEqual(second, {
    ...expected,
    messageId: 'bind-1042',
    revision: 1042,
    card: NEW,
    superseded: [OLD],
    doors: ['front', 'lab'],
    sequence: 2,
    roster: { revision: 1042, cards: 1, digest: digestFromScratch([[NEW, 1042]]) },
  });
});

test('the audit event names message, result and operator, and neither name nor department leaves the gateway', async () => {
  const flow = makeFlow();
  await flow.deliver(TOPICS.cardBound, bound(1));
  await flow.deliver(TOPICS.cardBound, bound(2, { card: NEW }));
  const entry = flow.store.entries.at(-1);
  const { event, card, cardholder, bindingRevision, detail, reason } = entry?.event ?? {};
  assert.deepEqual(
    { event, card, cardholder, bindingRevision, detail, reason },
    {
      event: 'card-change',
      card: NEW,
      cardholder: 'E1001',
      bindingRevision: 2,
      reason: null,
      detail: {
        messageType: 'card-bound',
        messageId: 'bind-2',
        result: 'applied',
        operator: 'hr.desk-2',
        superseded: [OLD],
      },
    },
  );
  assert.doesNotMatch(JSON.stringify(flow.store.entries), /Ada|Works/);
});

test('invariant 2: a lost card and its replacement: old out, new in, also when the revocation comes late', async () => {
  const flow = makeFlow();
  await flow.deliver(TOPICS.cardBound, bound(1));
  await flow.deliver(TOPICS.cardBound, bound(3, { card: NEW }));
  const late = await answer(flow, TOPICS.cardRevoked, revoked(2, { card: OLD }));
  assert.deepEqual([late.result, late.cardholder, late.doors], ['applied', 'E1001', []]);
  const again = await answer(flow, TOPICS.cardBound, bound(1));
  assert.equal(again.result, 'stale');
  assert.equal(flow.store.findCard(cardNumber(OLD)).kind, 'retired');
  assert.equal(flow.store.findCard(cardNumber(NEW)).kind, 'live');
});

test('invariant 3: a card that was revoked before it was ever seen does not come to life by its late binding', async () => {
  const flow = makeFlow();
  assert.equal((await answer(flow, TOPICS.cardRevoked, revoked(2, { card: OLD }))).result, 'applied');
  assert.equal((await answer(flow, TOPICS.cardBound, bound(1))).result, 'stale');
  assert.equal(flow.store.findCard(cardNumber(OLD)).kind, 'retired');
});

test('invariant 3: a person who left gets no card by a late binding, of a card seen here or not', async () => {
  const flow = makeFlow();
  const left = revoked(9, { cardholder: 'E1001', reason: 'left' });
  assert.equal((await answer(flow, TOPICS.cardRevoked, left)).result, 'applied');
  const late = await answer(flow, TOPICS.cardBound, bound(8, { supersedes: 'none' }));
  assert.deepEqual([late.result, late.doors], ['stale', []]);
  const found = flow.store.findCard(cardNumber(OLD));
  assert.equal(found.kind === 'retired' && found.tombstone.reason, 'left');
  assert.equal((await answer(flow, TOPICS.cardBound, bound(10))).result, 'applied', 'a newer binding brings them back');
});

test('a redelivery is a duplicate, and says what holds now', async () => {
  const flow = makeFlow();
  await flow.deliver(TOPICS.cardBound, bound(1));
  const digest = receiptIn(flow.store.entries[0]).roster.digest;
  const again = await answer(flow, TOPICS.cardBound, bound(1));
  assert.deepEqual([again.result, again.doors, again.roster.digest], ['duplicate', ['front'], digest]);
  const revision = revoked(2, { card: OLD });
  await flow.deliver(TOPICS.cardRevoked, revision);
  assert.equal((await answer(flow, TOPICS.cardRevoked, revision)).result, 'duplicate');
  assert.equal((await answer(flow, TOPICS.cardBound, bound(1))).result, 'stale');
});

test('a revision that was used for another content is a conflict, and the first content stays', async () => {
  const flow = makeFlow();
  await flow.deliver(TOPICS.cardBound, bound(1));
  for (const other of [
    bound(1, { access: [{ doors: ['lab'] }] }),
    bound(1, { cardholder: { id: 'E1002' } }),
    bound(1, { card: NEW }),
    bound(1, { state: 'pending' }),
    bound(1, { validUntil: '2030-01-01T00:00:00Z' }),
  ]) {
    const receipt = await answer(flow, TOPICS.cardBound, other);
    assert.deepEqual([receipt.result, receipt.code], ['rejected', 'revision-conflict'], other);
    assert.match(receipt.detail ?? '', /another content/);
  }
  const revoke = await answer(flow, TOPICS.cardRevoked, revoked(1, { card: OLD }));
  assert.equal(revoke.code, 'revision-conflict');
  const person = await answer(flow, TOPICS.cardRevoked, revoked(1, { cardholder: 'E1001' }));
  assert.equal(person.code, 'revision-conflict');
  const found = flow.store.findCard(cardNumber(OLD));
  assert.deepEqual(found.kind === 'live' && found.binding.access, [{ doors: ['front', 'annex'], schedule: 'always' }]);
});

test('the same content in another order of fields, with another operator, time or x-field is a duplicate', async () => {
  const flow = makeFlow();
  await flow.deliver(TOPICS.cardBound, bound(1));
  const fields = Object.entries(
    JSON.parse(bound(1, { operator: 'hr.desk-3', issuedAt: '2026-02-05T09:00:00Z', 'x-trace': 1 })),
  );
  const receipt = await answer(flow, TOPICS.cardBound, JSON.stringify(Object.fromEntries(fields.reverse())));
  assert.equal(receipt.result, 'duplicate');
});

test('a card that is live for somebody else is refused without any effect, unless it is transferred', async () => {
  const flow = makeFlow();
  await flow.deliver(TOPICS.cardBound, bound(1));
  await flow.deliver(TOPICS.cardBound, bound(2, { card: NEW, cardholder: { id: 'E1002' } }));
  const before = [new Map(flow.store.cards), new Map(flow.store.cardholders), flow.store.roster()];
  const refused = await answer(flow, TOPICS.cardBound, bound(3, { cardholder: { id: 'E1002' } }));
  assert.deepEqual([refused.result, refused.code, refused.superseded], ['rejected', 'card-in-use', []]);
  assert.deepEqual([flow.store.cards, flow.store.cardholders, flow.store.roster()], before);
  const wrong = bound(4, { cardholder: { id: 'E1002' }, transferFrom: 'E1003' });
  assert.equal((await answer(flow, TOPICS.cardBound, wrong)).code, 'card-in-use');
  const right = bound(5, { cardholder: { id: 'E1002' }, transferFrom: 'E1001' });
  const transferred = await answer(flow, TOPICS.cardBound, right);
  assert.deepEqual([transferred.result, transferred.superseded], ['applied', [NEW]]);
  assert.deepEqual(flow.store.findCardholder(cardholderId('E1001'))?.cards, []);
  assert.deepEqual(flow.store.findCardholder(cardholderId('E1002'))?.cards, [OLD]);
});

test('revoking a person stops every card of theirs, and the receipt lists them', async () => {
  const flow = makeFlow();
  await flow.deliver(TOPICS.cardBound, bound(1));
  await flow.deliver(TOPICS.cardBound, bound(2, { card: NEW, supersedes: 'none' }));
  const receipt = await answer(flow, TOPICS.cardRevoked, revoked(3, { cardholder: 'E1001', reason: 'left' }));
  assert.deepEqual([receipt.card, receipt.cardholder, receipt.superseded], [null, 'E1001', [OLD, NEW]]);
  assert.equal(receipt.roster.cards, 0);
  assert.equal(receipt.roster.digest, digestFromScratch([]));
});

test('doors are those of this gateway that the card opens: none while pending, expired or known to nobody', async () => {
  const flow = makeFlow();
  const doorsOf = async (revision: number, changes: object) =>
    (await answer(flow, TOPICS.cardBound, bound(revision, changes))).doors;
  assert.deepEqual(await doorsOf(1, { access: [{ doors: ['annex'] }] }), []);
  assert.deepEqual(await doorsOf(2, { access: [{ doors: ['lab', 'front', 'lab'] }] }), ['front', 'lab']);
  assert.deepEqual(await doorsOf(3, { state: 'pending' }), []);
  assert.deepEqual(await doorsOf(4, { validUntil: '2026-01-05T08:00:00Z' }), []);
  assert.deepEqual(await doorsOf(5, { validFrom: '2099-01-05T08:00:00Z' }), []);
  assert.deepEqual(await doorsOf(6, { access: [{ level: 'staff' }] }), []);
});

test('a schedule or level that nobody knows here blocks nothing but itself, and is a warning', async () => {
  const flow = makeFlow();
  const access = [
    { doors: ['front'], schedule: 'night-shift' },
    { doors: ['lab'] },
    { doors: ['annex'], schedule: 'night-shift' },
    { level: 'staff' },
  ];
  const receipt = await answer(flow, TOPICS.cardBound, bound(1, { access }));
  assert.deepEqual(
    [receipt.result, receipt.doors, receipt.warnings],
    ['applied', ['lab'], ['unknown-schedule: night-shift', 'unknown-level: staff']],
  );
});

test('a message that names nobody gets a receipt with the hash of its bytes', async () => {
  const flow = makeFlow();
  const payload = Buffer.from('not JSON');
  const receipt = await answer(flow, TOPICS.cardRevoked, payload);
  assert.deepEqual(
    [receipt.result, receipt.code, receipt.messageId, receipt.messageType, receipt.payloadSha256],
    ['rejected', 'invalid-message', null, 'card-revoked', createHash('sha256').update(payload).digest('hex')],
  );
});

test(`invariant 8: nameless messages get ${NAMELESS_RECEIPTS_PER_SECOND} receipts a second, and are acknowledged all the same`, async () => {
  const flow = makeFlow();
  const flood = async (): Promise<void> => {
    await Promise.all(Array.from({ length: 500 }, (_, n) => flow.deliver(TOPICS.cardBound, `garbage ${n}`)));
  };
  await flood();
  assert.equal(flow.store.entries.length, NAMELESS_RECEIPTS_PER_SECOND);
  flow.clock.advance(999);
  await flood();
  assert.equal(flow.store.entries.length, NAMELESS_RECEIPTS_PER_SECOND);
  flow.clock.advance(1);
  await flood();
  assert.equal(flow.store.entries.length, 2 * NAMELESS_RECEIPTS_PER_SECOND);
  const named = JSON.stringify({ messageId: 'named' });
  assert.equal((await answer(flow, TOPICS.cardBound, named)).messageId, 'named', 'named messages are always answered');
});

test('a damaged card record denies, and a newer message writes over it and says so', async () => {
  const flow = makeFlow();
  await answer(flow, TOPICS.cardBound, bound(1));
  flow.store.garbleCard(cardNumber(OLD));
  assert.equal(flow.store.findCard(cardNumber(OLD)).kind, 'unreadable');
  const revoking = await answer(flow, TOPICS.cardRevoked, revoked(2, { card: OLD }));
  assert.deepEqual([revoking.result, revoking.warnings], ['applied', ['damaged-record']]);
  assert.equal(flow.store.findCard(cardNumber(OLD)).kind, 'retired');
});

test('nothing that is not newer than all that is known here brings a card with a damaged record back', async () => {
  const flow = makeFlow();
  await answer(flow, TOPICS.cardBound, bound(3));
  await answer(flow, TOPICS.cardBound, bound(5, { card: NEW }));
  flow.store.garbleCard(cardNumber(OLD));
  const late = await answer(flow, TOPICS.cardBound, bound(4, { cardholder: { id: 'E2' } }));
  assert.equal(late.result, 'stale');
  assert.equal(flow.store.findCard(cardNumber(OLD)).kind, 'unreadable');
});

test('a damaged cardholder record does not keep a revocation of the whole person from taking effect', async () => {
  const flow = makeFlow();
  await answer(flow, TOPICS.cardBound, bound(1));
  await answer(flow, TOPICS.cardBound, bound(2, { card: NEW, supersedes: 'none' }));
  flow.store.garbleCardholder(cardholderId('E1001'));
  const receipt = await answer(flow, TOPICS.cardRevoked, revoked(3, { cardholder: 'E1001' }));
  assert.equal(receipt.result, 'applied');
  assert.deepEqual([...receipt.superseded].sort(), [NEW, OLD].sort());
  assert.equal(flow.store.findCard(cardNumber(OLD)).kind, 'retired');
  assert.equal(flow.store.findCard(cardNumber(NEW)).kind, 'retired');
  assert.equal((await answer(flow, TOPICS.cardBound, bound(2, { card: NEW, supersedes: 'none' }))).result, 'stale');
});

test("a single card's revocation is not taken for one of the whole person when their damaged record is made anew", async () => {
  const flow = makeFlow();
  await answer(flow, TOPICS.cardBound, bound(1));
  await answer(flow, TOPICS.cardBound, bound(2, { card: NEW, supersedes: 'none' }));
  await answer(flow, TOPICS.cardRevoked, revoked(9, { card: NEW }));
  flow.store.garbleCardholder(cardholderId('E1001'));
  const late = await answer(flow, TOPICS.cardRevoked, revoked(6, { cardholder: 'E1001' }));
  assert.deepEqual([late.result, late.superseded], ['applied', [OLD]]);
  flow.store.garbleCardholder(cardholderId('E1001'));
  assert.equal((await answer(flow, TOPICS.cardRevoked, revoked(6, { cardholder: 'E1001' }))).result, 'duplicate');
});

test('two messages that meet a damaged cardholder record together lose nothing of one another', async () => {
  const flow = makeFlow();
  await answer(flow, TOPICS.cardBound, bound(1));
  flow.store.garbleCardholder(cardholderId('E1001'));
  await Promise.all([
    flow.deliver(TOPICS.cardBound, bound(2, { card: NEW, supersedes: 'none' })),
    flow.deliver(TOPICS.cardBound, bound(3, { card: 'C0FFEE01', supersedes: 'none' })),
  ]);
  const receipt = await answer(flow, TOPICS.cardRevoked, revoked(4, { cardholder: 'E1001' }));
  assert.deepEqual(receipt.superseded.toSorted(), [NEW, 'C0FFEE01', OLD].toSorted());
});

test('invariant 3: a card with a damaged record does not come back by an older message in a later epoch either', async () => {
  const flow = makeFlow();
  await answer(flow, TOPICS.cardBound, bound(1));
  await flow.writer.write((tx) => tx.putEpoch('2026-a', 0));
  await flow.writer.write((tx) => tx.putEpoch('2026-b', 0));
  await answer(flow, TOPICS.cardBound, bound(5, { card: NEW, cardholder: { id: 'E2' } }));
  flow.store.garbleCard(cardNumber(OLD));
  assert.equal((await answer(flow, TOPICS.cardBound, bound(4))).result, 'stale');
  assert.equal(flow.store.findCard(cardNumber(OLD)).kind, 'unreadable');
});

test('one revision is used once: a replacement that would stop a card bound at the same revision is a conflict', async () => {
  const flow = makeFlow();
  await answer(flow, TOPICS.cardBound, bound(5, { supersedes: 'none' }));
  for (const supersedes of [[OLD], 'all']) {
    const receipt = await answer(flow, TOPICS.cardBound, bound(5, { card: NEW, supersedes }));
    assert.deepEqual([receipt.result, receipt.code], ['rejected', 'revision-conflict']);
  }
});

test('an id typed in decomposed Unicode is the same person', async () => {
  const flow = makeFlow();
  await answer(flow, TOPICS.cardBound, bound(1, { cardholder: { id: 'Jos\u00e9' } }));
  const receipt = await answer(flow, TOPICS.cardRevoked, revoked(2, { cardholder: 'Jose\u0301' }));
  assert.deepEqual(receipt.superseded, [OLD]);
});

test('a store that fails to read for a reason of its own leaves the message with the broker', async () => {
  class SilentStore extends MemoryStore {
    override findCardholder(): never {
      throw new CardeaError('store-open-failed', 'I/O error');
    }
  }
  const flow = makeChangeFlow(new SilentStore());
  await assert.rejects(flow.deliver(TOPICS.cardBound, bound(1)), /I\/O error/);
});

test('a message may supersede up to a thousand cards, in one batch', async () => {
  const flow = makeFlow();
  const cards = Array.from({ length: 1000 }, (_, n) => `F0${n.toString(16).padStart(6, '0')}`);
  const receipt = await answer(flow, TOPICS.cardBound, bound(1, { card: NEW, supersedes: cards }));
  assert.equal(receipt.superseded.length, 1000);
  assert.equal(flow.store.commits.length, 1);
});
