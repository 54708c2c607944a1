import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connectAsync, connect as connectLater, type IClientOptions, type MqttClient } from 'mqtt';
import { EmbeddedBroker, type EmbeddedBrokerOptions } from '../../../src/drivers/embedded-broker/embedded-broker.ts';
import { RecordingLog } from '../../fixtures/recording-log.ts';
import { waitFor } from '../../fixtures/wait-for.ts';

const setUp = async (t: TestContext, options: Partial<EmbeddedBrokerOptions> = {}) => {
  const log = new RecordingLog();
  const broker = new EmbeddedBroker({ port: 0, log, ...options });
  t.after(() => broker.stop());
  const { port } = await broker.start();
  const connect = async (clientOptions: IClientOptions = {}): Promise<MqttClient> => {
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, ...clientOptions });
    t.after(() => client.end(true));
    return client;
  };
  /** A lasting session, not connected yet, so that nothing of its queue is missed. */
  const reconnect = (clientId: string): MqttClient => {
    const client = connectLater(`mqtt://127.0.0.1:${port}`, { clientId, clean: false, reconnectPeriod: 0 });
    t.after(() => client.end(true));
    return client;
  };
  return { broker, port, log, connect, reconnect };
};

/** Fixed header of a PUBLISH that announces `length` bytes to follow. */
const announce = (length: number): Buffer => {
  const bytes = [0x32];
  let rest = length;
  do {
    bytes.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(bytes);
};

test('a taken port is named, together with the setting that changes it', async (t) => {
  const { port, log } = await setUp(t);
  await assert.rejects(new EmbeddedBroker({ port, log }).start(), (error: unknown) => {
    assert.ok(error instanceof Error && 'code' in error);
    assert.equal(error.code, 'port-in-use');
    assert.match(error.message, new RegExp(`${port}.*mqtt\\.embedded\\.port`));
    return true;
  });
});

test('MQTT 5 is refused with a return code, not with silence', async (t) => {
  const { connect } = await setUp(t);
  await assert.rejects(connect({ protocolVersion: 5 }), /Connection refused: Unacceptable protocol version/);
});

test('a client that announces a packet over a mebibyte is dropped before it has sent it', async (t) => {
  const { port, connect, log } = await setUp(t);
  const socket = connectTcp(port, '127.0.0.1');
  let isClosed = false;
  socket.on('close', () => {
    isClosed = true;
  });
  socket.on('error', () => {});
  // CONNECT, MQTT 3.1.1, clean, client id "x"; then the header of the giant, split in two.
  socket.write(Buffer.from([0x10, 13, 0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 60, 0, 1, 0x78]));
  await new Promise((resolve) => socket.once('data', resolve));
  const header = announce(200 * 1024 * 1024);
  socket.write(header.subarray(0, 2));
  socket.write(header.subarray(2));
  await waitFor(() => isClosed, 'the connection to be dropped');
  assert.equal(log.at('warn').length, 1);
  const other = await connect();
  await other.publishAsync('a', Buffer.alloc(900 * 1024), { qos: 1 });
});

test('an absent session keeps so many messages and no more, the oldest ones, and the loss is said once', async (t) => {
  const { connect, reconnect, log } = await setUp(t, { queueLimits: { messages: 5, bytes: 1_000_000 } });
  const absent = await connect({ clientId: 'absent', clean: false });
  await absent.subscribeAsync('a', { qos: 1 });
  await absent.endAsync();
  const sender = await connect();
  for (let index = 0; index < 8; index += 1) await sender.publishAsync('a', `${index}`, { qos: 1 });
  await waitFor(() => log.at('warn').length > 0, 'the loss to be said');
  const received: string[] = [];
  const back = reconnect('absent');
  back.on('message', (_topic, payload) => received.push(payload.toString()));
  await waitFor(() => received.length >= 5, 'the queue');
  await sender.publishAsync('a', 'after', { qos: 1 });
  await waitFor(() => received.includes('after'), 'the message after the queue');
  assert.deepEqual(received, ['0', '1', '2', '3', '4', 'after']);
  assert.equal(log.at('warn').length, 1);
});

test('what is queued counts in bytes too', async (t) => {
  const { connect, log } = await setUp(t, { queueLimits: { messages: 1_000, bytes: 250 } });
  const absent = await connect({ clientId: 'absent', clean: false });
  await absent.subscribeAsync('a', { qos: 1 });
  await absent.endAsync();
  const sender = await connect();
  for (let index = 0; index < 3; index += 1) await sender.publishAsync('a', Buffer.alloc(100), { qos: 1 });
  await waitFor(() => log.at('warn').length === 1, 'the loss to be said');
});

test('a message published at QoS 2 reaches an absent session at QoS 1', async (t) => {
  const { connect, reconnect } = await setUp(t);
  const absent = await connect({ clientId: 'absent', clean: false });
  await absent.subscribeAsync('a', { qos: 1 });
  await absent.endAsync();
  const sender = await connect();
  await sender.publishAsync('a', 'queued', { qos: 2 });
  const qualities: number[] = [];
  const back = reconnect('absent');
  back.on('packetreceive', (packet) => {
    if (packet.cmd === 'publish') qualities.push(packet.qos);
  });
  await waitFor(() => qualities.length === 1, 'the queued message');
  await sender.publishAsync('a', 'live', { qos: 2 });
  await waitFor(() => qualities.length === 2, 'the live message');
  assert.deepEqual(qualities, [1, 1]);
});

test('the sixty-fifth lasting session is refused; passing clients and known sessions are not', async (t) => {
  const { connect } = await setUp(t);
  for (let index = 0; index < 64; index += 1) {
    const client = await connect({ clientId: `session-${index}`, clean: false });
    await client.endAsync(true);
  }
  await assert.rejects(connect({ clientId: 'one-too-many', clean: false }), /Server unavailable/);
  await connect({ clientId: 'session-0', clean: false });
  await connect();
});

test('stopping ends every connection and can be repeated', async (t) => {
  const { broker, connect, port } = await setUp(t);
  const client = await connect();
  const idle = connectTcp(port, '127.0.0.1');
  idle.on('error', () => {});
  await new Promise((resolve) => idle.once('connect', resolve));
  await broker.stop();
  await broker.stop();
  await waitFor(() => !client.connected && idle.destroyed, 'both connections to end');
  const again = new EmbeddedBroker({ port, log: new RecordingLog() });
  t.after(() => again.stop());
  assert.deepEqual(await again.start(), { port });
});
