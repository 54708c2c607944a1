// A whole gateway, backed up while it works, and restored into another one that has its name and an empty disk.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { AdminClient } from '../../src/cli/admin-client.ts';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { CHAIN_START, checkItem, finishChain } from '../../src/domain/log-chain.ts';
import { emptyRoster, toggleCard } from '../../src/domain/roster-digest.ts';
import { startGateway } from '../../src/gateway.ts';
import { run } from '../cli/cli-bench.ts';
import { batchOf } from '../contracts/store.contract.ts';
import { bindingOf, cardholderId, cardNumber, revision } from '../domain/samples.ts';
import { cardNumbers } from '../fixtures/random-history.ts';
import { simulatedConfig } from '../fixtures/simulated-config.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { openDataDir } from '../fixtures/test-store.ts';

const CARDS = cardNumbers(300);
const [CARD = ''] = CARDS;

const siteOf = (t: TestContext) => {
  const { config, folder } = simulatedConfig(t);
  const socket = join(folder, 'cardea.sock');
  const admin = new AdminClient({ socket });
  return {
    folder,
    start: async (stalePolicy: 'allow' | 'deny' = 'allow') => {
      const gateway = await startGateway({ ...config, reconcile: { ...config.reconcile, stalePolicy } });
      t.after(() => gateway.stop('end of test'));
      return gateway;
    },
    tap: () => admin.call('tap', { reader: 'front-in', uid: CARD, operator: 'ada' }),
    cardea: (...args: string[]) => run([...args, '--socket', socket]),
    store: () => openDataDir(join(folder, 'data')),
  };
};

/** Every card opens every door. */
const fill = async (site: ReturnType<typeof siteOf>): Promise<void> => {
  const store = await site.store();
  const { buckets } = emptyRoster();
  const cards = new Map(
    CARDS.map((text, index) => {
      const card = cardNumber(text);
      toggleCard(buckets, card, revision(index + 1));
      return [card, bindingOf({ revision: revision(index + 1), cardholder: cardholderId(`E${index}`) })];
    }),
  );
  const cardholders = new Map([...cards].map(([card, { cardholder }]) => [cardholder, { cards: [card] }]));
  const roster = { ...emptyRoster(), revision: revision(CARDS.length), cards: CARDS.length, buckets };
  await store.commit(batchOf({ cards, cardholders, roster }));
  await store.close();
};

test('a gateway on a new disk is what it was, decides while it is restored, and its log is one chain', async (t) => {
  const keys = temporaryFolder(t);
  const file = join(keys, 'backup.age');
  const identity = await generateX25519Identity();
  const identityFile = join(keys, 'identity');
  writeFileSync(identityFile, identity);

  const old = siteOf(t);
  // A first start makes the key of the store.
  await (await old.start()).stop('to be filled');
  await fill(old);
  const first = await old.start();
  assert.equal((await old.tap()).outcome, 'granted');
  const [backedUp, during] = await Promise.all([
    old.cardea('backup', file, '--recipient', await identityToRecipient(identity)),
    old.tap(),
  ]);
  assert.deepEqual([backedUp.code, backedUp.errors, during.outcome], [EXIT.ok, '', 'granted']);
  await first.stop('its disk is worn out');

  const fresh = siteOf(t);
  const second = await fresh.start('deny');
  const [restored, tap] = await Promise.all([
    fresh.cardea('restore', file, '--identity-file', identityFile, '--json'),
    fresh.tap(),
  ]);
  assert.deepEqual([restored.code, restored.errors], [EXIT.ok, '']);
  assert.equal(tap.outcome, 'denied');
  const { log, missing } = JSON.parse(restored.output);
  assert.equal(log, 'replaced');
  assert.ok(missing.to > 1_000_000);
  const { roster, alarms } = second.describe();
  assert.equal(roster.cards, CARDS.length);
  assert.ok(alarms.includes('roster: restored from a backup, not compared with HR yet; every card is denied'));
  const denied = await fresh.tap();
  assert.ok(denied.outcome === 'denied');
  assert.equal(denied.reason, 'roster-stale');
  await second.stop('end of test');

  const store = await fresh.store();
  const entries = await store.entriesAfter(0, 1_000);
  await store.close();
  const items = entries.map(({ event }) => ({ kind: 'record', event }) as const);
  const chain = finishChain(items.reduce(checkItem, CHAIN_START));
  assert.equal(chain.fault, undefined);
  assert.equal(chain.first, 1);
  assert.equal(chain.gaps, 1);
  const starts = entries.filter(({ event }) => event.event === 'gateway-started');
  assert.deepEqual(
    starts.map(({ event }) => event.sequence > 1_000_000),
    [false, false, true],
  );
});
