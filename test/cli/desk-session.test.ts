// Who signs in at the desk, where that is kept, and to whom it is told.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { ADMIN, taken } from '../fixtures/open-desk.ts';
import { PASSWORD } from '../fixtures/open-desk-api.ts';
import { folderFor, run } from './cli-bench.ts';
import { type DeskBench, startDeskBench } from './desk-bench.ts';

const withOperator = async (
  t: TestContext,
): Promise<DeskBench & { readonly env: Record<string, string>; readonly password: string }> => {
  const bench = await startDeskBench(t);
  await taken(bench.accounts.operators.add({ name: 'li', password: PASSWORD, roles: ['clerk'] }, ADMIN));
  const password = join(bench.folder, 'password');
  writeFileSync(password, `${PASSWORD}\n`);
  return { ...bench, env: { XDG_CONFIG_HOME: bench.folder }, password };
};

/** Any server, and the headers of what it was asked. */
const serve = async (t: TestContext, listener: RequestListener) => {
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers);
    listener(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { url: `http://127.0.0.1:${address.port}`, asked };
};

describe('cardea desk login', () => {
  it('keeps a session that only its owner can read, for all commands until logout', async (t) => {
    const { url, folder, env, password, accounts } = await withOperator(t);
    const login = await run(['desk', 'login', 'li', '--password-file', password, '--url', url], { env });
    assert.equal(login.code, EXIT.ok, login.errors);
    assert.match(login.output, /^li \(clerk\) is signed in at http:/);
    const file = join(folder, 'cardea/desk-session.json');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const { token } = JSON.parse(readFileSync(file, 'utf8'));
    assert.doesNotMatch(login.output + login.errors, new RegExp(token));
    assert.equal((await run(['desk', 'operations'], { env })).code, EXIT.ok);
    assert.equal((await run(['desk', 'logout'], { env })).code, EXIT.ok);
    assert.equal(existsSync(file), false);
    const after = await run(['desk', 'operations', '--url', url], { env });
    assert.equal(after.code, EXIT.no);
    assert.match(after.errors, /sign in with: cardea desk login \(not-signed-in\)/);
    const old = await run(['desk', 'operations', '--url', url], { env: { ...env, CARDEA_DESK_TOKEN: token } });
    assert.equal(old.code, EXIT.no);
    await accounts.close();
  });

  it('asks for name and password at a terminal, and shows neither password nor token', async (t) => {
    const { atTerminal } = await withOperator(t);
    const { code, output, errors, prompts } = await atTerminal('clerk', ['li', PASSWORD], 'login');
    assert.equal(code, EXIT.ok, errors);
    assert.deepEqual(prompts.asked, ['Name:', 'Password:']);
    assert.doesNotMatch(output + errors, new RegExp(PASSWORD));
  });

  it('needs a password file where nobody can be asked, and takes no wrong one', async (t) => {
    const { url, env, folder, password } = await withOperator(t);
    const none = await run(['desk', 'login', 'li', '--url', url], { env });
    assert.equal(none.code, EXIT.usage);
    assert.match(none.errors, /--password-file is missing/);
    writeFileSync(password, 'not the password');
    const wrong = await run(['desk', 'login', 'li', '--password-file', password, '--url', url], { env });
    assert.equal(wrong.code, EXIT.no);
    assert.match(wrong.errors, /\(wrong-credentials\)/);
    assert.equal(existsSync(join(folder, 'cardea')), false);
  });

  it('is worth something at its own desk alone', async (t) => {
    const { url, env, password } = await withOperator(t);
    const other = await serve(t, (_request, response) => response.end('{}'));
    await run(['desk', 'login', 'li', '--password-file', password, '--url', url], { env });
    await run(['desk', 'operations', '--url', other.url], { env });
    assert.deepEqual(
      other.asked.map(({ authorization }) => authorization),
      [undefined],
    );
  });
});

describe('what answers instead of a desk', () => {
  const token = { CARDEA_DESK_TOKEN: 'secret' };

  it('gets no token by sending elsewhere', async (t) => {
    const other = await serve(t, (_request, response) => response.end('{}'));
    const { url } = await serve(t, (_request, response) => response.writeHead(302, { location: other.url }).end());
    const { code } = await run(['desk', 'operations', '--url', url], { env: token });
    assert.equal(code, EXIT.unreachable);
    assert.equal(other.asked.length, 0);
  });

  it('is told from one', async (t) => {
    const page = await serve(t, (_request, response) => response.end('<html>'));
    const { code, errors } = await run(['desk', 'operations', '--url', page.url], { env: token });
    assert.equal(code, EXIT.unreachable);
    assert.match(errors, /what answers there is no desk of this version/);
    const fault = await serve(t, (_request, response) => response.writeHead(502).end('Bad Gateway'));
    assert.equal((await run(['desk', 'operations', '--url', fault.url], { env: token })).code, EXIT.unreachable);
  });

  it('is not even asked over a network in the clear', async () => {
    for (const url of ['http://desk.example.com:8470', 'ftp://127.0.0.1', 'http://li:secret@127.0.0.1:8470', 'desk']) {
      assert.equal((await run(['desk', 'operations', '--url', url], { env: token })).code, EXIT.usage, url);
    }
  });

  it('may have done what it was asked: then it says how to ask again', async (t) => {
    const { url } = await serve(t, ({ url: path = '' }, response) => {
      if (path.startsWith('/v1/revocations')) response.destroy();
    });
    const args = ['desk', 'card', 'revoke', '04A2B3C4D5E680', '--reason', 'lost', '--request-id', 'r-7', '--url', url];
    const { code, errors } = await run(args, { env: token });
    assert.equal(code, EXIT.unreachable);
    assert.match(errors, /whether it was done is not known: the same again with --request-id r-7 does it once/);
  });

  it('is refused a token that is none', async (t) => {
    const file = join(folderFor(t), 'token');
    writeFileSync(file, 'two words\n');
    const { code, errors } = await run(['desk', 'operations', '--token-file', file]);
    assert.equal(code, EXIT.no);
    assert.match(errors, /is no token/);
    assert.doesNotMatch(errors, /two words/);
  });
});
