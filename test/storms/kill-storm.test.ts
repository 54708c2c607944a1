// The gateway is killed, at random moments and as by a power cut, thirty times while 20,000 signed changes stream in.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { cardNumbers, modelMessageOf } from '../fixtures/random-history.ts';
import { type Random, seededRandom } from '../fixtures/seeded-random.ts';
import { assertIsOfHistory, openStormSite, type StormSite, vouchedFor } from '../fixtures/storm-site.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { digestFromScratch } from '../flows/change-flow.ts';
import { RosterModel } from '../flows/roster-model.ts';

const CHANGES = 20_000;
const KILLS = 30;
const CARDS = cardNumbers(2_000);
/** Changes that HR publishes together. */
const BATCH = 250;
/** Changes that are under way at a time at most, so that the stream lasts as long as the storm. */
const MOST_UNDER_WAY = 3_000;

const stream = async ({ desk, history, traffic }: StormSite): Promise<void> => {
  while (history.messages.length < CHANGES) {
    await desk.publish(history.go(BATCH));
    const isTaken = (): boolean => history.messages.length - traffic.acknowledged < MOST_UNDER_WAY;
    await waitFor(isTaken, 'the gateway to keep up', 120_000);
  }
};

const assertHolds = async ({ gateway, history }: StormSite, vouched: number): Promise<void> =>
  assertIsOfHistory((await gateway.status()).status.roster, { history, vouched });

/** Starts it, sees what it has kept, and kills it when it has taken some more changes, or before it was ready. */
const liveAndDie = async (storm: StormSite, random: Random): Promise<void> => {
  const { gateway, traffic } = storm;
  const promised = vouchedFor(storm);
  if (random.below(6) === 0) {
    const starting = gateway.process.start().catch(() => {});
    await pause(random.below(400));
    await gateway.process.kill();
    await starting;
    return;
  }
  await gateway.process.start();
  await assertHolds(storm, promised);
  const next = traffic.acknowledged + random.below(1_200);
  await waitFor(() => traffic.acknowledged >= next, 'further changes to be acknowledged', 60_000);
  await pause(random.below(10));
  await gateway.process.kill();
};

const assertReceiptsAreTrue = ({ archive, history }: StormSite): void => {
  for (const { roster, sequence } of archive.receipts.values()) {
    const { revision, cards, digest } = roster;
    assert.deepEqual({ cards, digest }, history.stateAt(revision), `receipt ${sequence}`);
  }
  for (const { messageId, revision } of history.messages) {
    const [sequence, ...others] = archive.appliedBy(messageId);
    assert.deepEqual(others, [], `${messageId} was applied more than once`);
    assert.equal(
      archive.receipts.get(sequence ?? 0)?.roster.revision,
      revision,
      `${messageId} was applied out of turn`,
    );
  }
};

/** The reference model shares nothing with the code under test. */
const assertHoldsTheModelsRoster = async ({ gateway, history }: StormSite): Promise<void> => {
  const model = new RosterModel();
  for (const message of history.messages) model.take(modelMessageOf(message));
  const expected = model.allowList();
  const { status } = await gateway.status();
  assert.equal(status.roster.digest, digestFromScratch([...expected].map(([card, [, revision]]) => [card, revision])));
  const held = await gateway.allowListOf(CARDS);
  assert.deepEqual(
    held,
    new Map(
      CARDS.flatMap((card) => [[card, expected.get(card)] as const]).filter(([, binding]) => binding !== undefined),
    ),
  );
};

const seed = Number(process.env['STORM_SEED'] ?? Date.now() % 1_000_000_007);

test(`killed ${KILLS} times amid ${CHANGES} changes, a gateway keeps all that it has acknowledged or receipted (seed ${seed})`, async (t) => {
  const random = seededRandom(seed);
  const storm = await openStormSite(t, { random, cards: CARDS, people: 400 });
  const { gateway, archive, traffic, desk } = storm;
  // Once, so that the broker keeps a session for it.
  await gateway.start();
  const streaming = stream(storm);
  await gateway.process.kill();
  for (let kills = 1; kills < KILLS; kills++) await liveAndDie(storm, random);
  const during = traffic.acknowledged;
  assert.ok(during < CHANGES, 'the stream was over before the storm');
  await gateway.start();
  await streaming;
  await archive.waitForApplied(CHANGES);
  await gateway.waitUntil(({ status }) => status.outbox.pending === 0, 'through with its outbox');
  await archive.waitForEvents(await gateway.lastEvent());
  await assertHolds(storm, CHANGES);
  await assertHoldsTheModelsRoster(storm);
  assertReceiptsAreTrue(storm);
  archive.assertWholeLog();
  assert.deepEqual(desk.faults, []);
  const { size } = archive.receipts;
  t.diagnostic(`${during} changes were taken amid the kills, ${traffic.delivered} deliveries, ${size} receipts`);
});
