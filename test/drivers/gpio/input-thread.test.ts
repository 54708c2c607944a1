// The thread that looks at the inputs of rpi-gpio, a real one, on plain files in place of the kernel's.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { LineChange } from '../../../src/drivers/gpio/input-looks.ts';
import { InputThread, type InputThreadOptions } from '../../../src/drivers/gpio/input-thread.ts';
import type { Every } from '../../../src/drivers/gpio/look-timer.ts';
import type { CardeaError } from '../../../src/errors.ts';
import { startWorker } from '../../../src/start-worker.ts';
import { builtWorker } from '../../fixtures/built-worker.ts';
import { RecordingLog } from '../../fixtures/recording-log.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { waitFor } from '../../fixtures/wait-for.ts';

const INPUT_WORKER = new URL('../../../src/drivers/gpio/input-worker.ts', import.meta.url);

interface Bench {
  readonly options: InputThreadOptions;
  readonly changes: LineChange[];
  readonly failures: CardeaError[];
  readonly log: RecordingLog;
  /** The value file of a line. */
  file(line: number): string;
  start(more?: Partial<InputThreadOptions>): Promise<InputThread>;
}

/** Two lines at 0. */
const makeBench = (t: TestContext): Bench => {
  const root = temporaryFolder(t);
  const changes: LineChange[] = [];
  const failures: CardeaError[] = [];
  const log = new RecordingLog();
  const file = (line: number): string => join(root, `gpio${line}`, 'value');
  for (const line of [22, 27]) {
    mkdirSync(join(root, `gpio${line}`));
    writeFileSync(file(line), '0\n');
  }
  const options: InputThreadOptions = {
    root,
    levels: new Map([
      [22, 0],
      [27, 0],
    ]),
    debounce: 10,
    purposes: new Map([[22, 'exit-button of door front']]),
    onChange: (change) => void changes.push(change),
    onFailure: (error) => void failures.push(error),
    log,
    startWorker: (data) => startWorker(builtWorker(INPUT_WORKER), data),
  };
  const start: Bench['start'] = async (more = {}) => {
    const thread = await InputThread.start({ ...options, ...more });
    t.after(() => thread.stop());
    return thread;
  };
  return { options, changes, failures, log, file, start };
};

/** Written in place: a value file is never empty. */
const setLevel = (file: string, level: 0 | 1): void => writeFileSync(file, String(level), { flag: 'r+' });

/** A worker that says that it looks, and then does what the code says. */
const workerThat = (code: string) => (): Worker =>
  new Worker(
    `const { parentPort } = require('node:worker_threads'); parentPort.postMessage({ kind: 'looking' }); ${code}`,
    {
      eval: true,
    },
  );

const HANGS = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);';

test('a pulse of 400 ms that begins and ends while the main thread is busy is reported afterwards', async (t) => {
  const { start, file, changes, failures } = makeBench(t);
  (await start()).report();
  const done = `${file(22)}-done`;
  const hand = `sleep 0.2; printf 1 1<> "$0"; sleep 0.4; printf 0 1<> "$0"; : > "$0-done"`;
  spawn('sh', ['-c', hand, file(22)]);
  const busySince = performance.now();
  const passed = (): number => performance.now() - busySince;
  while (passed() < 1000 || (passed() < 10_000 && !existsSync(done)));
  assert.deepEqual(changes, []);
  await waitFor(() => changes.length >= 2, 'both changes');
  assert.deepEqual(changes, [
    { line: 22, level: 1 },
    { line: 22, level: 0 },
  ]);
  assert.deepEqual(failures, []);
});

test('what changed before the reports began is reported once they do', async (t) => {
  const { start, file, changes } = makeBench(t);
  setLevel(file(27), 1);
  const thread = await start();
  assert.deepEqual(changes, []);
  thread.report();
  await waitFor(() => changes.length > 0, 'the change');
  setLevel(file(27), 0);
  await waitFor(() => changes.length > 1, 'the change back');
  assert.deepEqual(changes, [
    { line: 27, level: 1 },
    { line: 27, level: 0 },
  ]);
});

test('a line that can no longer be read is a failure, told once', async (t) => {
  const { start, file, failures } = makeBench(t);
  (await start()).report();
  truncateSync(file(22));
  await waitFor(() => failures.length > 0, 'the failure');
  assert.match(failures[0]?.message ?? '', /line 22 \(exit-button of door front\) can no longer be read: no level/);
  assert.equal(failures.length, 1);
});

test('a line that is missing keeps the thread from starting', async (t) => {
  const { startWorker: _, ...options } = makeBench(t).options;
  // As it is started from the sources.
  await assert.rejects(InputThread.start({ ...options, levels: new Map([...options.levels, [5, 0]]) }), {
    code: 'gpio-unavailable',
    message: /failed: ENOENT/,
  });
});

test('a thread that dies is a failure', async (t) => {
  for (const [code, message] of [
    ["parentPort.on('message', () => { throw new RangeError('out of lines'); });", /failed: out of lines/],
    ["parentPort.on('message', () => process.exit());", /ended/],
  ] as const) {
    const { start, failures } = makeBench(t);
    (await start({ startWorker: workerThat(code) })).report();
    await waitFor(() => failures.length > 0, 'the failure');
    assert.match(failures[0]?.message ?? '', message);
    assert.equal(failures.length, 1);
  }
});

test('a thread that died before the reports began is told when they should', async (t) => {
  const { start, failures } = makeBench(t);
  const worker = workerThat('process.exit();')();
  const ended = once(worker, 'exit');
  const thread = await start({ startWorker: () => worker });
  await ended;
  assert.throws(() => thread.report(), { code: 'gpio-unavailable', message: /ended/ });
  assert.deepEqual(failures, []);
});

test('a thread that gave no sign of life for ten seconds is a failure, and is ended', async (t) => {
  const { start, failures } = makeBench(t);
  let passSecond = (): void => {};
  const every: Every = (interval, look) => {
    assert.equal(interval, 1000);
    passSecond = look;
    return () => {
      passSecond = () => {};
    };
  };
  const thread = await start({ startWorker: workerThat(HANGS), every });
  thread.report();
  for (let second = 0; second < 9; second++) passSecond();
  assert.equal(failures.length, 0);
  passSecond();
  passSecond();
  assert.equal(failures.length, 1);
  assert.match(failures[0]?.message ?? '', /no sign of life/);
  await thread.stop();
});

test('a thread that hangs in the kernel is not waited for', async (t) => {
  const { options, log, failures } = makeBench(t);
  const worker = workerThat(HANGS)();
  t.after(() => worker.terminate());
  const thread = await InputThread.start({
    ...options,
    startWorker: () => ({
      on: worker.on.bind(worker),
      postMessage: () => {},
      terminate: () => new Promise(() => {}),
    }),
  });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const stopped = thread.stop();
  t.mock.timers.tick(1000);
  await stopped;
  assert.match(log.at('warn')[0]?.message ?? '', /has not ended/);
  assert.deepEqual(failures, []);
});

test('nothing is reported once a listener has stopped it', async (t) => {
  const { start, file, changes } = makeBench(t);
  const stopped: Promise<void>[] = [];
  const thread = await start({
    onChange: (change) => {
      changes.push(change);
      stopped.push(thread.stop());
    },
  });
  for (const line of [22, 27]) setLevel(file(line), 1);
  thread.report();
  await waitFor(() => changes.length > 0, 'the change');
  await Promise.all(stopped);
  assert.equal(changes.length, 1);
});
