// A simulated gateway as its own process: what a tester sees of LEDs, buzzer and tamper switch from the command line and the log.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { StatusAnswer } from '../../src/admin/protocol.ts';
import { AdminClient } from '../../src/cli/admin-client.ts';
import { GatewayProcess } from '../fixtures/gateway-process.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const configuration = (folder: string): string => `
site: hq
gateway: lobby-1
dataDir: ${folder}/data
mqtt: { embedded: { port: 0 } }
trust: { messages: unsigned }
clock: { trust: always }
gpio: { driver: simulated }
doors: { front: { strike: {}, contact: {}, tamper: {}, heldOpenSeconds: 1.5, heldOpenWarningSeconds: 1 } }
readers:
  front-in: { door: front, driver: simulated, feedback: { redLed: {}, buzzer: {} } }
  front-out: { door: front, direction: out, driver: simulated, feedback: { buzzer: {} } }
admin: { socket: ${folder}/cardea.sock }
log: { level: debug }
`;

const startGateway = async (t: TestContext) => {
  const folder = temporaryFolder(t);
  const gateway = new GatewayProcess(folder, configuration(folder));
  t.after(() => gateway.stop());
  await gateway.start({ timeoutMilliseconds: 60_000 });
  /** `reader: pattern` of each that was begun, in order. */
  const played = (): readonly string[] =>
    [...gateway.output.matchAll(/"reader":"([a-z-]+)","feedback":"([a-z-]+)"/g)].map(
      ([, reader, what]) => `${reader}: ${what}`,
    );
  return { admin: new AdminClient({ socket: join(folder, 'cardea.sock') }), played };
};

const alarmsOf = ({ status }: StatusAnswer): readonly string[] => status.alarms;

test('a simulated gateway tells of each pattern at its readers and of tampering', async (t) => {
  const { admin, played } = await startGateway(t);
  const operator = 'test';
  await admin.call('tap', { reader: 'front-in', uid: 'DEADBEEF', operator });
  await waitFor(() => played().includes('front-in: denied'), 'the pattern of a denial');

  await admin.call('door-command', { door: 'front', action: 'unlock', operator });
  await admin.call('line', { door: 'front', line: 'contact', state: 'off', operator });
  const isWarned = (reader: string) => (): boolean => played().includes(`${reader}: held-open-warning`);
  await waitFor(isWarned('front-in'), 'the warning at the reader inside');
  await waitFor(isWarned('front-out'), 'the warning at the reader outside');

  await admin.call('line', { door: 'front', line: 'tamper', state: 'on', operator });
  assert.ok(alarmsOf(await admin.call('status', {})).includes('door front: tamper'));
  await admin.call('line', { door: 'front', line: 'tamper', state: 'off', operator });
  assert.ok(!alarmsOf(await admin.call('status', {})).includes('door front: tamper'));
});
