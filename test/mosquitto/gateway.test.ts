// The bundled gateway beside a real mosquitto, with simulated doors: what HR and an employee see when HR sends rubbish and when
// things are killed. What holds on every broker is in test/contracts/broker.contract.ts.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { binding, changed, note } from '../desk/desk-samples.ts';
import { numberedCard, Site } from '../fixtures/broker-site.ts';
import { Desk } from '../fixtures/desk.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const openSite = async (
  t: TestContext,
  settings: readonly string[] = [],
): Promise<{ readonly broker: Mosquitto; readonly site: Site }> => {
  const broker = await Mosquitto.start({ settings });
  const site = await Site.open({ broker });
  t.after(async () => {
    await site.close();
    await broker.close();
  });
  return { broker, site };
};

test('hostile messages are answered with code and path, change nothing, and do not stop what comes behind them', async (t) => {
  const { site } = await openSite(t);
  const topic = site.topic('hr/card-bound');
  await site.bind(1, 'DEADBEEF', 'E1001');
  const before = (await site.receiptOf('m-1')).roster;
  const hostile: [string, unknown, string, string | null][] = [
    [
      'm-10',
      { ...site.bound(10, 'DEADBEE1', 'E2'), validUntill: '2026-11-22T09:00:00Z' },
      'invalid-message',
      'validUntill',
    ],
    ['m-11', { ...site.bound(11, 'DEADBEE1', 'E2'), site: 'elsewhere' }, 'wrong-site', 'site'],
    ['m-12', { ...site.bound(12, 'DEADBEE1', 'E2'), type: 'card-revoked' }, 'wrong-topic', 'type'],
    ['m-13', site.bound(13, '08112233', 'E2'), 'random-uid', 'card'],
    ['m-14', site.bound(14, 'DEADBE', 'E2'), 'invalid-card-number', 'card'],
    ['m-15', site.bound(15, 'DEADBEE1', 'E2', { kind: 'temporary' }), 'invalid-window', 'validUntil'],
    ['m-16', site.bound(16, 'DEADBEEF', 'E2'), 'card-in-use', null],
    ['m-17', site.bound(1, 'DEADBEEF', 'E1001', { messageId: 'm-17', state: 'pending' }), 'revision-conflict', null],
  ];
  for (const [, message] of hostile) await site.hr.publish(topic, message);
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
    await site.hr.publish(topic, garbage);
  }
  await site.revoke(20, { card: 'CAFEBABE' });
  const last = await site.receiptOf('m-20');
  assert.equal(last.result, 'applied');
  for (const [messageId, , code, path] of hostile) {
    const { result, code: got, path: at } = await site.receiptOf(messageId);
    assert.deepEqual([messageId, result, got, at], [messageId, 'rejected', code, path]);
  }
  const nameless = site.receipts().filter(({ messageId }) => messageId === null);
  assert.equal(nameless.length, 8);
  assert.ok(nameless.every(({ payloadSha256 }) => /^[0-9a-f]{64}$/.test(payloadSha256 ?? '')));
  assert.deepEqual([...new Set(nameless.map(({ code }) => code))].sort(), ['invalid-message', 'too-large']);
  assert.equal(last.roster.cards, before.cards);
});

test('kill -9 at random moments: every receipted change is in the store, every change arrives, the log has no hole', async (t) => {
  const { site } = await openSite(t);
  const { gateway } = site;
  const changes = 400;
  const publishing = (async () => {
    for (let i = 1; i <= changes; i++) await site.bind(i, numberedCard(i), `E${i % 40}`);
  })();
  for (let round = 0; round < 5; round++) {
    await pause(Math.random() * 150);
    await gateway.kill();
    await gateway.start();
    const receipted = Math.max(0, ...site.receipts().map(({ roster }) => roster.revision));
    const { stdout } = await gateway.cardea('status', '--json');
    const held = JSON.parse(stdout).status.roster.revision;
    assert.ok(held >= receipted, `receipts up to ${receipted}, the store holds ${held}`);
  }
  await publishing;
  await site.receiptOf(`m-${changes}`);
  const { stdout } = await gateway.cardea('status', '--json');
  assert.deepEqual(JSON.parse(stdout).status.roster.cards, 40);
  // The last forty bindings replaced all that their cardholders had before.
  const answers = await Promise.all(
    [changes - 40, changes - 39].map((i) => gateway.cardea('tap', 'front-in', numberedCard(i))),
  );
  assert.deepEqual(
    answers.map(({ code }) => code),
    [1, 0],
  );
  await waitFor(() => site.events().some(({ event }) => event === 'access-granted'), 'the tap as an event', 20_000);
  site.assertWholeLog();
});

test('events of an outage arrive afterwards, in order, also when the gateway was restarted in between', async (t) => {
  const { broker, site } = await openSite(t);
  const { gateway } = site;
  await broker.stop();
  for (const uid of ['DEADBEE1', 'DEADBEE2']) await gateway.cardea('tap', 'front-in', uid);
  await gateway.kill();
  await gateway.start();
  await gateway.cardea('tap', 'front-in', 'DEADBEE3');
  await broker.resume();
  await waitFor(
    () => site.events().filter(({ reason }) => reason === 'unknown-card').length >= 3,
    'three denials',
    60_000,
  );
  site.assertWholeLog();
});

test('a broker that drops the newest of its queue leaves the gateway with HR’s roster all the same', async (t) => {
  const { broker, site } = await openSite(t, ['max_queued_messages 100', 'max_inflight_messages 20']);
  const desk = await Desk.open({ site: site.site, port: broker.port });
  t.after(() => desk.close());
  await site.gateway.stop();
  for (let i = 1; i <= 500; i++) {
    await desk.publisher.publish(changed(desk.roster.bind(binding(numberedCard(i), `E${i}`), note())).message);
  }
  await site.startGateway();
  await site.holdsRoster(desk.digest);
  const answered = new Set(site.receipts().map(({ messageId }) => messageId));
  assert.ok(answered.size < 500, `the broker has dropped messages, of 500 it delivered ${answered.size}`);
});
