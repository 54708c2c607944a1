// The one writer of the store. Everything that changes it waits here in order, shares synced batches, and is told when it is durable.
//
// 1. Durable before acknowledged: a write's promise fulfils only after its batch was committed with sync.
// 2. Order is kept, and events are numbered in it. A number is used up only by a committed batch, so there are no holes.
// 3. Bounded: at most MAX_WAITING items wait. Beyond that a write is refused (its sender tries again), an event is counted as
//    lost, and the loss is itself an event as soon as the store works again.

import type { NewEvent } from '../domain/access-event.ts';
import { backoffDelay } from '../domain/backoff.ts';
import type { GatewayId } from '../domain/ids.ts';
import { type Milliseconds, type MonotonicTime, milliseconds } from '../domain/units.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { CredentialStore, StoreBatch } from '../ports/credential-store.ts';
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

/** Runs the work on the batch; returns how to tell its sender that it is durable. Work that stands alone may take its time. */
type Work =
  | { readonly kind: 'shared'; run(tx: StoreTransaction): () => void }
  | { readonly kind: 'alone'; run(tx: StoreTransaction): Promise<() => void> };

type Waiting = Work & {
  /** Undefined for work that waits until the store works again. */
  readonly fail: ((error: unknown) => void) | undefined;
};

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
  #commitSince: MonotonicTime | undefined;
  /** A batch that was refused and may be on the disk all the same, and the events in it that still wait. */
  #doubtful: { readonly hash: string | undefined; readonly kept: readonly Waiting[] } | undefined;
  /** Called after each committed batch. */
  onCommit: () => void = () => {};

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Whether the last commit failed; then changes are refused until one works. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** How long the store has been busy with the present batch. A disk that hangs does not say so itself. */
  get busyFor(): Milliseconds {
    return milliseconds(this.#commitSince === undefined ? 0 : this.#deps.clock.monotonic() - this.#commitSince);
  }

  /**
   * Runs `work` in its turn and fulfils with its result when the batch is durable. Rejects with what `work` threw (then it has
   * no effect), or with CardeaError `store-write-failed` or `overloaded`. `work` may run again on another transaction.
   */
  write<T>(work: (tx: StoreTransaction) => T): Promise<T> {
    return this.#waitFor((resolve) => ({
      kind: 'shared',
      run: (tx) => {
        const result = work(tx);
        return () => resolve(result);
      },
    }));
  }

  /**
   * As write(), for work of thousands of records: it has a batch to itself, of any size, and what comes after it waits. `work` is
   * to let others run now and then while it fills the batch.
   */
  writeAlone<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T> {
    return this.#waitFor((resolve) => ({
      kind: 'alone',
      run: async (tx) => {
        const result = await work(tx);
        return () => resolve(result);
      },
    }));
  }

  /** Records an event without waiting. It is kept and tried again while the store fails, within the bound. */
  record(event: NewEvent): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#lostEvents += 1;
      return;
    }
    this.#enqueue({
      kind: 'shared',
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

  #waitFor<T>(workFor: (resolve: (result: T) => void) => Work): Promise<T> {
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(new CardeaError('overloaded', `${MAX_WAITING} writes wait for the store already`));
    }
    return new Promise<T>((resolve, reject) => this.#enqueue({ ...workFor(resolve), fail: reject }));
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
    // Once at least: a store that failed is recovered although nothing waits for it.
    do await this.#commitNext();
    while (this.#waiting.length > 0 && this.#retry === undefined);
    this.#isBusy = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #commitNext(): Promise<void> {
    const { store, clock, log } = this.#deps;
    let taken = 0;
    let batch: StoreBatch | undefined;
    let isWritten = false;
    this.#commitSince = clock.monotonic();
    try {
      await store.recover();
      this.#dropWhatIsThere();
      const built = await this.#build();
      taken = built.taken;
      batch = built.tx.batch();
      isWritten = built.tx.size > 0;
      if (isWritten) await store.commit(batch);
      this.#waiting.splice(0, taken);
      for (const tell of built.done) tell();
    } catch (error) {
      log.error({ err: errorMessage(error), waiting: this.#waiting.length }, 'store refused a batch');
      this.#giveUp({ taken, batch, error });
      return;
    } finally {
      this.#commitSince = undefined;
    }
    if (isWritten) this.onCommit();
    if (this.#failures > 0 || this.#lostEvents > 0) this.#recovered();
  }

  /** Events of a refused batch that turned out to be on the disk are not recorded a second time. */
  #dropWhatIsThere(): void {
    const doubtful = this.#doubtful;
    this.#doubtful = undefined;
    if (doubtful?.hash === undefined || doubtful.hash !== this.#deps.store.tail().hash) return;
    for (const item of doubtful.kept) this.#waiting.splice(this.#waiting.indexOf(item), 1);
  }

  async #build(): Promise<Batch> {
    for (;;) {
      const [first] = this.#waiting;
      const batch = first?.kind === 'alone' ? await this.#tryBuildAlone(first) : this.#tryBuild();
      if (batch !== undefined) return batch;
    }
  }

  async #tryBuildAlone(item: Extract<Waiting, { kind: 'alone' }>): Promise<Batch | undefined> {
    const tx = this.#beginTransaction();
    try {
      return { tx, taken: 1, done: [await item.run(tx)] };
    } catch (error) {
      this.#waiting.shift();
      item.fail?.(error);
      return undefined;
    }
  }

  #beginTransaction(): StoreTransaction {
    const { store, gateway } = this.#deps;
    return new StoreTransaction({ store, tail: store.tail(), gateway });
  }

  /** Undefined when work threw after it had put something: it has left the queue, and the batch begins anew without it. */
  #tryBuild(): Batch | undefined {
    const tx = this.#beginTransaction();
    const done: (() => void)[] = [];
    let taken = 0;
    while (taken < this.#waiting.length && tx.size < MAX_BATCH_RECORDS) {
      const item = this.#waiting[taken];
      if (item?.kind !== 'shared') break;
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

  /** Refuses the writes that were tried (or all, when the store could not even be recovered), keeps the events, tries again later. */
  #giveUp(failed: { readonly taken: number; readonly batch: StoreBatch | undefined; readonly error: unknown }): void {
    const { clock } = this.#deps;
    const tried = this.#waiting.splice(0, failed.batch === undefined ? this.#waiting.length : failed.taken);
    const kept = tried.filter((item) => item.fail === undefined);
    this.#waiting.unshift(...kept);
    if (failed.batch !== undefined) this.#doubtful = { hash: failed.batch.entries.at(-1)?.event.hash, kept };
    const delay = backoffDelay(RETRY, this.#failures, 1);
    this.#failures += 1;
    this.#retry = clock.schedule(delay, () => {
      if (!this.#isBusy) void this.#turn();
    });
    for (const item of tried) item.fail?.(failed.error);
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
