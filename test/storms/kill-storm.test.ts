// The gateway is killed, at random moments and as by a power cut, thirty times while 20,000 signed changes stream in.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { AcknowledgementTap } from '../fixtures/acknowledgement-tap.ts';
import { ArchivingDesk } from '../fixtures/archiving-desk.ts';
import type { GatewayArchive } from '../fixtures/gateway-archive.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { cardNumbers, modelMessageOf, personNumbers, RandomHistory } from '../fixtures/random-history.ts';
import { type Random, seededRandom } from '../fixtures/seeded-random.ts';
import { signedTrust } from '../fixtures/signed-trust.ts';
import { signingKey } from '../fixtures/signing-keys.ts';
import { StormGateway } from '../fixtures/storm-gateway.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { digestFromScratch } from '../flows/change-flow.ts';
import { RosterModel } from '../flows/roster-model.ts';

const CHANGES = 20_000;
const KILLS = 30;
const SITE = 'hq';
const GATEWAY = 'lobby-1';
const HR_KEY = signingKey('hr-2026', 'bind', 'revoke', 'roster');
const CARDS = cardNumbers(2_000);
/** Changes that HR publishes together. */
const BATCH = 250;
/** Changes that are under way at a time at most, so that the stream lasts as long as the storm. */
const MOST_UNDER_WAY = 3_000;

interface Storm {
  readonly desk: ArchivingDesk;
  readonly archive: GatewayArchive;
  readonly history: RandomHistory;
  readonly gateway: StormGateway;
  /** What has passed by: deliveries of changes, and the highest revision that the gateway has acknowledged. */
  readonly traffic: { delivered: number; acknowledged: number };
}

const openStorm = async (t: TestContext, random: Random): Promise<Storm> => {
  const broker = await Mosquitto.start({ settings: ['max_inflight_messages 200'] });
  t.after(() => broker.close());
  const traffic = { delivered: 0, acknowledged: 0 };
  const tap = await AcknowledgementTap.open({
    port: broker.port,
    protocolVersion: 5,
    onDelivered: (payload) => {
      if (changeIn(payload) !== undefined) traffic.delivered += 1;
    },
    onAcknowledged: (payload) => {
      traffic.acknowledged = Math.max(traffic.acknowledged, changeIn(payload) ?? 0);
    },
  });
  t.after(() => tap.close());
  const { trusting, open } = signedTrust(t);
  const desk = await ArchivingDesk.open({ port: broker.port, site: SITE, seal: HR_KEY.seal, open });
  t.after(() => desk.close());
  const mqtt = { url: `mqtt://127.0.0.1:${tap.port}` };
  const gateway = StormGateway.prepare(t, { site: SITE, gateway: GATEWAY, mqtt, trust: trusting(HR_KEY) });
  const history = new RandomHistory({ roster: desk.roster, random, cards: CARDS, people: personNumbers(400) });
  return { desk, archive: desk.archiveOf(GATEWAY), history, gateway, traffic };
};

/** The revision of a change in a JWS; undefined for a digest or a page. */
const changeIn = (payload: Buffer): number | undefined => {
  const [, json = ''] = payload.toString().split('.');
  const { type, revision } = JSON.parse(Buffer.from(json, 'base64url').toString());
  return type === 'card-bound' || type === 'card-revoked' ? revision : undefined;
};

const stream = async ({ desk, history, traffic }: Storm): Promise<void> => {
  while (history.messages.length < CHANGES) {
    await desk.publish(history.go(BATCH));
    const isTaken = (): boolean => history.messages.length - traffic.acknowledged < MOST_UNDER_WAY;
    await waitFor(isTaken, 'the gateway to keep up', 120_000);
  }
};

/** What the store holds is HR's roster as it was after one of its changes, not before the last that the gateway has vouched for. */
const assertHolds = async ({ gateway, history }: Storm, vouchedFor: number): Promise<void> => {
  const { revision, cards, digest } = (await gateway.status()).status.roster;
  assert.ok(revision >= vouchedFor, `acknowledged or receipted: ${vouchedFor}, in the store: ${revision}`);
  assert.deepEqual({ cards, digest }, history.stateAt(revision));
};

/** The highest revision that the gateway has acknowledged, or stated in a receipt. */
const vouchedFor = ({ traffic, archive }: Storm): number =>
  [...archive.receipts.values()].reduce((most, { roster }) => Math.max(most, roster.revision), traffic.acknowledged);

/** Starts it, sees what it has kept, and kills it when it has taken some more changes, or before it was ready. */
const liveAndDie = async (storm: Storm, random: Random): Promise<void> => {
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

const assertReceiptsAreTrue = ({ archive, history }: Storm): void => {
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
const assertHoldsTheModelsRoster = async ({ gateway, history }: Storm): Promise<void> => {
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
  const storm = await openStorm(t, random);
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
