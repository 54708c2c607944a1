// The whole gateway in this process, on simulated hardware: how it starts, how it ends, and what it leaves behind.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { AdminClient } from '../src/cli/admin-client.ts';
import { memberOf } from '../src/domain/access-event.ts';
import { parseDoorId } from '../src/domain/ids.ts';
import { CHAIN_START, checkItem, finishChain } from '../src/domain/log-chain.ts';
import { CardeaError } from '../src/errors.ts';
import { startGateway } from '../src/gateway.ts';
import { VERSION } from '../src/version.ts';
import { simulatedConfig } from './fixtures/simulated-config.ts';
import { openDataDir } from './fixtures/test-store.ts';

const FRONT = parseDoorId('front');
assert.ok(FRONT);

test('an uncaught failure locks the strike that was released, and ends the gateway as failed', async (t) => {
  const { config, folder } = simulatedConfig(t);
  const gateway = await startGateway(config);
  const admin = new AdminClient({ socket: join(folder, 'cardea.sock') });
  await admin.call('door-command', { door: 'front', action: 'hold-open', operator: 'test' });
  assert.equal(gateway.describe().doors[FRONT]?.strike, 'unlocked');
  const ended = gateway.crashed(new TypeError('a bug'));
  // At once, before anything else has had a turn.
  assert.equal(gateway.describe().doors[FRONT]?.strike, 'locked');
  await ended;
  assert.deepEqual(await gateway.stopped, { reason: 'uncaught failure: a bug', isFailure: true });
});

test('a start that fails halfway gives back what it had taken', async (t) => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  t.after(() => blocker.close());
  const address = blocker.address();
  assert.ok(typeof address === 'object' && address !== null);
  const { config, folder } = simulatedConfig(t, address.port);
  await assert.rejects(startGateway(config), (error) => {
    assert.ok(error instanceof CardeaError);
    assert.equal(error.code, 'port-in-use');
    assert.match(error.message, new RegExp(`${address.port}.*mqtt\\.embedded\\.port`, 's'));
    return true;
  });
  assert.equal(existsSync(join(folder, 'cardea.sock')), false);
  const store = await openDataDir(join(folder, 'data'));
  await store.close();
});

test('a start that fails when it is in the log is ended in the log, too', async (t) => {
  const { config, folder } = simulatedConfig(t);
  const notFolder = join(folder, 'file');
  writeFileSync(notFolder, '');
  const socket = join(notFolder, 'cardea.sock');
  await assert.rejects(startGateway({ ...config, admin: { ...config.admin, socket } }));
  const store = await openDataDir(join(folder, 'data'));
  const events = (await store.entriesAfter(0, 100)).map(({ event }) => event);
  await store.close();
  const stopped = events.find(({ event }) => event === 'gateway-stopped');
  assert.match(String(memberOf(stopped?.detail ?? null, 'reason')), /^the start failed: /);
  assert.deepEqual([events.at(-1)?.event, events.at(-1)?.reason], ['checkpoint', 'stop']);
});

test('two gateways never share a store', async (t) => {
  const { config } = simulatedConfig(t);
  const gateway = await startGateway(config);
  await assert.rejects(startGateway(config), { code: 'store-locked' });
  await gateway.stop('end of test');
  assert.equal((await gateway.stopped).isFailure, false);
});

test('start and stop are events with their checkpoints, and the log goes on across them', async (t) => {
  const { config, folder } = simulatedConfig(t);
  for (const sha256 of ['a', 'b'].map((digit) => digit.repeat(64))) {
    const gateway = await startGateway(config, { configuration: { file: 'cardea.yaml', sha256 } });
    await gateway.stop('end of test');
  }
  const store = await openDataDir(join(folder, 'data'));
  const entries = await store.entriesAfter(0, 20);
  await store.close();
  assert.deepEqual(
    entries.map(({ event }) => [event.sequence, event.event, event.reason]),
    [
      [1, 'gateway-started', null],
      [2, 'checkpoint', 'start'],
      [3, 'gateway-stopped', null],
      [4, 'checkpoint', 'stop'],
      [5, 'gateway-started', null],
      [6, 'configuration-changed', null],
      [7, 'checkpoint', 'start'],
      [8, 'gateway-stopped', null],
      [9, 'checkpoint', 'stop'],
    ],
  );
  const items = entries.map(({ event }) => ({ kind: 'record', event }) as const);
  assert.equal(finishChain(items.reduce(checkItem, CHAIN_START)).fault, undefined);
});

test('the version that the gateway tells is that of its package', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  assert.equal(VERSION, version);
});
