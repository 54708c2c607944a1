// Changes that the broker loses on their way to a gateway that is away: the digest tells, and pages bring them.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ArchivingDesk } from '../fixtures/archiving-desk.ts';
import type { GatewayArchive } from '../fixtures/gateway-archive.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { cardNumbers, fillRoster, liveAtHr, personNumbers, RandomHistory } from '../fixtures/random-history.ts';
import { type Random, seededRandom } from '../fixtures/seeded-random.ts';
import { StormGateway } from '../fixtures/storm-gateway.ts';

const SITE = 'hq';
const GATEWAY = 'lobby-1';
const SEED = 20_261_122;

interface Absence {
  readonly broker: Mosquitto;
  readonly desk: ArchivingDesk;
  readonly archive: GatewayArchive;
  readonly gateway: StormGateway;
  readonly random: Random;
  readonly cards: readonly string[];
}

interface AbsenceOptions {
  /** Lines of mosquitto.conf. */
  readonly settings?: readonly string[];
  /** Cards that are bound before. */
  readonly bound: number;
  /** Made while the gateway is away. */
  readonly changes: number;
}

/** A gateway that has held HR's roster, was stopped, and has missed all that happened since. */
const missChanges = async (t: TestContext, { settings = [], bound, changes }: AbsenceOptions): Promise<Absence> => {
  const broker = await Mosquitto.start({ settings });
  t.after(() => broker.close());
  const desk = await ArchivingDesk.open({ port: broker.port, site: SITE });
  t.after(() => desk.close());
  const mqtt = { url: `mqtt://127.0.0.1:${broker.port}` };
  const gateway = StormGateway.prepare(t, { site: SITE, gateway: GATEWAY, mqtt });
  await gateway.start();
  const cards = cardNumbers(Math.ceil(1.4 * bound));
  await desk.publish([fillRoster(desk.roster, cards.slice(0, bound))]);
  await gateway.holdsRoster(desk.digest);
  await gateway.process.stop();
  const random = seededRandom(SEED);
  const history = new RandomHistory({ roster: desk.roster, random, cards, people: personNumbers(bound) });
  await desk.publish(history.go(changes));
  return { broker, desk, archive: desk.archiveOf(GATEWAY), gateway, random, cards };
};

/** By its digest, and by what a tap with some of the cards would give. */
const assertHoldsHrsRoster = async ({ gateway, desk, random, cards }: Absence): Promise<void> => {
  await gateway.holdsRoster(desk.digest);
  const some = random.shuffled(cards).slice(0, 2_000);
  assert.deepEqual(await gateway.allowListOf(some), liveAtHr(desk.roster, some));
  assert.deepEqual(desk.faults, []);
};

test('a broker that was killed and has lost 2,000 changes with its memory: the gateway gets them by pages', async (t) => {
  const absence = await missChanges(t, { bound: 1_000, changes: 2_000 });
  const { broker, desk, archive, gateway } = absence;
  const before = archive.appliedCount;
  await broker.kill();
  await broker.resume({ forget: true });
  await desk.connected();
  await gateway.start();
  await assertHoldsHrsRoster(absence);
  assert.equal(archive.appliedCount, before, 'a change that was to be lost has arrived');
});

test('a broker that keeps 100 of 5,000 changes: the gateway gets the others by pages', async (t) => {
  const settings = ['max_queued_messages 100', 'max_inflight_messages 20'];
  const absence = await missChanges(t, { settings, bound: 2_000, changes: 5_000 });
  await absence.gateway.start();
  await assertHoldsHrsRoster(absence);
  assert.ok(absence.archive.appliedCount < 500, `${absence.archive.appliedCount} changes have arrived`);
});

test('away during 50,000 changes of a roster of more than 50,000 cards, with the broker’s default queue, a gateway finds its way back', async (t) => {
  const settings = ['max_queued_messages 1000'];
  const absence = await missChanges(t, { settings, bound: 70_000, changes: 50_000 });
  const { gateway, desk, archive } = absence;
  assert.ok(desk.roster.size > 50_000, `HR's roster has shrunk to ${desk.roster.size} cards`);
  await gateway.start();
  const connected = performance.now();
  await gateway.holdsRoster(desk.digest);
  const took = Math.round(performance.now() - connected);
  await assertHoldsHrsRoster(absence);
  const held = `${desk.roster.size} cards, ${archive.appliedCount} changes by message, the others by pages`;
  t.diagnostic(`from connect to HR's roster: ${took} ms; ${held}`);
});
