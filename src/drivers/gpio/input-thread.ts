// The main thread's side of the thread that looks at the inputs of rpi-gpio: starts it, reports what it saw in order, and tells
// once when it died or stopped looking.

import type { Worker } from 'node:worker_threads';
import { CardeaError, errorMessage } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { siblingModule, startWorker } from '../../start-worker.ts';
import type { LineChange, Look } from './input-looks.ts';
import { type Every, every } from './look-timer.ts';
import type { LineLevel } from './strike-level.ts';
import { within } from './time-limit.ts';

export interface InputWorkerData {
  readonly root: string;
  /** What the lines were read as, in the order in which they are looked at. */
  readonly levels: ReadonlyMap<number, LineLevel>;
  /** Milliseconds. */
  readonly debounce: number;
  /** Shared: its first element counts the looks, as the sign of life. */
  readonly turns: Int32Array;
}

export type FromInputWorker =
  | { readonly kind: 'looking' }
  | {
      readonly kind: 'changes';
      readonly changes: readonly LineChange[];
      /** Changes that are not among them; see change-backlog.ts. */
      readonly leftOut: number;
      /** It looks no more. */
      readonly unreadable: Look['unreadable'];
    };

/** The last batch has been reported: send the next. */
type ToInputWorker = 'next';

export interface InputThreadOptions extends Omit<InputWorkerData, 'turns'> {
  /** Line -> what it is for, for messages. */
  readonly purposes: ReadonlyMap<number, string>;
  readonly onChange: (change: LineChange) => void;
  /** Called once; nothing is reported any more. */
  readonly onFailure: (error: CardeaError) => void;
  readonly log?: Log | undefined;
  /** For tests; default: a worker on input-worker.ts. */
  readonly startWorker?: (data: InputWorkerData) => Pick<Worker, 'on' | 'postMessage' | 'terminate'>;
  /** When to look for the signs of life; default setInterval. */
  readonly every?: Every;
}

/** What has been started; see InputThread. */
export type RunningInputs = Pick<InputThread, 'report' | 'stop'>;

/** Milliseconds that a new thread has to load its modules, from a slow SD card at boot. */
const START_PATIENCE = 30_000;
/** Milliseconds that a thread has to end; one that hangs in the kernel is not waited for. */
const STOP_PATIENCE = 1000;
/** Milliseconds between two looks for a sign of life. */
const WATCH_EVERY = 1000;
/** After so many in a row without one it counts as hanging. Counted by a thread that turns itself, so a machine that slept is no reason. */
const STALL = 10;

export class InputThread {
  readonly #options: InputThreadOptions;
  readonly #turns = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #worker: ReturnType<NonNullable<InputThreadOptions['startWorker']>> | undefined;
  #onFailure: (error: CardeaError) => void = () => {};
  #failure: CardeaError | undefined;
  #isOver = false;
  #stopWatching = (): void => {};

  private constructor(options: InputThreadOptions) {
    this.#options = options;
  }

  /** Resolves when the thread looks; rejects with CardeaError `gpio-unavailable`. */
  static async start(options: InputThreadOptions): Promise<InputThread> {
    const thread = new InputThread(options);
    try {
      await within(START_PATIENCE, thread.#start(), 'the thread that looks at the inputs did not start');
      return thread;
    } catch (error) {
      await thread.stop();
      throw error;
    }
  }

  /** From now on changes are reported, first those since start(). Throws what happened to the thread in between. */
  report(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#onFailure = this.#options.onFailure;
    this.#askForMore();
  }

  /** Nothing is reported any more once it was called. Resolves when the thread has ended, or hangs. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#stopWatching();
    const ended = this.#worker?.terminate() ?? Promise.resolve();
    await within(STOP_PATIENCE, Promise.resolve(ended), 'the thread that looks at the inputs hangs').catch((error) =>
      this.#options.log?.warn(
        { detail: errorMessage(error) },
        'inputs are no longer looked at, but their thread has not ended',
      ),
    );
  }

  #start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onFailure = reject;
      const { root, levels, debounce } = this.#options;
      const start =
        this.#options.startWorker ?? ((data) => startWorker(siblingModule('input-worker', import.meta.url), data));
      const worker = start({ root, levels, debounce, turns: this.#turns });
      this.#worker = worker;
      worker.on('message', (message: FromInputWorker) => {
        if (message.kind === 'looking') {
          this.#watch();
          resolve();
        } else this.#take(message);
      });
      worker.on('error', (error) => this.#fail(`the thread that looks at the inputs failed: ${errorMessage(error)}`));
      worker.on('exit', () => this.#fail('the thread that looks at the inputs ended'));
    });
  }

  #take({ changes, leftOut, unreadable }: FromInputWorker & { readonly kind: 'changes' }): void {
    const { onChange, log, purposes } = this.#options;
    if (leftOut > 0)
      log?.warn({ leftOut }, 'an input flapped for longer than could be kept: some of its changes are left out');
    for (const change of changes) {
      // A listener may have stopped us.
      if (this.#isOver) return;
      onChange(change);
    }
    if (unreadable === undefined) this.#askForMore();
    else {
      const { line, reason } = unreadable;
      this.#fail(`GPIO line ${line} (${purposes.get(line)}) can no longer be read: ${reason}`);
    }
  }

  #askForMore(): void {
    this.#worker?.postMessage('next' satisfies ToInputWorker);
  }

  #watch(): void {
    let seen = 0;
    let quiet = 0;
    this.#stopWatching = (this.#options.every ?? every)(WATCH_EVERY, () => {
      const turns = Atomics.load(this.#turns, 0);
      quiet = turns === seen ? quiet + 1 : 0;
      seen = turns;
      if (quiet >= STALL)
        this.#fail('the thread that looks at the inputs gave no sign of life: a line may hang in the kernel');
    });
  }

  #fail(message: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopWatching();
    this.#failure = new CardeaError('gpio-unavailable', message);
    this.#onFailure(this.#failure);
  }
}
