// The real link on a real broker, in both protocol versions.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MqttHrLink } from '../../src/drivers/mqtt/mqtt-hr-link.ts';
import type { MqttHrLinkOptions } from '../../src/drivers/mqtt/mqtt-link-options.ts';
import { CONTRACT_TOPICS, hrLinkContract } from '../contracts/hr-link.contract.ts';
import { HrClient } from '../fixtures/hr-client.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { linkOptions, openMqttHarness } from '../fixtures/mqtt-hr-link-harness.ts';
import { freePort } from '../fixtures/server-process.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import {
  AUTHORITY,
  BROKER,
  BROKER_KEY,
  CLIENT,
  CLIENT_EXPIRED,
  CLIENT_KEY,
  RENEWED_CLIENT,
  RENEWED_CLIENT_KEY,
} from '../fixtures/tls-identities.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const VERSIONS = [
  ['MQTT 5', 5],
  ['MQTT 3.1.1', 4],
] as const;
const [TOPIC] = CONTRACT_TOPICS;

for (const [name, version] of VERSIONS) {
  hrLinkContract(`MqttHrLink on mosquitto, ${name}`, async () => {
    const broker = await Mosquitto.start();
    const restartEmpty = () => broker.resume({ forget: true });
    return openMqttHarness(
      { port: broker.port, stop: () => broker.stop(), restartEmpty, close: () => broker.close() },
      version,
    );
  });
}

const setUp = async (t: TestContext, options: Partial<MqttHrLinkOptions> = {}) => {
  const broker = await Mosquitto.start();
  const hr = await HrClient.connect({ port: broker.port });
  const link = new MqttHrLink(linkOptions(broker.port, options));
  const seen = { sizes: [] as number[], connects: 0, disconnects: [] as string[] };
  t.after(async () => {
    await link.stop();
    await hr.close();
    await broker.close();
  });
  link.start({
    onMessage: async ({ payload }) => {
      seen.sizes.push(payload.length);
    },
    onConnect: () => {
      seen.connects += 1;
    },
    onDisconnect: (reason) => seen.disconnects.push(reason),
  });
  await waitFor(() => seen.connects === 1, 'the connection');
  return { broker, hr, link, seen };
};

test('MQTT 5: a message over a mebibyte is not even sent to the gateway, and what follows it arrives', async (t) => {
  const { hr, seen } = await setUp(t, { protocolVersion: 5 });
  await hr.publish(TOPIC, Buffer.alloc(3 * 1024 * 1024));
  await hr.publish(TOPIC, 'after');
  await waitFor(() => seen.sizes.includes(5), 'the message after it');
  assert.deepEqual(seen, { sizes: [5], connects: 1, disconnects: [] });
});

test('MQTT 3.1.1: a message over a mebibyte arrives cut, and does not come again', async (t) => {
  const { hr, seen } = await setUp(t);
  await hr.publish(TOPIC, Buffer.alloc(3 * 1024 * 1024));
  await hr.publish(TOPIC, 'after');
  await waitFor(() => seen.sizes.includes(5), 'the message after it');
  assert.equal(seen.sizes.length, 2);
  assert.ok((seen.sizes[0] ?? 0) > 1_000_000 && (seen.sizes[0] ?? 0) < 1024 * 1024);
  assert.deepEqual(seen.disconnects, []);
});

for (const [name, protocolVersion] of VERSIONS) {
  test(`${name}: publishes under way when the broker is killed are settled by the next one`, async (t) => {
    const { broker, link, seen } = await setUp(t, { protocolVersion });
    const publishes = Array.from({ length: 200 }, (_, index) => link.publish('contract/event', `${index}`));
    await broker.kill();
    await broker.resume();
    await Promise.all(publishes);
    await waitFor(() => seen.connects === 2, 'the second connection');
    await link.publish('contract/event', 'after');
  });
}

/** A broker that lets in who shows a certificate of our authority, with a second port for HR, who needs none. */
const setUpTls = async (t: TestContext, identity: { readonly cert: string; readonly key: string }) => {
  const folder = temporaryFolder(t);
  const files = { ca: join(folder, 'ca'), cert: join(folder, 'cert'), key: join(folder, 'key') };
  const write = ({ cert, key }: { readonly cert: string; readonly key: string }): void => {
    writeFileSync(files.cert, cert);
    writeFileSync(files.key, key);
  };
  writeFileSync(files.ca, AUTHORITY);
  write(identity);
  writeFileSync(join(folder, 'broker.crt'), BROKER);
  writeFileSync(join(folder, 'broker.key'), BROKER_KEY);
  const portOfHr = await freePort();
  const broker = await Mosquitto.start({
    settings: [
      `cafile ${files.ca}`,
      `certfile ${join(folder, 'broker.crt')}`,
      `keyfile ${join(folder, 'broker.key')}`,
      'require_certificate true',
      `listener ${portOfHr} 127.0.0.1`,
    ],
  });
  t.after(() => broker.close());
  const options = { url: `mqtts://127.0.0.1:${broker.port}`, credentialFiles: files };
  return { write, portOfHr, options };
};

test('a renewed client certificate is taken into use while changes stream in, and none is lost', async (t) => {
  const { write, portOfHr, options } = await setUpTls(t, { cert: CLIENT, key: CLIENT_KEY });
  const hr = await HrClient.connect({ port: portOfHr });
  const link = new MqttHrLink(linkOptions(0, options));
  t.after(async () => {
    await link.stop();
    await hr.close();
  });
  const seen = new Set<string>();
  let connects = 0;
  link.start({
    onMessage: async ({ payload }) => {
      // Handlers are under way when the connection goes.
      await new Promise((resolve) => setImmediate(resolve));
      seen.add(Buffer.from(payload).toString());
    },
    onConnect: () => {
      connects += 1;
    },
    onDisconnect: () => {},
  });
  await waitFor(() => connects === 1, 'the connection');
  const payloads = Array.from({ length: 2_000 }, (_, index) => `change ${index}`);
  const published = Promise.all(payloads.map((payload) => hr.publish(TOPIC, payload)));
  await waitFor(() => seen.size > 0, 'the stream');
  write({ cert: RENEWED_CLIENT, key: RENEWED_CLIENT_KEY });
  link.reloadCredentials();
  await published;
  await waitFor(() => seen.size === payloads.length, 'every change');
  assert.deepEqual([...seen], payloads);
  assert.equal(connects, 2);
});

test('a broker that refuses our expired certificate: the error tells which file to renew', async (t) => {
  const { options } = await setUpTls(t, { cert: CLIENT_EXPIRED, key: CLIENT_KEY });
  const link = new MqttHrLink(linkOptions(0, options));
  t.after(() => link.stop());
  const reasons: string[] = [];
  link.start({ onMessage: async () => {}, onConnect: () => {}, onDisconnect: (reason) => reasons.push(reason) });
  await waitFor(() => reasons.length > 0, 'the refusal');
  assert.match(reasons[0] ?? '', /certificate expired; renew the certificate in the file that mqtt\.cert names/);
});
