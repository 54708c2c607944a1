// The way back to HR's truth, step by step: when it asks, what it believes, what it leaves alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANSWER_LIMIT, CARDS_PER_REQUEST, MOST_PATIENCE, PAGE_LIMIT } from '../../src/app/reconcile-roster.ts';
import { Roster } from '../../src/desk/roster.ts';
import { flagsOf } from '../../src/domain/credential.ts';
import { bucketOf, emptyRoster } from '../../src/domain/roster-digest.ts';
import { CardeaError } from '../../src/errors.ts';
import { cardholderId, cardNumber, revision } from '../domain/samples.ts';
import { MemoryDisk, MemoryStore } from '../fakes/memory-store.ts';
import { SITE, TOPICS } from '../flows/change-flow.ts';
import { cardOf, makeReconciliation, newRoster, type ReconcileBench, restored } from './reconcile-bench.ts';

const A = 'DEADBEEF';
const B = '04A2B3C4D5E680';
const C = 'C0FFEE01';

const isEqual = ({ store, hr }: ReconcileBench): boolean =>
  Buffer.compare(Buffer.from(store.roster().buckets), Buffer.from(hr.digest().buckets)) === 0;

test('an empty gateway asks for all 256 buckets, fills itself, and says so', async () => {
  const bench = makeReconciliation();
  bench.fill(500);
  const request = await bench.asked();
  assert.deepEqual([request.buckets.length, request.revision], [256, 0]);
  for (const page of bench.hr.pagesFor({ requestId: 'request-1', buckets: request.buckets })) await bench.page(page);
  await bench.writer.idle();
  await bench.wait(0);
  const { revision, cards, reconciled, reconciledAt, epoch } = bench.store.roster();
  assert.deepEqual([revision, cards, reconciled, epoch], [500, 500, 500, '2026-a']);
  assert.notEqual(reconciledAt, undefined);
  assert.ok(isEqual(bench));
  assert.deepEqual(bench.reconciler.alarms(), []);
  const [reconciledEvent] = await bench.eventsNamed('roster-reconciled');
  const { revision: eventRevision, cards: eventCards } = JSON.parse(JSON.stringify(reconciledEvent?.detail));
  assert.deepEqual([eventRevision, eventCards], [500, 500]);
});

test('only the buckets that differ are asked for, once it has been quiet for two seconds', async () => {
  const bench = makeReconciliation();
  await bench.deliver(bench.bind(A, 'E1'), bench.bind(B, 'E2'));
  bench.bind(C, 'E3');
  await bench.digest();
  await bench.wait(1_500);
  await bench.deliver(bench.bind(cardOf(1), 'E4'));
  await bench.digest();
  await bench.wait(1_500);
  assert.deepEqual(bench.requests(), []);
  await bench.wait(500);
  assert.deepEqual(
    bench.requests().map(({ buckets, revision }) => ({ buckets, revision })),
    [{ buckets: [bucketOf(cardNumber(C))], revision: 4 }],
  );
});

test('changes that never pause put the question off for a minute, not for ever', async () => {
  const bench = makeReconciliation();
  bench.bind(C, 'E3');
  for (let second = 0; second <= MOST_PATIENCE / 1_000; second++) {
    await bench.deliver(bench.bind(cardOf(second), `P${second}`));
    await bench.digest();
    await bench.wait(1_000);
  }
  await bench.wait(1_000);
  assert.equal(bench.requests().length, 1);
});

test('passages from before a repair are held against nobody; without a repair they are', async () => {
  const bench = makeReconciliation();
  await bench.deliver(bench.bind(A, 'E1'));
  await bench.digest();
  assert.equal(bench.store.passageEra(), 0);
  bench.bind(B, 'E2');
  await bench.reconcile();
  assert.equal(bench.store.passageEra(), 1);
  await bench.digest();
  assert.equal(bench.store.passageEra(), 1);
});

test('an equal digest asks for nothing and makes the roster reconciled as of its revision', async () => {
  const bench = makeReconciliation();
  await bench.deliver(bench.bind(A, 'E1'), bench.bind(B, 'E1'));
  const lost = bench.revoke(C);
  await bench.digest();
  await bench.wait(5_000);
  assert.deepEqual(bench.requests(), []);
  const { revision, reconciled } = bench.store.roster();
  assert.deepEqual([revision, reconciled], [lost.revision, lost.revision]);
});

test('invariant 3: once reconciled as of a revision, older messages are stale and change nothing', async () => {
  const bench = makeReconciliation();
  const binding = bench.bind(A, 'E1');
  const leave = bench.leave('E1');
  const other = bench.bind(B, 'E2');
  await bench.deliver(other);
  await bench.digest();
  await bench.deliver(binding, leave, other);
  assert.deepEqual([bench.held(A), bench.held(B)], ['unknown', 'live E2 3']);
  const results = (await bench.eventsNamed('card-change')).map(
    ({ detail }) => JSON.parse(JSON.stringify(detail)).result,
  );
  assert.deepEqual(results, ['applied', 'stale', 'stale', 'duplicate']);
});

test('a card that HR no longer holds is retired, as replaced where its person has a newer one', async () => {
  const bench = makeReconciliation();
  await bench.deliver(bench.bind(A, 'E1'), bench.bind(C, 'E9'));
  bench.bind(B, 'E1');
  bench.revoke(C);
  assert.equal(await bench.reconcile(), 1);
  assert.deepEqual([bench.held(A), bench.held(B), bench.held(C)], ['replaced', 'live E1 3', 'other']);
  assert.ok(isEqual(bench));
});

test('invariant 2: a replacement that was missed is repaired in one batch', async () => {
  const bench = makeReconciliation();
  await bench.deliver(bench.bind(A, 'E1'));
  bench.bind(B, 'E1');
  await bench.reconcile();
  const batch = bench.store.commits.find(({ cards }) => cards.has(cardNumber(B)));
  assert.deepEqual(
    [batch?.cards.get(cardNumber(A))?.state, batch?.cards.get(cardNumber(B))?.state],
    ['retired', 'live'],
  );
});

test('a repaired card has the flags that HR gave it', async () => {
  const bench = makeReconciliation();
  bench.bind(A, 'E1', { overridesLockdown: true, extendedRelease: true });
  bench.bind(B, 'E2');
  await bench.reconcile();
  const flagsHeld = [A, B].map((card) => {
    const found = bench.store.findCard(cardNumber(card));
    return found.kind === 'live' && flagsOf(found.binding);
  });
  assert.deepEqual(flagsHeld, [{ overridesLockdown: true, extendedRelease: true }, {}]);
});

test('a card that was activated here stays active through repairs and redeliveries of its own revision, until HR says otherwise', async () => {
  const bench = makeReconciliation();
  const { store, writer } = bench;
  const activation = () => {
    const found = store.findCard(cardNumber(A));
    return found.kind === 'live' && found.binding.activation;
  };
  const message = bench.bind(A, 'E1', { state: 'pending' });
  await bench.deliver(message);
  const found = store.findCard(cardNumber(A));
  assert.ok(found.kind === 'live' && found.binding.activation === 'pending');
  const active = { ...found.binding, activation: 'active' } as const;
  await writer.write((tx) =>
    tx.putChange({ cards: new Map([[cardNumber(A), active]]), cardholders: new Map(), revision: 0 }),
  );
  await bench.deliver(message);
  assert.equal(activation(), 'active', 'redelivered');
  // Another card of its bucket makes HR send the pages that hold this one as pending.
  const neighbour = Array.from({ length: 10_000 }, (_, index) => cardOf(index)).find(
    (card) => bucketOf(cardNumber(card)) === bucketOf(cardNumber(A)),
  );
  assert.ok(neighbour !== undefined);
  bench.bind(neighbour, 'E2');
  assert.equal(await bench.reconcile(), 1);
  assert.equal(bench.held(neighbour), 'live E2 2');
  assert.equal(activation(), 'active', 'repaired');
  await bench.deliver(message);
  assert.equal(activation(), 'active', 'redelivered after the repair');
  await bench.deliver(bench.bind(A, 'E1', { state: 'pending' }));
  assert.equal(activation(), 'pending', 'a newer binding is HR’s to make');
});

test('nothing changes before the last page is there, and an answer that stops is asked for again', async () => {
  const bench = makeReconciliation();
  bench.fill(450);
  const request = await bench.asked();
  const pages = [...bench.hr.pagesFor(request)];
  assert.equal(pages.length, 3);
  for (const page of pages.slice(1)) await bench.page(page);
  assert.equal(bench.store.cards.size, 0);
  await bench.wait(PAGE_LIMIT);
  assert.match(bench.reconciler.alarms().join(), /differs from HR in 2\d\d of 256 buckets: the pages stopped coming/);
  await bench.page(pages[0] ?? assert.fail());
  assert.equal(bench.store.cards.size, 0, 'a page of an answer that was given up changes nothing');
  await bench.wait(2_000);
  assert.equal(await bench.answer(), 1);
  assert.ok(isEqual(bench));
  assert.deepEqual(bench.reconciler.alarms(), []);
});

test('pages in any order, and twice, are one answer', async () => {
  const bench = makeReconciliation();
  bench.fill(450);
  const request = await bench.asked();
  const pages = [...bench.hr.pagesFor(request)].reverse();
  for (const page of [...pages.slice(0, 2), ...pages]) await bench.page(page);
  await bench.writer.idle();
  assert.ok(isEqual(bench));
});

test('what a message has done since the pages were made stays done', async () => {
  const bench = makeReconciliation();
  await bench.deliver(bench.bind(A, 'E1'));
  bench.bind(B, 'E2');
  const request = await bench.asked();
  const pages = [...bench.hr.pagesFor(request)];
  await bench.deliver(bench.revoke(B), bench.bind(A, 'E1', { access: [{ doors: ['lab'] }] }));
  for (const page of pages) await bench.page(page);
  await bench.writer.idle();
  assert.deepEqual([bench.held(A), bench.held(B)], ['live E1 4', 'lost']);
  await bench.digest();
  assert.ok(isEqual(bench));
  assert.equal(bench.store.roster().reconciled, 4);
});

test('invariant 3: a card that is revoked here does not come back by a page, and the difference is reported', async () => {
  const bench = makeReconciliation();
  const binding = bench.bind(A, 'E1');
  await bench.deliver(binding, { ...bench.revoke(A) });
  // HR lost the revocation and counts on: a roster that nobody restored properly.
  bench.hr = newRoster();
  bench.bind(A, 'E1');
  bench.bind(B, 'E2');
  bench.bind(C, 'E3');
  await bench.reconcile();
  assert.deepEqual([bench.held(A), bench.held(B)], ['lost', 'live E2 2']);
  assert.match(bench.reconciler.alarms().join(), /differs from HR in 1 of 256 buckets/);
  await bench.wait(10_000);
  assert.equal(await bench.answer(), 1, 'it goes on asking');
  assert.equal(bench.held(A), 'lost');
});

test("pages that do not add up to HR's digest change nothing", async () => {
  const bench = makeReconciliation();
  await bench.deliver(bench.bind(A, 'E1'));
  bench.bind(B, 'E2');
  const request = await bench.asked();
  for (const page of bench.hr.pagesFor(request)) await bench.page({ ...page, cards: [] });
  assert.deepEqual([bench.held(A), bench.held(B)], ['live E1 1', 'unknown']);
  assert.match(bench.reconciler.alarms().join(), /do not add up/);
});

for (const [what, spoil] of [
  ['answers for other buckets', (page) => ({ ...page, buckets: [...page.buckets].slice(1) })],
  ['counts its pages differently', (page) => ({ ...page, pages: page.pages + 1, page: page.pages + 1 })],
  ['is of another revision', (page) => ({ ...page, revision: 0, cards: [] })],
] as const satisfies readonly [
  string,
  (page: Parameters<ReconcileBench['page']>[0]) => Parameters<ReconcileBench['page']>[0],
][]) {
  test(`an answer with a page that ${what} is thrown away`, async () => {
    const bench = makeReconciliation();
    bench.fill(450);
    const request = await bench.asked();
    const pages = [...bench.hr.pagesFor(request)];
    await bench.page(pages[0] ?? assert.fail());
    await bench.page(spoil(pages[1] ?? assert.fail()));
    for (const page of pages) await bench.page(page);
    assert.equal(bench.store.cards.size, 0);
  });
}

test('a page that nobody asked for is acknowledged and ignored', async () => {
  const bench = makeReconciliation();
  bench.bind(A, 'E1');
  for (const page of bench.hr.pagesFor({ requestId: 'of-another-gateway', buckets: [bucketOf(cardNumber(A))] })) {
    await bench.page(page);
  }
  assert.equal(bench.store.cards.size, 0);
});

test('a digest that is behind what is held asks for nothing; staying behind, it raises an alarm', async () => {
  const bench = makeReconciliation();
  const old = bench.hr.digest();
  await bench.deliver(bench.bind(A, 'E1'));
  await bench.digest(old);
  await bench.wait(MOST_PATIENCE);
  assert.deepEqual([bench.requests(), bench.reconciler.alarms()], [[], []]);
  await bench.wait(1);
  assert.match(bench.reconciler.alarms().join(), /digest is of revision 0, ours is 1/);
  await bench.digest();
  assert.deepEqual(bench.reconciler.alarms(), []);
});

test('offline nothing is asked; the next connect takes it up again', async () => {
  const bench = makeReconciliation();
  bench.bind(A, 'E1');
  await bench.digest();
  bench.link.disconnect();
  await bench.wait(10_000);
  assert.deepEqual(bench.requests(), []);
  bench.link.connect();
  await bench.wait(2_000);
  assert.equal(await bench.answer(), 1);
  assert.ok(isEqual(bench));
});

test('a store that does not take the repair leaves everything as it was, and it is tried again', async () => {
  const bench = makeReconciliation();
  await bench.deliver(bench.bind(A, 'E1'));
  bench.bind(B, 'E1');
  await bench.digest();
  await bench.wait(2_000);
  bench.store.commitFailure = new CardeaError('store-write-failed', 'the disk is full');
  await bench.answer();
  assert.deepEqual([bench.held(A), bench.held(B)], ['live E1 1', 'unknown']);
  assert.match(bench.reconciler.alarms().join(), /the disk is full/);
  bench.store.commitFailure = undefined;
  await bench.wait(10_000);
  await bench.answer();
  assert.deepEqual([bench.held(A), bench.held(B)], ['replaced', 'live E1 2']);
});

test('records that cannot be read are repaired from what HR holds', async () => {
  const bench = makeReconciliation();
  await bench.deliver(bench.bind(A, 'E1'), bench.bind(B, 'E2'));
  bench.store.garbleCard(cardNumber(A));
  bench.store.garbleCardholder(cardholderId('E1'));
  bench.bind(cardOf(7), 'E7');
  // Another card of the same bucket brings the damaged one into the answer.
  for (let index = 100; bench.store.roster().cards < 4 && index < 5_000; index++) {
    if (bucketOf(cardNumber(cardOf(index))) !== bucketOf(cardNumber(A))) continue;
    bench.bind(cardOf(index), 'E1', { supersedes: 'none' });
    break;
  }
  await bench.reconcile();
  for (let round = 0; round < 3 && !isEqual(bench); round++) {
    await bench.wait(300_000);
    await bench.answer();
  }
  assert.equal(bench.held(A), 'live E1 1');
  assert.ok(isEqual(bench));
});

test('a bucket value that its records do not add up to is counted anew', async () => {
  const bench = makeReconciliation();
  await bench.deliver(bench.bind(A, 'E1'), bench.bind(B, 'E2'));
  await bench.writer.write((tx) => tx.putBucket(bucketOf(cardNumber(A)), new Uint8Array(8).fill(9)));
  await bench.reconcile();
  assert.ok(isEqual(bench));
  assert.deepEqual(bench.reconciler.alarms(), []);
  assert.equal(bench.store.roster().reconciled, 2);
});

test('a large roster is asked for in parts, and what differs is applied together', async () => {
  const bench = makeReconciliation();
  for (let index = 0; index < 3 * CARDS_PER_REQUEST; index++) bench.bind(cardOf(index), `E${index}`);
  await bench.digest();
  await bench.wait(2_000);
  assert.equal(await bench.answer(), 4);
  assert.ok(isEqual(bench));
  const repairs = bench.store.commits.filter(({ cards }) => cards.size > 0);
  assert.ok(repairs.every(({ cards }) => cards.size <= 2 * CARDS_PER_REQUEST));
  // Ten that were missed later, in buckets all over the roster, are one batch.
  const missed = Array.from({ length: 10 }, (_, index) => bench.bind(cardOf(100_000 + index), `M${index}`));
  const before = bench.store.commits.length;
  await bench.reconcile();
  assert.ok(isEqual(bench));
  const [repair, ...others] = bench.store.commits.slice(before).filter(({ cards }) => cards.size > 0);
  assert.deepEqual([repair?.cards.size, others.length], [missed.length, 0]);
});

test('without signatures a new epoch waits for an operator; with consent everything follows HR, lower revisions included', async () => {
  const bench = makeReconciliation();
  await bench.deliver(bench.bind(A, 'E1'), bench.bind(B, 'E2'), bench.revoke(C));
  await bench.digest();
  const backup = newRoster();
  bench.hr = restored(backup, '2026-b');
  const rebound = bench.bind(C, 'E3');
  assert.ok(rebound.revision < 3);
  await bench.digest();
  await bench.wait(10_000);
  assert.deepEqual([bench.requests(), bench.held(A)], [[], 'live E1 1']);
  assert.match(bench.reconciler.alarms().join(), /epoch is "2026-b", ours is "2026-a"/);
  await assert.rejects(bench.reconciler.acceptEpoch('2026-c', 'ada'), /offers the epoch 2026-b/);
  await bench.reconciler.acceptEpoch('2026-b', 'ada');
  await bench.wait(2_000);
  await bench.answer();
  assert.deepEqual([bench.held(A), bench.held(B), bench.held(C)], ['other', 'other', 'live E3 1']);
  assert.ok(isEqual(bench));
  assert.deepEqual([bench.store.roster().epoch, bench.reconciler.alarms()], ['2026-b', []]);
  const [consent] = await bench.eventsNamed('operator-action');
  assert.deepEqual(JSON.parse(JSON.stringify(consent?.detail)).operator, 'ada');
  await assert.rejects(bench.reconciler.acceptEpoch('2026-b', 'ada'), /offers no new epoch/);
});

test('with signatures a new epoch is taken at once, and one that is over never comes back', async () => {
  const bench = makeReconciliation({ trustsEpochs: true });
  const binding = bench.bind(A, 'E1');
  await bench.deliver(binding);
  await bench.digest();
  const old = bench.hr.digest();
  bench.hr = restored(newRoster(), '2026-b');
  bench.bind(B, 'E2');
  await bench.reconcile();
  assert.deepEqual([bench.held(A), bench.held(B)], ['other', 'live E2 1']);
  await bench.digest(old);
  await bench.deliver(binding);
  await bench.wait(10_000);
  assert.deepEqual([bench.requests(), bench.held(A), bench.store.roster().epoch], [[], 'other', '2026-b']);
});

test('a digest or page that cannot be understood is answered by a receipt without an id', async () => {
  const bench = makeReconciliation();
  for (const topic of [TOPICS.rosterDigest, TOPICS.rosterPage]) await bench.link.deliver(topic, '{"type":"x"}');
  const entries = bench.store.entries.filter(({ receipt }) => receipt !== undefined);
  assert.deepEqual(
    entries.map(({ receipt }) => {
      const { messageType, messageId, result, code } = JSON.parse(receipt ?? '');
      return [messageType, messageId, result, code];
    }),
    [
      ['roster-digest', null, 'rejected', 'wrong-topic'],
      ['roster-page', null, 'rejected', 'wrong-topic'],
    ],
  );
  assert.deepEqual(bench.store.roster(), emptyRoster());
});

test('a roster that was not compared for too long is stale, and an equal digest makes it fresh', async () => {
  const bench = makeReconciliation({ stalePolicy: 'deny' });
  await bench.digest();
  await bench.wait(24 * 3_600_000);
  assert.deepEqual([bench.freshness.isStale(), bench.freshness.isDenying()], [false, false]);
  await bench.wait(1);
  assert.deepEqual([bench.freshness.isStale(), bench.freshness.isDenying()], [true, true]);
  await bench.digest();
  assert.equal(bench.freshness.isStale(), false);
});

test('the age of the roster goes on over a restart', async () => {
  const disk = new MemoryDisk();
  const bench = makeReconciliation({ store: new MemoryStore(disk) });
  await bench.digest();
  await bench.store.close();
  const later = makeReconciliation({ store: new MemoryStore(disk) });
  assert.equal(later.freshness.isStale(), false);
  later.clock.setNow(bench.clock.now() + 25 * 3_600_000);
  assert.equal(later.freshness.isStale(), true);
  later.clock.setNow(bench.clock.now() - 25 * 3_600_000);
  assert.equal(later.freshness.isStale(), false, 'a clock that stands too early says nothing');
  await later.wait(24 * 3_600_000 + 1);
  assert.equal(later.freshness.isStale(), true, 'the time since the start counts whatever the clock says');
});

test('digests that come in one burst take a gateway into an epoch once', async () => {
  const bench = makeReconciliation({ trustsEpochs: true });
  bench.bind(A, 'E1');
  await Promise.all([bench.digest(), bench.digest(), bench.digest()]);
  assert.deepEqual([bench.store.roster().epoch, bench.store.roster().pastEpochs], ['2026-a', []]);
  bench.hr = restored(bench.hr, '2026-b');
  await Promise.all([bench.digest(), bench.digest()]);
  assert.deepEqual([bench.store.roster().epoch, bench.store.roster().pastEpochs], ['2026-b', ['2026-a']]);
  await bench.reconcile();
  assert.equal(bench.held(A), 'live E1 1');
});

test('an operator who consents twice takes the gateway into the epoch once', async () => {
  const bench = makeReconciliation();
  await bench.digest();
  bench.hr = restored(bench.hr, '2026-b');
  await bench.digest();
  const consents = await Promise.allSettled(['ada', 'ada'].map((who) => bench.reconciler.acceptEpoch('2026-b', who)));
  assert.deepEqual(
    consents.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  assert.deepEqual([bench.store.roster().epoch, bench.store.roster().pastEpochs], ['2026-b', ['2026-a']]);
});

test('pages that were asked for in an epoch are not applied in the next one', async () => {
  const bench = makeReconciliation({ trustsEpochs: true });
  bench.hr = new Roster(
    { site: SITE, cardNumberFormat: 'hex' },
    { epoch: '2026-a', revision: revision(5_000), cards: [] },
  );
  await bench.deliver(bench.bind(A, 'E1'));
  bench.bind(B, 'E2');
  const request = await bench.asked();
  const [page] = bench.hr.pagesFor(request);
  bench.hr = restored(newRoster(), '2026-b');
  bench.bind(C, 'E3');
  await Promise.all([bench.page(page ?? assert.fail()), bench.digest()]);
  await bench.reconcile();
  assert.deepEqual([bench.held(A), bench.held(B), bench.held(C)], ['other', 'unknown', 'live E3 1']);
  assert.equal(bench.store.roster().reconciled, 1);
});

test('invariant 3: a replay from before the restore brings no dead card back on the way into the new epoch', async () => {
  const bench = makeReconciliation({ trustsEpochs: true });
  const binding = bench.bind(A, 'E1');
  await bench.deliver(binding, bench.revoke(A), bench.bind(B, 'E2'));
  await bench.digest();
  bench.hr = restored(bench.hr, '2026-b');
  bench.bind(C, 'E3');
  await bench.digest();
  await bench.deliver(binding);
  assert.equal(bench.held(A), 'lost');
  await bench.wait(2_000);
  await bench.answer();
  assert.deepEqual([bench.held(A), bench.held(B), bench.held(C)], ['lost', 'live E2 3', 'live E3 4']);
});

test('an epoch that is over is an alarm for as long as HR counts in it', async () => {
  const bench = makeReconciliation({ trustsEpochs: true });
  await bench.digest();
  const old = bench.hr.digest();
  bench.hr = restored(bench.hr, '2026-b');
  await bench.digest();
  await bench.digest(old);
  assert.match(bench.reconciler.alarms().join(), /epoch "2026-a", which was over here when "2026-b" began/);
  await bench.digest();
  assert.deepEqual(bench.reconciler.alarms(), []);
});

test('a digest that is ahead of its change is neither an alarm nor an event', async () => {
  const bench = makeReconciliation();
  await bench.digest();
  const change = bench.bind(A, 'E1');
  await bench.digest();
  assert.deepEqual(bench.reconciler.alarms(), []);
  await bench.wait(1_000);
  await bench.deliver(change);
  await bench.wait(2_000);
  assert.deepEqual([bench.requests(), bench.store.roster().reconciled], [[], change.revision]);
  assert.equal((await bench.eventsNamed('roster-divergence')).length, 0);
  assert.equal((await bench.eventsNamed('roster-reconciled')).length, 1, 'the first time that there was a digest');
});

test('invariant 8: an answer whose pages come so slowly that it never ends is given up', async () => {
  const bench = makeReconciliation();
  bench.fill(450);
  const request = await bench.asked();
  const [page] = bench.hr.pagesFor(request);
  for (let waited = 0; waited < ANSWER_LIMIT; waited += 20_000) {
    await bench.page(page ?? assert.fail());
    await bench.wait(20_000);
  }
  assert.match(bench.reconciler.alarms().join(), /the pages stopped coming/);
});

test('invariant 8: an answer with many more cards than HR counts is thrown away', async () => {
  const bench = makeReconciliation();
  bench.bind(A, 'E1');
  const request = await bench.asked();
  for (let index = 0; index <= 2 * CARDS_PER_REQUEST; index++) bench.bind(cardOf(index), `E${index}`);
  for (const page of bench.hr.pagesFor(request)) await bench.page(page);
  assert.equal(bench.store.cards.size, 0);
  assert.ok(
    bench.reconciler
      .alarms()
      .join()
      .includes(`more than ${2 * CARDS_PER_REQUEST} cards`),
  );
});

test('a gateway that stops leaves no timer behind, and what still comes changes nothing', async () => {
  const bench = makeReconciliation();
  bench.bind(A, 'E1');
  const request = await bench.asked();
  bench.reconciler.stop();
  for (const page of bench.hr.pagesFor(request)) await bench.page(page);
  bench.bind(B, 'E2');
  await bench.digest();
  assert.deepEqual([bench.clock.pendingTimers, bench.held(A)], [0, 'unknown']);
});

test('a card whose two persons both have damaged records is repaired', async () => {
  const bench = makeReconciliation();
  await bench.deliver(bench.bind(A, 'E1'), bench.bind(B, 'E2'));
  bench.store.garbleCardholder(cardholderId('E1'));
  bench.store.garbleCardholder(cardholderId('E2'));
  bench.bind(A, 'E2', { transferFrom: 'E1', supersedes: 'none' });
  await bench.reconcile();
  assert.equal(bench.held(A), 'live E2 3');
  assert.deepEqual(bench.store.cardholders.get(cardholderId('E2'))?.cards.toSorted(), [B, A]);
  assert.ok(isEqual(bench));
});

test("the broker's copy of a digest does not make a roster fresh: HR may be gone since", async () => {
  const bench = makeReconciliation({ stalePolicy: 'deny' });
  await bench.deliver(bench.bind(A, 'E1'));
  await bench.digest();
  await bench.wait(24 * 3_600_000 + 1);
  await bench.digest(bench.hr.digest(), { retained: true });
  assert.deepEqual([bench.freshness.isDenying(), bench.store.roster().reconciled], [true, 1]);
  await bench.digest();
  assert.equal(bench.freshness.isDenying(), false);
});

test("with the broker's copy alone a gateway reconciles, and pages are HR's own word", async () => {
  const bench = makeReconciliation({ stalePolicy: 'deny' });
  await bench.wait(24 * 3_600_000 + 1);
  bench.bind(A, 'E1');
  await bench.digest(bench.hr.digest(), { retained: true });
  assert.equal(bench.freshness.isDenying(), true);
  await bench.wait(2_000);
  await bench.answer();
  assert.deepEqual(
    [bench.held(A), bench.freshness.isDenying(), bench.store.roster().reconciled],
    ['live E1 1', false, 1],
  );
});

test('on a disk that is nearly full no roster is asked for; later it is', async () => {
  const bench = makeReconciliation();
  bench.fill(10);
  bench.isDiskFull = true;
  await bench.digest();
  await bench.wait(60_000);
  assert.deepEqual(bench.requests(), []);
  assert.deepEqual(bench.reconciler.alarms(), ['differs from HR in 10 of 256 buckets: the disk is nearly full']);
  bench.isDiskFull = false;
  await bench.wait(300_000);
  assert.notDeepEqual(bench.requests(), []);
});
