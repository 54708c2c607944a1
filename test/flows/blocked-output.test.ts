// Nobody reads the gateway's standard output: the doors must not notice.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AdminClient } from '../../src/cli/admin-client.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const startSilently = async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-output-'));
  const socket = join(folder, 'cardea.sock');
  const configFile = join(folder, 'cardea.yaml');
  writeFileSync(
    configFile,
    `
site: hq
gateway: lobby-1
dataDir: ${folder}/data
mqtt: { embedded: { port: 0 } }
trust: { messages: unsigned }
clock: { trust: always }
gpio: { driver: simulated }
doors: { front: { strike: { releaseSeconds: 0.5 } } }
readers: { front-in: { door: front, driver: simulated } }
admin: { socket: ${socket} }
log: { level: trace }
`,
  );
  // The pipe is there, and nothing ever reads from it.
  const child = spawn(process.execPath, ['dist/main.js', 'gateway', '--config', configFile], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true });
  });
  await waitFor(() => existsSync(socket), 'the admin socket', 60_000);
  const admin = new AdminClient({ socket });
  // The file is there a moment before anybody listens.
  let isListening = false;
  const ask = (): Promise<void> =>
    admin.call('status', {}).then(
      () => {
        isListening = true;
      },
      () => (child.exitCode === null ? ask() : undefined),
    );
  void ask();
  await waitFor(() => isListening, 'the gateway to answer', 60_000);
  return { child, admin };
};

test('invariant 4: a log that nobody reads keeps no tap waiting and no strike unlocked', async (t) => {
  const { admin } = await startSilently(t);
  // A line of the log for each, several times what a pipe holds.
  for (let i = 0; i < 600; i++) {
    const uid = (0x10000000 + i).toString(16).toUpperCase();
    await admin.call('tap', { reader: 'front-in', uid, operator: 'test' });
  }
  await admin.call('door-command', { door: 'front', action: 'unlock', operator: 'test' });
  await waitFor(() => false, 'the relock time to pass', 700).catch(() => {});
  const { status } = await admin.call('status', {});
  assert.equal(Object.values(status.doors)[0]?.strike, 'locked');
});
