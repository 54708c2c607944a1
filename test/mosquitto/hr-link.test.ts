// The real link on a real broker, in both protocol versions.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MqttHrLink } from '../../src/drivers/mqtt/mqtt-hr-link.ts';
import type { MqttHrLinkOptions } from '../../src/drivers/mqtt/mqtt-link-options.ts';
import { CONTRACT_TOPICS, hrLinkContract } from '../contracts/hr-link.contract.ts';
import { HrClient } from '../fixtures/hr-client.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { linkOptions, openMqttHarness } from '../fixtures/mqtt-hr-link-harness.ts';
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
