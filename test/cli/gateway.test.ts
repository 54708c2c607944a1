import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { EXIT, type ExitCode } from '../../src/cli/exit-codes.ts';
import { runCommand } from '../../src/cli/program.ts';
import type { CliEnvironment, RunningGateway } from '../../src/cli/session.ts';
import type { Config } from '../../src/config/config.ts';
import { CardeaError } from '../../src/errors.ts';
import { AdminBench } from '../admin/admin-bench.ts';
import { FakeRunningDesk } from '../fixtures/fake-desk.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { environmentWith, FakeTerminal, folderFor } from './cli-bench.ts';

const CONFIG = 'config/demo.yaml';

/** A gateway that does nothing but end when told, and signals that a test sends. */
class FakeDaemon {
  readonly terminal = new FakeTerminal();
  readonly stops: string[] = [];
  readonly exits: ExitCode[] = [];
  startFailure: CardeaError | undefined;
  isListening = false;
  signal: (name: string) => void = () => {};
  end: (isFailure: boolean, reason?: string) => void = () => {};
  finishStart: () => void = () => {};
  readonly #startHeld: boolean;
  isStarting = false;
  hangUp: () => void = () => {};
  readonly reloads: Config[] = [];
  reloadFailure: CardeaError | undefined;
  hasStarted = false;
  readonly #desk: FakeRunningDesk | undefined;
  readonly #deskHeld: boolean;
  isDeskStarting = false;
  finishDeskStart: () => void = () => {};

  constructor({
    startHeld = false,
    deskHeld = false,
    desk,
  }: { readonly startHeld?: boolean; readonly deskHeld?: boolean; readonly desk?: FakeRunningDesk } = {}) {
    this.#startHeld = startHeld;
    this.#deskHeld = deskHeld;
    this.#desk = desk;
  }

  run(...args: string[]): Promise<ExitCode> {
    return runCommand(['gateway', ...args], environmentWith(this.terminal, this.#environment()));
  }

  #environment(): Partial<CliEnvironment> {
    return {
      startGateway: async () => {
        if (this.startFailure !== undefined) throw this.startFailure;
        this.isStarting = true;
        if (this.#startHeld) {
          await new Promise<void>((resolve) => {
            this.finishStart = resolve;
          });
        }
        const bench = await AdminBench.start();
        this.hasStarted = true;
        return this.#gateway(bench);
      },
      startDesk: async (_config, { isService }) => {
        assert.ok(!isService, 'nobody is told that a gateway is a desk');
        this.isDeskStarting = true;
        if (this.#deskHeld) {
          await new Promise<void>((resolve) => {
            this.finishDeskStart = resolve;
          });
        }
        if (this.#desk === undefined) throw new CardeaError('store-locked', 'another desk works with it');
        return this.#desk;
      },
      onEndSignal: (listener) => {
        this.isListening = true;
        this.signal = listener;
        return () => {
          this.isListening = false;
        };
      },
      onHangUp: (listener) => {
        this.hangUp = listener;
        return () => {
          this.hangUp = () => {};
        };
      },
      exitNow: (code) => void this.exits.push(code),
    };
  }

  #gateway(bench: AdminBench): RunningGateway {
    const stopped = new Promise<{ reason: string; isFailure: boolean }>((resolve) => {
      this.end = (isFailure, reason = 'asked to') => resolve({ reason, isFailure });
    });
    return {
      stopped,
      stop: async (reason) => {
        this.stops.push(reason);
      },
      reload: async (config) => {
        if (this.reloadFailure !== undefined) throw this.reloadFailure;
        this.reloads.push(config);
      },
      describe: () => bench.operations.status().status,
      brokerUrl: 'mqtt://127.0.0.1:1883',
    };
  }
}

const started = (daemon: FakeDaemon): Promise<void> => waitFor(() => daemon.hasStarted, 'the gateway to start');

const configFile = (t: TestContext, text: string): string => {
  const path = join(folderFor(t), 'cardea.yaml');
  writeFileSync(path, text);
  return path;
};

describe('cardea gateway', () => {
  it('runs until a signal, stops in order, and exits 0', async () => {
    const daemon = new FakeDaemon();
    const ended = daemon.run('--config', CONFIG);
    await started(daemon);
    daemon.signal('SIGTERM');
    assert.deepEqual(daemon.stops, ['SIGTERM']);
    daemon.end(false);
    assert.equal(await ended, EXIT.ok);
    assert.equal(daemon.isListening, false);
    assert.equal(daemon.terminal.errors, '');
  });

  it('ends at once, with 1, on a second signal', async () => {
    const daemon = new FakeDaemon();
    const ended = daemon.run('--config', CONFIG);
    await started(daemon);
    daemon.signal('SIGINT');
    daemon.signal('SIGINT');
    assert.deepEqual(daemon.stops, ['SIGINT']);
    assert.deepEqual(daemon.exits, [EXIT.no]);
    daemon.end(false);
    await ended;
  });

  it('stops as soon as it has started when the signal came before', async () => {
    const daemon = new FakeDaemon({ startHeld: true });
    const ended = daemon.run('--config', CONFIG);
    await waitFor(() => daemon.isListening, 'the gateway to begin');
    daemon.signal('SIGTERM');
    await waitFor(() => daemon.isStarting, 'the start');
    daemon.finishStart();
    await waitFor(() => daemon.stops.length > 0, 'the stop');
    assert.deepEqual(daemon.stops, ['SIGTERM']);
    daemon.end(false);
    assert.equal(await ended, EXIT.ok);
  });

  it('reads its files anew at SIGHUP, and goes on with what it has when they are no good', async (t) => {
    const daemon = new FakeDaemon();
    const path = configFile(t, readFileSync(CONFIG, 'utf8'));
    const ended = daemon.run('--config', path);
    await started(daemon);
    await turnOfTheLoop();
    daemon.hangUp();
    await waitFor(() => daemon.reloads.length === 1, 'the reload');
    daemon.reloadFailure = new CardeaError('key-unusable', 'the file is empty');
    daemon.hangUp();
    await waitFor(() => daemon.terminal.errors !== '', 'the complaint');
    assert.equal(daemon.terminal.errors, 'cardea: not reloaded, going on as before: the file is empty\n');
    writeFileSync(path, 'site: [');
    daemon.hangUp();
    await waitFor(() => daemon.terminal.errors.includes('cardea.yaml'), 'the second complaint');
    assert.deepEqual([daemon.reloads.length, daemon.stops], [1, []]);
    daemon.end(false);
    assert.equal(await ended, EXIT.ok);
  });

  it('on a terminal SIGHUP means that the terminal is gone, and ends it', async () => {
    const daemon = new FakeDaemon();
    daemon.terminal.isInteractive = true;
    const ended = daemon.run('--config', CONFIG);
    await started(daemon);
    daemon.hangUp();
    assert.deepEqual(daemon.stops, ['SIGHUP']);
    daemon.end(false);
    await ended;
  });

  it('exits 1 with the reason when the gateway could not go on', async () => {
    const daemon = new FakeDaemon();
    const ended = daemon.run('--config', CONFIG);
    await started(daemon);
    daemon.end(true, 'the door lines failed: gone');
    assert.equal(await ended, EXIT.no);
    assert.equal(daemon.terminal.errors, 'cardea: the gateway stopped: the door lines failed: gone\n');
  });

  for (const code of ['port-in-use', 'store-locked', 'socket-in-use', 'gpio-unavailable'] as const) {
    it(`exits 1 with one plain line when it cannot start: ${code}`, async () => {
      const daemon = new FakeDaemon();
      daemon.startFailure = new CardeaError(code, 'something is taken: choose another');
      assert.equal(await daemon.run('--config', CONFIG), EXIT.no);
      assert.equal(daemon.terminal.errors, 'cardea: something is taken: choose another\n');
      assert.equal(daemon.isListening, false);
    });
  }

  it('exits 4 with every fault of its configuration, and starts nothing', async (t) => {
    const daemon = new FakeDaemon();
    const path = configFile(t, 'site: HQ\ngateway: demo\nfoo: 1\n');
    assert.equal(await daemon.run('--config', path), EXIT.config);
    assert.equal(daemon.hasStarted, false);
    assert.match(daemon.terminal.errors, /cardea\.yaml:1:7 site: /);
    assert.match(daemon.terminal.errors, /cardea\.yaml:3:1 foo: /);
  });

  it('says on a terminal, or when asked, what runs where and what to try', async () => {
    for (const [isInteractive, args] of [
      [true, []],
      [false, ['--banner']],
    ] as const) {
      const daemon = new FakeDaemon();
      daemon.terminal.isInteractive = isInteractive;
      const ended = daemon.run('--config', CONFIG, ...args);
      await waitFor(() => daemon.terminal.output.includes('Ctrl-C'), 'the banner');
      const { output } = daemon.terminal;
      for (const words of [
        'gateway demo of site hq',
        'mqtt://127.0.0.1:1883 (inside this program)',
        'front (simulated)',
        'npx cardea desk bind 04A2B3C4D5E680 --cardholder E1001',
        'npx cardea tap front-in 04A2B3C4D5E680',
        'npx cardea events --follow',
        'mosquitto_pub -h 127.0.0.1 -p 1883 -q 1 -t cardea/hq/hr/card-bound',
      ]) {
        assert.ok(output.includes(words), `${words} in ${output}`);
      }
      const message: unknown = JSON.parse(/-m '(.*)'/.exec(output)?.[1] ?? '');
      assert.ok(typeof message === 'object' && message !== null && 'revision' in message);
      assert.equal(message.revision, 1);
      daemon.end(false);
      await ended;
    }
  });

  it('suggests nothing that a gateway for signed messages refuses, and no example card for the roster of a site', async (t) => {
    const keys = 'trust: { keys: { hr: { publicKey: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo, may: [bind] } } }';
    const signed = readFileSync(CONFIG, 'utf8').replace(/trust:\n.*\n/, `${keys}\n`);
    const site = signed.replace(/ {2}embedded:.*\n.*\n/, '  url: mqtts://hr-broker.example.com\n');
    const bannerOf = async (text: string): Promise<string> => {
      const daemon = new FakeDaemon();
      const ended = daemon.run('--config', configFile(t, text), '--banner');
      await waitFor(() => daemon.terminal.output.includes('Ctrl-C'), 'the banner');
      daemon.end(false);
      await ended;
      return daemon.terminal.output;
    };
    const onSigned = await bannerOf(signed);
    assert.match(onSigned, /desk bind 04A2B3C4D5E680 --cardholder E1001 --key FILE --config/);
    assert.doesNotMatch(onSigned, /mosquitto_pub/);
    assert.doesNotMatch(await bannerOf(site), /desk bind|mosquitto_pub/);
  });

  it('prints nothing but its log where nobody watches', async () => {
    const daemon = new FakeDaemon();
    const ended = daemon.run('--config', CONFIG);
    await started(daemon);
    daemon.end(false);
    await ended;
    assert.equal(daemon.terminal.output, '');
  });

  it('goes on when nobody reads its banner', async () => {
    const daemon = new FakeDaemon();
    daemon.terminal.writesLeft = 0;
    const ended = daemon.run('--config', CONFIG, '--banner');
    await started(daemon);
    daemon.signal('SIGTERM');
    assert.deepEqual(daemon.stops, ['SIGTERM']);
    daemon.end(false);
    assert.equal(await ended, EXIT.ok);
  });
});

describe('cardea gateway --with-desk', () => {
  const WITH_DESK = ['--config', CONFIG, '--with-desk', 'config/desk-demo.yaml'];

  it('runs a desk in the same process, says so, and ends both', async () => {
    const desk = new FakeRunningDesk({ setupCodeFile: 'data/desk/setup-code' });
    const daemon = new FakeDaemon({ desk });
    const ended = daemon.run(...WITH_DESK, '--banner');
    await waitFor(() => daemon.terminal.output.includes('Ctrl-C'), 'the banner');
    const { output } = daemon.terminal;
    assert.match(output, /desk +http:\/\/127.0.0.1:8470 \(inside this program\)/);
    assert.match(
      output,
      /npx cardea desk operator add ada --role admin clerk security --config config\/desk-demo.yaml\n/,
    );
    assert.match(output, /npx cardea desk card bind E1001 04A2B3C4D5E680\n/);
    assert.doesNotMatch(output, /cardea desk bind|mosquitto_pub/, 'which the desk would not know of');
    daemon.signal('SIGTERM');
    assert.deepEqual([daemon.stops, desk.stops], [['SIGTERM'], ['SIGTERM']]);
    daemon.end(false);
    assert.equal(await ended, EXIT.ok);
    assert.equal(daemon.terminal.errors, '');
  });

  it('reads its files anew at SIGHUP while the desk still starts', async () => {
    const daemon = new FakeDaemon({ deskHeld: true });
    const ended = daemon.run(...WITH_DESK);
    await waitFor(() => daemon.isDeskStarting, 'the start of the desk');
    daemon.hangUp();
    await waitFor(() => daemon.reloads.length === 1, 'the reload');
    assert.deepEqual([daemon.stops, daemon.exits], [[], []]);
    daemon.finishDeskStart();
    daemon.end(false);
    assert.equal(await ended, EXIT.ok);
  });

  it('goes on without a desk that does not start, has no file, or stops', async (t) => {
    for (const [args, reason] of [
      [WITH_DESK, 'the desk has not started: another desk works with it'],
      [
        ['--config', CONFIG, '--with-desk', join(folderFor(t), 'none')],
        'the desk has not started: cannot read the configuration',
      ],
    ] as const) {
      const daemon = new FakeDaemon();
      const ended = daemon.run(...args);
      await waitFor(() => daemon.terminal.errors !== '', 'the warning');
      assert.ok(daemon.terminal.errors.startsWith(`cardea: ${reason}`), daemon.terminal.errors);
      assert.match(daemon.terminal.errors, /; the gateway goes on without it\n$/);
      assert.deepEqual(daemon.stops, []);
      daemon.end(false);
      assert.equal(await ended, EXIT.ok);
    }
    const desk = new FakeRunningDesk();
    const daemon = new FakeDaemon({ desk });
    const ended = daemon.run(...WITH_DESK);
    await started(daemon);
    desk.end(true, 'the disk is full');
    await waitFor(() => daemon.terminal.errors !== '', 'the warning');
    assert.equal(
      daemon.terminal.errors,
      'cardea: the desk stopped: the disk is full; the gateway goes on without it\n',
    );
    daemon.end(false);
    assert.equal(await ended, EXIT.ok);
  });
});
