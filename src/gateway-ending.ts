// How a gateway ends: once, with the strikes made safe before anything else, then everything closed in order and within bounds.

import { errorMessage } from './errors.ts';
import type { Log } from './log.ts';

/** How long a stop waits for one part before it goes on to the next, and for all of them; the service manager waits ten seconds. */
const CLOSE_LIMIT_MS = 3000;
const CLOSE_ALL_LIMIT_MS = 8000;

/** What has to be closed, last opened first. */
export class ClosingStack {
  readonly #log: Log;
  readonly #parts: { readonly name: string; readonly close: () => void | Promise<void> }[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  add(name: string, close: () => void | Promise<void>): void {
    this.#parts.push({ name, close });
  }

  async closeAll(): Promise<void> {
    const end = performance.now() + CLOSE_ALL_LIMIT_MS;
    for (const { name, close } of this.#parts.splice(0).reverse()) {
      const limit = Math.max(0, Math.min(CLOSE_LIMIT_MS, end - performance.now()));
      try {
        if (!(await inTime(close(), limit))) this.#log.warn({ part: name }, 'did not close in time');
      } catch (error) {
        this.#log.error({ part: name, err: errorMessage(error) }, 'could not be closed');
      }
    }
  }
}

const inTime = async (closed: void | Promise<void>, limit: number): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limit);
  });
  try {
    return await Promise.race([Promise.resolve(closed).then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
};

/** One stop, however many ask for it. */
export class Ending {
  readonly done: Promise<{ readonly reason: string; readonly isFailure: boolean }>;
  /** Runs before anything is closed. */
  before = (): void => {};
  /** Takes the strikes to their safe state, ahead of everything that could wait or fail. */
  makeSafe = (): void => {};
  reason = '';
  readonly #log: Log;
  readonly #closing: ClosingStack;
  #resolve: (outcome: { readonly reason: string; readonly isFailure: boolean }) => void = () => {};

  constructor(log: Log, closing: ClosingStack) {
    this.#log = log;
    this.#closing = closing;
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  async stop(reason: string, isFailure = false): Promise<void> {
    if (this.reason === '') {
      await this.#end(reason, isFailure);
      this.#resolve({ reason, isFailure });
    }
    await this.done;
  }

  /** A start that fails: everything that had started is closed. */
  async giveUp(reason: string): Promise<void> {
    if (this.reason === '') await this.#end(reason, true);
    else {
      this.makeSafe();
      await this.#closing.closeAll();
    }
  }

  async #end(reason: string, isFailure: boolean): Promise<void> {
    this.reason = reason;
    this.makeSafe();
    this.#log.info({ reason, isFailure }, 'gateway stopping');
    this.before();
    await this.#closing.closeAll();
  }
}
