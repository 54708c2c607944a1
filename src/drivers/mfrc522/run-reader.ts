// Runs a polling loop inside a worker thread: turns, the waits between them, and the messages to the main thread.

import type { MessagePort } from 'node:worker_threads';
import { type Milliseconds, milliseconds } from '../../domain/units.ts';
import { Mfrc522Chip } from './chip.ts';
import { PollLoop } from './poll-loop.ts';
import type { FromWorker, PollReport, ReaderWorkerData, ToWorker } from './reader-messages.ts';
import type { SpiBus } from './spi-bus.ts';

export interface ReaderThread {
  readonly port: MessagePort;
  readonly bus: SpiBus;
  readonly options: Pick<ReaderWorkerData, 'rxGainDb' | 'pollMilliseconds'>;
}

/** Returns at once; the thread ends when the port has said 'stop'. */
export const runReader = ({ port, bus, options }: ReaderThread): void => {
  let reports: PollReport[] = [];
  const chip = new Mfrc522Chip({ bus, rxGainDb: options.rxGainDb, sleep: blockThread });
  const loop = new PollLoop({
    chip,
    pollInterval: milliseconds(options.pollMilliseconds),
    now: () => performance.now(),
    report: (report) => reports.push(report),
  });
  const tell = (message: FromWorker): void => port.postMessage(message);

  let timer: NodeJS.Timeout | undefined;
  const turn = (): void => {
    const pause = loop.turn();
    tell({ kind: 'turn', reports, counters: chip.counters });
    reports = [];
    timer = setTimeout(turn, pause);
  };
  port.on('message', (message: ToWorker) => {
    if (message !== 'stop') return;
    clearTimeout(timer);
    loop.stop();
    port.close();
  });
  tell({ kind: 'running' });
  timer = setTimeout(turn, 0);
};

const never = new Int32Array(new SharedArrayBuffer(4));

/** Milliseconds at most, where a timer of the event loop would be too coarse; nothing else runs in this thread. */
export const blockThread = (time: Milliseconds): void => {
  if (time > 0) Atomics.wait(never, 0, 0, time);
};
