// A real Mfrc522Reader with a real worker thread, whose chip is a fake.

import type { Worker } from 'node:worker_threads';
import { Mfrc522Reader, type Mfrc522ReaderDependencies } from '../../../src/drivers/mfrc522/mfrc522-reader.ts';
import type { Log } from '../../../src/log.ts';
import { startWorker } from '../../../src/start-worker.ts';
import type { CardReaderHarness } from '../../contracts/card-reader.contract.ts';
import type { FakeChipOrder } from '../../fakes/fake-mfrc522-worker.ts';
import { VirtualClock } from '../../fakes/virtual-clock.ts';
import { builtWorker } from '../../fixtures/built-worker.ts';

export interface ReaderHarness extends CardReaderHarness {
  readonly reader: Mfrc522Reader;
  readonly clock: VirtualClock;
  /** The warnings, as `message: detail`. */
  readonly warnings: string[];
  readonly workers: Worker[];
  order(order: FakeChipOrder): void;
}

const FAKE_CHIP = new URL('../../fakes/fake-mfrc522-worker.ts', import.meta.url);
/** Turns of the polling loop; far more than any test needs. */
const PATIENCE = 3000;
const SETTLED_TURNS = 6;

export const makeReaderHarness = (options: Partial<Mfrc522ReaderDependencies['options']> = {}): ReaderHarness => {
  const clock = new VirtualClock();
  const warnings: string[] = [];
  const workers: Worker[] = [];
  /** What the field is like; a new worker's chip is told. */
  const standing: FakeChipOrder[] = [];
  let turns = 0;
  let wake: () => void = () => {};
  const order = (what: FakeChipOrder): void => workers.at(-1)?.postMessage(what);
  const keep = (what: FakeChipOrder): void => {
    standing.push(what);
    order(what);
  };
  const reader = new Mfrc522Reader({
    options: { device: 'fake', speedHz: 1_000_000, rxGainDb: 33, pollMilliseconds: 2, ...options },
    clock,
    log: makeLog(warnings),
    startWorker: (workerData) => {
      const worker = startWorker(builtWorker(FAKE_CHIP), workerData);
      worker.on('message', () => {
        turns += 1;
        wake();
      });
      worker.on('exit', () => wake());
      workers.push(worker);
      for (const what of standing) worker.postMessage(what);
      return worker;
    },
  });
  /** Looks again whenever a worker said something or ended, which it does after the reader has heard it too. */
  const until = async (condition: () => boolean): Promise<void> => {
    for (const end = turns + PATIENCE; !condition(); ) {
      if (turns >= end) throw new RangeError('it did not come true');
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    reader,
    clock,
    warnings,
    workers,
    order,
    present: (uid) => keep({ present: uid }),
    remove: () => {
      standing.length = 0;
      order('remove');
    },
    fail: () => keep({ stuckAt: 0x00 }),
    repair: () => keep({ stuckAt: undefined }),
    until,
    settle: async () => {
      const enough = turns + SETTLED_TURNS;
      const isRunning = workers.some((worker) => worker.threadId !== -1);
      if (isRunning) await until(() => turns >= enough);
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
};

const makeLog = (warnings: string[]): Log => {
  const ignore = (): void => {};
  const log: Log = {
    trace: ignore,
    debug: ignore,
    info: ignore,
    warn: (fields, message) => {
      warnings.push('detail' in fields ? `${message}: ${fields.detail}` : message);
    },
    error: ignore,
    fatal: ignore,
    child: () => log,
  };
  return log;
};
