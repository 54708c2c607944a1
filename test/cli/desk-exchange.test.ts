import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import mqtt from 'mqtt';
import { DeskExchange } from '../../src/cli/desk-exchange.ts';
import { checkConfig } from '../../src/config/check.ts';
import type { Config } from '../../src/config/config.ts';
import { EmbeddedBroker } from '../../src/drivers/embedded-broker/embedded-broker.ts';
import { RecordingLog } from '../fixtures/recording-log.ts';

const TOPICS = 'cardea/hq/gateways/demo';

const configFor = (port: number): Config => {
  const { config } = checkConfig(
    `
site: hq
gateway: demo
mqtt: { embedded: { port: ${port} } }
trust: { messages: unsigned }
gpio: { driver: simulated }
doors: { front: { strike: {} } }
`,
    'test.yaml',
  );
  assert.ok(config !== undefined);
  return config;
};

/** Short waits where nothing is to come. */
const IMPATIENT = { receipt: 50, status: 50, settling: 50 };
const PATIENT = { receipt: 20_000, status: 20_000, settling: 20_000 };

describe('a desk command at the broker', () => {
  const broker = new EmbeddedBroker({ port: 0, log: new RecordingLog() });
  let config: Config;
  let gateway: mqtt.MqttClient;

  before(async () => {
    const { port } = await broker.start();
    config = configFor(port);
    gateway = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4 });
  });
  after(async () => {
    await gateway.endAsync(true);
    await broker.stop();
  });

  it('counts on from what the gateway has seen', async () => {
    await gateway.publishAsync(`${TOPICS}/status`, JSON.stringify({ online: true, roster: { revision: 41 } }), {
      qos: 1,
      retain: true,
    });
    const exchange = await DeskExchange.connect(config, PATIENT);
    assert.equal(await exchange.nextRevision(), 42);
    await exchange.close();
  });

  it('does not guess a revision for a gateway that is offline or unheard of', async () => {
    for (const status of ['{"online":false}', '']) {
      await gateway.publishAsync(`${TOPICS}/status`, status, { qos: 1, retain: true });
      const exchange = await DeskExchange.connect(config, IMPATIENT);
      await assert.rejects(exchange.nextRevision(), { code: 'link-offline', message: /--revision/ });
      await exchange.close();
    }
  });

  it('takes the receipt of its own message, and no other, for the answer', async () => {
    await gateway.subscribeAsync('cardea/hq/hr/card-revoked', { qos: 1 });
    const receipt = {
      roster: { revision: 7 },
      result: 'applied',
      code: null,
      detail: null,
      path: null,
      superseded: [],
      doors: [],
      warnings: [],
    };
    gateway.once('message', (_topic, payload, packet) => {
      const { messageId } = JSON.parse(payload.toString());
      assert.equal(packet.qos, 1);
      assert.equal(packet.retain, false);
      for (const id of ['another', null, messageId]) {
        const result = id === messageId ? 'applied' : 'rejected';
        gateway.publish(`${TOPICS}/receipt`, JSON.stringify({ ...receipt, messageId: id, result }), { qos: 1 });
      }
      const status = JSON.stringify({ online: true, roster: { revision: 7 } });
      gateway.publish(`${TOPICS}/status`, status, { qos: 1, retain: true });
    });
    const exchange = await DeskExchange.connect(config, PATIENT);
    const answer = await exchange.send('card-revoked', { messageId: 'mine' });
    assert.equal(answer.result, 'applied');
    assert.equal(await exchange.nextRevision(), 8, 'the status has followed');
    await exchange.close();
    await gateway.unsubscribeAsync('cardea/hq/hr/card-revoked');
  });

  it('says so when no receipt comes', async () => {
    const exchange = await DeskExchange.connect(config, IMPATIENT);
    await assert.rejects(exchange.send('card-bound', { messageId: 'lonely' }), {
      code: 'link-offline',
      message: /no receipt from gateway demo/,
    });
    await exchange.close();
  });

  it('says so when no broker answers', async () => {
    const other = new EmbeddedBroker({ port: 0, log: new RecordingLog() });
    const { port } = await other.start();
    await other.stop();
    await assert.rejects(DeskExchange.connect(configFor(port)), { code: 'link-offline', message: /no broker answers/ });
  });
});
