// Who may work at the desk, from the command line: the first admin, operators, tokens. No password is on a command line.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { writeSession } from '../../src/cli/desk-session-file.ts';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { ADMIN, taken } from '../fixtures/open-desk.ts';
import { FakeSetupCode, PASSWORD } from '../fixtures/open-desk-api.ts';
import { run } from './cli-bench.ts';
import { siteBench, startDeskBench } from './desk-bench.ts';

const CODE = 'setup-code-of-22-chars';

describe('the first admin', () => {
  it("is made with the code in the desk's data directory, and a password that is typed twice", async (t) => {
    const { atTerminal, folder, accounts } = await startDeskBench(t, { setupCode: new FakeSetupCode(CODE) });
    writeFileSync(join(folder, 'setup-code'), `${CODE}\n`);
    const add = ['operator', 'add', 'root', '--role', 'admin', '--data-dir', folder];
    const answers = [PASSWORD, 'another password', PASSWORD, PASSWORD];
    const { code, output, errors, prompts } = await atTerminal('clerk', answers, ...add);
    assert.equal(code, EXIT.ok, errors);
    assert.equal(prompts.unused, 0);
    assert.match(errors, /the two are not the same/);
    assert.doesNotMatch(output + errors, new RegExp(`${PASSWORD}|${CODE}`));
    assert.equal(accounts.operators.list()[0]?.name, 'root');
  });

  it('is made at the desk of the configuration, whatever other desk somebody has signed in at', async (t) => {
    const { url, folder, accounts } = await startDeskBench(t, { setupCode: new FakeSetupCode(CODE) });
    writeFileSync(join(folder, 'setup-code'), `${CODE}\n`);
    const config = join(folder, 'desk.yaml');
    const atPort = (port: number): string =>
      JSON.stringify({ site: 'hq', dataDir: folder, mqtt: { url: 'mqtt://127.0.0.1:1' }, http: { port } });
    writeFileSync(config, atPort(Number(new URL(url).port)));
    const env = { XDG_CONFIG_HOME: folder, CARDEA_DESK_URL: 'http://127.0.0.1:1' };
    await writeSession(env, { url: 'http://127.0.0.1:2/', name: 'li', token: 't', roles: [], expiresAt: '' });
    const add = ['desk', 'operator', 'add', 'root', '--role', 'admin', '--config', config, '--password-file', '-'];
    const { code, errors } = await run(add, { env, readInput: async () => Buffer.from(PASSWORD) });
    assert.equal(code, EXIT.ok, errors);
    assert.equal(accounts.operators.list()[0]?.name, 'root');
    writeFileSync(config, atPort(0));
    assert.match((await run(add, { env })).errors, /any free port: name it with --url/);
  });

  it('is not made without the code, nor without a password', async (t) => {
    const { as, folder } = await startDeskBench(t, { setupCode: new FakeSetupCode(CODE) });
    const add = ['operator', 'add', 'root', '--role', 'admin', '--data-dir', folder];
    assert.equal((await as('clerk', ...add)).code, EXIT.no);
    writeFileSync(join(folder, 'setup-code'), `${CODE}\n`);
    const { code, errors } = await as('clerk', ...add);
    assert.equal(code, EXIT.usage);
    assert.match(errors, /--password-file is missing/);
  });
});

describe('cardea desk operator and token', () => {
  it('add, change, list and remove operators', async (t) => {
    const { as, url, environment } = await siteBench(t);
    const add = ['desk', 'operator', 'add', 'li', '--role', 'clerk', 'security', '--password-file', '-', '--url', url];
    const added = await run(add, { ...environment('admin'), readInput: async () => Buffer.from(`${PASSWORD}\n`) });
    assert.equal(added.code, EXIT.ok, added.errors);
    assert.match(added.output, /^li +clerk, security +may sign in/m);
    assert.equal((await as('clerk', 'operator', 'list')).code, EXIT.no);
    await as('admin', 'operator', 'change', 'li', '--disable');
    assert.match((await as('auditor', 'operator', 'list')).output, /^li +clerk, security +disabled/m);
    assert.equal((await as('admin', 'operator', 'change', 'li')).code, EXIT.usage);
    assert.equal((await as('admin', 'operator', 'remove', 'li')).code, EXIT.ok);
    assert.doesNotMatch((await as('auditor', 'operator', 'list')).output, /^li /m);
  });

  it('changes a password, typed or from a file', async (t) => {
    const { atTerminal, as, accounts, folder, url, environment } = await siteBench(t);
    await taken(accounts.operators.add({ name: 'li', password: PASSWORD, roles: ['clerk'] }, ADMIN));
    const next = 'another good password';
    assert.equal((await atTerminal('admin', [next, next], 'operator', 'password', 'li')).code, EXIT.ok);
    const file = join(folder, 'password');
    writeFileSync(file, next);
    await as('clerk', 'login', 'li', '--password-file', file);
    const mine = ['desk', 'operator', 'password', '--old-password-file', file, '--password-file', '-', '--url', url];
    const env = { XDG_CONFIG_HOME: folder };
    const changed = await run(mine, { ...environment('clerk'), env, readInput: async () => Buffer.from(PASSWORD) });
    assert.equal(changed.code, EXIT.ok, changed.errors);
    writeFileSync(file, PASSWORD);
    assert.equal((await as('clerk', 'login', 'li', '--password-file', file)).code, EXIT.ok);
  });

  it('makes tokens that work until they are removed', async (t) => {
    const { as, url, folder } = await siteBench(t);
    const added = await as(
      'admin',
      'token',
      'add',
      'hr-system',
      '--role',
      'auditor',
      '--expires',
      '2026-02-01',
      '--json',
    );
    const { id, token } = JSON.parse(added.output);
    const file = join(folder, 'token');
    writeFileSync(file, `${token}\n`);
    const list = ['desk', 'operations', '--token-file', file, '--url', url];
    assert.equal((await run(list)).code, EXIT.ok);
    assert.doesNotMatch((await as('admin', 'token', 'list')).output, new RegExp(token));
    assert.equal((await as('admin', 'token', 'remove', id)).code, EXIT.ok);
    assert.equal((await run(list)).code, EXIT.no);
  });
});

describe('whoever looks after the desk', () => {
  it('sees how it is, and forgets a gateway that is gone', async (t) => {
    const { as, desk, link } = await siteBench(t);
    const { code, output } = await as('admin', 'status');
    assert.equal(code, EXIT.ok);
    assert.match(output, /^roster +1 people, 1 cards, revision 1, epoch epoch-1$/m);
    assert.match((await as('auditor', 'gateways')).output, /^lobby-1 +online .* front, lab$/m);
    assert.equal((await as('admin', 'forget-gateway', 'lobby-1', '--yes')).code, EXIT.ok);
    assert.equal(desk.state.gateways.size, 0);
    link.disconnect();
    assert.equal((await as('admin', 'status')).code, EXIT.no);
  });

  it('reads the audit log, and learns whether it is what was written', async (t) => {
    const { as, store } = await siteBench(t);
    const log = await as('auditor', 'audit', '--limit', '2');
    assert.match(log.output, /^1 +\S+ +root +change-tokens +program\.clerk +done/m);
    assert.match(log.errors, /what comes after it: --from 3/);
    assert.equal((await as('auditor', 'audit', '--verify')).code, EXIT.ok);
    for await (const [key, value] of store.entries('audit', { limit: 1 })) {
      await store.write([{ kind: 'audit', key, value: { ...Object(value), operator: 'nobody' } }]);
    }
    const altered = await as('auditor', 'audit', '--verify');
    assert.equal(altered.code, EXIT.no);
    assert.match(altered.output, /record 1 does not fit its hash/);
  });
});
