// The desk put together: what it leaves on the disk, who may read that, and how it starts and ends.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkDeskConfig } from '../src/config/load-desk.ts';
import { openDeskKeys } from '../src/desk-keys.ts';
import { type RunningDesk, startDesk } from '../src/desk-service.ts';
import { DeskApi, PASSWORD } from './fixtures/desk-service.ts';
import { temporaryFolder } from './fixtures/temporary-folder.ts';
import { AUTHORITY, BROKER, BROKER_KEY } from './fixtures/tls-identities.ts';

/** With a broker that nobody reaches. */
const configOf = (folder: string, sections: object = {}) => {
  const file = {
    ...{ site: 'hq', dataDir: join(folder, 'data'), mqtt: { url: 'mqtt://127.0.0.1:1' } },
    ...{ http: { port: 0 }, log: { level: 'silent' }, ...sections },
  };
  const { config, faults } = checkDeskConfig(JSON.stringify(file), join(folder, 'desk.yaml'));
  assert.ok(config, JSON.stringify(faults));
  return config;
};

const start = async (t: TestContext, config: ReturnType<typeof configOf>): Promise<RunningDesk> => {
  const desk = await startDesk(config);
  t.after(() => desk.stop('the test is over'));
  return desk;
};

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

test('a desk that begins makes its keys and the code for the first admin, for its own user alone', async (t) => {
  const folder = temporaryFolder(t);
  const data = join(folder, 'data');
  const desk = await start(t, configOf(folder));
  assert.deepEqual(
    ['', 'keys', 'keys/clerk.key', 'keys/security.key', 'keys/desk.key', 'setup-code'].map((path) =>
      modeOf(join(data, path)),
    ),
    ['700', '700', '600', '600', '600', '600'],
  );
  assert.deepEqual(
    desk.keys.map(({ kid, may }) => [kid.slice(0, -9), ...may]),
    [
      ['desk-clerk', 'bind'],
      ['desk-security', 'revoke', 'command'],
      ['desk-desk', 'roster', 'events'],
    ],
  );
  const file = desk.setupCodeFile ?? '';
  assert.match(readFileSync(file, 'utf8'), /^[\w-]{22}\n$/);
  const setup = new DeskApi(desk, readFileSync(file, 'utf8').trim());
  await setup.post('/v1/operators', { name: 'root', password: PASSWORD, roles: ['admin', 'clerk'] });
  assert.deepEqual([existsSync(file), desk.setupCodeFile], [false, undefined]);
  const root = await DeskApi.signIn(desk, 'root');
  await root.post('/v1/employees', { id: 'E1', name: '王小明' });

  await desk.stop('for a moment');
  assert.deepEqual(await desk.stopped, { reason: 'for a moment', isFailure: false });
  const again = await start(t, configOf(folder));
  assert.deepEqual([again.keys, again.setupCodeFile, existsSync(file)], [desk.keys, undefined, false]);
  const { isConnected, employees } = await new DeskApi(again, root.token).status();
  assert.deepEqual([isConnected, employees], [false, 1]);
});

test('a key that takes the place of another has another name', (t) => {
  const data = temporaryFolder(t);
  const before = openDeskKeys(data);
  assert.deepEqual(
    openDeskKeys(data).map(({ trusted }) => trusted),
    before.map(({ trusted }) => trusted),
  );
  renameSync(join(data, 'keys/clerk.key'), join(data, 'former.key'));
  const changed = openDeskKeys(data).filter(({ trusted: { kid } }) => before.every((key) => key.trusted.kid !== kid));
  assert.deepEqual(
    changed.map(({ role }) => role),
    ['clerk'],
  );
  assert.match(changed[0]?.trusted.kid ?? '', /^desk-clerk-[0-9a-f]{8}$/);
});

test('without signatures there are no keys', async (t) => {
  const folder = temporaryFolder(t);
  const desk = await start(t, configOf(folder, { trust: { messages: 'unsigned' } }));
  assert.deepEqual([desk.keys, existsSync(join(folder, 'data/keys'))], [[], false]);
});

test('a start that fails leaves nothing open: a port that is taken, a key that others may read', async (t) => {
  const folder = temporaryFolder(t);
  const other = await start(t, configOf(temporaryFolder(t)));
  const port = Number(new URL(other.url).port);
  await assert.rejects(startDesk(configOf(folder, { http: { port } })), { code: 'port-in-use' });
  const key = join(folder, 'data/keys/desk.key');
  const text = readFileSync(key);
  renameSync(key, `${key}.good`);
  writeFileSync(key, text, { mode: 0o644 });
  await assert.rejects(startDesk(configOf(folder)), { code: 'key-unusable', message: /others may read/ });
  renameSync(`${key}.good`, key);
  await start(t, configOf(folder));
});

test('it answers over HTTPS alone where it has a certificate', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'cert.pem'), BROKER);
  writeFileSync(join(folder, 'key.pem'), BROKER_KEY, { mode: 0o600 });
  const desk = await start(t, configOf(folder, { http: { port: 0, tls: { cert: 'cert.pem', key: 'key.pem' } } }));
  assert.match(desk.url, /^https:\/\/127.0.0.1:\d+$/);
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const asked = request(`${desk.url}/healthz`, { ca: AUTHORITY, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on('error', reject).end();
  });
  assert.equal(status, 200);
  await assert.rejects(fetch(desk.url.replace('https', 'http')));
  const none = configOf(folder, {
    dataDir: join(folder, 'other'),
    http: { port: 0, tls: { cert: 'none.pem', key: 'key.pem' } },
  });
  await assert.rejects(startDesk(none), { code: 'config-invalid' });
});
