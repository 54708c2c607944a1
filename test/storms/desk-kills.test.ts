// The desk is killed at random moments amid 2,000 replacements, asked for one by one until each is answered, or all in one batch:
// nothing is half done, and nothing is done twice.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { verifyAudit } from '../../src/desk/audit-trail.ts';
import {
  type AuditRecord,
  auditRecord,
  cardRecord,
  type DeskCard,
  decodeRecord,
  metaRecord,
  type Operation,
  operationRecord,
} from '../../src/desk/records.ts';
import type { BatchView, OperationView } from '../../src/desk-api/contract.ts';
import { LevelDeskStore } from '../../src/drivers/desk-store/level-desk-store.ts';
import type { DeskRecordKind } from '../../src/ports/desk-store.ts';
import { askUntil, type DeskApi, DeskService } from '../fixtures/desk-service.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { type Random, seededRandom } from '../fixtures/seeded-random.ts';
import { freePort } from '../fixtures/server-process.ts';
import { gatewayKey } from '../fixtures/signed-trust.ts';
import { StormGateway } from '../fixtures/storm-gateway.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { digestFromScratch } from '../flows/roster-model.ts';

const PEOPLE = 2_000;
const KILLS = 15;
/** Requests under way at a time. */
const CLERKS = 40;

const personAt = (index: number): string => `E${10_000 + index}`;
const cardAt = (index: number, kind: 'old' | 'new'): string =>
  `04${(index + (kind === 'old' ? 0x100000 : 0x200000)).toString(16).padStart(12, '0').toUpperCase()}`;

interface Storm {
  readonly desk: DeskService;
  readonly clerk: DeskApi;
  readonly gateway: StormGateway;
  /** By person: the operation that the desk has answered with. */
  readonly answered: Map<number, string>;
}

const openStorm = async (t: TestContext): Promise<Storm> => {
  const broker = await Mosquitto.start();
  t.after(() => broker.close());
  const { file, publicKey } = gatewayKey(t);
  const desk = new DeskService(t, {
    folder: temporaryFolder(t),
    port: broker.port,
    httpPort: await freePort(),
    trust: { messages: 'signed' },
    gateways: { 'lobby-1': { publicKey } },
  });
  const keys = Object.fromEntries((await desk.keys()).map(({ kid, ...key }) => [kid, { ...key }]));
  const gateway = StormGateway.prepare(t, {
    site: 'hq',
    gateway: 'lobby-1',
    mqtt: { url: `mqtt://127.0.0.1:${broker.port}` },
    trust: { messages: 'signed', keys, gatewayKeyFile: file },
  });
  await Promise.all([desk.start(), gateway.start()]);
  const { clerk } = await desk.staff('clerk');
  const employees = Array.from({ length: PEOPLE }, (_, index) => ({ id: personAt(index), name: `Person ${index}` }));
  await clerk.post('/v1/imports', { employees }, 200);
  await forEveryone(async (index) => {
    await clerk.post('/v1/bindings', { cardholder: personAt(index), card: cardAt(index, 'old') });
  });
  return { desk, clerk, gateway, answered: new Map() };
};

const forEveryone = async (work: (index: number) => Promise<void>): Promise<void> => {
  let next = 0;
  const clerk = async (): Promise<void> => {
    while (next < PEOPLE) await work(next++);
  };
  await Promise.all(Array.from({ length: CLERKS }, clerk));
};

/** As a program does that was told to: the same request under the same key, until there is an answer. */
const replaceCardOf = async (index: number, { clerk, answered }: Storm): Promise<void> => {
  const body = { cardholder: personAt(index), newCard: cardAt(index, 'new'), reason: 'lost' };
  for (;;) {
    const answer = await clerk.request('POST', '/v1/replacements', { body, key: `r-${index}` }).catch(() => undefined);
    if (answer === undefined || answer.status >= 500) {
      await pause(20);
      continue;
    }
    const { status, body: told } = answer;
    assert.ok(status === 200 || status === 201, `${status} ${JSON.stringify(told)}`);
    const view: OperationView = told;
    answered.set(index, view.operation.id);
    return;
  }
};

/** Lives until some more requests are answered, or is killed before it was ready. */
const liveAndDie = async ({ desk, answered }: Storm, random: Random): Promise<void> => {
  if (random.below(5) === 0) {
    desk.launch();
    await pause(random.below(1_500));
    await desk.kill();
    return;
  }
  await desk.start();
  const next = Math.min(answered.size + random.below((2 * PEOPLE) / KILLS), PEOPLE - 1);
  await waitFor(() => answered.size >= next, 'further replacements', 60_000);
  await pause(random.below(10));
  await desk.kill();
};

interface Records {
  readonly operations: readonly Operation[];
  readonly cards: readonly DeskCard[];
  readonly audit: readonly AuditRecord[];
  readonly revision: number;
}

const recordsOf = async ({ dataDir }: DeskService): Promise<Records> => {
  const store = await LevelDeskStore.open(join(dataDir, 'store'));
  const all = async <Value>(kind: DeskRecordKind, decode: (value: unknown) => Value): Promise<Value[]> => {
    const found: Value[] = [];
    for await (const [, value] of store.entries(kind)) found.push(decode(value));
    return found;
  };
  const operations = await all('operation', (value) => operationRecord.parse(value));
  const cards = await all('card', (value) => cardRecord.parse(value));
  const audit = await all('audit', (value) => auditRecord.parse(value));
  const meta = decodeRecord(metaRecord, (await store.read('meta', 'desk')) ?? null, 'meta');
  await store.close();
  assert.equal(meta.operations, operations.length);
  return { operations, cards, audit, revision: meta.revision };
};

/** What two changes for each person have to leave, and nothing beside it. */
const assertEachIsDoneOnce = ({ operations, cards, revision }: Records, { answered }: Storm): void => {
  assert.equal(revision, 2 * PEOPLE);
  assert.deepEqual(
    operations.map(({ message }) => message.revision),
    operations.map((_, index) => index + 1),
  );
  const replacements = new Map(
    operations.flatMap((operation) => (operation.kind === 'replacement' ? [[operation.id, operation] as const] : [])),
  );
  assert.equal(replacements.size, PEOPLE);
  for (let index = 0; index < PEOPLE; index++) {
    const operation = replacements.get(answered.get(index) ?? '');
    assert.equal(operation?.cardholder, personAt(index));
    assert.equal(operation?.newCard, cardAt(index, 'new'));
    assert.deepEqual(operation?.stoppedCards, [cardAt(index, 'old')]);
  }
  const live = cards.filter(({ state }) => state === 'live');
  assert.deepEqual(
    live.map(({ cardholder, card }) => `${cardholder} ${card}`).sort(),
    Array.from({ length: PEOPLE }, (_, index) => `${personAt(index)} ${cardAt(index, 'new')}`).sort(),
  );
  assert.equal(cards.length, 2 * PEOPLE);
  for (const card of cards) if (card.state === 'stopped') assert.equal(card.reason, 'lost');
};

const assertAuditIsWhole = async ({ audit, operations }: Records): Promise<void> => {
  const check = await verifyAudit(
    (async function* () {
      yield* audit;
    })(),
  );
  assert.deepEqual([check.records, check.fault], [audit.length, undefined]);
  const named = audit.flatMap(({ operation, outcome }) =>
    operation !== null && outcome === 'done' ? [operation] : [],
  );
  assert.deepEqual(
    named,
    operations.map(({ id }) => id),
  );
};

/** What both sides have in the end, when the gateway has heard of everything. */
const assertWholeInTheEnd = async (storm: Storm): Promise<void> => {
  const { desk, clerk, gateway } = storm;
  const { gateways } = await askUntil(
    () => clerk.status(),
    ({ openOperations, unsent }) => openOperations === 0 && unsent === 0,
    180,
  );
  assert.deepEqual(
    gateways.map(({ gateway: id, isVerified }) => [id, isVerified]),
    [['lobby-1', true]],
  );
  assert.equal(await desk.stop(), 0);
  const records = await recordsOf(desk);
  assertEachIsDoneOnce(records, storm);
  await assertAuditIsWhole(records);
  const live = records.cards.filter(({ state }) => state === 'live');
  await gateway.holdsRoster(digestFromScratch(live.map(({ card, revision }) => [card, revision])));
};

const launchFor = async (desk: DeskService, milliseconds: number): Promise<void> => {
  desk.launch();
  await pause(milliseconds);
};

const seed = Number(process.env['STORM_SEED'] ?? Date.now() % 1_000_000_007);

test(`killed ${KILLS} times amid ${PEOPLE} replacements, the desk has done each of them once, and the gateway too (seed ${seed})`, async (t) => {
  const random = seededRandom(seed);
  const storm = await openStorm(t);
  const { desk, answered } = storm;
  const replacing = forEveryone((index) => replaceCardOf(index, storm));
  await desk.kill();
  for (let kills = 1; kills < KILLS; kills++) await liveAndDie(storm, random);
  const during = answered.size;
  await desk.start();
  await replacing;
  assert.ok(during < PEOPLE, 'the replacements were over before the storm');
  await assertWholeInTheEnd(storm);
  t.diagnostic(`${during} replacements were answered amid the kills`);
});

test(`killed ${KILLS} times amid a batch of ${PEOPLE}, the desk goes on with it by itself, each line once (seed ${seed})`, async (t) => {
  const random = seededRandom(seed);
  const storm = await openStorm(t);
  const { desk, clerk, answered } = storm;
  const rows = Array.from({ length: PEOPLE }, (_, index) => ({
    ...{ line: index + 1, cardholder: personAt(index), newCard: cardAt(index, 'new'), reason: 'lost' },
  }));
  await clerk.post('/v1/batches', { id: 'storm', mode: 'all', rows }, 202);
  const begun: number[] = [];
  for (let kills = 0; kills < KILLS; kills++) {
    if (kills > 0 && random.below(4) > 0) await desk.start();
    else if (kills > 0) await launchFor(desk, random.below(2_500));
    await pause(random.below(60));
    await desk.kill();
    begun.push((await recordsOf(desk)).operations.length - PEOPLE);
  }
  await desk.start();
  // The same again is the same batch.
  await clerk.post('/v1/batches', { id: 'storm', mode: 'all', rows }, 202);
  const view = await askUntil(
    () => clerk.get<BatchView>('/v1/batches/storm?wait=10'),
    ({ state, confirmed }) => state === 'finished' && confirmed === PEOPLE,
    180,
  );
  assert.deepEqual([view.done + view.already, view.refused], [PEOPLE, 0]);
  for (const { line, operation } of view.lines) answered.set(line - 1, operation ?? '');
  assert.ok(
    begun.some((count) => count > 0 && count < PEOPLE),
    `the batch was never in the middle: ${begun.join(', ')}`,
  );
  await assertWholeInTheEnd(storm);
  t.diagnostic(`lines that were begun when it was killed: ${begun.join(', ')}`);
});
