import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import mqtt from 'mqtt';
import { sendToSite } from '../../src/cli/site-exchange.ts';
import { checkConfig } from '../../src/config/check.ts';
import type { Config } from '../../src/config/config.ts';
import { EmbeddedBroker } from '../../src/drivers/embedded-broker/embedded-broker.ts';
import { EXAMPLES } from '../../src/wire/contract-examples.ts';
import { RecordingLog } from '../fixtures/recording-log.ts';

const GATEWAYS = 'cardea/hq/gateways';
const [{ payload: RECEIPT }] = EXAMPLES.receipt;

const configFor = (port: number): Config => {
  const text = `
site: hq
gateway: demo
mqtt: { embedded: { port: ${port} } }
trust: { messages: unsigned }
gpio: { driver: simulated }
doors: { front: { strike: {} } }
`;
  const { config } = checkConfig(text, 'test.yaml');
  assert.ok(config !== undefined);
  return config;
};

describe('a command to the whole site', () => {
  const broker = new EmbeddedBroker({ port: 0, log: new RecordingLog() });
  let config: Config;
  let site: mqtt.MqttClient;

  const report = (gateway: string, online: boolean): Promise<unknown> => {
    const status = JSON.stringify({ type: 'status', gateway, online });
    return site.publishAsync(`${GATEWAYS}/${gateway}/status`, status, { qos: 1, retain: true });
  };

  /** These gateways answer the next command, the first of them also an earlier one. */
  const answering = (...gateways: string[]): void => {
    site.once('message', (topic, payload, { retain }) => {
      assert.deepEqual([topic, retain], ['cardea/hq/hr/command', false]);
      const { messageId } = JSON.parse(payload.toString());
      for (const gateway of gateways) {
        for (const id of ['another', messageId]) {
          const receipt = JSON.stringify({ ...RECEIPT, gateway, messageType: 'command', messageId: id });
          site.publish(`${GATEWAYS}/${gateway}/receipt`, receipt, { qos: 1 });
        }
      }
    });
  };

  const send = (receipts: number, statuses = 200) =>
    sendToSite(config, { messageId: 'mine', payload: '{"messageId":"mine"}' }, { statuses, receipts });

  before(async () => {
    const { port } = await broker.start();
    config = configFor(port);
    site = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4 });
    await site.subscribeAsync('cardea/hq/hr/command', { qos: 1 });
    for (const gateway of ['lobby', 'annex']) await report(gateway, true);
    await report('gone', false);
  });
  after(async () => {
    await site.endAsync(true);
    await broker.stop();
  });

  it('is answered when all gateways that are online have answered', async () => {
    answering('lobby', 'annex');
    const { receipts, missing, offline } = await send(20_000);
    assert.deepEqual(
      receipts.map(({ gateway, messageId }) => [gateway, messageId]),
      [
        ['annex', 'mine'],
        ['lobby', 'mine'],
      ],
    );
    assert.deepEqual(missing, []);
    assert.deepEqual(offline, ['gone'], 'who is offline is not waited for, and not kept quiet about');
  });

  it('takes the answer of a gateway for more than a status that says offline', async () => {
    answering('annex', 'gone', 'lobby');
    assert.deepEqual((await send(20_000)).offline, []);
  });

  it('names the gateways that are online and do not answer', async () => {
    answering('annex');
    const { receipts, missing } = await send(100);
    assert.deepEqual([receipts.map(({ gateway }) => gateway), missing], [['annex'], ['lobby']]);
  });

  it('fails where nobody answers', async () => {
    answering();
    await assert.rejects(send(100), { code: 'link-offline', message: /may still be carried out until it expires/ });
  });
});
