// The bundled gateway on a disk that fills up under it, is killed on it and started again on it, beside a real broker. Takes root
// and mosquitto.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { AdminClient } from '../../src/cli/admin-client.ts';
import { type AccessEvent, EMPTY_LOG, isIntact } from '../../src/domain/access-event.ts';
import { GatewayProcess } from '../fixtures/gateway-process.ts';
import { HrClient } from '../fixtures/hr-client.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { SmallDisk } from '../fixtures/small-disk.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const RECEIPT = 'cardea/hq/gateways/lobby-1/receipt';
const EVENT = 'cardea/hq/gateways/lobby-1/event';
const STATUS = 'cardea/hq/gateways/lobby-1/status';

const openSite = async (t: TestContext) => {
  const broker = await Mosquitto.start();
  t.after(() => broker.close());
  const disk = new SmallDisk(t, 'size=200m');
  mkdirSync(join(disk.folder, 'data'));
  const folder = temporaryFolder(t);
  const gateway = new GatewayProcess(
    folder,
    `
site: hq
gateway: lobby-1
dataDir: ${disk.folder}/data
mqtt: { url: "mqtt://127.0.0.1:${broker.port}" }
trust: { messages: unsigned }
clock: { trust: always }
gpio: { driver: simulated }
doors: { front: { strike: {} } }
readers: { front-in: { door: front, driver: simulated } }
admin: { socket: ${folder}/cardea.sock }
store: { minimumFreeMiB: 16 }
log: { level: info }
`,
  );
  t.after(() => gateway.kill());
  const hr = await HrClient.connect({ port: broker.port });
  t.after(() => hr.close());
  const admin = new AdminClient({ socket: join(folder, 'cardea.sock') });
  /** `granted`, or why not. */
  const tap = async (uid: string): Promise<string> => {
    const answer = await admin.call('tap', { reader: 'front-in', uid, operator: 'test' });
    return answer.outcome === 'denied' ? answer.reason : answer.outcome;
  };
  const change = (revision: number, type: 'card-bound' | 'card-revoked', fields: object): Promise<void> =>
    hr.publish(`cardea/hq/hr/${type}`, {
      ...{ type, site: 'hq', messageId: `m-${revision}`, revision, operator: 'hr', card: 'DEADBEEF' },
      ...{ issuedAt: '2026-11-22T09:00:00+08:00', ...fields },
    });
  const bind = (revision: number, card: string): Promise<void> =>
    change(revision, 'card-bound', { card, cardholder: { id: `E${revision}` }, access: [{ doors: ['*'] }] });
  const hasReceipt = (revision: number): boolean =>
    hr.on(RECEIPT).some(({ payload }) => JSON.parse(payload.toString()).messageId === `m-${revision}`);
  const isAlarming = (): boolean => /disk: nearly full/.test(hr.on(STATUS).at(-1)?.payload.toString() ?? '');
  return { disk, gateway, hr, tap, change, bind, hasReceipt, isAlarming };
};

/** What HR has received, each number once. */
const logAt = (hr: HrClient): readonly AccessEvent[] => {
  const events = hr.on(EVENT).map(({ payload }): AccessEvent => JSON.parse(payload.toString()));
  return [...new Map(events.map((event) => [event.sequence, event])).values()].sort((a, b) => a.sequence - b.sequence);
};

test('a disk that fills up: changes wait, cards are decided, a kill and a start make no difference, and it goes on by itself', {
  timeout: 180_000,
}, async (t) => {
  const { disk, gateway, hr, tap, change, bind, hasReceipt, isAlarming } = await openSite(t);
  await gateway.start();
  await waitFor(() => hr.on(STATUS).length > 0, 'the gateway to be connected');
  await bind(1, 'DEADBEEF');
  await bind(2, 'CAFEBABE');
  await change(3, 'card-revoked', { card: 'CAFEBABE', reason: 'lost' });
  await waitFor(() => hasReceipt(3), 'the changes');
  await waitFor(() => disk.freeBytes < 140 * 1024 * 1024, 'the ballast to be made', 20_000);
  await pause(1_000);

  disk.fill(8);
  await waitFor(isAlarming, 'the alarm', 20_000);
  await change(4, 'card-revoked', { reason: 'lost' });
  for (let n = 0; n < 20; n++) assert.equal(await tap('DEADBEEF'), 'granted');
  await pause(500);
  assert.equal(hasReceipt(4), false, 'the change waits');

  for (let n = 0; n < 40; n++) {
    disk.fill();
    assert.equal(await tap('DEADBEEF'), 'granted');
  }
  assert.equal(await tap('CAFEBABE'), 'lost');
  assert.equal(await tap('CAFEBABE'), 'lost');

  await gateway.kill();
  disk.fill();
  await gateway.start();
  assert.equal(await tap('DEADBEEF'), 'granted', 'a gateway starts on a full disk');
  assert.equal(await tap('CAFEBABE'), 'lost');
  assert.equal(await tap('CAFEBABE'), 'lost');
  await gateway.kill();
  disk.fill();
  await gateway.start();
  assert.equal(await tap('DEADBEEF'), 'granted', 'and again');
  assert.equal(hasReceipt(4), false);

  disk.clear();
  await waitFor(() => hasReceipt(4), 'the change that waited', 90_000);
  await waitFor(() => !isAlarming(), 'the end of the alarm', 20_000);
  assert.equal(await tap('DEADBEEF'), 'lost');
  await waitFor(() => logAt(hr).some(({ event, reason }) => event === 'access-denied' && reason === 'lost'), 'the log');
  await gateway.stop();

  const log = logAt(hr);
  let before = EMPTY_LOG;
  for (const event of log) {
    assert.ok(isIntact(event, before), `event ${event.sequence} follows ${before.sequence}`);
    before = event;
  }
  const named = (name: string): number => log.filter(({ event }) => event === name).length;
  assert.ok(named('store-full') >= 1 && named('store-recovered') >= 1);
  assert.ok(named('access-granted') >= 20, 'what was recorded before the kill is there');
  t.diagnostic(`${log.length} events, ${named('access-granted')} of 62 grants`);
});
