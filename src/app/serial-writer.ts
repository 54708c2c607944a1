// The one writer of the store. Everything that changes it waits here in order, shares synced batches, and is told when it is durable.
//
// 1. Durable before acknowledged: a write's promise fulfils only after its batch was committed with sync.
// 2. Order is kept, and events are numbered in it. A number is used up only by a committed batch, so there are no holes.
// 3. Bounded: at most MAX_WAITING items wait. Beyond that a write is refused (its sender tries again), an event is counted as
//    lost, and the loss is itself an event as soon as the store works again.

import type { NewEvent } from '../domain/access-event.ts';
import { backoffDelay } from '../domain/backoff.ts';
import type { GatewayId } from '../domain/ids.ts';
import { milliseconds } from '../domain/units.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { EventLog } from '../ports/event-log.ts';
import { StoreTransaction } from './store-transaction.ts';

export const MAX_WAITING = 10_000;
/** Larger batches make lookups wait for the write (measured: p99 0.2 ms at 100 records, 7 ms at 1,000). */
export const MAX_BATCH_RECORDS = 128;
const RETRY = { minimum: milliseconds(500), maximum: milliseconds(30_000) };

interface Dependencies {
  readonly store: CredentialStore & EventLog;
  readonly gateway: GatewayId;
  readonly clock: Clock;
  readonly log: Log;
}

interface Waiting {
  /** Runs the work on the batch; returns how to tell its sender that it is durable. */
  run(tx: StoreTransaction): () => void;
  /** Undefined for work that waits until the store works again. */
  readonly fail: ((error: unknown) => void) | undefined;
}

interface Batch {
  readonly tx: StoreTransaction;
  /** Items of the queue that are in it. */
  readonly taken: number;
  readonly done: readonly (() => void)[];
}

export class SerialWriter {
  readonly #deps: Dependencies;
  readonly #waiting: Waiting[] = [];
  readonly #idle: (() => void)[] = [];
  #isBusy = false;
  #failures = 0;
  #retry: Timer | undefined;
  #lostEvents = 0;
  /** Called after each committed batch. */
  onCommit: () => void = () => {};

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Whether the last commit failed; then changes are refused until one works. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /**
   * Runs `work` in its turn and fulfils with its result when the batch is durable. Rejects with what `work` threw (then it has
   * no effect), or with CardeaError `store-write-failed` or `overloaded`. `work` may run again on another transaction.
   */
  write<T>(work: (tx: StoreTransaction) => T): Promise<T> {
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(new CardeaError('overloaded', `${MAX_WAITING} writes wait for the store already`));
    }
    return new Promise<T>((resolve, reject) => {
      this.#enqueue({
        run: (tx) => {
          const result = work(tx);
          return () => resolve(result);
        },
        fail: reject,
      });
    });
  }

  /** Records an event without waiting. It is kept and tried again while the store fails, within the bound. */
  record(event: NewEvent): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#lostEvents += 1;
      return;
    }
    this.#enqueue({
      run: (tx) => {
        tx.append(event);
        return () => {};
      },
      fail: undefined,
    });
  }

  /** Fulfils when nothing is under way; what waits for a failing store is not waited for. */
  async idle(): Promise<void> {
    if (this.#isBusy) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #enqueue(item: Waiting): void {
    this.#waiting.push(item);
    if (!this.#isBusy) void this.#turn();
  }

  async #turn(): Promise<void> {
    this.#isBusy = true;
    this.#retry?.cancel();
    this.#retry = undefined;
    // What arrives in the same tick shares the batch.
    await Promise.resolve();
    while (this.#waiting.length > 0 && this.#retry === undefined) await this.#commitNext();
    this.#isBusy = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #commitNext(): Promise<void> {
    const { store, log } = this.#deps;
    const { tx, taken, done } = this.#build();
    if (tx.size === 0) {
      this.#waiting.splice(0, taken);
      for (const tell of done) tell();
      return;
    }
    try {
      await store.commit(tx.batch());
    } catch (error) {
      log.error({ err: errorMessage(error), waiting: this.#waiting.length }, 'store refused a batch');
      this.#giveUp(taken, error);
      return;
    }
    this.#waiting.splice(0, taken);
    for (const tell of done) tell();
    this.onCommit();
    if (this.#failures > 0 || this.#lostEvents > 0) this.#recovered();
  }

  #build(): Batch {
    for (;;) {
      const batch = this.#tryBuild();
      if (batch !== undefined) return batch;
    }
  }

  /** Undefined when work threw after it had put something: it has left the queue, and the batch begins anew without it. */
  #tryBuild(): Batch | undefined {
    const { store, gateway } = this.#deps;
    const tx = new StoreTransaction({ store, tail: store.tail(), gateway });
    const done: (() => void)[] = [];
    let taken = 0;
    while (taken < this.#waiting.length && tx.size < MAX_BATCH_RECORDS) {
      const item = this.#waiting[taken];
      if (item === undefined) break;
      const putsBefore = tx.puts;
      try {
        done.push(item.run(tx));
        taken += 1;
      } catch (error) {
        this.#waiting.splice(taken, 1);
        item.fail?.(error);
        if (tx.puts !== putsBefore) return undefined;
      }
    }
    return { tx, taken, done };
  }

  /** Refuses the writes that wait, keeps the events, and tries again later. */
  #giveUp(taken: number, error: unknown): void {
    const { clock } = this.#deps;
    const tried = this.#waiting.splice(0, taken);
    this.#waiting.unshift(...tried.filter((item) => item.fail === undefined));
    const delay = backoffDelay(RETRY, this.#failures, 1);
    this.#failures += 1;
    this.#retry = clock.schedule(delay, () => {
      if (!this.#isBusy) void this.#turn();
    });
    for (const item of tried) item.fail?.(error);
  }

  #recovered(): void {
    const { clock, log } = this.#deps;
    log.warn({ failures: this.#failures, lostEvents: this.#lostEvents }, 'store takes writes again');
    this.#failures = 0;
    const detail = { lostEvents: this.#lostEvents };
    this.#lostEvents = 0;
    this.record({ event: 'store-recovered', at: clock.now(), clockSynchronized: clock.isSynchronized(), detail });
  }
}
