// A whole gateway at work: everything that it publishes keeps to the contract, member for member.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AdminClient } from '../../src/cli/admin-client.ts';
import { startGateway } from '../../src/gateway.ts';
import { CONTRACT } from '../../src/wire/contract.ts';
import { EXAMPLES } from '../../src/wire/contract-examples.ts';
import { MESSAGE_NAMES } from '../../src/wire/message-names.ts';
import { HrClient } from '../fixtures/hr-client.ts';
import { configOf } from '../fixtures/simulated-config.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { closed, isRecord, validators } from '../wire/contract-schemas.ts';

const ROOT = 'cardea/hq';
const OWN = `${ROOT}/gateways/lobby-1`;
const operator = 'test';

const startSite = async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-contract-'));
  const socket = join(folder, 'cardea.sock');
  const config = configOf(`
site: hq
gateway: lobby-1
dataDir: ${folder}/data
mqtt: { embedded: { port: 0 } }
trust: { messages: unsigned }
clock: { trust: always }
gpio: { driver: simulated }
doors: { front: { strike: {}, contact: {}, exitButton: {} } }
readers:
  front-in: { door: front, driver: simulated }
  activate: { door: front, role: activation, driver: simulated }
  desk: { role: enrolment, driver: simulated }
admin: { socket: ${socket} }
log: { level: silent }
`);
  const gateway = await startGateway(config);
  t.after(async () => {
    await gateway.stop('end of test');
    rmSync(folder, { recursive: true });
  });
  const hr = await HrClient.connect({ port: Number(new URL(gateway.brokerUrl).port), topics: [`${ROOT}/gateways/#`] });
  t.after(() => hr.close());
  return { gateway, hr, admin: new AdminClient({ socket }) };
};

const changeOf = (type: string, revision: number, fields: object): object => ({
  type,
  site: 'hq',
  messageId: `m-${revision}`,
  revision,
  issuedAt: '2026-11-22T09:00:00+08:00',
  operator: 'hr',
  ...fields,
});

const FLAGS = { overridesLockdown: true, extendedRelease: true };

const binding = (revision: number, fields: object): object =>
  changeOf('card-bound', revision, { cardholder: { id: 'E1' }, access: [{ doors: ['front'] }], ...fields });

test('receipts, events, statuses and roster requests of a gateway at work keep to the published schemas', async (t) => {
  const { gateway, hr, admin } = await startSite(t);
  const tap = (uid: string, reader = 'front-in') => admin.call('tap', { reader, uid, operator });
  const receipts = (): number => hr.on(`${OWN}/receipt`).length;

  const changes: readonly (readonly [string, unknown])[] = [
    ['card-bound', binding(1, { card: 'DEADBEEF' })],
    [
      'card-bound',
      binding(2, { card: '04A2B3C4D5E680', access: [{ doors: ['*'], schedule: 'night' }, { level: 'x' }] }),
    ],
    [
      'card-bound',
      binding(2, { card: '04A2B3C4D5E680', access: [{ doors: ['*'], schedule: 'night' }, { level: 'x' }] }),
    ],
    ['card-bound', binding(1, { card: 'C0FFEE01' })],
    ['card-bound', binding(3, { card: 'C0FFEE02', validUntill: 'never' })],
    ['card-bound', binding(4, { card: 'C0FFEE03', cardholder: { id: 'E3' }, validFrom: '2090-01-01T00:00:00Z' })],
    ['card-bound', binding(5, { card: 'C0FFEE04', cardholder: { id: 'E4' }, state: 'pending', ...FLAGS })],
    ['card-revoked', changeOf('card-revoked', 6, { card: 'C0FFEE03', reason: 'lost' })],
    ['card-revoked', changeOf('card-revoked', 7, { cardholder: 'E1', reason: 'left' })],
    ['card-bound', 'not JSON'],
    ['roster-digest', { type: 'roster-digest', messageId: 'd-1' }],
    ['calendar', EXAMPLES.calendar[0].payload],
    ['calendar', { ...EXAMPLES.calendar[0].payload, revision: 6 }],
  ];
  for (const [type, content] of changes) await hr.publish(`${ROOT}/hr/${type}`, content);
  await waitFor(() => receipts() === changes.length, 'a receipt for each message');

  await tap('C0FFEE04', 'activate');
  await tap('C0FFEE04');
  await admin.call('line', { door: 'front', line: 'contact', state: 'off', operator });
  await admin.call('line', { door: 'front', line: 'contact', state: 'on', operator });
  for (const uid of ['DEADBEEF', '08010203', 'C0FFEE03']) await tap(uid);
  await tap('DEADBEEF', 'desk');
  const lostCard = /^card C0\*{4}03 \(lost\) was held to front-in at /m;
  assert.match(gateway.describe().alarms.join('\n'), lostCard);
  const isTold = (status: unknown): boolean => JSON.stringify(status).includes('(lost) was held to front-in');
  await waitFor(() => hr.json('/status').some(isTold), 'the lost card in a status');
  await admin.call('clear-alarms', { operator });
  assert.deepEqual(gateway.describe().alarms, []);
  for (const action of ['hold-open', 'block', 'normal', 'unlock'] as const) {
    await admin.call('door-command', { door: 'front', action, operator });
  }
  await hr.publish(`${ROOT}/hr/card-revoked`, changeOf('card-revoked', 8, { card: 'C0FFEE04', reason: 'other' }));
  const [command] = EXAMPLES.command;
  const now = Date.now();
  const times = { issuedAt: new Date(now).toISOString(), expiresAt: new Date(now + 60_000).toISOString() };
  const commands = [{ ...command.payload, ...times }, { ...command.payload, ...times }, command.payload];
  for (const content of commands) await hr.publish(`${OWN}/command`, content);
  await waitFor(() => receipts() === changes.length + 1 + commands.length, 'the last receipt');

  const [digest] = EXAMPLES['roster-digest'];
  const [page] = EXAMPLES['roster-page'];
  await hr.publish(`${ROOT}/hr/roster-digest`, digest.payload, { retain: true });
  await waitFor(() => hr.json('/roster-request').length > 0, 'a request for what is missing');
  const request = hr.json('/roster-request')[0];
  assert.ok(isRecord(request));
  const { requestId, buckets } = request;
  await hr.publish(`${OWN}/roster-page`, { ...page.payload, requestId, buckets });
  await waitFor(() => eventsIn(hr).has('roster-reconciled'), 'the roster to be reconciled');
  assert.equal(gateway.describe().roster.digest, EXAMPLES.receipt[0].payload.roster.digest);
  await waitFor(
    () => hr.json('/status').some((status) => JSON.stringify(status).includes('"revision":1042')),
    'a status',
  );

  const seen = eventsIn(hr);
  for (const name of [
    'access-granted',
    'access-denied',
    'door-opened',
    'card-presented',
    'card-activated',
    'operator-action',
    'door-command',
    'card-change',
  ]) {
    assert.ok(seen.has(name), `no ${name} among ${[...seen].join(', ')}`);
  }
  const check = validators(closed);
  for (const name of MESSAGE_NAMES.filter((each) => CONTRACT[each].action === 'send')) {
    const validate = check.get(name);
    const messages = hr.json(`${OWN}/${name}`);
    assert.ok(messages.length > 0, `no ${name}`);
    for (const message of messages) {
      assert.ok(validate?.(message), `${JSON.stringify(validate?.errors)} in ${JSON.stringify(message)}`);
    }
  }
});

const eventsIn = (hr: HrClient): ReadonlySet<unknown> =>
  new Set(hr.json('/event').map((event) => (isRecord(event) ? event['event'] : undefined)));
