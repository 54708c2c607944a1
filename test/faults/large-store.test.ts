// A gateway whose roster is too large to be looked at before its doors work: they work at once, and nothing that is wrong opens them.

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AdminClient } from '../../src/cli/admin-client.ts';
import type { CardNumber } from '../../src/domain/card-number.ts';
import { bucketOf, DIGEST_BYTES, emptyRoster, toggleCard } from '../../src/domain/roster-digest.ts';
import { MOST_CARDS_AT_ONCE } from '../../src/drivers/level/trusted-store.ts';
import { startGateway } from '../../src/gateway.ts';
import { batchOf } from '../contracts/store.contract.ts';
import { bindingOf, cardholderId, cardNumber, revision, scheduleId, tombstoneOf } from '../domain/samples.ts';
import { cardNumbers } from '../fixtures/random-history.ts';
import { simulatedConfig } from '../fixtures/simulated-config.ts';
import { openDataDir } from '../fixtures/test-store.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const CARDS = cardNumbers(MOST_CARDS_AT_ONCE + 10).map((text) => cardNumber(text));
const [CARD, LOST] = [CARDS[0], CARDS[1]] as [CardNumber, CardNumber];
const NEIGHBOUR = CARDS.find((card) => card !== LOST && bucketOf(card) === bucketOf(LOST)) as CardNumber;

const bound = (index: number) => {
  const access = [{ doors: ['*'] as const, schedule: scheduleId('always') }];
  return bindingOf({ revision: revision(index + 1), cardholder: cardholderId(`E${index}`), access });
};

/** A site whose HR has revoked LOST; with `resurrected` the card's record is what it was before. */
const siteWith = async (t: TestContext, { resurrected }: { readonly resurrected: boolean }) => {
  const { config, folder } = simulatedConfig(t);
  await (await startGateway(config)).stop('to be filled');
  const store = await openDataDir(config.dataDir);
  const buckets = new Uint8Array(DIGEST_BYTES);
  for (const [index, card] of CARDS.entries()) if (card !== LOST) toggleCard(buckets, card, revision(index + 1));
  const cards = new Map(CARDS.map((card, index) => [card, bound(index)]));
  const roster = { ...emptyRoster(), revision: revision(CARDS.length + 1), cards: CARDS.length - 1, buckets };
  await store.commit(batchOf({ cards, roster }));
  if (!resurrected) await store.commit(batchOf({ cards: new Map([[LOST, tombstoneOf()]]), roster }));
  await store.close();
  const admin = new AdminClient({ socket: join(folder, 'cardea.sock') });
  const tap = async (card: CardNumber): Promise<string | undefined> =>
    /"reason":"([a-z-]+)"/.exec(
      JSON.stringify(await admin.call('tap', { reader: 'front-in', uid: card, operator: 'test' })),
    )?.[1];
  return { config, tap };
};

test('a large roster opens its doors before all of it was looked at, and is as sound afterwards', async (t) => {
  const { config, tap } = await siteWith(t, { resurrected: false });
  const gateway = await startGateway(config);
  t.after(() => gateway.stop('end of test'));
  assert.deepEqual(await Promise.all([CARD, LOST, NEIGHBOUR].map(tap)), [undefined, 'lost', undefined]);
  assert.equal(await tap(cardNumber('0BADCAFE')), 'unknown-card');
  assert.equal(existsSync(join(config.dataDir, 'store.suspect')), false);
});

test('a revoked card that is back opens nothing, no card after it does, and the next start sets the store aside', async (t) => {
  const { config, tap } = await siteWith(t, { resurrected: true });
  const gateway = await startGateway(config);
  const reasons = await Promise.all([LOST, NEIGHBOUR].map(tap)).catch(() => undefined);
  // It may have found out by itself, and be gone, before the cards came.
  assert.ok(reasons === undefined || reasons.every((reason) => reason === 'store-failure'), String(reasons));
  await gateway.stopped;
  assert.equal(existsSync(join(config.dataDir, 'store.suspect')), true);

  const second = await startGateway(config);
  t.after(() => second.stop('end of test'));
  assert.equal(readdirSync(config.dataDir).filter((name) => name.startsWith('store.damaged-')).length, 1);
  assert.equal(existsSync(join(config.dataDir, 'store.suspect')), false);
  assert.equal(await tap(LOST), 'store-failure');
  assert.match(second.describe().alarms.join(), /do not add up to the digest/);
});

test('what is wrong is found though no card comes to a reader, and the gateway ends', async (t) => {
  const { config } = await siteWith(t, { resurrected: true });
  const gateway = await startGateway(config);
  await gateway.stopped;
  await waitFor(() => existsSync(join(config.dataDir, 'store.suspect')), 'the mark for the next start');
});
