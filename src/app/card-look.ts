// Looks at the cards of a large store while its doors work already: the bucket of a card at a reader at once, before it is decided
// about, and all others one after the other. A start would take seconds else, and tens of them on a small device.
//
// 1. No card opens a door before its bucket was looked at and nothing was wrong with it.
// 2. Once something is wrong with one bucket no card opens anything more.

import type { CardNumber } from '../domain/card-number.ts';
import { BUCKETS, bucketOf } from '../domain/roster-digest.ts';
import { errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';

interface Dependencies {
  /** What is wrong with a bucket, in words; undefined when nothing is. Rejects when the store does not answer. */
  readonly faultIn: (bucket: number) => Promise<string | undefined>;
  readonly log: Log;
  /** Called once. */
  readonly onFault: (fault: string) => void;
}

export class CardLook {
  readonly #deps: Dependencies;
  readonly #sound = new Set<number>();
  /** A bucket that several wait for is looked at once. */
  readonly #underWay = new Map<number, Promise<boolean>>();
  #fault: string | undefined;
  #isStopped = false;
  #done: Promise<void> = Promise.resolve();

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** What is wrong with the cards, in words. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Fulfils when all buckets were looked at since start(), or it has stopped. */
  get done(): Promise<void> {
    return this.#done;
  }

  /**
   * Undefined for a card that may be decided about now. Else fulfils when its bucket was looked at, with whether nothing is wrong
   * with it; never rejects.
   */
  awaitCard(card: CardNumber): Promise<boolean> | undefined {
    if (this.#fault === undefined && this.#sound.size === BUCKETS) return undefined;
    const bucket = bucketOf(card);
    return this.#fault === undefined && this.#sound.has(bucket) ? undefined : this.#look(bucket);
  }

  /** Looks at all buckets. */
  start(): void {
    this.#done = this.#lookAtAll();
  }

  /** Fulfils when nothing is read any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
    await Promise.all(this.#underWay.values());
  }

  async #lookAtAll(): Promise<void> {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      if (this.#isStopped || this.#fault !== undefined) return;
      if (!this.#sound.has(bucket)) await this.#look(bucket);
    }
    if (this.#sound.size === BUCKETS) this.#deps.log.info({}, 'all cards were looked at');
  }

  #look(bucket: number): Promise<boolean> {
    const known = this.#underWay.get(bucket);
    if (known !== undefined) return known;
    const look = this.#lookAt(bucket).finally(() => this.#underWay.delete(bucket));
    this.#underWay.set(bucket, look);
    return look;
  }

  async #lookAt(bucket: number): Promise<boolean> {
    const { faultIn, log } = this.#deps;
    if (this.#fault !== undefined || this.#isStopped) return false;
    try {
      const fault = await faultIn(bucket);
      if (fault === undefined) this.#sound.add(bucket);
      else this.#tell(fault);
      return fault === undefined && this.#fault === undefined;
    } catch (error) {
      // Not known is not sound. It is looked at again with the next card.
      log.warn({ err: errorMessage(error), bucket }, 'the cards of a bucket could not be looked at');
      return false;
    }
  }

  #tell(fault: string): void {
    if (this.#fault !== undefined) return;
    this.#fault = fault;
    this.#deps.onFault(fault);
  }
}
