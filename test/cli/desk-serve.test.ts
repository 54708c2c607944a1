import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { EXIT, type ExitCode } from '../../src/cli/exit-codes.ts';
import { runCommand } from '../../src/cli/program.ts';
import type { CliEnvironment, RunningDesk } from '../../src/cli/session.ts';
import { checkConfig } from '../../src/config/check.ts';
import type { DeskConfig } from '../../src/config/desk-config.ts';
import { openDeskKeys } from '../../src/desk-keys.ts';
import { CardeaError } from '../../src/errors.ts';
import { FakeRunningDesk } from '../fixtures/fake-desk.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { environmentWith, FakeTerminal, folderFor } from './cli-bench.ts';

const DEMO = 'config/desk-demo.yaml';

/** `cardea desk serve`, and what it does with the desk. */
class Bench {
  readonly terminal = new FakeTerminal();
  readonly started: DeskConfig[] = [];
  readonly exits: ExitCode[] = [];
  signal: (name: string) => void = () => {};
  hangUp: () => void = () => {};
  readonly #desk: RunningDesk | CardeaError;

  constructor(desk: RunningDesk | CardeaError) {
    this.#desk = desk;
  }

  run(args: readonly string[], changes: Partial<CliEnvironment> = {}): Promise<ExitCode> {
    return runCommand(
      ['desk', ...args],
      environmentWith(this.terminal, {
        startDesk: async (config, { isService }) => {
          assert.ok(isService);
          this.started.push(config);
          if (this.#desk instanceof CardeaError) throw this.#desk;
          return this.#desk;
        },
        onEndSignal: (listener) => {
          this.signal = listener;
          return () => {};
        },
        onHangUp: (listener) => {
          this.hangUp = listener;
          return () => {};
        },
        exitNow: (code) => void this.exits.push(code),
        ...changes,
      }),
    );
  }

  async untilStarted(): Promise<void> {
    await waitFor(() => this.started.length > 0, 'the desk to start');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const signedConfig = (t: TestContext): { readonly path: string; readonly dataDir: string } => {
  const folder = folderFor(t);
  const dataDir = join(folder, 'data');
  const path = join(folder, 'desk.yaml');
  writeFileSync(path, JSON.stringify({ site: 'hq', dataDir, mqtt: { url: 'mqtt://127.0.0.1:1' } }));
  return { path, dataDir };
};

describe('cardea desk serve', () => {
  it('runs until it is asked to end, and exits 0', async () => {
    for (const end of ['SIGTERM', 'SIGHUP']) {
      const desk = new FakeRunningDesk();
      const bench = new Bench(desk);
      const ended = bench.run(['serve', '--config', DEMO]);
      await bench.untilStarted();
      if (end === 'SIGHUP') bench.hangUp();
      else bench.signal(end);
      assert.equal(await ended, EXIT.ok);
      assert.deepEqual(desk.stops, [end]);
      assert.equal(bench.terminal.output, '');
    }
  });

  it('ends at once, with 1, on a second signal', async () => {
    const desk = new FakeRunningDesk();
    const bench = new Bench({ ...desk, url: desk.url, stop: async () => {} });
    const ended = bench.run(['serve', '--config', DEMO]);
    await bench.untilStarted();
    bench.signal('SIGINT');
    bench.signal('SIGINT');
    assert.deepEqual(bench.exits, [EXIT.no]);
    desk.end(false);
    await ended;
  });

  it('exits with 1 and says why when the desk cannot go on, or not start', async () => {
    const desk = new FakeRunningDesk();
    const bench = new Bench(desk);
    const ended = bench.run(['serve', '--config', DEMO]);
    await bench.untilStarted();
    desk.end(true, 'the disk is full');
    assert.equal(await ended, EXIT.no);
    assert.equal(bench.terminal.errors, 'cardea: the desk stopped: the disk is full\n');
    const locked = new Bench(new CardeaError('store-locked', 'another desk works with it'));
    assert.equal(await locked.run(['serve', '--config', DEMO]), EXIT.no);
    assert.equal(locked.terminal.errors, 'cardea: another desk works with it\n');
  });

  it('takes the configuration that is named, else that of the environment, else that of the system', async (t) => {
    const { path, dataDir } = signedConfig(t);
    const env = { CARDEA_DESK_CONFIG: path };
    const dataDirOf = async (args: readonly string[], changes: Partial<CliEnvironment>): Promise<unknown> => {
      const desk = new FakeRunningDesk();
      const bench = new Bench(desk);
      desk.end(false);
      await bench.run(['serve', ...args], changes);
      return bench.started[0]?.dataDir ?? bench.terminal.errors;
    };
    assert.equal(await dataDirOf(['--config', DEMO], { env }), './data/desk');
    assert.equal(await dataDirOf([], { env }), dataDir);
    assert.match(
      String(await dataDirOf([], {})),
      /no \/etc\/cardea\/desk.yaml: name .* --config FILE or \$CARDEA_DESK_CONFIG/,
    );
  });

  it('tells a configuration that is wrong with exit code 4', async (t) => {
    const path = join(folderFor(t), 'desk.yaml');
    writeFileSync(path, 'site: hq');
    const bench = new Bench(new FakeRunningDesk());
    assert.equal(await bench.run(['serve', '--config', path]), EXIT.config);
    assert.match(bench.terminal.errors, /desk.yaml:1:1 mqtt: is missing/);
  });

  it('says where it answers, how to make the first admin, and what the gateways need, with --banner', async (t) => {
    const { path, dataDir } = signedConfig(t);
    const keys = openDeskKeys(dataDir).map(({ trusted }) => trusted);
    const desk = new FakeRunningDesk({ keys, setupCodeFile: join(dataDir, 'setup-code') });
    const bench = new Bench(desk);
    desk.end(false);
    await bench.run(['serve', '--config', path, '--banner']);
    const { output, errors } = bench.terminal;
    assert.match(output, /api {2}http:\/\/127.0.0.1:8470\/v1\n/);
    assert.ok(output.includes(`npx cardea desk operator add NAME --role admin --config ${path}\n`), output);
    for (const { kid, publicKey } of keys)
      assert.ok(output.includes(`      ${kid}: { publicKey: "${publicKey}", may: [`));
    assert.match(errors, /no change is ever confirmed while no gateway.s key is here/);
  });
});

describe('cardea desk keys', () => {
  it('makes a key for each role, once, and prints what goes into the configuration of a gateway', async (t) => {
    const { path, dataDir } = signedConfig(t);
    const deskKeys: CliEnvironment['deskKeys'] = async (folder) => openDeskKeys(folder).map(({ trusted }) => trusted);
    const printed = async (...args: string[]): Promise<string> => {
      const bench = new Bench(new FakeRunningDesk());
      assert.equal(await bench.run(['keys', '--config', path, ...args], { deskKeys }), EXIT.ok);
      return bench.terminal.output;
    };
    const first = await printed();
    assert.equal(await printed(), first);
    const trust = parse(first).trust;
    assert.deepEqual(
      Object.entries(trust.keys).map(([kid, key]) => [kid.replace(/[0-9a-f]{8}$/, ''), Object(key).may]),
      [
        ['desk-clerk-', ['bind']],
        ['desk-security-', ['revoke', 'command']],
        ['desk-desk-', ['roster', 'events']],
      ],
    );
    const { keys } = JSON.parse(await printed('--json'));
    assert.deepEqual(
      keys.map(({ publicKey }: { readonly publicKey: string }) => publicKey),
      openDeskKeys(dataDir).map(({ trusted }) => trusted.publicKey),
    );
    const gateway = `site: hq\ngateway: g\nmqtt: { url: mqtts://h }\ndoors: { d: { strike: { line: 17 } } }\n${first}`;
    assert.deepEqual(checkConfig(gateway, 'f').faults, undefined);
  });

  it('has nothing to print where nothing is signed', async () => {
    const bench = new Bench(new FakeRunningDesk());
    assert.equal(await bench.run(['keys', '--config', DEMO]), EXIT.usage);
    assert.match(bench.terminal.errors, /trust.messages is unsigned/);
  });
});
