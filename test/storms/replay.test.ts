// All that HR has ever said, said again in random order: no dead card comes back to life.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ArchivingDesk } from '../fixtures/archiving-desk.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { cardNumbers, liveAtHr, personNumbers, RandomHistory } from '../fixtures/random-history.ts';
import { seededRandom } from '../fixtures/seeded-random.ts';
import { StormGateway } from '../fixtures/storm-gateway.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const SITE = 'hq';
const GATEWAY = 'lobby-1';
const CHANGES = 20_000;
const CARDS = cardNumbers(3_000);
const SEED = 20_261_122;

const open = async (t: TestContext) => {
  const broker = await Mosquitto.start({ settings: ['max_inflight_messages 200'] });
  t.after(() => broker.close());
  const desk = await ArchivingDesk.open({ port: broker.port, site: SITE });
  t.after(() => desk.close());
  const mqtt = { url: `mqtt://127.0.0.1:${broker.port}` };
  const gateway = StormGateway.prepare(t, { site: SITE, gateway: GATEWAY, mqtt });
  await gateway.start();
  const random = seededRandom(SEED);
  const history = new RandomHistory({ roster: desk.roster, random, cards: CARDS, people: personNumbers(800) });
  return { desk, gateway, random, history };
};

test(`${CHANGES} messages replayed in random order resurrect nothing, before a digest has confirmed the roster and after`, async (t) => {
  const { desk, gateway, random, history } = await open(t);
  const archive = desk.archiveOf(GATEWAY);
  await desk.repeat(history.go(CHANGES - 1));

  const assertNothingResurrects = async (): Promise<void> => {
    await gateway.holdsRoster(desk.digest);
    const { messages } = history;
    await waitFor(() => archive.appliedCount === messages.length, 'a receipt for each change', 60_000);
    const receiptsBefore = archive.receipts.size;
    await desk.repeat(random.shuffled(messages));
    const isAnswered = (): boolean => archive.receipts.size === receiptsBefore + messages.length;
    await waitFor(isAnswered, 'a receipt for each repetition', 120_000);
    const answers = [...archive.receipts.values()].slice(receiptsBefore);
    assert.deepEqual([...new Set(answers.map(({ result }) => result))].sort(), ['duplicate', 'stale']);
    assert.deepEqual([...new Set(answers.map(({ roster }) => roster.digest))], [desk.digest]);
    assert.deepEqual(await gateway.allowListOf(CARDS), liveAtHr(desk.roster, CARDS));
  };

  const reconciledAt = async (): Promise<string | null> => (await gateway.status()).status.roster.reconciledAt;
  const before = await reconciledAt();
  await assertNothingResurrects();
  assert.equal(await reconciledAt(), before, 'records and watermarks were to be put to the test alone');

  await desk.publish(history.go(1));
  await gateway.waitUntil(({ status }) => status.roster.reconciledAt !== before, 'reconciled with HR');
  await assertNothingResurrects();
  assert.deepEqual([desk.faults, archive.faults], [[], []]);
});
