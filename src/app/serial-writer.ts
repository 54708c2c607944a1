// The one writer of the store. Everything that changes it waits here in order, shares synced batches, and is told when it is
// durable. While one batch is on its way to the disk the next one is filled, piece by piece as the work arrives.
//
// 1. Durable before acknowledged: a write's promise fulfils only after its batch was committed with sync.
// 2. Order is kept, and events are numbered in it. A number is used up only by a committed batch, so there are no holes.
// 3. Bounded: at most MAX_WAITING items wait. Beyond that a write is refused (its sender tries again), an event is counted as
//    lost, and the loss is itself an event as soon as the store works again.
// 4. Events of low value may wait for the next write, and on a disk that is nearly full they are counted instead of recorded.

import type { NewEvent } from '../domain/access-event.ts';
import { backoffDelay } from '../domain/backoff.ts';
import type { GatewayId } from '../domain/ids.ts';
import { type Milliseconds, type MonotonicTime, milliseconds } from '../domain/units.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { EventLog } from '../ports/event-log.ts';
import { isOfLowValue, LowValueEvents } from './low-value-events.ts';
import { StoreTransaction } from './store-transaction.ts';
import { type Waiting, type Work, WriteBatch } from './write-batch.ts';

export const MAX_WAITING = 10_000;
const RETRY = { minimum: milliseconds(500), maximum: milliseconds(30_000) };

interface Dependencies {
  readonly store: CredentialStore & EventLog;
  readonly gateway: GatewayId;
  readonly clock: Clock;
  readonly log: Log;
  /** How long events of low value may wait for company; none, unless told otherwise. */
  readonly lowValueDelay?: Milliseconds;
}

export class SerialWriter {
  readonly #deps: Dependencies;
  readonly #waiting: Waiting[] = [];
  /** What is on its way to the disk. */
  #committing: WriteBatch | undefined;
  /** What goes next; it is still being filled. */
  #open: WriteBatch | undefined;
  /** Work that has the store to itself is filling its batch. */
  #isAlone = false;
  /** A batch was refused, or the store is being recovered: what is there is not known, and no work may stand on it. */
  #isInDoubt = false;
  readonly #idle: (() => void)[] = [];
  #isBusy = false;
  #failures = 0;
  #retry: Timer | undefined;
  #lostEvents = 0;
  #commitSince: MonotonicTime | undefined;
  /** A batch that was refused and may be on the disk all the same, and the events in it that still wait. */
  #doubtful: { readonly hash: string | undefined; readonly kept: readonly Waiting[] } | undefined;
  readonly #lowValue: LowValueEvents;
  #leavesOut = false;
  #leftOut = 0;
  /** Called after each committed batch. */
  onCommit: () => void = () => {};

  constructor(deps: Dependencies) {
    this.#deps = deps;
    const { clock, lowValueDelay: delay = milliseconds(0) } = deps;
    this.#lowValue = new LowValueEvents({ delay, clock, onDue: () => this.#recordHeld() });
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
    if (this.#leavesOut && isOfLowValue(event)) {
      this.#leftOut += 1;
      return;
    }
    // What goes with a batch that is written anyway costs nothing.
    if (!this.#hasMoreToWrite && this.#lowValue.hold(event)) return;
    this.#recordHeld();
    this.#recordNow(event);
  }

  /** From now on events of low value are counted instead of recorded: the room is for the others. */
  leaveOutLowValue(): void {
    this.#leavesOut = true;
  }

  /** Records everything again; returns how many events were left out. */
  leaveOutNothing(): number {
    const leftOut = this.#leftOut;
    this.#leavesOut = false;
    this.#leftOut = 0;
    return leftOut;
  }

  #recordHeld(): void {
    for (const event of this.#lowValue.take()) this.#recordNow(event);
  }

  #recordNow(event: NewEvent): void {
    if (this.#isFull) {
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

  /** Fulfils when nothing is under way, nor waits for company; what waits for a failing store is not waited for. */
  async idle(): Promise<void> {
    this.#recordHeld();
    if (this.#isBusy) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #waitFor<T>(workFor: (resolve: (result: T) => void) => Work): Promise<T> {
    this.#recordHeld();
    if (this.#isFull) {
      return Promise.reject(new CardeaError('overloaded', `${MAX_WAITING} writes wait for the store already`));
    }
    return new Promise<T>((resolve, reject) => this.#enqueue({ ...workFor(resolve), fail: reject }));
  }

  get #isFull(): boolean {
    const begun = (this.#committing?.items.length ?? 0) + (this.#open?.items.length ?? 0);
    return this.#waiting.length + begun >= MAX_WAITING;
  }

  get #hasMoreToWrite(): boolean {
    return this.#waiting.length > 0 || this.#open !== undefined;
  }

  #enqueue(item: Waiting): void {
    this.#waiting.push(item);
    if (this.#isBusy) this.#admit();
    else void this.#turn();
  }

  async #turn(): Promise<void> {
    this.#isBusy = true;
    this.#retry?.cancel();
    this.#retry = undefined;
    // What arrives in the same tick shares the batch.
    await Promise.resolve();
    // Once at least: a store that failed is recovered although nothing waits for it.
    do await this.#commitNext();
    while (this.#hasMoreToWrite && this.#retry === undefined);
    this.#isBusy = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #commitNext(): Promise<void> {
    const { store, clock, log } = this.#deps;
    let batch: WriteBatch | undefined;
    let isWritten = false;
    this.#commitSince = clock.monotonic();
    try {
      this.#isInDoubt = true;
      await store.recover();
      this.#dropWhatIsThere();
      this.#isInDoubt = false;
      batch = await this.#takeBatch();
      this.#admit();
      isWritten = batch.tx.size > 0;
      if (isWritten) await store.commit(batch.tx.batch());
      this.#committing = undefined;
      this.#open?.tx.settle();
      batch.tellAll();
    } catch (error) {
      log.error({ err: errorMessage(error), waiting: this.#waiting.length }, 'store refused a batch');
      this.#giveUp(batch, error);
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

  /** The batch that was filled, or that of the work that stands alone and is next. */
  async #takeBatch(): Promise<WriteBatch> {
    this.#admit();
    const [first] = this.#waiting;
    if (this.#open === undefined && first?.kind === 'alone') return this.#takeAlone(first);
    return this.#beginCommit(this.#open ?? this.#beginBatch());
  }

  async #takeAlone(first: Extract<Waiting, { kind: 'alone' }>): Promise<WriteBatch> {
    const batch = this.#beginBatch();
    this.#waiting.shift();
    this.#isAlone = true;
    try {
      await batch.runAlone(first);
      return this.#beginCommit(batch);
    } catch (error) {
      first.fail?.(error);
      return this.#beginCommit(this.#beginBatch());
    } finally {
      this.#isAlone = false;
    }
  }

  /** Without a turn for others before it: work that arrives from here on stands on this batch, not on what is in the store. */
  #beginCommit(batch: WriteBatch): WriteBatch {
    this.#open = undefined;
    this.#committing = batch;
    return batch;
  }

  /** Runs the work that waits, for as long as it may share the open batch. */
  #admit(): void {
    while (!this.#isAlone && !this.#isInDoubt && (this.#open?.hasRoom ?? true)) {
      const [next] = this.#waiting;
      if (next?.kind !== 'shared') return;
      this.#waiting.shift();
      this.#open ??= this.#beginBatch();
      this.#open.run(next);
    }
  }

  #beginBatch(): WriteBatch {
    return new WriteBatch(() => this.#beginTransaction());
  }

  /** Work on a batch sees what the one before it will have changed. */
  #beginTransaction(): StoreTransaction {
    const { store, gateway } = this.#deps;
    return new StoreTransaction({ store, gateway, before: this.#committing?.tx });
  }

  /** Refuses the writes that were tried (or all, when the store could not even be recovered), keeps the events, tries again later. */
  #giveUp(failed: WriteBatch | undefined, error: unknown): void {
    const { clock } = this.#deps;
    this.#isInDoubt = true;
    this.#committing = undefined;
    // What the open batch has seen of the failed one never happened.
    this.#waiting.unshift(...(this.#open?.items ?? []));
    this.#open = undefined;
    const tried = failed === undefined ? this.#waiting.splice(0) : failed.items;
    const kept = tried.filter((item) => item.fail === undefined);
    this.#waiting.unshift(...kept);
    if (failed !== undefined) this.#doubtful = { hash: failed.tx.batch().entries.at(-1)?.event.hash, kept };
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
