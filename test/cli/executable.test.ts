import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { build } from 'esbuild';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { folderFor, run } from './cli-bench.ts';

const MAIN = ['dist/main.js'];
/** On a busy machine. */
const START_LIMIT = 60_000;

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  server.close();
  return address.port;
};

const writeConfig = async (t: TestContext): Promise<{ readonly path: string; readonly socket: string }> => {
  const folder = folderFor(t);
  const path = join(folder, 'cardea.yaml');
  const socket = join(folder, 'admin.sock');
  const text = `
site: hq
gateway: demo
dataDir: ${join(folder, 'data')}
mqtt: { embedded: { port: ${await freePort()} } }
trust: { messages: unsigned }
clock: { trust: always }
gpio: { driver: simulated }
doors: { front: { strike: {}, contact: {} } }
readers: { front-in: { door: front, driver: simulated } }
admin: { socket: ${socket} }
log: { level: warn }
`;
  writeFileSync(path, text);
  return { path, socket };
};

interface Child {
  readonly process: ChildProcess;
  readonly output: () => string;
  readonly errors: () => string;
}

const start = (t: TestContext, command: string, args: readonly string[]): Child => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  let errors = '';
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => {
    errors += text.toString();
  });
  return { process: child, output: () => output, errors: () => errors };
};

const ended = async ({ process: child }: Child): Promise<number | null> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  return child.exitCode;
};

describe('the executable', () => {
  it('runs a gateway that HR and technicians work with, until it is asked to end', async (t) => {
    const { path, socket } = await writeConfig(t);
    const gateway = start(t, process.execPath, [...MAIN, 'gateway', '--config', path, '--banner']);
    await waitFor(() => gateway.output().includes('Ctrl-C') || gateway.process.exitCode !== null, 'start', START_LIMIT);
    assert.match(gateway.output(), /gateway demo of site hq/, gateway.errors());
    const cardea = (...args: string[]) => run([...args, '--config', path]);

    assert.equal((await cardea('status')).code, EXIT.ok);
    assert.match((await cardea('tap', 'front-in', '11223344')).output, /unknown-card/);

    const bound = await cardea('desk', 'bind', '11223344', '--cardholder', 'E1', '--name', 'Ada', '--json');
    assert.equal(bound.code, EXIT.ok, bound.errors);
    assert.deepEqual(JSON.parse(bound.output).doors, ['front']);
    assert.equal((await cardea('tap', 'front-in', '11223344')).code, EXIT.ok);

    const replaced = await cardea('desk', 'bind', '55667788', '--cardholder', 'E1', '--doors', 'front, lab');
    assert.equal(replaced.code, EXIT.ok, replaced.errors);
    assert.match(replaced.output, /^stopped +11223344$/m);
    assert.match((await cardea('tap', 'front-in', '11223344')).output, /denied: replaced/);
    assert.equal((await cardea('tap', 'front-in', '55667788')).code, EXIT.ok);

    const stale = await cardea('desk', 'bind', '55667788', '--cardholder', 'E1', '--revision', '1');
    assert.equal(stale.code, EXIT.no);
    assert.match(stale.output, /^result +stale$/m);
    const refused = await cardea('desk', 'bind', 'nonsense', '--cardholder', 'E1');
    assert.equal(refused.code, EXIT.no);
    assert.match(refused.output, /rejected: invalid-card-number: card/);

    assert.equal((await cardea('desk', 'revoke', '--cardholder', 'E1', '--reason', 'left')).code, EXIT.ok);
    assert.match((await cardea('explain', '--card', '55667788', '--door', 'front')).output, /denied: left/);

    const second = start(t, process.execPath, [...MAIN, 'gateway', '--config', path]);
    assert.equal(await ended(second), EXIT.no);
    assert.match(second.errors(), /^cardea: another process has the store/m);
    assert.doesNotMatch(second.errors(), /^ +at /m);

    const quoted = [process.execPath, ...MAIN].join(' ');
    const pipe = `${quoted} events --json --socket ${socket} | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const piped = start(t, 'bash', ['-c', pipe]);
    await ended(piped);
    const [first, code] = piped.output().trimEnd().split('\n');
    assert.equal(JSON.parse(first ?? '').type, 'event');
    assert.equal(code, '0');
    assert.equal(piped.errors(), '');

    gateway.process.kill('SIGTERM');
    assert.equal(await ended(gateway), EXIT.ok, gateway.errors());
    assert.equal(existsSync(socket), false);
    assert.equal((await cardea('status')).code, EXIT.unreachable);
  });

  it('ends with the exit code of the command', async (t) => {
    const path = join(folderFor(t), 'bad.yaml');
    writeFileSync(path, 'site: HQ\n');
    const check = start(t, process.execPath, [...MAIN, 'config', 'check', path]);
    assert.equal(await ended(check), EXIT.config);
    assert.match(check.output(), /bad\.yaml:1:7 site/);
  });

  it('loads nothing heavy before a command needs it', async () => {
    const { metafile } = await build({
      entryPoints: ['src/main.ts'],
      bundle: true,
      splitting: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
      outdir: 'out',
      write: false,
      metafile: true,
    });
    const loaded = new Set<string>();
    const load = (file: string): void => {
      for (const { path, kind, external } of metafile.outputs[file]?.imports ?? []) {
        if (kind !== 'import-statement' || loaded.has(path)) continue;
        loaded.add(path);
        if (external !== true) load(path);
      }
    };
    load('out/main.js');
    const packages = [...loaded].filter((path) => !path.startsWith('node:') && !path.startsWith('out/'));
    assert.deepEqual(packages, ['commander']);
  });
});
