// What the MQTT link promises beyond the port: what a hostile, broken or refusing broker does to it, and what it says about it.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { milliseconds } from '../../../src/domain/units.ts';
import { MqttHrLink } from '../../../src/drivers/mqtt/mqtt-hr-link.ts';
import type { MqttHrLinkOptions } from '../../../src/drivers/mqtt/mqtt-link-options.ts';
import { CardeaError } from '../../../src/errors.ts';
import type { InboundMessage } from '../../../src/ports/hr-link.ts';
import { linkOptions } from '../../fixtures/mqtt-hr-link-harness.ts';
import { RecordingLog } from '../../fixtures/recording-log.ts';
import { type Script, ScriptedBroker } from '../../fixtures/scripted-broker.ts';
import { TcpProxy } from '../../fixtures/tcp-proxy.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { waitFor } from '../../fixtures/wait-for.ts';

const TOPIC = 'contract/hr/card-bound';

interface Setup {
  readonly script?: Script;
  readonly protocolVersion?: 4 | 5;
  readonly options?: Partial<MqttHrLinkOptions>;
  readonly onMessage?: (message: InboundMessage) => Promise<void>;
}

const setUp = async (t: TestContext, { script = {}, protocolVersion = 4, options, onMessage }: Setup) => {
  const broker = await ScriptedBroker.start({ protocolVersion, script });
  const log = new RecordingLog();
  const link = new MqttHrLink(linkOptions(broker.port, { protocolVersion, log, ...options }));
  const seen = { connects: 0, disconnects: [] as string[], messages: [] as InboundMessage[] };
  t.after(async () => {
    await link.stop();
    await broker.close();
  });
  const start = (): void =>
    link.start({
      onMessage: async (message) => {
        seen.messages.push(message);
        await onMessage?.(message);
      },
      onConnect: () => {
        seen.connects += 1;
      },
      onDisconnect: (reason) => seen.disconnects.push(reason),
    });
  const connect = async (): Promise<void> => {
    start();
    await waitFor(() => seen.connects === 1, 'the connection');
  };
  return { broker, link, log, seen, start, connect };
};

const passwordFile = (t: TestContext, text: string): string => {
  const path = join(temporaryFolder(t), 'password');
  writeFileSync(path, text);
  return path;
};

const publishPacket = (messageId: number, payload: string | Buffer = 'content') =>
  ({ cmd: 'publish', topic: TOPIC, qos: 1, dup: false, retain: false, messageId, payload }) as const;

test('refused credentials are an error once, then quiet, until the new password is read and accepted', async (t) => {
  const password = passwordFile(t, 'old-secret');
  const { broker, link, log, seen, start } = await setUp(t, {
    script: {
      connect: ({ password: given }, { send }) =>
        send({ cmd: 'connack', sessionPresent: false, returnCode: given?.toString() === 'new-secret' ? 0 : 5 }),
    },
    options: { username: 'lobby-1', credentialFiles: { password } },
  });
  start();
  await waitFor(() => broker.count('connect') >= 4, 'four attempts');
  assert.equal(link.isConnected(), false);
  assert.deepEqual(
    log.at('warn', 'error').map(({ level, fields }) => [level, fields['reason']]),
    [['error', 'Connection refused: Not authorized']],
  );
  assert.ok(log.at('debug').length >= 2);
  assert.deepEqual(seen.disconnects, ['Connection refused: Not authorized']);
  writeFileSync(password, 'new-secret');
  await waitFor(() => seen.connects === 1, 'the connection');
  assert.doesNotMatch(JSON.stringify(log.records), /secret/);
});

test('a password that cannot be read fails the attempt, is said once, and is read again', async (t) => {
  const password = passwordFile(t, '');
  const { broker, link, log, seen, start } = await setUp(t, {
    options: { username: 'lobby-1', credentialFiles: { password } },
  });
  start();
  await waitFor(() => log.at('debug').length >= 2, 'three attempts');
  assert.equal(log.at('error').length, 1);
  assert.match(seen.disconnects.join(), /credentials for the broker cannot be used: .*password is empty/);
  assert.match(link.credentialFault ?? '', /password is empty/);
  writeFileSync(password, 'secret');
  await waitFor(() => seen.connects === 1, 'the connection');
  assert.equal(link.credentialFault, undefined);
  assert.equal(broker.connections.length, 1);
});

for (const [what, granted] of [
  ['refused', 128],
  ['granted at QoS 0 only', 0],
] as const) {
  test(`a subscription that is ${what} is an error naming the topic, and the link keeps trying`, async (t) => {
    const { broker, link, log, seen, start } = await setUp(t, {
      script: {
        subscribe: ({ messageId }, { send, index }) =>
          send({ cmd: 'suback', messageId: messageId ?? 0, granted: [1, index < 3 ? granted : 1] }),
      },
    });
    start();
    await waitFor(() => seen.connects === 1, 'the connection');
    assert.equal(broker.connections.length, 4);
    assert.deepEqual(seen.disconnects, ['the broker refused the subscription to contract/hr/card-revoked']);
    assert.equal(log.at('error').length, 1);
    assert.equal(link.isConnected(), true);
  });
}

test('the pause before each attempt doubles up to its ceiling, whatever the failure', async (t) => {
  const { log, start } = await setUp(t, {
    script: { connect: (_packet, { end }) => end() },
    options: { backoff: { minimum: milliseconds(2), maximum: milliseconds(30) }, random: () => 0.999_999 },
  });
  start();
  await waitFor(() => log.records.length >= 6, 'six failures');
  assert.deepEqual(
    log.records.slice(0, 6).map(({ fields }) => fields['retryInMilliseconds']),
    [4, 8, 16, 30, 30, 30],
  );
});

test('a message that is refused again and again does not turn into a storm of reconnects', async (t) => {
  const { log, start } = await setUp(t, {
    script: {
      subscribe: ({ messageId, subscriptions }, { send }) => {
        send({ cmd: 'suback', messageId: messageId ?? 0, granted: subscriptions.map(() => 1) });
        send(publishPacket(7));
      },
    },
    options: { backoff: { minimum: milliseconds(2), maximum: milliseconds(30) }, random: () => 0.999_999 },
    onMessage: () => Promise.reject(new CardeaError('store-write-failed', 'the disk is full')),
  });
  start();
  const losses = () => log.at('warn').filter(({ message }) => message === 'hr link lost');
  await waitFor(() => losses().length >= 4, 'four losses');
  assert.deepEqual(
    losses()
      .slice(0, 4)
      .map(({ fields }) => fields['retryInMilliseconds']),
    [4, 8, 16, 30],
  );
  assert.equal(losses()[0]?.fields['reason'], `a message on ${TOPIC} could not be handled: the disk is full`);
});

test('a connection that carries nothing more is noticed by the keepalive', async (t) => {
  const { broker, seen, connect } = await setUp(t, {});
  const proxy = await TcpProxy.open(broker.port);
  const link = new MqttHrLink(linkOptions(proxy.port, { keepaliveSeconds: 1 }));
  t.after(async () => {
    await link.stop();
    await proxy.close();
  });
  await connect();
  const reasons: string[] = [];
  let connects = 0;
  link.start({
    onMessage: async () => {},
    onConnect: () => {
      connects += 1;
    },
    onDisconnect: (reason) => reasons.push(reason),
  });
  await waitFor(() => connects === 1, 'the connection');
  proxy.silence();
  await waitFor(() => reasons.length === 1, 'the keepalive to notice');
  assert.deepEqual(reasons, ['Keepalive timeout']);
  proxy.restore();
  await waitFor(() => connects === 2, 'the second connection');
  assert.equal(seen.connects, 1);
});

test('a broker that accepts the connection and says nothing is given up after the connect timeout', async (t) => {
  const { seen, start } = await setUp(t, {
    script: { connect: () => {} },
    options: { connectTimeoutSeconds: 0.05 },
  });
  start();
  await waitFor(() => seen.disconnects.length === 1, 'the timeout');
  assert.deepEqual(seen.disconnects, ['connack timeout']);
});

test('a broker that never answers the subscription is given up too', async (t) => {
  const { seen, start } = await setUp(t, {
    script: { subscribe: () => {} },
    options: { connectTimeoutSeconds: 0.5 },
  });
  start();
  const reason = 'the broker did not grant the subscriptions within 0.5 s';
  // A busy machine may not even get its CONNACK in time at first.
  await waitFor(() => seen.disconnects.includes(reason), 'the timeout');
});

test('a giant message over MQTT 3.1.1 is cut to a mebibyte, handed over and acknowledged, and the link stays up', async (t) => {
  const { broker, log, seen, connect } = await setUp(t, {});
  await connect();
  broker.connections[0]?.send(publishPacket(3, Buffer.alloc(20 * 1024 * 1024, 'x')));
  broker.connections[0]?.send(publishPacket(4, 'after it'));
  await waitFor(() => broker.count('puback') === 2, 'both acknowledgements');
  assert.ok((seen.messages[0]?.payload.length ?? 0) > 1024 * 1024 - 100);
  assert.ok((seen.messages[0]?.payload.length ?? 0) < 1024 * 1024);
  assert.equal(Buffer.from(seen.messages[1]?.payload ?? []).toString(), 'after it');
  assert.deepEqual(seen.disconnects, []);
  assert.match(log.at('warn')[0]?.message ?? '', /too large/);
});

test('bytes that are no MQTT end the connection, not the link', async (t) => {
  const { broker, seen, connect } = await setUp(t, {});
  await connect();
  broker.connections[0]?.sendBytes(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
  await waitFor(() => seen.connects === 2, 'the second connection');
  assert.equal(seen.disconnects.length, 1);
});

test('slow handlers hold up neither our publishes nor the messages behind them, and acknowledgements keep the order', async (t) => {
  const waiting: (() => void)[] = [];
  const { broker, link, seen, connect } = await setUp(t, {
    onMessage: () => new Promise((resolve) => waiting.push(resolve)),
  });
  await connect();
  broker.connections[0]?.send(publishPacket(9));
  broker.connections[0]?.send({ ...publishPacket(0), qos: 0 });
  broker.connections[0]?.send(publishPacket(700));
  await waitFor(() => seen.messages.length === 3, 'the messages');
  waiting[2]?.();
  waiting[1]?.();
  await link.publish('contract/event', 'opened');
  assert.equal(broker.count('puback'), 0);
  waiting[0]?.();
  await waitFor(() => broker.count('puback') === 2, 'the acknowledgements');
  const acknowledged = broker.received.flatMap((packet) => (packet.cmd === 'puback' ? [packet.messageId] : []));
  assert.deepEqual(acknowledged, [9, 700]);
});

test('a broker that sends without end is held back, and nothing it sent is lost', async (t) => {
  let isHolding = true;
  const waiting: (() => void)[] = [];
  const { broker, seen, connect } = await setUp(t, {
    onMessage: () => (isHolding ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve()),
  });
  await connect();
  for (let messageId = 1; messageId <= 2_000; messageId += 1) {
    broker.connections[0]?.send(publishPacket(messageId, Buffer.alloc(10_000)));
  }
  await waitFor(() => seen.messages.length === 257, 'as many messages as are taken at a time');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(seen.messages.length, 257);
  isHolding = false;
  for (const resolve of waiting) resolve();
  await waitFor(() => broker.count('puback') === 2_000, 'every acknowledgement');
  assert.equal(seen.messages.length, 2_000);
});

test('an MQTT 5 broker gets no more unacknowledged publishes than it takes', async (t) => {
  let unacknowledged = 0;
  let most = 0;
  const { link, connect } = await setUp(t, {
    protocolVersion: 5,
    script: {
      connect: (_packet, { send }) =>
        send({ cmd: 'connack', sessionPresent: false, reasonCode: 0, properties: { receiveMaximum: 3 } }),
      publish: ({ messageId }, { send }) => {
        unacknowledged += 1;
        most = Math.max(most, unacknowledged);
        setImmediate(() => {
          unacknowledged -= 1;
          send({ cmd: 'puback', messageId: messageId ?? 0, reasonCode: 0 });
        });
      },
    },
  });
  await connect();
  await Promise.all(Array.from({ length: 20 }, (_, index) => link.publish('contract/event', `${index}`)));
  assert.equal(most, 3);
});

test('a publish that the MQTT 5 broker refuses rejects as such, and the link stays up', async (t) => {
  const { link, seen, connect } = await setUp(t, {
    protocolVersion: 5,
    script: {
      publish: ({ messageId }, { send }) => send({ cmd: 'puback', messageId: messageId ?? 0, reasonCode: 0x97 }),
    },
  });
  await connect();
  await assert.rejects(link.publish('contract/event', '1'), { code: 'publish-refused', message: /Quota exceeded/ });
  assert.deepEqual(seen.disconnects, []);
});

test('past a thousand unacknowledged publishes the next is refused, and stopping rejects those that are left', async (t) => {
  const { link, connect } = await setUp(t, { script: { publish: () => {}, disconnect: (_packet, { end }) => end() } });
  await connect();
  const publishes = Array.from({ length: 1_000 }, () => link.publish('contract/event', '1'));
  const outcomes = Promise.allSettled(publishes);
  await assert.rejects(link.publish('contract/event', 'one more'), { code: 'overloaded' });
  await link.stop();
  for (const outcome of await outcomes) {
    assert.equal(outcome.status === 'rejected' && outcome.reason.code, 'link-offline');
  }
});

test('the reason an MQTT 5 broker gives for hanging up is passed on', async (t) => {
  const { broker, seen, connect } = await setUp(t, { protocolVersion: 5 });
  await connect();
  broker.connections[0]?.send({ cmd: 'disconnect', reasonCode: 0x8e });
  await waitFor(() => seen.connects === 2, 'the second connection');
  assert.deepEqual(seen.disconnects, ['the broker ended the connection: Session taken over']);
});

test('a persistent session is asked for, with its will, in both versions', async (t) => {
  for (const protocolVersion of [4, 5] as const) {
    const { broker, connect } = await setUp(t, { protocolVersion, options: { sessionExpirySeconds: 86_400 } });
    await connect();
    const packet = broker.received.find(({ cmd }) => cmd === 'connect');
    assert.ok(packet?.cmd === 'connect');
    assert.equal(packet.clean, false);
    assert.equal(packet.keepalive, 15);
    assert.deepEqual([packet.will?.topic, packet.will?.qos, packet.will?.retain], ['contract/status', 1, true]);
    assert.equal(packet.properties?.sessionExpiryInterval, protocolVersion === 5 ? 86_400 : undefined);
    assert.equal(packet.properties?.maximumPacketSize, protocolVersion === 5 ? 1024 * 1024 : undefined);
  }
});

test('stopping takes about two seconds at most when the broker has fallen silent', async (t) => {
  const { link, connect } = await setUp(t, { script: { publish: () => {}, disconnect: () => {} } });
  await connect();
  await link.stop({ topic: 'contract/status', payload: 'goodbye' });
  assert.equal(link.isConnected(), false);
});

test('a lost session is said, because messages may have been lost with it', async (t) => {
  const { broker, log, seen, connect } = await setUp(t, {});
  await connect();
  assert.equal(log.at('warn').length, 0);
  broker.connections[0]?.end();
  await waitFor(() => seen.connects === 2, 'the second connection');
  assert.ok(log.at('warn').some(({ message }) => message.includes('forgotten our session')));
});

test('a broker address that cannot work is refused at once, without repeating its password', () => {
  for (const url of ['http://hq:1883', 'hq:1883', 'mqtt://', 'mqtt://lobby-1:secret@hq', 'mqtt://lobby-1:secret@']) {
    assert.throws(
      () => new MqttHrLink(linkOptions(1883, { url })),
      (error: unknown) =>
        error instanceof CardeaError && error.code === 'link-configuration' && !error.message.includes('secret'),
    );
  }
});

test('neither password nor payload is ever logged', async (t) => {
  const { broker, link, log, seen, connect } = await setUp(t, {
    options: { username: 'lobby-1', credentialFiles: { password: passwordFile(t, 'secret-password') } },
    onMessage: () => Promise.reject(new Error('no')),
  });
  await connect();
  await link.publish('contract/event', 'secret-event');
  broker.connections[0]?.send(publishPacket(1, 'secret-content'));
  await waitFor(() => seen.connects === 2, 'the second connection');
  await link.stop({ topic: 'contract/status', payload: 'secret-farewell' });
  assert.ok(log.records.length >= 4);
  assert.doesNotMatch(JSON.stringify(log.records), /secret/);
});
