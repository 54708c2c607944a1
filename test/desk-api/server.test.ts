// The API on the network: with and without TLS, with bytes that are no HTTP, and when it ends while somebody waits.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { get as httpsGet } from 'node:https';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type DeskApiAddress, startDeskApi } from '../../src/desk-api/server.ts';
import { openDeskApi } from '../fixtures/open-desk-api.ts';
import { AUTHORITY, BROKER, BROKER_KEY } from '../fixtures/tls-identities.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

const started = async (t: TestContext, address: DeskApiAddress = LOOPBACK) => {
  const opened = await openDeskApi(t);
  const api = await startDeskApi(opened.dependencies, address);
  t.after(() => api.close());
  return { ...opened, ...api };
};

test('it answers at the port that it was given, and a second one there is refused', async (t) => {
  const { url, dependencies } = await started(t);
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
  const response = await fetch(`${url}/healthz`);
  assert.deepEqual([response.status, await response.json()], [200, { status: 'ok' }]);
  const port = Number(new URL(url).port);
  await assert.rejects(startDeskApi(dependencies, { ...LOOPBACK, port }), { code: 'port-in-use' });
});

test('with a certificate it answers over TLS, and not without', async (t) => {
  const { url } = await started(t, { ...LOOPBACK, tls: { cert: BROKER, key: BROKER_KEY } });
  const request = httpsGet(`${url}/healthz`, { ca: AUTHORITY });
  const [response] = await once(request, 'response');
  assert.equal(await text(response), '{"status":"ok"}');
  await assert.rejects(fetch(`${url.replace('https', 'http')}/healthz`));
});

test('with a certificate that is none it does not start', async (t) => {
  const { dependencies } = await openDeskApi(t);
  const tls = { cert: 'none', key: 'none' };
  await assert.rejects(startDeskApi(dependencies, { ...LOOPBACK, tls }), { code: 'config-invalid' });
});

test('bytes that are no HTTP are answered with a problem', async (t) => {
  const { url } = await started(t);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.end('HELO desk\r\n\r\n');
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  assert.match(head, /^HTTP\/1\.1 400 .*\r\nContent-Type: application\/problem\+json/);
  assert.equal(JSON.parse(body).code, 'invalid-request');
});

test('when it ends, whoever waits is answered', async (t) => {
  const { url, tokens, close, clock } = await started(t);
  const timers = clock.pendingTimers;
  const waiting = fetch(`${url}/v1/presentations?gateway=lobby-1&reader=desk&wait=60`, {
    headers: { authorization: `Bearer ${tokens.clerk}` },
  });
  while (clock.pendingTimers === timers) await setImmediate();
  const closed = close();
  assert.equal((await waiting).status, 404);
  await closed;
});

test('whoever hangs up is not waited for', async (t) => {
  const { url, tokens, clock } = await started(t);
  const timers = clock.pendingTimers;
  const request = get(`${url}/v1/presentations?gateway=lobby-1&reader=desk&wait=60`, {
    headers: { authorization: `Bearer ${tokens.clerk}` },
  });
  const failed = once(request, 'error');
  while (clock.pendingTimers === timers) await setImmediate();
  request.destroy(new Error('hung up'));
  await failed;
  while (clock.pendingTimers > timers) await setImmediate();
});

test('a connection that nothing comes from keeps the end waiting for a moment only', async (t) => {
  const { url, close, clock } = await started(t);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  const ended = once(socket, 'close');
  await fetch(`${url}/healthz`);
  const closed = close();
  clock.advance(3_000);
  await Promise.all([closed, ended]);
});
