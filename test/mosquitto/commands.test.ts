// Signed door commands over a real broker: who may give them, and what becomes of copies that the broker, or somebody at it, keeps.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { checkConfig } from '../../src/config/check.ts';
import type { Config } from '../../src/config/config.ts';
import { parseDoorId } from '../../src/domain/ids.ts';
import { type RunningGateway, startGateway } from '../../src/gateway.ts';
import { HrClient } from '../fixtures/hr-client.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { signedTrust } from '../fixtures/signed-trust.ts';
import { signingKey } from '../fixtures/signing-keys.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const OWN = 'cardea/hq/gateways/lobby-1';
const GUARDS = signingKey('guards', 'command');
const HR = signingKey('hr-2026', 'bind', 'revoke', 'roster');

const configOn = (broker: Mosquitto, folder: string, trust: object): Config => {
  const text = `
site: hq
gateway: lobby-1
dataDir: ${folder}
mqtt: { url: mqtt://127.0.0.1:${broker.port} }
trust: ${JSON.stringify(trust)}
clock: { trust: always }
gpio: { driver: simulated }
doors: { front: { strike: {} }, lab: { strike: {} } }
readers: { front-in: { door: front, driver: simulated }, lab-in: { door: lab, driver: simulated } }
admin: { socket: ${folder}/cardea.sock }
log: { level: silent }
`;
  const { config, faults } = checkConfig(text, 'cardea.yaml');
  assert.ok(config, JSON.stringify(faults));
  return config;
};

interface Answer {
  readonly result: string;
  readonly code: string | null;
  readonly doors: readonly string[];
}

const openSite = async (t: TestContext) => {
  const broker = await Mosquitto.start();
  const { trusting, open } = signedTrust(t);
  const config = configOn(broker, temporaryFolder(t), trusting(GUARDS, HR));
  const hr = await HrClient.connect({ port: broker.port, topics: [`${OWN}/receipt`, `${OWN}/status`] });
  const running: { gateway: RunningGateway | undefined } = { gateway: undefined };
  const stop = async (): Promise<void> => running.gateway?.stop('end of work');
  const start = async (): Promise<RunningGateway> => {
    const statuses = hr.on(`${OWN}/status`).length;
    running.gateway = await startGateway(config);
    await waitFor(() => hr.on(`${OWN}/status`).length > statuses, 'the birth of the gateway');
    return running.gateway;
  };
  t.after(async () => {
    await stop();
    await hr.close();
    await broker.close();
  });
  let read = 0;
  /** The next receipt: its result, or the code of its rejection, and the doors. */
  const receipt = async (): Promise<string> => {
    const index = read++;
    await waitFor(() => hr.on(`${OWN}/receipt`).length > index, `receipt ${index + 1}`);
    const payload = hr.on(`${OWN}/receipt`)[index]?.payload ?? Buffer.alloc(0);
    const { result, code, doors }: Answer = JSON.parse(await open(payload));
    return [code ?? result, ...doors].join(' ');
  };
  const send = async (payload: string, options: { readonly retain?: boolean } = {}): Promise<string> => {
    await hr.publish(`${OWN}/command`, payload, options);
    return receipt();
  };
  const sendToAll = async (payload: string): Promise<string> => {
    await hr.publish('cardea/hq/hr/command', payload);
    return receipt();
  };
  return { hr, start, stop, send, sendToAll, receipt };
};

const commandOf = (messageId: string, fields: object = {}): string => {
  const now = Date.now();
  const times = { issuedAt: new Date(now).toISOString(), expiresAt: new Date(now + 60_000).toISOString() };
  const common = { type: 'command', site: 'hq', messageId, operator: 'guard.3', reason: 'test', ...times };
  return JSON.stringify({ ...common, action: 'hold-open', door: 'front', ...fields });
};

const FRONT = parseDoorId('front');
const modeOf = (gateway: RunningGateway): unknown => FRONT && gateway.describe().doors[FRONT]?.mode;

test('a command needs a key with the permission command, which binds no cards', async (t) => {
  const { start, send } = await openSite(t);
  const gateway = await start();
  assert.equal(await send(commandOf('c-1')), 'not-signed');
  assert.equal(await send(await HR.seal(commandOf('c-1'))), 'not-permitted');
  assert.equal(modeOf(gateway), 'normal');
  assert.equal(await send(await GUARDS.seal(commandOf('c-1'))), 'applied front');
  assert.equal(modeOf(gateway), 'held-open');
  assert.equal(await send(await GUARDS.seal(commandOf('c-2', { action: 'block', door: '*' }))), 'applied front lab');
  assert.equal(modeOf(gateway), 'blocked');
});

test('a command to the whole site locks down and ends that, with the same permission, and nothing else', async (t) => {
  const { start, send, sendToAll } = await openSite(t);
  const gateway = await start();
  const lock = { action: 'lockdown', door: '*' };
  assert.equal(await sendToAll(commandOf('c-1', lock)), 'not-signed');
  assert.equal(await sendToAll(await HR.seal(commandOf('c-1', lock))), 'not-permitted');
  assert.equal(await sendToAll(await GUARDS.seal(commandOf('c-2', { door: '*' }))), 'wrong-topic');
  assert.equal(modeOf(gateway), 'normal');
  const sealed = await GUARDS.seal(commandOf('c-1', lock));
  assert.equal(await sendToAll(sealed), 'applied front lab');
  assert.equal(modeOf(gateway), 'lockdown');
  const end = { action: 'end-lockdown', door: '*' };
  assert.equal(await sendToAll(await GUARDS.seal(commandOf('c-3', end))), 'applied front lab');
  assert.equal(await send(sealed), 'duplicate front lab', 'on the topic of one gateway, too');
  assert.equal(modeOf(gateway), 'normal');
});

test('invariant 6: a copy that somebody has kept opens nothing, retained or not, before a restart or after it', async (t) => {
  const { start, stop, send, receipt } = await openSite(t);
  await start();
  const held = await GUARDS.seal(commandOf('c-1'));
  assert.equal(await send(held), 'applied front');
  assert.equal(await send(held, { retain: true }), 'duplicate front');
  assert.equal(await send(await GUARDS.seal(commandOf('c-2', { action: 'normal' }))), 'applied front');
  assert.equal(await send(held), 'duplicate front');
  await stop();
  const gateway = await start();
  assert.equal(await receipt(), 'retained-not-allowed');
  assert.equal(await send(held), 'duplicate front');
  assert.equal(modeOf(gateway), 'normal');
});

test('invariant 6: a command that waited at the broker until it had expired is refused', async (t) => {
  const { hr, start, stop, send } = await openSite(t);
  await start();
  await stop();
  const expiresAt = Date.now() + 500;
  const late = commandOf('c-1', { expiresAt: new Date(expiresAt).toISOString() });
  const answered = send(await GUARDS.seal(late));
  await waitFor(() => Date.now() > expiresAt, 'the command to expire');
  assert.equal(hr.on(`${OWN}/receipt`).length, 0);
  const gateway = await start();
  assert.equal(await answered, 'expired-command');
  assert.equal(modeOf(gateway), 'normal');
});
