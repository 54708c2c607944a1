// HR's calendar at a whole gateway: over the broker, through a restart, and under a signature.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AdminClient } from '../../src/cli/admin-client.ts';
import type { Config } from '../../src/config/config.ts';
import { CalendarPublisher, calendarMessage } from '../../src/desk/calendar-publisher.ts';
import { MqttHrLink } from '../../src/drivers/mqtt/mqtt-hr-link.ts';
import { startGateway } from '../../src/gateway.ts';
import { deskTopicsOf } from '../../src/wire/desk-topics.ts';
import { unsignedSeal } from '../../src/wire/message-envelope.ts';
import { run } from '../cli/cli-bench.ts';
import { siteId } from '../domain/samples.ts';
import { EMBEDDED } from '../fixtures/embedded.ts';
import { HrClient } from '../fixtures/hr-client.ts';
import { linkOptions } from '../fixtures/mqtt-hr-link-harness.ts';
import { type SigningKey, signingKey } from '../fixtures/signing-keys.ts';
import { configOf } from '../fixtures/simulated-config.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { isRecord } from '../wire/contract-schemas.ts';

const ROOT = 'cardea/hq';
const CARD = 'DEADBEEF';

const WORKDAYS = {
  schedules: {
    workdays: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00' }],
    'all-week': [
      { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], holidays: ['*'], from: '00:00', to: '24:00' },
    ],
  },
  holidays: { public: ['12-25'] },
  levels: { staff: [{ doors: ['front'], schedule: 'workdays' }] },
} as const;

const common = (revision: number) => ({
  site: 'hq',
  messageId: `m-${revision}`,
  revision,
  issuedAt: '2026-11-22T09:00:00+08:00',
  operator: 'hr',
});
const calendar = (revision: number, content: object = WORKDAYS): object => ({
  type: 'calendar',
  ...common(revision),
  ...content,
});
const bound = (revision: number, access: object): object => ({
  type: 'card-bound',
  ...common(revision),
  card: CARD,
  cardholder: { id: 'E1' },
  access: [access],
});

const lineOf = ({ trusted }: SigningKey): string =>
  `${trusted.kid}: { publicKey: ${trusted.publicKey}, may: [${trusted.may.join(', ')}] }`;

const startSite = async (t: TestContext, keys: readonly SigningKey[] = []) => {
  const folder = temporaryFolder(t);
  const broker = await EMBEDDED.start();
  const hr = await HrClient.connect({ port: broker.port, topics: [`${ROOT}/gateways/#`] });
  const trust = keys.length === 0 ? '{ messages: unsigned }' : `{ keys: { ${keys.map(lineOf).join(', ')} } }`;
  const text = `
site: hq
gateway: lobby-1
timezone: Europe/Berlin
dataDir: ${folder}/data
mqtt: { url: mqtt://127.0.0.1:${broker.port}, protocolVersion: 4 }
trust: ${trust}
clock: { trust: always }
gpio: { driver: simulated }
doors: { front: { strike: {} }, lobby: { strike: {}, unlockSchedule: { schedule: all-week } } }
readers: { front-in: { door: front, driver: simulated } }
admin: { socket: ${folder}/cardea.sock }
log: { level: silent }
`;
  const configFile = join(folder, 'cardea.yaml');
  writeFileSync(configFile, text);
  const config: Config = configOf(text);
  const births = (): number => hr.json('/status').filter((status) => isRecord(status) && status['online']).length;
  const start = async () => {
    const before = births();
    const started = await startGateway(config);
    await waitFor(() => births() > before, 'the birth of the gateway');
    return started;
  };
  let gateway = await start();
  t.after(async () => {
    await gateway.stop('end of test');
    await hr.close();
    await broker.close();
  });
  const admin = new AdminClient({ socket: `${folder}/cardea.sock` });
  const receipts = () => hr.json('/receipt').map((receipt) => (isRecord(receipt) ? receipt : {}));
  const decisionAt = async (at: string): Promise<string> => {
    const answer = await admin.call('explain', { card: CARD, door: 'front', direction: 'in', at });
    return answer.decision === 'granted' ? 'granted' : String(answer.reason);
  };
  return {
    hr,
    port: broker.port,
    folder,
    configFile,
    admin,
    receipts,
    decisionAt,
    describe: () => gateway.describe(),
    restart: async () => {
      await gateway.stop('restart');
      gateway = await start();
    },
    /** Publishes as HR does, and waits for the receipt. */
    answerTo: async (payload: unknown, { topic = 'calendar' } = {}) => {
      const before = receipts().length;
      await hr.publish(`${ROOT}/hr/${topic}`, payload, { retain: topic === 'calendar' });
      await waitFor(() => receipts().length > before, 'the receipt');
      return receipts()[before] ?? {};
    },
  };
};

const HOURS: readonly (readonly [at: string, decision: string])[] = [
  ['2026-01-05T07:59:59+01:00', 'outside-schedule'],
  ['2026-01-05T08:00:00+01:00', 'granted'],
  ['2026-01-05T17:59:59+01:00', 'granted'],
  ['2026-01-05T18:00:00+01:00', 'outside-schedule'],
  ['2026-01-04T12:00:00+01:00', 'outside-schedule'],
  ['2026-12-25T12:00:00+01:00', 'outside-schedule'],
];

for (const access of [{ doors: ['front'], schedule: 'workdays' }, { level: 'staff' }]) {
  test(`a card for ${JSON.stringify(access)} opens nothing until HR's calendar comes, and then opens in its hours`, async (t) => {
    const { answerTo, decisionAt } = await startSite(t);
    const early = await answerTo(bound(1, access), { topic: 'card-bound' });
    assert.equal(early['result'], 'applied');
    assert.match(String(early['warnings']), /^unknown-(schedule: workdays|level: staff)$/);
    for (const [at] of HOURS) assert.notEqual(await decisionAt(at), 'granted', at);
    assert.equal((await answerTo(calendar(1)))['result'], 'applied');
    for (const [at, decision] of HOURS) assert.equal(await decisionAt(at), decision, at);
    assert.equal((await answerTo(calendar(2, {})))['result'], 'applied');
    for (const [at] of HOURS) assert.notEqual(await decisionAt(at), 'granted', at);
  });
}

test('a tap is decided by the calendar as soon as its receipt is there', async (t) => {
  const { answerTo, admin } = await startSite(t);
  const tap = async () => {
    const answer = await admin.call('tap', { reader: 'front-in', uid: CARD, operator: 'test' });
    return answer.outcome === 'denied' ? answer.reason : answer.outcome;
  };
  await answerTo(bound(1, { doors: ['*'], schedule: 'all-week' }), { topic: 'card-bound' });
  assert.equal(await tap(), 'outside-schedule');
  await answerTo(calendar(1));
  assert.equal(await tap(), 'granted');
});

test('a door that is unlocked by a schedule follows the calendar', async (t) => {
  const { answerTo, describe } = await startSite(t);
  const lobby = () => Object.entries(describe().doors).find(([door]) => door === 'lobby')?.[1].mode;
  assert.equal(lobby(), 'normal');
  await answerTo(calendar(1));
  assert.equal(lobby(), 'unlocked');
  await answerTo(calendar(2, {}));
  assert.equal(lobby(), 'normal');
});

test('a restarted gateway has the calendar at once, and its retained copy brings no second receipt', async (t) => {
  const { answerTo, decisionAt, describe, restart, receipts, hr } = await startSite(t);
  await answerTo(bound(1, { level: 'staff' }), { topic: 'card-bound' });
  await answerTo(calendar(7));
  assert.deepEqual(describe().calendar, { revision: 7, messageId: 'm-7' });
  await restart();
  assert.deepEqual(describe().calendar, { revision: 7, messageId: 'm-7' });
  for (const [at, decision] of HOURS) assert.equal(await decisionAt(at), decision, at);
  // What comes after the retained copy is answered: the copy is through.
  assert.equal((await answerTo(bound(1, { level: 'staff' }), { topic: 'card-bound' }))['result'], 'duplicate');
  assert.equal(receipts().filter(({ messageType }) => messageType === 'calendar').length, 1);
  const statuses = hr.json('/status').map((status) => (isRecord(status) ? status['calendar'] : undefined));
  assert.deepEqual(statuses.at(-1), { revision: 7, messageId: 'm-7' });
});

test('only a key with the permission pushes a calendar', async (t) => {
  const hrKey = signingKey('hr-2026', 'bind', 'calendar');
  const desk = signingKey('desk', 'bind', 'revoke', 'roster', 'command');
  const { answerTo, describe } = await startSite(t, [hrKey, desk]);
  const codeOf = async (payload: Promise<string> | string) => {
    const { code, result } = await answerTo(await payload);
    return code ?? result;
  };
  const json = JSON.stringify(calendar(1));
  assert.equal(await codeOf(json), 'not-signed');
  assert.equal(await codeOf(desk.seal(json)), 'not-permitted');
  assert.equal(describe().calendar, null);
  assert.equal(await codeOf(hrKey.seal(json)), 'applied');
  assert.deepEqual(describe().calendar, { revision: 1, messageId: 'm-1' });
  assert.equal(await codeOf(hrKey.seal(json)), 'duplicate');
});

test('the reference HR side pushes a calendar, and again at each connect', async (t) => {
  const { port, receipts, describe, hr } = await startSite(t);
  const site = siteId('hq');
  const note = { messageId: 'cal-1', issuedAt: '2026-11-22T09:00:00+08:00', operator: 'hr', revision: 3 };
  const message = calendarMessage(site, { ...WORKDAYS, levels: {} }, note);
  assert.ok(!('fault' in message));
  const link = new MqttHrLink(
    linkOptions(port, { clientId: 'desk', subscriptions: [deskTopicsOf(site).rosterRequests] }),
  );
  const faults: unknown[] = [];
  const publisher = new CalendarPublisher({ site, link, seal: unsignedSeal, onFault: (error) => faults.push(error) });
  link.start(publisher);
  t.after(() => link.stop());
  await waitFor(() => link.isConnected(), 'the desk to be connected');
  await publisher.publish(message);
  await waitFor(() => receipts().length === 1, 'the receipt');
  assert.deepEqual(describe().calendar, { revision: 3, messageId: 'cal-1' });
  link.reconnect('the broker may have forgotten');
  await waitFor(() => receipts().length === 2, 'the receipt of the second');
  assert.deepEqual([receipts()[1]?.['result'], faults], ['duplicate', []]);
  assert.equal(hr.json('/receipt').length, 2);
});

test('cardea desk calendar pushes a file, and sends nothing that a gateway would refuse', async (t) => {
  const { configFile, folder, describe, receipts } = await startSite(t);
  const file = join(folder, 'calendar.yaml');
  const push = (text: string, ...options: string[]) => {
    writeFileSync(file, text);
    return run(['desk', 'calendar', file, '--config', configFile, ...options]);
  };
  const good =
    'schedules:\n  night: [{ days: [fri], from: "22:00", to: "06:00" }]\nlevels: { guards: [{ doors: ["*"], schedule: late }] }\n';
  const first = await push(good);
  assert.equal(first.code, 0, first.errors);
  assert.equal(first.output, 'result    applied\nrevision  1\nwarning   unknown-schedule: late\n');
  assert.equal(describe().calendar?.revision, 1);
  const second = await push(JSON.stringify(WORKDAYS), '--json');
  assert.deepEqual([JSON.parse(second.output).result, JSON.parse(second.output).revision], ['applied', 2]);
  assert.equal(describe().calendar?.revision, 2);
  const stale = await push(good, '--revision', '1');
  assert.deepEqual([stale.code, stale.output.split('\n')[0]], [1, 'result    stale']);
  const answered = receipts().length;
  for (const [text, complaint] of [
    [
      'schedules: { night: [{ days: [fri], from: "22:00", to: "22:00" }] }',
      /calendar\.yaml: schedules\.night\[0\]\.to: is equal to from/,
    ],
    ['revision: 9', /calendar\.yaml: revision: Unrecognized key/],
    ['holidays:\n  a: [12-25]\n  a: [12-26]\n', /calendar\.yaml:3:3 is given twice/],
    ['schedules: [', /calendar\.yaml:1:\d+ not YAML/],
    ['', /calendar\.yaml: /],
  ] as const) {
    const refused = await push(text);
    assert.equal(refused.code, 2, text);
    assert.match(refused.errors, complaint);
  }
  const missing = await run(['desk', 'calendar', join(folder, 'none.yaml'), '--config', configFile]);
  assert.match(missing.errors, /the calendar cannot be read: .*none\.yaml is not there/);
  assert.equal(receipts().length, answered);
});
