// A whole gateway that believes signatures only, and signs what it says itself.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import { thumbprint } from '../../src/domain/trusted-key.ts';
import { startGateway } from '../../src/gateway.ts';
import { decodeReceipt } from '../../src/wire/received-receipt.ts';
import { signatureOpener } from '../../src/wire/signed-message.ts';
import { EMBEDDED } from '../fixtures/embedded.ts';
import { HrClient } from '../fixtures/hr-client.ts';
import { type SigningKey, signingKey } from '../fixtures/signing-keys.ts';
import { configOf } from '../fixtures/simulated-config.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const ROOT = 'cardea/hq';
const OWN = `${ROOT}/gateways/lobby-1`;
const OLD = signingKey('hr-2026', 'bind', 'revoke');
const NEW = signingKey('hr-2027', 'bind', 'revoke');
const GUARDS = signingKey('guards', 'revoke');
const GATEWAY = signingKey('lobby-1');

const lineOf = ({ trusted }: SigningKey): string =>
  `${trusted.kid}: { publicKey: ${trusted.publicKey}, may: [${trusted.may.join(', ')}] }`;
const signedBy = (...keys: readonly SigningKey[]): string => `{ keys: { ${keys.map(lineOf).join(', ')} } }`;

const startSite = async (t: TestContext) => {
  const folder = temporaryFolder(t);
  const broker = await EMBEDDED.start();
  const hr = await HrClient.connect({ port: broker.port, topics: [`${OWN}/receipt`, `${OWN}/status`] });
  const configWith = (trust: string): Config =>
    configOf(`
site: hq
gateway: lobby-1
dataDir: ${folder}
mqtt: { url: mqtt://127.0.0.1:${broker.port}, protocolVersion: 4 }
trust: ${trust}
clock: { trust: always }
gpio: { driver: simulated }
doors: { front: { strike: {} } }
readers: { front-in: { door: front, driver: simulated } }
admin: { socket: ${folder}/cardea.sock }
log: { level: silent }
`);
  const pem = GATEWAY.privateKey.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(join(folder, 'gateway-key.pem'), pem, { mode: 0o600 });
  const gateway = await startGateway(configWith(signedBy(OLD, GUARDS)));
  t.after(async () => {
    await gateway.stop('end of test');
    await hr.close();
    await broker.close();
  });
  await waitFor(() => hr.on(`${OWN}/status`).length > 0, 'the birth of the gateway');
  return { gateway, hr, configWith };
};

const { publicKey } = GATEWAY.trusted;
const open = signatureOpener([{ kid: thumbprint(publicKey), publicKey, may: [] }]);

const bound = (revision: number): string =>
  JSON.stringify({
    type: 'card-bound',
    site: 'hq',
    messageId: `m-${revision}`,
    revision,
    issuedAt: '2026-11-22T09:00:00+08:00',
    operator: 'hr',
    card: 'DEADBEEF',
    cardholder: { id: 'E1' },
    access: [{ doors: ['*'] }],
  });

/** Publishes it and reads the signed receipt: its result, or the code of its rejection. */
const answerTo = async (hr: HrClient, payload: string): Promise<string> => {
  const before = hr.on(`${OWN}/receipt`).length;
  await hr.publish(`${ROOT}/hr/card-bound`, payload);
  await waitFor(() => hr.on(`${OWN}/receipt`).length > before, 'the receipt');
  const decoded = await decodeReceipt(hr.on(`${OWN}/receipt`)[before]?.payload ?? Buffer.alloc(0), open);
  assert.ok('receipt' in decoded, JSON.stringify(decoded));
  return decoded.receipt.code ?? decoded.receipt.result;
};

test('a gateway for signed messages takes what a permitted key has signed and nothing else, and says so under its own key', async (t) => {
  const { gateway, hr } = await startSite(t);
  assert.equal(await answerTo(hr, bound(1)), 'not-signed');
  assert.equal(await answerTo(hr, await NEW.seal(bound(1))), 'unknown-key');
  assert.equal(await answerTo(hr, await GUARDS.seal(bound(1))), 'not-permitted');
  assert.equal(gateway.describe().roster.cards, 0);
  const sealed = await OLD.seal(bound(1));
  assert.equal(await answerTo(hr, sealed), 'applied');
  assert.equal(await answerTo(hr, sealed), 'duplicate');

  await gateway.stop('end of work');
  await waitFor(() => hr.on(`${OWN}/status`).length > 1, 'the last status');
  const statuses = await Promise.all(hr.on(`${OWN}/status`).map(({ payload }) => open(payload)));
  assert.deepEqual([...new Set(statuses.map(({ kind }) => kind))], ['opened']);
  const last = statuses.at(-1);
  assert.ok(last?.kind === 'opened');
  assert.deepEqual(JSON.parse(Buffer.from(last.json).toString()), {
    type: 'status',
    gateway: 'lobby-1',
    online: false,
  });
});

test('a key of HR is replaced while the gateway runs, and a reload that makes no sense changes nothing', async (t) => {
  const { gateway, hr, configWith } = await startSite(t);
  await gateway.reload(configWith(signedBy(OLD, NEW)));
  assert.equal(await answerTo(hr, await NEW.seal(bound(1))), 'applied');
  assert.equal(await answerTo(hr, await OLD.seal(bound(2))), 'applied');
  await gateway.reload(configWith(signedBy(NEW)));
  assert.equal(await answerTo(hr, await OLD.seal(bound(3))), 'unknown-key');

  await assert.rejects(gateway.reload(configWith('{ messages: unsigned }')), {
    code: 'config-invalid',
    message: /takes a restart/,
  });
  await assert.rejects(gateway.reload(configWith('{ keys: { hr-2028: { publicKeyFile: gone.pem, may: [bind] } } }')), {
    code: 'key-unusable',
  });
  assert.equal(await answerTo(hr, bound(3)), 'not-signed');
  assert.equal(await answerTo(hr, await NEW.seal(bound(3))), 'applied');
});
