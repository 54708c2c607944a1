// The link over TLS: which brokers it believes, what it says about the others, and how it takes renewed files into use.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TlsOptions } from 'node:tls';
import { milliseconds } from '../../../src/domain/units.ts';
import type { CredentialPaths } from '../../../src/drivers/mqtt/credential-files.ts';
import type { Script } from '../../fixtures/scripted-broker.ts';
import { linkOnScriptedBroker } from '../../fixtures/scripted-link.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import {
  AUTHORITY,
  BROKER,
  BROKER_ELSEWHERE,
  BROKER_EXPIRED,
  BROKER_KEY,
  CLIENT,
  CLIENT_KEY,
  RENEWED_CLIENT,
  RENEWED_CLIENT_KEY,
  STRANGER,
} from '../../fixtures/tls-identities.ts';
import { waitFor } from '../../fixtures/wait-for.ts';

type Contents = { readonly [Name in keyof CredentialPaths]?: string };

interface Setup {
  /** The broker's side; a good certificate unless it says otherwise. */
  readonly tls?: TlsOptions;
  readonly script?: Script;
  readonly files: Contents;
  /** As in the broker's address. */
  readonly host?: string;
  /** Milliseconds; so long that only the test looks, unless it says otherwise. */
  readonly checkEvery?: number;
}

const setUp = async (t: TestContext, { tls, script = {}, files, host = '127.0.0.1', checkEvery = 1e6 }: Setup) => {
  const folder = temporaryFolder(t);
  const write = (changes: Contents): void => {
    for (const [name, text] of Object.entries(changes)) writeFileSync(join(folder, name), text);
  };
  write(files);
  const scripted = await linkOnScriptedBroker(t, {
    script,
    tls: { key: BROKER_KEY, cert: BROKER, ...tls },
    host,
    options: {
      username: 'lobby-1',
      credentialFiles: Object.fromEntries(Object.keys(files).map((name) => [name, join(folder, name)])),
      credentialCheckInterval: milliseconds(checkEvery),
    },
  });
  scripted.start();
  return { ...scripted, write };
};

for (const host of ['127.0.0.1', 'localhost']) {
  test(`a broker whose certificate is for ${host} is believed when the authority vouches for it`, async (t) => {
    const { seen } = await setUp(t, { files: { ca: AUTHORITY }, host });
    await waitFor(() => seen.connects === 1, 'the connection');
  });
}

for (const [what, cert, ca, expected] of [
  [
    'issued for another name',
    BROKER_ELSEWHERE,
    AUTHORITY,
    /does not match certificate's altnames.*; mqtt\.url has to name the broker as its certificate does/,
  ],
  ['of another authority', BROKER, STRANGER, /unable to verify .*; put the certificate of the broker's authority into/],
  ['that has expired', BROKER_EXPIRED, AUTHORITY, /certificate has expired; renew the broker's certificate/],
] as const) {
  test(`a broker with a certificate ${what} gets nothing from us, and the error tells what to do, once`, async (t) => {
    const { broker, seen, log } = await setUp(t, { tls: { cert }, files: { ca, password: 'secret' } });
    await waitFor(() => log.at('debug').length >= 2, 'three attempts');
    assert.equal(seen.connects, 0);
    assert.equal(seen.disconnects.length, 1);
    assert.match(seen.disconnects[0] ?? '', expected);
    assert.equal(log.at('error').length, 1);
    assert.equal(broker.received.length, 0);
  });
}

test('a broker of another authority is believed as soon as the file names that authority', async (t) => {
  const { seen, log, write } = await setUp(t, { files: { ca: STRANGER } });
  await waitFor(() => log.at('debug').length >= 1, 'two attempts');
  write({ ca: AUTHORITY });
  await waitFor(() => seen.connects === 1, 'the connection');
});

const WANTS_CLIENT: TlsOptions = { ca: AUTHORITY, requestCert: true, rejectUnauthorized: true };

test('a broker that wants a client certificate and gets none: the error says so', async (t) => {
  const { broker, seen } = await setUp(t, { tls: WANTS_CLIENT, files: { ca: AUTHORITY } });
  await waitFor(() => seen.disconnects.length === 1, 'the refusal');
  assert.deepEqual(seen.disconnects, [
    'tlsv13 alert certificate required; the broker wants a client certificate: set mqtt.cert and mqtt.key',
  ]);
  assert.equal(broker.count('connect'), 0);
});

test('a renewed client certificate is taken into use by one new connection, without a restart', async (t) => {
  const { broker, link, seen, log, write } = await setUp(t, {
    tls: WANTS_CLIENT,
    files: { ca: AUTHORITY, cert: CLIENT, key: CLIENT_KEY },
    checkEvery: 2,
  });
  await waitFor(() => seen.connects === 1, 'the connection');
  // Half of the renewal: certificate and key do not belong together.
  write({ cert: RENEWED_CLIENT });
  await waitFor(() => link.credentialFault !== undefined, 'the fault');
  assert.match(link.credentialFault ?? '', /the key in .* does not belong to the certificate in/);
  assert.equal(link.isConnected(), true);
  write({ key: RENEWED_CLIENT_KEY });
  await waitFor(() => seen.connects === 2, 'the second connection');
  assert.equal(link.credentialFault, undefined);
  assert.deepEqual(seen.disconnects, ['the credentials for the broker have changed']);
  assert.equal(log.at('error').length, 1);
  await waitFor(() => log.at('info').some(({ message }) => message.includes('can be used again')), 'the all-clear');
  assert.equal(broker.connections.length, 2);
});

test('while the files are bad a lost connection is made again with the last good ones', async (t) => {
  const { broker, link, seen, write } = await setUp(t, {
    tls: WANTS_CLIENT,
    files: { ca: AUTHORITY, cert: CLIENT, key: CLIENT_KEY },
  });
  await waitFor(() => seen.connects === 1, 'the connection');
  write({ key: 'garbage' });
  link.reloadCredentials();
  assert.equal(link.isConnected(), true);
  assert.match(link.credentialFault ?? '', /no private key/);
  broker.connections[0]?.end();
  await waitFor(() => seen.connects === 2, 'the second connection');
});

test('a reload without a change leaves the connection as it is; a new password makes a new one, and no message is lost', async (t) => {
  const passwords: (string | undefined)[] = [];
  let unacknowledged = true;
  const { broker, link, seen, write } = await setUp(t, {
    files: { ca: AUTHORITY, password: 'old' },
    script: {
      connect: ({ password }, { send }) => {
        passwords.push(password?.toString());
        send({ cmd: 'connack', sessionPresent: true, returnCode: 0 });
        if (unacknowledged)
          send({ cmd: 'publish', topic: 'a', qos: 1, dup: false, retain: false, messageId: 1, payload: 'kept' });
      },
      puback: () => {
        unacknowledged = false;
      },
    },
  });
  await waitFor(() => seen.connects === 1 && !unacknowledged, 'the message');
  link.reloadCredentials();
  assert.equal(link.isConnected(), true);
  unacknowledged = true;
  write({ password: 'new' });
  link.reloadCredentials();
  assert.equal(link.isConnected(), false);
  await waitFor(() => seen.connects === 2 && !unacknowledged, 'the second connection and the message again');
  assert.deepEqual(passwords, ['old', 'new']);
  assert.deepEqual(
    seen.messages.map(({ payload }) => Buffer.from(payload).toString()),
    ['kept', 'kept'],
  );
  assert.equal(broker.connections.length, 2);
});
