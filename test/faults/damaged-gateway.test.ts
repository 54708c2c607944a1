// A gateway whose store was damaged: what its doors, its receipts, its status and its log say until HR has confirmed the roster.

import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AdminClient } from '../../src/cli/admin-client.ts';
import type { Config } from '../../src/config/config.ts';
import { DIGEST_BYTES, emptyRoster, toggleCard } from '../../src/domain/roster-digest.ts';
import { type RunningGateway, startGateway } from '../../src/gateway.ts';
import { bindingOf, cardholderId, cardNumber, revision, scheduleId } from '../domain/samples.ts';
import { HrClient } from '../fixtures/hr-client.ts';
import { simulatedConfig } from '../fixtures/simulated-config.ts';
import { openDataDir } from '../fixtures/test-store.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const CARD = 'DEADBEEF';
const COMMON = { site: 'hq', issuedAt: '2026-01-05T08:00:00Z', operator: 'hr' };
const ROOT = 'cardea/hq';

/** A gateway with one bound card, whose store has lost its CURRENT since. */
const damagedSite = async (t: TestContext): Promise<{ readonly config: Config; readonly folder: string }> => {
  const { config, folder } = simulatedConfig(t);
  await (await startGateway(config)).stop('to be filled');
  const store = await openDataDir(config.dataDir);
  const buckets = new Uint8Array(DIGEST_BYTES);
  const binding = bindingOf({ access: [{ doors: ['*'], schedule: scheduleId('always') }] });
  toggleCard(buckets, cardNumber(CARD), binding.revision);
  await store.commit({
    cards: new Map([[cardNumber(CARD), binding]]),
    cardholders: new Map([[cardholderId('E1001'), { cards: [cardNumber(CARD)] }]]),
    roster: { ...emptyRoster(), revision: binding.revision, cards: 1, buckets },
    doorOrders: new Map(),
    commands: undefined,
    entries: [],
  });
  await store.close();
  rmSync(join(config.dataDir, 'store', 'CURRENT'));
  return { config, folder };
};

const storeAlarms = (gateway: RunningGateway): string[] => {
  const { alarms } = gateway.describe();
  return alarms.filter((alarm) => alarm.startsWith('store: '));
};

test('cards are denied, receipts and status say why, and HR fills and confirms the new store', async (t) => {
  const { config, folder } = await damagedSite(t);
  const gateway = await startGateway(config);
  t.after(() => gateway.stop('end of test'));
  const admin = new AdminClient({ socket: join(folder, 'cardea.sock') });
  const tap = () => admin.call('tap', { reader: 'front-in', uid: CARD, operator: 'test' });
  assert.deepEqual(await reasonOf(tap()), 'store-failure');
  assert.match(storeAlarms(gateway).join(), /was damaged.*no card opens/);
  assert.equal(readdirSync(config.dataDir).filter((name) => name.startsWith('store.damaged-')).length, 1);

  const hr = await HrClient.connect({ port: Number(new URL(gateway.brokerUrl).port) });
  t.after(() => hr.close());
  const bound = { type: 'card-bound', ...COMMON, messageId: 'm-2', revision: 2, card: CARD };
  const access = [{ doors: ['*'] }];
  await hr.publish(`${ROOT}/hr/card-bound`, { ...bound, cardholder: { id: 'E1001' }, access });
  await waitFor(() => hr.json('/receipt').length > 0, 'a receipt');
  const [receipt] = hr.json('/receipt');
  assert.ok(isObject(receipt));
  assert.equal(receipt['result'], 'applied');
  assert.deepEqual([receipt['doors'], receipt['warnings']], [[], ['store-damaged']]);
  assert.deepEqual(await reasonOf(tap()), 'store-failure');

  const buckets = new Uint8Array(DIGEST_BYTES);
  toggleCard(buckets, cardNumber(CARD), revision(2));
  const digest = { type: 'roster-digest', site: 'hq', revision: 2, cards: 1, epoch: '2026-a' };
  await hr.publish(`${ROOT}/hr/roster-digest`, { ...digest, buckets: Buffer.from(buckets).toString('base64') });
  await waitFor(() => gateway.describe().roster.reconciledAt !== null, 'the roster to be confirmed');
  assert.deepEqual(await reasonOf(tap()), undefined);
  assert.match(storeAlarms(gateway).join(), /was damaged.*filled anew/);
  await hr.close();
  await gateway.stop('end of test');
  const store = await openDataDir(config.dataDir);
  const names = (await store.entriesAfter(0, 100)).map(({ event }) => event.event);
  await store.close();
  assert.deepEqual(
    names.filter((name) => name.startsWith('store-')),
    ['store-damaged'],
  );
  assert.equal(names[0], 'gateway-started', 'the log before the damage is there');
});

test('where the site wants it, cards that are certain open meanwhile', async (t) => {
  const { config, folder } = await damagedSite(t);
  const gateway = await startGateway({ ...config, store: { ...config.store, failurePolicy: 'allow-last-known' } });
  t.after(() => gateway.stop('end of test'));
  const admin = new AdminClient({ socket: join(folder, 'cardea.sock') });
  const tap = (uid: string) => admin.call('tap', { reader: 'front-in', uid, operator: 'test' });
  assert.equal(await reasonOf(tap(CARD)), undefined);
  assert.equal(await reasonOf(tap('0BADCAFE')), 'store-failure');
  assert.match(storeAlarms(gateway).join(), /only cards that are certain open/);
});

const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === 'object' && value !== null;

/** Why a tap was denied; undefined for one that was granted. */
const reasonOf = async (answered: Promise<unknown>): Promise<unknown> => {
  const text = JSON.stringify(await answered);
  return /"reason":"([a-z-]+)"/.exec(text)?.[1];
};
