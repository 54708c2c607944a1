// How the MQTT link connects and what it does when it cannot: refusing, silent and broken brokers, and what it says about them.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { milliseconds } from '../../../src/domain/units.ts';
import { MqttHrLink } from '../../../src/drivers/mqtt/mqtt-hr-link.ts';
import { CardeaError } from '../../../src/errors.ts';
import { linkOptions } from '../../fixtures/mqtt-hr-link-harness.ts';
import { linkOnScriptedBroker, publishPacket, SCRIPTED_TOPIC } from '../../fixtures/scripted-link.ts';
import { TcpProxy } from '../../fixtures/tcp-proxy.ts';
import { temporaryFile } from '../../fixtures/temporary-folder.ts';
import { waitFor } from '../../fixtures/wait-for.ts';

test('refused credentials are an error once, then quiet, until the new password is read and accepted', async (t) => {
  const password = temporaryFile(t, 'password', 'old-secret');
  const { broker, link, log, seen, start } = await linkOnScriptedBroker(t, {
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

for (const [protocolVersion, code, what] of [
  [4, 2, 'Identifier rejected'],
  [4, 3, 'Server unavailable'],
  [5, 0x89, 'Server busy'],
  [5, 0x9f, 'Connection rate exceeded'],
] as const) {
  test(`a connection refused with "${what}" (${code}) is tried again until it is accepted`, async (t) => {
    const { broker, log, seen, start } = await linkOnScriptedBroker(t, {
      protocolVersion,
      script: {
        connect: (_packet, { send, index }) => {
          const answer = index < 4 ? code : 0;
          send({ cmd: 'connack', sessionPresent: false, returnCode: answer, reasonCode: answer });
        },
      },
    });
    start();
    await waitFor(() => seen.connects === 1, 'the connection');
    assert.equal(broker.connections.length, 5);
    assert.deepEqual(seen.disconnects, [`Connection refused: ${what}`]);
    assert.equal(log.at('warn', 'error').length, 1, 'said once');
  });
}

test('a password that cannot be read fails the attempt, is said once, and is read again', async (t) => {
  const password = temporaryFile(t, 'password', '');
  const { broker, link, log, seen, start } = await linkOnScriptedBroker(t, {
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
    const { broker, link, log, seen, start } = await linkOnScriptedBroker(t, {
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
  const { log, start } = await linkOnScriptedBroker(t, {
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

for (const [chance, pause] of [
  [0, 1_000],
  [0.5, 1_500],
  [0.999_999, 2_000],
] as const) {
  test(`unless told otherwise the pause after a first failure is one to two seconds; with chance ${chance} it is ${pause} ms`, async (t) => {
    const { log, start } = await linkOnScriptedBroker(t, {
      script: { connect: (_packet, { end }) => end() },
      options: { backoff: undefined, random: () => chance },
    });
    start();
    await waitFor(() => log.records.length === 1, 'the failure');
    assert.equal(log.records[0]?.fields['retryInMilliseconds'], pause);
  });
}

test('every connect subscribes anew, also to a session that the broker remembers, and asks for the retained copies', async (t) => {
  for (const protocolVersion of [4, 5] as const) {
    const { broker, seen, connect } = await linkOnScriptedBroker(t, {
      protocolVersion,
      script: {
        connect: (_packet, { send }) => send({ cmd: 'connack', sessionPresent: true, returnCode: 0, reasonCode: 0 }),
      },
    });
    await connect();
    broker.connections[0]?.end();
    await waitFor(() => seen.connects === 2, 'the second connection');
    const asked = broker.received.flatMap((packet) => (packet.cmd === 'subscribe' ? [packet.subscriptions] : []));
    assert.equal(asked.length, 2);
    for (const subscription of asked.flat()) {
      assert.equal(subscription.qos, 1);
      // MQTT 5.0, 3.8.3.1: retain handling 0 sends them at every subscription; without "retain as published" only they are marked.
      if (protocolVersion === 5) assert.deepEqual([subscription.rh, subscription.rap], [0, false]);
    }
  }
});

test('a message that is refused again and again does not turn into a storm of reconnects', async (t) => {
  const { log, start } = await linkOnScriptedBroker(t, {
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
  assert.equal(losses()[0]?.fields['reason'], `a message on ${SCRIPTED_TOPIC} could not be handled: the disk is full`);
});

test('a connection that carries nothing more is noticed by the keepalive', async (t) => {
  const { broker, seen, connect } = await linkOnScriptedBroker(t);
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

test('a connection on which messages arrive is not given up because the answer to a ping is late', async (t) => {
  const { broker, seen, connect } = await linkOnScriptedBroker(t, {
    script: { pingreq: () => {} },
    options: { keepaliveSeconds: 2 },
  });
  await connect();
  let messageId = 0;
  const sending = setInterval(() => {
    messageId += 1;
    broker.connections[0]?.send(publishPacket(messageId));
  }, 100);
  t.after(() => clearInterval(sending));
  // Longer than the three seconds that an unanswered ping is given.
  await waitFor(() => seen.messages.length >= 40 || seen.disconnects.length > 0, 'the messages');
  assert.deepEqual(seen.disconnects, []);
});

test('a broker that accepts the connection and says nothing is given up after the connect timeout', async (t) => {
  const { seen, start } = await linkOnScriptedBroker(t, {
    script: { connect: () => {} },
    options: { connectTimeoutSeconds: 0.05 },
  });
  start();
  await waitFor(() => seen.disconnects.length === 1, 'the timeout');
  assert.deepEqual(seen.disconnects, ['connack timeout']);
});

test('a broker that never answers the subscription is given up too', async (t) => {
  const { seen, start } = await linkOnScriptedBroker(t, {
    script: { subscribe: () => {} },
    options: { connectTimeoutSeconds: 0.5 },
  });
  start();
  const reason = 'the broker did not grant the subscriptions within 0.5 s';
  // A busy machine may not even get its CONNACK in time at first.
  await waitFor(() => seen.disconnects.includes(reason), 'the timeout');
});

test('the reason an MQTT 5 broker gives for hanging up is passed on', async (t) => {
  const { broker, seen, connect } = await linkOnScriptedBroker(t, { protocolVersion: 5 });
  await connect();
  broker.connections[0]?.send({ cmd: 'disconnect', reasonCode: 0x8e });
  await waitFor(() => seen.connects === 2, 'the second connection');
  assert.deepEqual(seen.disconnects, ['the broker ended the connection: Session taken over']);
});

test('a persistent session is asked for, with its will, in both versions', async (t) => {
  for (const protocolVersion of [4, 5] as const) {
    const { broker, connect } = await linkOnScriptedBroker(t, {
      protocolVersion,
      options: { sessionExpirySeconds: 86_400 },
    });
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

test('a lost session is said, because messages may have been lost with it', async (t) => {
  const { broker, log, seen, connect } = await linkOnScriptedBroker(t);
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
