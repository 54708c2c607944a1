// What the MQTT link promises beyond the port about messages, whatever a hostile or broken broker sends and withholds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkOnScriptedBroker, publishPacket } from '../../fixtures/scripted-link.ts';
import { temporaryFile } from '../../fixtures/temporary-folder.ts';
import { waitFor } from '../../fixtures/wait-for.ts';

test('what is published before the subscriptions stand, or while the connection ends, is refused and never sent', async (t) => {
  let grant = (): void => {};
  const { broker, link, seen, start } = await linkOnScriptedBroker(t, {
    script: {
      subscribe: ({ messageId, subscriptions }, { send }) => {
        grant = () => send({ cmd: 'suback', messageId: messageId ?? 0, granted: subscriptions.map(() => 1) });
        if (broker.connections.length > 1) grant();
      },
    },
  });
  const isRefused = () => assert.rejects(link.publish('contract/event', 'too early'), { code: 'link-offline' });
  start();
  await isRefused();
  await waitFor(() => broker.count('subscribe') === 1, 'the subscription');
  await isRefused();
  grant();
  await waitFor(() => seen.connects === 1, 'the connection');
  link.reconnect('a test');
  await isRefused();
  await waitFor(() => seen.connects === 2, 'the second connection');
  await link.publish('contract/event', 'in time');
  const published = broker.received.flatMap((packet) => (packet.cmd === 'publish' ? [packet.payload.toString()] : []));
  assert.deepEqual(published, ['in time']);
});

test('a giant message over MQTT 3.1.1 is cut to a mebibyte, handed over and acknowledged, and the link stays up', async (t) => {
  const { broker, log, seen, connect } = await linkOnScriptedBroker(t);
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
  const { broker, seen, connect } = await linkOnScriptedBroker(t);
  await connect();
  broker.connections[0]?.sendBytes(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
  await waitFor(() => seen.connects === 2, 'the second connection');
  assert.equal(seen.disconnects.length, 1);
});

test('slow handlers hold up neither our publishes nor the messages behind them, and acknowledgements keep the order', async (t) => {
  const waiting: (() => void)[] = [];
  const { broker, link, seen, connect } = await linkOnScriptedBroker(t, {
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
  const { broker, seen, connect } = await linkOnScriptedBroker(t, {
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
  const { link, connect } = await linkOnScriptedBroker(t, {
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
  const { link, seen, connect } = await linkOnScriptedBroker(t, {
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
  const { link, connect } = await linkOnScriptedBroker(t, {
    script: { publish: () => {}, disconnect: (_packet, { end }) => end() },
  });
  await connect();
  const publishes = Array.from({ length: 1_000 }, () => link.publish('contract/event', '1'));
  const outcomes = Promise.allSettled(publishes);
  await assert.rejects(link.publish('contract/event', 'one more'), { code: 'overloaded' });
  await link.stop();
  for (const outcome of await outcomes) {
    assert.equal(outcome.status === 'rejected' && outcome.reason.code, 'link-offline');
  }
});

test('stopping takes about two seconds at most when the broker has fallen silent', async (t) => {
  const { link, connect } = await linkOnScriptedBroker(t, { script: { publish: () => {}, disconnect: () => {} } });
  await connect();
  await link.stop({ topic: 'contract/status', payload: 'goodbye' });
  assert.equal(link.isConnected(), false);
});

test('neither password nor payload is ever logged', async (t) => {
  const { broker, link, log, seen, connect } = await linkOnScriptedBroker(t, {
    options: { username: 'lobby-1', credentialFiles: { password: temporaryFile(t, 'password', 'secret-password') } },
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
