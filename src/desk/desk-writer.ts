// The one way into the desk's store: what is handed in is written in that order, and together with whatever waits meanwhile.
//
// 1. Nobody is told of a change before it is durable.
// 2. After a write that failed nothing is written any more: what the desk holds in memory is ahead of the disk then, and the process
//    has to begin anew with what the disk has.

import { CardeaError } from '../errors.ts';
import type { DeskPut, DeskStore } from '../ports/desk-store.ts';

/** Records of one write; more wait for the next. */
const MOST_PUTS = 5_000;

interface Waiting {
  readonly puts: readonly DeskPut[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class DeskWriter {
  readonly #store: DeskStore;
  readonly #onFailure: (error: unknown) => void;
  #waiting: Waiting[] = [];
  #isWriting = false;
  /** The run that is under way, or the last one. */
  #run: Promise<void> = Promise.resolve();
  #failure: unknown;

  /** `onFailure` is called once, after the first write that failed. */
  constructor(store: DeskStore, onFailure: (error: unknown) => void) {
    this.#store = store;
    this.#onFailure = onFailure;
  }

  /** Throws what the first failed write was rejected with, wrapped, so that no change is begun that cannot be kept. */
  requireSound(): void {
    if (this.#failure !== undefined) throw this.#refusal();
  }

  /** Fulfils when the records are on the disk. Rejects with CardeaError `store-write-failed`. */
  write(puts: readonly DeskPut[]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#refusal());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ puts, resolve, reject });
      if (!this.#isWriting) this.#run = this.#writeAll();
    });
  }

  /** What is in memory is not what will be on the disk: nothing is written any more. */
  abandon(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    this.#onFailure(error);
  }

  /** Fulfils when nothing is on its way any more, not even what was given up. */
  async settled(): Promise<void> {
    while (this.#isWriting) await this.#run;
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0 && this.#failure === undefined) {
      const group = this.#takeGroup();
      try {
        const puts = group.flatMap((each) => each.puts);
        if (puts.length > 0) await this.#store.write(puts);
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
        this.abandon(error);
      }
    }
    this.#isWriting = false;
  }

  #takeGroup(): readonly Waiting[] {
    let count = 0;
    const end = this.#waiting.findIndex(({ puts }) => {
      count += puts.length;
      return count > MOST_PUTS;
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : Math.max(end, 1));
  }

  #refusal(): CardeaError {
    const message = 'an earlier write has failed; the desk takes no more changes until it is started again';
    return new CardeaError('store-write-failed', message, { cause: this.#failure });
  }
}
