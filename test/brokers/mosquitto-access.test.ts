// A gateway on a mosquitto that asks for certificates or passwords and lets it do no more than PROTOCOL.md says it needs.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { gatewayOf, Site } from '../fixtures/broker-site.ts';
import type { Identity } from '../fixtures/certificate-authority.ts';
import { GuardedMosquitto, type GuardedMosquittoOptions, HR_CREDENTIALS } from '../fixtures/guarded-mosquitto.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const LOBBY = gatewayOf('hq');
const ANNEX = 'annex';
/** MQTT 5, 3.4.2.1: the reason code of a PUBACK, "not authorized". */
const NOT_AUTHORIZED = 135;

/** By name, what a site may write into mosquitto's acl_file for the gateways of the site `hq`. */
const ACCESS_LISTS = {
  'four lines for each gateway': [LOBBY, ANNEX].flatMap((gateway) => [
    `user ${gateway}`,
    'topic read cardea/hq/hr/#',
    `topic read cardea/hq/gateways/${gateway}/+`,
    `topic write cardea/hq/gateways/${gateway}/+`,
  ]),
  'no topic beyond those of the contract': [
    'pattern read cardea/hq/hr/#',
    ...['roster-page', 'event-ack', 'command'].map((name) => `pattern read cardea/hq/gateways/%u/${name}`),
    ...['receipt', 'event', 'roster-request', 'status'].map((name) => `pattern write cardea/hq/gateways/%u/${name}`),
  ],
} as const;
const STRICT = ACCESS_LISTS['no topic beyond those of the contract'];

interface SetUp {
  readonly guarded: GuardedMosquitto;
  /** With its gateway not started yet. */
  readonly prepareSite: (mqtt: Readonly<Record<string, string>>) => Promise<Site>;
  /** A program of whoever holds `identity`, at the gateways' entrance. */
  readonly connectWith: (identity: Identity | undefined) => Promise<MqttClient>;
}

const setUp = async (t: TestContext, options: GuardedMosquittoOptions): Promise<SetUp> => {
  const guarded = await GuardedMosquitto.start(options);
  const clients: { close(): Promise<void> }[] = [];
  t.after(async () => {
    // The broker last: a client that has lost it does not end in order.
    for (const client of clients) await client.close();
    await guarded.close();
  });
  return {
    guarded,
    prepareSite: async (mqtt) => {
      const options = { broker: guarded.broker, credentials: HR_CREDENTIALS, mqtt: { ca: guarded.ca, ...mqtt } };
      const site = await Site.prepare(options);
      clients.push(site);
      return site;
    },
    connectWith: async (identity) => {
      const options: IClientOptions = { protocolVersion: 5, reconnectPeriod: 0, ca: readFileSync(guarded.ca) };
      const credentials = identity && { cert: readFileSync(identity.cert), key: readFileSync(identity.key) };
      const url = `mqtts://127.0.0.1:${guarded.certificatePort}`;
      const client = await connectAsync(url, { ...options, ...credentials }, false);
      clients.push({ close: () => client.endAsync(true) });
      return client;
    },
  };
};

const byCertificate = (guarded: GuardedMosquitto): Readonly<Record<string, string>> => ({
  url: `mqtts://127.0.0.1:${guarded.certificatePort}`,
  ...guarded.issue(LOBBY),
});

for (const [name, accessList] of Object.entries(ACCESS_LISTS)) {
  test(`${name}: a gateway with a certificate does all its work`, async (t) => {
    const { guarded, prepareSite } = await setUp(t, { accessList });
    const site = await prepareSite(byCertificate(guarded));
    await site.startGateway();
    await site.bind(1, 'DEADBEEF', 'E1001');
    assert.deepEqual((await site.receiptOf('m-1')).doors, ['front']);
    assert.match((await site.gateway.cardea('tap', 'front-in', 'DEADBEEF')).stdout, /^granted/);
    await waitFor(() => site.events().some(({ event }) => event === 'access-granted'), 'the event of the tap');
    site.assertWholeLog();
    await site.gateway.kill();
    const isWill = (payload: Buffer): boolean => payload.includes('"online":false');
    await site.hr.waitFor(({ topic, payload }) => topic === site.own('status') && isWill(payload), 'the last will');
  });

  test(`${name}: the certificate of another gateway is no good for its receipts, nor for HR's messages`, async (t) => {
    const { guarded, prepareSite, connectWith } = await setUp(t, { accessList });
    const site = await prepareSite(byCertificate(guarded));
    const identity = guarded.issue(ANNEX);
    const publish = async (topic: string): Promise<void> => {
      // mosquitto 2.0.11 ends the connection of who has tried something that is forbidden.
      const annex = await connectWith(identity);
      await annex.publishAsync(topic, 'from the annex', { qos: 1 });
    };
    for (const topic of [site.own('receipt'), site.own('status'), site.topic('hr/card-bound')]) {
      await assert.rejects(publish(topic), { code: NOT_AUTHORIZED });
    }
    const own = site.topic(`gateways/${ANNEX}/receipt`);
    await publish(own);
    await site.hr.waitFor(({ topic }) => topic === own, 'the receipt of the annex');
    assert.deepEqual(
      site.hr.messages.map(({ topic }) => topic),
      [own],
    );
  });
}

test('who has no certificate of the authority is not let in', async (t) => {
  const { guarded, connectWith } = await setUp(t, { accessList: STRICT });
  await assert.rejects(connectWith(undefined));
  await assert.rejects(connectWith(guarded.forge(LOBBY)));
  assert.equal((await connectWith(guarded.issue(LOBBY))).connected, true);
});

test('a gateway with a wrong password says so once, and comes in when its file holds the right one', async (t) => {
  const { guarded, prepareSite } = await setUp(t, { accessList: STRICT, passwords: { [LOBBY]: 'right' } });
  const passwordFile = guarded.write('password', 'wrong\n');
  const url = `mqtts://127.0.0.1:${guarded.passwordPort}`;
  const site = await prepareSite({ url, username: LOBBY, passwordFile });
  await site.gateway.start();
  const complaints = (): string[] =>
    site.gateway.output.split('\n').filter((line) => line.includes('hr link could not be established'));
  await waitFor(() => complaints().length > 0, 'the complaint');
  assert.match(complaints()[0] ?? '', /[Nn]ot authorized/);
  guarded.write('password', 'right\n');
  await site.connections(1);
  assert.equal(complaints().length, 1);
  assert.ok(!site.gateway.output.includes('wrong'), 'the password is not in the log');
  await site.bind(1, 'DEADBEEF', 'E1001');
  assert.equal((await site.receiptOf('m-1')).result, 'applied');
});
