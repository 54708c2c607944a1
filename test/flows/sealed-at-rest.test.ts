// A gateway through its real doors: everything that tells of a card or a person goes in, and none of it is in any file afterwards,
// neither before nor after the keys of the store were replaced.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AdminClient } from '../../src/cli/admin-client.ts';
import { startGateway } from '../../src/gateway.ts';
import { OPERATOR, run } from '../cli/cli-bench.ts';
import { HrClient } from '../fixtures/hr-client.ts';
import { configOf } from '../fixtures/simulated-config.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';

const CARD = '04A2B3C4D5E680';
const OTHER = 'DEADBEEF';
const STRANGER = 'CAFEBABE';
const SECRETS = [
  CARD,
  OTHER,
  STRANGER,
  'E100-77-2',
  'Ada Lovelace',
  'Engines',
  'hr.desk-2',
  'guard.3',
  'fire drill',
  OPERATOR,
];

const reversed = (text: string): string => [...text].reverse().join('');
/** As it reads within the base64 of something longer, wherever it begins there. */
const base64Forms = (text: string): string[] =>
  [0, 1, 2].map((shift) =>
    Buffer.from(`${'\0'.repeat(shift)}${text}`)
      .toString('base64')
      .slice(shift + 1, -4),
  );
const uidForms = (text: string): string[] => {
  if (!/^[0-9A-F]+$/.test(text)) return [];
  const uid = Buffer.from(text, 'hex');
  const turned = Buffer.from(uid).reverse();
  return [uid, turned].flatMap((bytes) => [
    bytes.toString('latin1'),
    bytes.toString('hex'),
    bytes.toString('base64').slice(0, 5),
  ]);
};
/** Shorter ones turn up by chance. */
const formsOf = (secret: string): string[] => {
  const texts = [secret, secret.toLowerCase(), reversed(secret), reversed(secret.toLowerCase())];
  const coded = [secret, secret.toLowerCase()].flatMap((text) => [
    ...base64Forms(text),
    Buffer.from(text).toString('hex'),
  ]);
  return [...texts, ...coded, ...uidForms(secret)].filter((form) => form.length >= 5);
};

/** File and form of everything that was found. */
const foundBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap((entry) => {
      const content = readFileSync(join(entry.parentPath, entry.name), 'latin1');
      const hits = SECRETS.flatMap(formsOf).filter((form) => content.includes(form));
      return hits.map((form) => `${entry.name}: ${form}`);
    });

test('the search finds what stands in a file as it is, turned round or coded', (t) => {
  const event = JSON.stringify({ card: CARD, cardholder: 'E100-77-2' });
  const WRITTEN = [
    event,
    event.toLowerCase(),
    reversed(event),
    Buffer.from(event).toString('base64'),
    Buffer.from(CARD, 'hex'),
  ];
  for (const content of WRITTEN) {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'file'), content);
    assert.notDeepEqual(foundBelow(folder), [], content.toString());
  }
});

test('nothing in the files of a gateway tells a card, a person or an operator', async (t) => {
  const folder = temporaryFolder(t);
  const config = configOf(`
site: hq
gateway: lobby-1
dataDir: ${folder}/data
mqtt: { embedded: { port: 0 } }
trust: { messages: unsigned }
clock: { trust: always }
store: { ballastMiB: 0 }
gpio: { driver: simulated }
zones: { office: { antiPassback: soft } }
doors: { front: { strike: {}, zone: office } }
readers: { front-in: { door: front, driver: simulated } }
admin: { socket: ${folder}/cardea.sock }
log: { level: silent }
`);
  const gateway = await startGateway(config);
  t.after(() => gateway.stop('end of test'));
  const hr = await HrClient.connect({ port: Number(new URL(gateway.brokerUrl).port) });
  t.after(() => hr.close());
  const admin = new AdminClient({ socket: join(folder, 'cardea.sock') });
  const message = (revision: number) => ({
    site: 'hq',
    messageId: `m-${revision}`,
    revision,
    issuedAt: '2026-11-22T09:00:00+08:00',
    operator: 'hr.desk-2',
  });
  const tell = async (
    topic: string,
    fields: { readonly messageId: string; readonly [name: string]: unknown },
  ): Promise<void> => {
    await hr.publish(`cardea/hq/${topic}`, fields);
    await hr.waitFor(
      ({ topic: on, payload }) => on.endsWith('/receipt') && payload.includes(`"${fields.messageId}"`),
      `the receipt of ${fields.messageId}`,
    );
  };
  const cardholder = { id: 'E100-77-2', name: 'Ada Lovelace', department: 'Engines' };
  const bound = { type: 'card-bound', cardholder, access: [{ doors: ['front'] }] };
  const schedules = { late: [{ days: ['mon'], from: '08:00', to: '18:00' }] };
  await tell('hr/card-bound', { ...message(1), ...bound, card: OTHER });
  await tell('hr/card-bound', { ...message(2), ...bound, card: CARD });
  await tell('hr/card-bound', { ...message(2), ...bound, card: CARD });
  await tell('hr/calendar', { ...message(3), ...{ type: 'calendar', schedules, holidays: {}, levels: {} } });
  await tell('hr/card-revoked', { ...message(4), ...{ type: 'card-revoked', card: OTHER, reason: 'lost' } });
  const now = Date.now();
  const { revision: _, ...order } = message(5);
  await tell('gateways/lobby-1/command', {
    ...order,
    ...{ type: 'command', operator: 'guard.3', reason: 'fire drill', action: 'hold-open', door: 'front' },
    ...{ issuedAt: new Date(now).toISOString(), expiresAt: new Date(now + 60_000).toISOString() },
  });
  for (const uid of [CARD, OTHER, STRANGER]) await admin.call('tap', { reader: 'front-in', uid, operator: OPERATOR });
  const { zones } = await admin.call('zone', {});
  assert.equal(zones[0]?.inside[0]?.name, 'Ada Lovelace');
  await admin.call('reset-passback', { cardholder: cardholder.id, operator: OPERATOR });
  await admin.call('door-command', { door: 'front', action: 'block', operator: OPERATOR, reason: 'fire drill' });
  assert.deepEqual(foundBelow(config.dataDir), []);

  const rotated = await run(['keys', 'rotate-store', '--socket', join(folder, 'cardea.sock')]);
  assert.equal(rotated.code, 0, rotated.errors);
  assert.match(
    rotated.output,
    /^the key file has a new key\n\d+ records are sealed anew; the former key opens none of them\n$/,
  );
  const found = await admin.call('card', { card: CARD });
  assert.equal(found.binding?.name, 'Ada Lovelace');
  const told: unknown[] = [];
  for await (const { event, detail } of admin.events({ since: '0' })) told.push([event, detail]);
  const [ordered, done] = told.slice(-2);
  assert.deepEqual(ordered, ['operator-action', { action: 'rotate-store', operator: OPERATOR }]);
  assert.equal(Object(done)[0], 'store-key-rotated');
  await gateway.stop('end of test');
  assert.deepEqual(foundBelow(config.dataDir), []);
});
