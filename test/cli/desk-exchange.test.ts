import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import mqtt from 'mqtt';
import { DeskExchange, type DeskSigning } from '../../src/cli/desk-exchange.ts';
import { checkConfig } from '../../src/config/check.ts';
import type { Config } from '../../src/config/config.ts';
import { sha256Hex } from '../../src/domain/canonical-json.ts';
import { EmbeddedBroker } from '../../src/drivers/embedded-broker/embedded-broker.ts';
import { CardeaError } from '../../src/errors.ts';
import { EXAMPLES } from '../../src/wire/contract-examples.ts';
import { unsignedSeal } from '../../src/wire/message-envelope.ts';
import { gatewayId } from '../domain/samples.ts';
import { RecordingLog } from '../fixtures/recording-log.ts';
import { waitFor } from '../fixtures/wait-for.ts';

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
const IMPATIENT = { receipt: 50, status: 50, settling: 50, presentation: 50 };
const PATIENT = { receipt: 20_000, status: 20_000, settling: 20_000, presentation: 20_000 };

const UNSIGNED: DeskSigning = { seal: unsignedSeal, open: async (payload) => payload };

const [{ payload: EXAMPLE }] = EXAMPLES.receipt;
const RECEIPT = { ...EXAMPLE, roster: { ...EXAMPLE.roster, revision: 7 } };

const [{ payload: EVENT }] = EXAMPLES.event;
const PRESENTED = { ...EVENT, gateway: 'reception', event: 'card-presented', reader: 'enrol-1', door: null };
const PRESENTED_TOPIC = 'cardea/hq/gateways/reception/event';

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
    const exchange = await DeskExchange.connect(config, UNSIGNED, PATIENT);
    assert.equal(await exchange.nextRevision('card-bound'), 42);
    await exchange.close();
  });

  it('does not guess a revision for a gateway that is offline or unheard of', async () => {
    for (const status of ['{"online":false}', '']) {
      await gateway.publishAsync(`${TOPICS}/status`, status, { qos: 1, retain: true });
      const exchange = await DeskExchange.connect(config, UNSIGNED, IMPATIENT);
      await assert.rejects(exchange.nextRevision('card-bound'), { code: 'link-offline', message: /--revision/ });
      await exchange.close();
    }
  });

  it('takes the receipt of its own message, and no other, for the answer', async () => {
    await gateway.subscribeAsync('cardea/hq/hr/card-revoked', { qos: 1 });
    gateway.once('message', (_topic, payload, packet) => {
      const { messageId } = JSON.parse(payload.toString());
      assert.equal(packet.qos, 1);
      assert.equal(packet.retain, false);
      for (const id of ['another', null, messageId]) {
        const result = id === messageId ? 'applied' : 'rejected';
        gateway.publish(`${TOPICS}/receipt`, JSON.stringify({ ...RECEIPT, messageId: id, result }), { qos: 1 });
      }
      const status = JSON.stringify({ online: true, roster: { revision: 7 } });
      gateway.publish(`${TOPICS}/status`, status, { qos: 1, retain: true });
    });
    const exchange = await DeskExchange.connect(config, UNSIGNED, PATIENT);
    const answer = await exchange.send('card-revoked', { messageId: 'mine' });
    assert.equal(answer.result, 'applied');
    assert.equal(await exchange.nextRevision('card-bound'), 8, 'the status has followed');
    await exchange.close();
    await gateway.unsubscribeAsync('cardea/hq/hr/card-revoked');
  });

  it('sends what the seal makes of the message, and takes a receipt that names it by its hash for the answer', async () => {
    await gateway.subscribeAsync('cardea/hq/hr/card-bound', { qos: 1 });
    gateway.once('message', (_topic, payload) => {
      assert.equal(payload.toString(), 'sealed {"messageId":"mine"}');
      const refusal = { ...RECEIPT, messageId: null, result: 'rejected', code: 'not-permitted' };
      for (const payloadSha256 of ['0'.repeat(64), sha256Hex(payload)]) {
        gateway.publish(`${TOPICS}/receipt`, JSON.stringify({ ...refusal, payloadSha256 }), { qos: 1 });
      }
    });
    const signing = { ...UNSIGNED, seal: (json: string) => `sealed ${json}` };
    const exchange = await DeskExchange.connect(config, signing, { ...PATIENT, settling: 50 });
    assert.equal((await exchange.send('card-bound', { messageId: 'mine' })).code, 'not-permitted');
    await exchange.close();
    await gateway.unsubscribeAsync('cardea/hq/hr/card-bound');
  });

  it('believes no status whose signature is not the gateway’s, and says which key it was compared with', async () => {
    const status = JSON.stringify({ online: true, roster: { revision: 41 } });
    await gateway.publishAsync(`${TOPICS}/status`, status, { qos: 1, retain: true });
    const doubting: DeskSigning = { ...UNSIGNED, open: async () => undefined };
    const exchange = await DeskExchange.connect(config, doubting, IMPATIENT);
    await assert.rejects(exchange.nextRevision('card-bound'), {
      code: 'link-offline',
      message: /what came was not signed with the key in data\/gateway-key\.pem, which/,
    });
    await exchange.close();
  });

  it('takes the number of the card that is held to the reader now, of no other reader and of no earlier time', async () => {
    const now = new Date().toISOString();
    const presented = { ...PRESENTED, time: now, card: 'DEADBEEF' };
    const others = [
      { ...presented, card: '11111111', reader: 'enrol-2' },
      { ...presented, card: '22222222', time: '2026-01-05T08:00:00.000Z' },
      { ...presented, card: '33333333', clockSynchronized: false },
      { ...presented, card: null, event: 'reader-offline' },
    ];
    const exchange = await DeskExchange.connect(config, UNSIGNED, PATIENT);
    let number: string | undefined;
    const found = exchange.nextPresented('enrol-1', gatewayId('reception')).then((card) => {
      number = card;
    });
    await waitFor(() => {
      for (const event of [...others, presented]) gateway.publish(PRESENTED_TOPIC, JSON.stringify(event), { qos: 1 });
      return number !== undefined;
    }, 'a number');
    await found;
    assert.equal(number, 'DEADBEEF');
    await exchange.close();
  });

  it('takes no number from a reader that decides, or that could not read the card', async () => {
    const exchange = await DeskExchange.connect(config, UNSIGNED, PATIENT);
    for (const [reader, event, reason, words] of [
      ['front-in', 'access-granted', null, /front-in says access-granted; only/],
      ['enrol-1', 'access-denied', 'random-uid', /enrol-1 says access-denied: random-uid; only/],
    ] as const) {
      let refusal: unknown;
      const waiting = exchange.nextPresented(reader, gatewayId('reception')).catch((error: unknown) => {
        refusal = error;
      });
      const told = { ...PRESENTED, reader, time: new Date().toISOString(), event, reason };
      await waitFor(() => {
        gateway.publish(PRESENTED_TOPIC, JSON.stringify(told), { qos: 1 });
        return refusal !== undefined;
      }, 'a refusal');
      await waiting;
      assert.ok(refusal instanceof CardeaError && refusal.code === 'invalid-request');
      assert.match(refusal.message, words);
    }
    await exchange.close();
  });

  it('says so when no card is held to the reader', async () => {
    const exchange = await DeskExchange.connect(config, UNSIGNED, IMPATIENT);
    await assert.rejects(exchange.nextPresented('enrol-1', gatewayId('reception')), {
      code: 'timed-out',
      message: /no card was held to reader enrol-1 of gateway reception/,
    });
    await exchange.close();
  });

  it('says so when no receipt comes', async () => {
    const exchange = await DeskExchange.connect(config, UNSIGNED, IMPATIENT);
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
    await assert.rejects(DeskExchange.connect(configFor(port), UNSIGNED), {
      code: 'link-offline',
      message: /no broker answers/,
    });
  });
});
