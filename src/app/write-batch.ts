// Work that shares one write of the store: each piece runs on the transaction as it arrives, and one that throws leaves nothing behind.

import type { StoreTransaction } from './store-transaction.ts';

/** Pieces of work in one batch, of two or three records each: larger batches keep look-ups from their turn. */
export const MAX_BATCH = 128;
/** A batch that has so many records takes no more work; a single piece may have more. */
export const MAX_BATCH_RECORDS = 512;

/** Runs the work on the batch; returns how to tell its sender that it is durable. Work that stands alone may take its time. */
export type Work =
  | { readonly kind: 'shared'; run(tx: StoreTransaction): () => void }
  | { readonly kind: 'alone'; run(tx: StoreTransaction): Promise<() => void> };

export type Waiting = Work & {
  /** Undefined for work that waits until the store works again. */
  readonly fail: ((error: unknown) => void) | undefined;
};

export class WriteBatch {
  readonly #beginTransaction: () => StoreTransaction;
  #tx: StoreTransaction;
  /** What has run, in order. */
  readonly items: Waiting[] = [];
  #done: (() => void)[] = [];

  constructor(beginTransaction: () => StoreTransaction) {
    this.#beginTransaction = beginTransaction;
    this.#tx = beginTransaction();
  }

  get tx(): StoreTransaction {
    return this.#tx;
  }

  get hasRoom(): boolean {
    return this.items.length < MAX_BATCH && this.#tx.size < MAX_BATCH_RECORDS;
  }

  run(item: Extract<Waiting, { kind: 'shared' }>): void {
    const putsBefore = this.#tx.puts;
    try {
      this.#done.push(item.run(this.#tx));
      this.items.push(item);
    } catch (error) {
      item.fail?.(error);
      if (this.#tx.puts !== putsBefore) this.#runAgain();
    }
  }

  /** Rejects with what the work threw; then the batch is not to be used. */
  async runAlone(item: Extract<Waiting, { kind: 'alone' }>): Promise<void> {
    this.#done.push(await item.run(this.#tx));
    this.items.push(item);
  }

  /** It is durable. */
  tellAll(): void {
    for (const tell of this.#done) tell();
  }

  /** Work threw after it had put something: the batch begins anew without it. */
  #runAgain(): void {
    const items = this.items.splice(0);
    this.#tx = this.#beginTransaction();
    this.#done = [];
    for (const item of items) if (item.kind === 'shared') this.run(item);
  }
}
