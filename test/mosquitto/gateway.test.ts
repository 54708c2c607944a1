// The bundled gateway beside a real mosquitto, with simulated doors: what HR and an employee see, also when things are killed.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { GatewayProcess } from '../fixtures/gateway-process.ts';
import { HrClient } from '../fixtures/hr-client.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const BOUND = 'cardea/hq/hr/card-bound';
const REVOKED = 'cardea/hq/hr/card-revoked';

const configuration = (port: number, folder: string, protocolVersion: 4 | 5): string => `
site: hq
gateway: lobby-1
dataDir: ${folder}/data
mqtt: { url: 'mqtt://127.0.0.1:${port}', protocolVersion: ${protocolVersion} }
trust: { messages: unsigned }
clock: { trust: always }
gpio: { driver: simulated }
doors: { front: { contact: {}, strike: { releaseSeconds: 0.5 } }, lab: { strike: {} } }
readers: { front-in: { door: front, driver: simulated } }
admin: { socket: ${folder}/cardea.sock }
log: { level: info }
`;

interface Site {
  readonly broker: Mosquitto;
  readonly hr: HrClient;
  readonly gateway: GatewayProcess;
}

const openSite = async (t: TestContext, protocolVersion: 4 | 5 = 5): Promise<Site> => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-site-'));
  const broker = await Mosquitto.start();
  const hr = await HrClient.connect({ port: broker.port });
  const gateway = new GatewayProcess(folder, configuration(broker.port, folder, protocolVersion));
  t.after(async () => {
    await gateway.stop();
    await hr.close();
    await broker.close();
    rmSync(folder, { recursive: true });
  });
  await gateway.start();
  await hr.waitFor(({ topic, payload }) => topic.endsWith('/status') && payload.includes('"online":true'), 'birth');
  return { broker, hr, gateway };
};

interface Receipt {
  readonly messageId: string | null;
  readonly result: string;
  readonly code: string | null;
  readonly path: string | null;
  readonly payloadSha256: string | null;
  readonly superseded: string[];
  readonly doors: string[];
  readonly roster: { readonly revision: number; readonly cards: number };
}

const receipts = (hr: HrClient): Receipt[] => hr.json('/receipt') as Receipt[];
const events = (hr: HrClient) =>
  hr.json('/event') as { sequence: number; event: string; reason: string | null; hash: string; previousHash: string }[];

const common = (revision: number) => ({
  site: 'hq',
  messageId: `m-${revision}`,
  revision,
  issuedAt: '2026-11-22T09:00:00+08:00',
  operator: 'hr.desk-2',
});
const bound = (revision: number, card: string, cardholder: string, more: object = {}) => ({
  type: 'card-bound',
  ...common(revision),
  card,
  cardholder: { id: cardholder },
  access: [{ doors: ['front'] }],
  ...more,
});

const receiptOf = async (hr: HrClient, messageId: string): Promise<Receipt> => {
  const find = (): Receipt | undefined => receipts(hr).find((receipt) => receipt.messageId === messageId);
  await waitFor(() => find() !== undefined, `the receipt of ${messageId}`, 20_000);
  const found = find();
  assert.ok(found);
  return found;
};

/** The sequence numbers that have arrived, in order of first arrival, are 1, 2, 3, ... and the chain of hashes holds. */
const assertWholeLog = (hr: HrClient): void => {
  const seen = new Map(events(hr).map((event) => [event.sequence, event]));
  assert.deepEqual(
    [...seen.keys()],
    [...seen.keys()].map((_, index) => index + 1),
  );
  for (const [sequence, event] of seen) {
    if (sequence > 1) assert.equal(event.previousHash, seen.get(sequence - 1)?.hash);
  }
};

for (const protocolVersion of [4, 5] as const) {
  test(`MQTT ${protocolVersion}: a replacement takes effect at the door at once, with a receipt that says so`, async (t) => {
    const { hr, gateway } = await openSite(t, protocolVersion);
    await hr.publish(BOUND, bound(1, 'DEADBEEF', 'E1001'));
    assert.deepEqual((await receiptOf(hr, 'm-1')).doors, ['front']);
    assert.match((await gateway.cardea('tap', 'front-in', 'DEADBEEF')).stdout, /^granted/);

    await hr.publish(BOUND, bound(2, '04A2B3C4D5E680', 'E1001'));
    const receipt = await receiptOf(hr, 'm-2');
    assert.deepEqual([receipt.result, receipt.superseded, receipt.roster.cards], ['applied', ['DEADBEEF'], 1]);
    const old = await gateway.cardea('tap', 'front-in', 'DEADBEEF');
    assert.deepEqual([old.code, /replaced/.test(old.stdout)], [1, true]);
    assert.match((await gateway.cardea('tap', 'front-in', '04A2B3C4D5E680')).stdout, /^granted/);
  });
}

test('hostile messages are answered with code and path, change nothing, and do not stop what comes behind them', async (t) => {
  const { hr } = await openSite(t);
  await hr.publish(BOUND, bound(1, 'DEADBEEF', 'E1001'));
  const before = (await receiptOf(hr, 'm-1')).roster;
  const hostile: [string, unknown, string, string | null][] = [
    ['m-10', { ...bound(10, 'DEADBEE1', 'E2'), validUntill: '2026-11-22T09:00:00Z' }, 'invalid-message', 'validUntill'],
    ['m-11', { ...bound(11, 'DEADBEE1', 'E2'), site: 'elsewhere' }, 'wrong-site', 'site'],
    ['m-12', { ...bound(12, 'DEADBEE1', 'E2'), type: 'card-revoked' }, 'wrong-topic', 'type'],
    ['m-13', bound(13, '08112233', 'E2'), 'random-uid', 'card'],
    ['m-14', bound(14, 'DEADBE', 'E2'), 'invalid-card-number', 'card'],
    ['m-15', bound(15, 'DEADBEE1', 'E2', { kind: 'temporary' }), 'invalid-window', 'validUntil'],
    ['m-16', bound(16, 'DEADBEEF', 'E2'), 'card-in-use', null],
    ['m-17', bound(1, 'DEADBEEF', 'E1001', { messageId: 'm-17', state: 'pending' }), 'revision-conflict', null],
  ];
  for (const [, message] of hostile) await hr.publish(BOUND, message);
  for (const garbage of [
    '',
    '{',
    'null',
    '[]',
    '\u0000',
    Buffer.from([0xff, 0xfe]),
    '['.repeat(60_000),
    'x'.repeat(70_000),
  ]) {
    await hr.publish(BOUND, garbage);
  }
  await hr.publish(REVOKED, { type: 'card-revoked', ...common(20), card: 'CAFEBABE', reason: 'lost' });
  const last = await receiptOf(hr, 'm-20');
  assert.equal(last.result, 'applied');
  for (const [messageId, , code, path] of hostile) {
    const { result, code: got, path: at } = await receiptOf(hr, messageId);
    assert.deepEqual([messageId, result, got, at], [messageId, 'rejected', code, path]);
  }
  const nameless = receipts(hr).filter(({ messageId }) => messageId === null);
  assert.equal(nameless.length, 8);
  assert.ok(nameless.every(({ payloadSha256 }) => /^[0-9a-f]{64}$/.test(payloadSha256 ?? '')));
  assert.deepEqual([...new Set(nameless.map(({ code }) => code))].sort(), ['invalid-message', 'too-large']);
  assert.equal(last.roster.cards, before.cards);
});

test('a retained copy of a message is refused', async (t) => {
  const { hr, gateway } = await openSite(t);
  await gateway.stop();
  await hr.publish(BOUND, bound(1, 'DEADBEEF', 'E1001'), { retain: true });
  await gateway.start();
  await waitFor(() => receipts(hr).some(({ code }) => code === 'retained-not-allowed'), 'the refusal', 20_000);
});

test('kill -9 at random moments: every receipted change is in the store, every change arrives, the log has no hole', async (t) => {
  const { hr, gateway } = await openSite(t);
  const changes = 400;
  const card = (index: number): string => (0x10000000 + index).toString(16).toUpperCase();
  const publishing = (async () => {
    for (let i = 1; i <= changes; i++) await hr.publish(BOUND, bound(i, card(i), `E${i % 40}`));
  })();
  for (let round = 0; round < 5; round++) {
    await pause(Math.random() * 150);
    await gateway.kill();
    await gateway.start();
    const receipted = Math.max(0, ...receipts(hr).map(({ roster }) => roster.revision));
    const { stdout } = await gateway.cardea('status', '--json');
    const held = JSON.parse(stdout).status.roster.revision;
    assert.ok(held >= receipted, `receipts up to ${receipted}, the store holds ${held}`);
  }
  await publishing;
  await receiptOf(hr, `m-${changes}`);
  const { stdout } = await gateway.cardea('status', '--json');
  assert.deepEqual(JSON.parse(stdout).status.roster.cards, 40);
  // The last forty bindings replaced all that their cardholders had before.
  const answers = await Promise.all(
    [changes - 40, changes - 39].map((i) => gateway.cardea('tap', 'front-in', card(i))),
  );
  assert.deepEqual(
    answers.map(({ code }) => code),
    [1, 0],
  );
  await waitFor(() => events(hr).some(({ event }) => event === 'access-granted'), 'the tap as an event', 20_000);
  assertWholeLog(hr);
});

test('events of an outage arrive afterwards, in order, also when the gateway was restarted in between', async (t) => {
  const { broker, hr, gateway } = await openSite(t);
  await broker.stop();
  for (const uid of ['DEADBEE1', 'DEADBEE2']) await gateway.cardea('tap', 'front-in', uid);
  await gateway.kill();
  await gateway.start();
  await gateway.cardea('tap', 'front-in', 'DEADBEE3');
  await broker.resume();
  await waitFor(
    () => events(hr).filter(({ reason }) => reason === 'unknown-card').length >= 3,
    'three denials',
    60_000,
  );
  assertWholeLog(hr);
});

test('changes that came while the gateway was away are applied when it is back', async (t) => {
  const { hr, gateway } = await openSite(t);
  await gateway.stop();
  for (let i = 1; i <= 50; i++)
    await hr.publish(BOUND, bound(i, 'DEADBEEF', 'E1001', { access: [{ doors: ['lab'] }] }));
  await hr.publish(REVOKED, { type: 'card-revoked', ...common(51), cardholder: 'E1001', reason: 'left' });
  await gateway.start();
  assert.equal((await receiptOf(hr, 'm-51')).roster.cards, 0);
  const { code, stdout } = await gateway.cardea('explain', '--card', 'DEADBEEF', '--door', 'lab');
  assert.equal(code, 1);
  assert.match(stdout, /left/);
});

test('a killed gateway is reported offline by the broker, a stopped one says so itself', async (t) => {
  const { hr, gateway } = await openSite(t);
  const offline = (): number =>
    hr.json('/status').filter((status) => JSON.stringify(status).includes('"online":false')).length;
  const online = (): number =>
    hr.json('/status').filter((status) => JSON.stringify(status).includes('"online":true')).length;
  await gateway.kill();
  await waitFor(() => offline() === 1, 'the last will', 20_000);
  const before = online();
  await gateway.start();
  await waitFor(() => online() > before, 'birth', 20_000);
  assert.equal(await gateway.stop(), 0);
  await waitFor(() => offline() === 2, 'the farewell', 20_000);
});
