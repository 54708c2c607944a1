// The CardReader port on an MFRC522. Polling runs in a worker thread, so that a dead bus never blocks a decision; this side
// hands its reports to the listener, and starts the worker anew when it died or stopped turning.

import type { Worker } from 'node:worker_threads';
import { type Milliseconds, type MonotonicTime, milliseconds } from '../../domain/units.ts';
import { CardeaError, errorMessage } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { CardReader, CardReaderListener, ReaderCondition } from '../../ports/card-reader.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import { siblingModule, startWorker } from '../../start-worker.ts';
import type { FromWorker, PollReport, ReaderWorkerData, ToWorker } from './reader-messages.ts';
import type { SpiCounters } from './spi-bus.ts';

export interface Mfrc522ReaderOptions extends ReaderWorkerData {
  /** Pulses the chip's reset line (low for at least 100 ns, data sheet 8.8.1). Left out where none is wired. */
  readonly pulseReset?: () => void;
}

export interface Mfrc522ReaderDependencies {
  readonly options: Mfrc522ReaderOptions;
  readonly clock: Clock;
  readonly log: Log;
  /** For tests, which put a fake chip into a worker of their own. */
  readonly startWorker?: (data: ReaderWorkerData) => Worker;
}

/** A loop that has not turned for this long hangs in the kernel; a turn with everything wrong takes 50 ms on an idle Pi. */
const STALL = milliseconds(10_000);
/** A new thread has this long to load its modules, from a slow SD card at boot. */
const START_PATIENCE = milliseconds(30_000);
const WATCH_EVERY = milliseconds(1000);
const STOP_PATIENCE = milliseconds(2000);
/** Threads of one reader that hang in the kernel, each of which keeps its ten megabytes; then no more are started. */
export const MOST_HANGING = 3;
const FIRST_RESTART = milliseconds(500);
const LAST_RESTART = milliseconds(30_000);

/** From start() to stop(). */
interface Session {
  readonly listener: CardReaderListener;
  /** Called when the first worker runs or has failed. */
  readonly settled: () => void;
  worker: Worker | undefined;
  timer: Timer | undefined;
  aliveAt: MonotonicTime;
  /** From `aliveAt` to the next sign of life, at most. */
  patience: Milliseconds;
  restartDelay: Milliseconds;
  condition: ReaderCondition | undefined;
}

export class Mfrc522Reader implements CardReader {
  readonly #dependencies: Mfrc522ReaderDependencies;
  #session: Session | undefined;
  /** Given up, and not ended yet. */
  readonly #hanging = new Set<Worker>();
  #lastTurnAt: MonotonicTime | undefined;
  #counters: SpiCounters = { messages: 0, frames: 0, bytes: 0 };

  constructor(dependencies: Mfrc522ReaderDependencies) {
    this.#dependencies = dependencies;
  }

  /** What the current worker sent over the bus since it was started. */
  get counters(): SpiCounters {
    return this.#counters;
  }

  start(listener: CardReaderListener): Promise<void> {
    if (this.#session !== undefined) {
      return Promise.reject(new CardeaError('reader-failed', 'the reader was started twice: stop it first'));
    }
    return new Promise((resolve) => {
      const session: Session = {
        listener,
        settled: resolve,
        worker: undefined,
        timer: undefined,
        aliveAt: this.#dependencies.clock.monotonic(),
        patience: START_PATIENCE,
        restartDelay: FIRST_RESTART,
        condition: undefined,
      };
      this.#session = session;
      this.#startWorker(session);
    });
  }

  lastTurnAt(): MonotonicTime | undefined {
    return this.#lastTurnAt;
  }

  async stop(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    session?.timer?.cancel();
    session?.settled();
    const worker = session?.worker;
    if (worker === undefined) return;
    await new Promise<void>((resolve) => {
      const patience = this.#dependencies.clock.schedule(STOP_PATIENCE, () => {
        this.#dependencies.log.warn({}, 'reader worker did not stop in time');
        void worker.terminate();
        resolve();
      });
      worker.once('exit', () => {
        patience.cancel();
        resolve();
      });
      worker.postMessage('stop' satisfies ToWorker);
    });
  }

  #startWorker(session: Session): void {
    if (this.#hanging.size >= MOST_HANGING) {
      this.#lose(session, `${MOST_HANGING} of its workers hang in the kernel: check its wires, and start the Pi anew`);
      return;
    }
    const { device, speedHz, rxGainDb, pollMilliseconds } = this.#dependencies.options;
    const start =
      this.#dependencies.startWorker ?? ((data) => startWorker(siblingModule('reader-worker', import.meta.url), data));
    session.aliveAt = this.#dependencies.clock.monotonic();
    session.patience = START_PATIENCE;
    let worker: Worker;
    try {
      worker = start({ device, speedHz, rxGainDb, pollMilliseconds });
    } catch (error) {
      this.#lose(session, `its worker could not be started: ${errorMessage(error)}`);
      return;
    }
    let reason = 'its worker ended';
    session.worker = worker;
    worker.on('message', (message: FromWorker) => {
      if (session === this.#session && session.worker === worker) this.#receive(session, message);
    });
    worker.on('error', (error) => {
      reason = `its worker failed: ${errorMessage(error)}`;
    });
    worker.on('exit', () => {
      if (session.worker !== worker) return;
      session.worker = undefined;
      if (session === this.#session) this.#lose(session, reason);
    });
    this.#watch(session);
  }

  #receive(session: Session, message: FromWorker): void {
    session.aliveAt = this.#dependencies.clock.monotonic();
    session.patience = STALL;
    if (message.kind === 'running') {
      session.settled();
      return;
    }
    this.#lastTurnAt = session.aliveAt;
    this.#counters = message.counters;
    session.restartDelay = FIRST_RESTART;
    for (const report of message.reports) {
      if (session === this.#session) this.#handle(session, report);
    }
  }

  #handle(session: Session, report: PollReport): void {
    const { log, options } = this.#dependencies;
    switch (report.kind) {
      case 'observation':
        session.listener.onObservation(report.observation);
        return;
      case 'condition':
        this.#setCondition(session, report.condition);
        return;
      case 'warning':
        log.warn({ device: options.device, detail: report.detail }, 'reader works with reservations');
        return;
      case 'pulse-reset':
        this.#pulseReset();
        return;
    }
  }

  #pulseReset(): void {
    const { log, options } = this.#dependencies;
    try {
      options.pulseReset?.();
    } catch (error) {
      log.warn({ device: options.device, detail: errorMessage(error) }, 'reset line could not be pulsed');
    }
  }

  #setCondition(session: Session, condition: ReaderCondition): void {
    const { condition: last } = session;
    if (last?.state === condition.state && last.detail === condition.detail) return;
    session.condition = condition;
    session.listener.onCondition(condition);
  }

  /** The worker is gone: say so, and start another after a pause that doubles from one loss to the next. */
  #lose(session: Session, reason: string): void {
    this.#setCondition(session, {
      state: 'offline',
      detail: `the reader is not polled, ${reason}; it is started anew`,
    });
    session.settled();
    if (session !== this.#session) return;
    session.timer?.cancel();
    session.timer = this.#dependencies.clock.schedule(session.restartDelay, () => this.#startWorker(session));
    session.restartDelay = milliseconds(Math.min(LAST_RESTART, session.restartDelay * 2));
  }

  #watch(session: Session): void {
    session.timer?.cancel();
    session.timer = this.#dependencies.clock.schedule(WATCH_EVERY, () => {
      const { worker } = session;
      if (worker === undefined) return;
      if (this.#dependencies.clock.monotonic() - session.aliveAt < session.patience) return this.#watch(session);
      session.worker = undefined; // a thread that hangs in the kernel may never exit; it is not waited for
      this.#hanging.add(worker);
      worker.once('exit', () => this.#hanging.delete(worker));
      void worker.terminate();
      this.#lose(session, 'its worker gave no sign of life: an SPI transfer may hang in the kernel');
    });
  }
}
