// Applies what HR's pages say: one batch for everything that differs, filled in slices so that taps are answered in between.
//
// 1. All or nothing: until the batch is written no card has changed, afterwards all have.
// 2. Records are judged again inside the batch: what a message has changed since the pages came is not undone.

import type { CardNumber } from '../domain/card-number.ts';
import { type MessageId, parseRevision, type Revision } from '../domain/ids.ts';
import type { ChangePlan } from '../domain/roster-change.ts';
import { BUCKET_BYTES, DIGEST_BYTES, isSameBucket, toggleCard } from '../domain/roster-digest.ts';
import { planAbsentCard, planPresentCard, type RepairOrigin, type RosterCard } from '../domain/roster-repair.ts';
import { CardeaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import { planMending } from './mend-cardholder.ts';
import type { RosterPages } from './roster-pages.ts';
import type { SerialWriter } from './serial-writer.ts';
import type { StoreTransaction } from './store-transaction.ts';

/** Cards planned between two looks at what else there is to do; below a millisecond. */
const SLICE = 25;
/** Card numbers that the audit record names; it says how many there were. */
const MAX_NAMED = 50;

interface Dependencies {
  readonly store: Pick<CredentialStore, 'cardsIn' | 'cardsOf'>;
  readonly writer: SerialWriter;
  readonly clock: Clock;
  /** Fulfils when others have had their turn. */
  readonly yieldToOthers: () => Promise<void>;
}

/** One answered request, with what is live here and HR does not hold. */
export interface BucketRepair {
  readonly requestId: MessageId;
  readonly revision: Revision;
  readonly differing: readonly RosterCard[];
  readonly absent: readonly CardNumber[];
}

export class RosterRepairer {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Looks for live cards of the pages' buckets that HR does not hold. */
  async compare(pages: RosterPages, requestId: MessageId): Promise<BucketRepair> {
    // An empty roster at HR has revision 0, and a record cannot.
    const revision = parseRevision(Math.max(1, pages.revision));
    if (revision === undefined) throw new CardeaError('internal-error', 'a page has a revision that is none');
    const absent: CardNumber[] = [];
    for (const bucket of pages.buckets) {
      for await (const stored of this.#deps.store.cardsIn(bucket)) {
        if (stored === undefined) continue;
        const [card, record] = stored;
        if (record.state === 'live' && !pages.present.has(card)) absent.push(card);
      }
    }
    return { requestId, revision, differing: pages.differing, absent };
  }

  /**
   * Fulfils with the number of cards changed: none when `epoch`, for which the pages were asked, is over. Rejects with CardeaError
   * `store-write-failed`; then nothing has changed.
   */
  apply(repairs: readonly BucketRepair[], epoch: string): Promise<number> {
    return this.#deps.writer.writeAlone(async (tx) => {
      if (tx.roster().epoch !== epoch) return 0;
      const bound: CardNumber[] = [];
      const retired: CardNumber[] = [];
      // What HR holds comes first: it tells why a card that is absent was retired.
      for (const repair of repairs) {
        await this.#inSlices(repair.differing, async (held) => {
          const isDamaged = tx.isDamaged(held.card);
          const plan = (origin: RepairOrigin) => planPresentCard(tx, held, { ...origin, isDamaged });
          if (await this.#put(tx, held.revision, plan, repair)) bound.push(held.card);
        });
      }
      for (const repair of repairs) {
        await this.#inSlices(repair.absent, async (card) => {
          const plan = (origin: RepairOrigin) => planAbsentCard(tx, card, { ...origin, revision: repair.revision });
          if (await this.#put(tx, 0, plan, repair)) retired.push(card);
        });
      }
      if (bound.length + retired.length > 0) this.#record(tx, { repairs, bound, retired });
      return bound.length + retired.length;
    });
  }

  /** Puts what the records of the buckets add up to in the place of what was kept for them; others get their turn in between. */
  async recount(buckets: readonly number[]): Promise<void> {
    for (const bucket of buckets) await this.#deps.writer.writeAlone((tx) => this.#recountOne(tx, bucket));
  }

  async #recountOne(tx: StoreTransaction, bucket: number): Promise<void> {
    const sums = new Uint8Array(DIGEST_BYTES);
    for await (const stored of this.#deps.store.cardsIn(bucket)) {
      if (stored === undefined) continue;
      const [card, record] = stored;
      if (record.state === 'live') toggleCard(sums, card, record.revision);
    }
    const value = sums.subarray(bucket * BUCKET_BYTES, (bucket + 1) * BUCKET_BYTES);
    if (!isSameBucket(bucket, tx.roster().buckets, sums)) tx.putBucket(bucket, value);
  }

  /** Whether the plan changes something. A person's record that cannot be read is made anew from their cards. */
  async #put(
    tx: StoreTransaction,
    reached: Revision | 0,
    planWith: (origin: RepairOrigin) => ChangePlan,
    { requestId: messageId }: BucketRepair,
  ): Promise<boolean> {
    const origin = { messageId, appliedAt: this.#deps.clock.now() };
    const plan = await planMending(tx, this.#deps.store, () => planWith(origin));
    if (plan.cards.size === 0) return false;
    tx.putChange({ ...plan, revision: reached });
    return true;
  }

  async #inSlices<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
    for (const [index, item] of items.entries()) {
      if (index % SLICE === SLICE - 1) await this.#deps.yieldToOthers();
      await work(item);
    }
  }

  #record(
    tx: StoreTransaction,
    done: {
      readonly repairs: readonly BucketRepair[];
      readonly bound: readonly CardNumber[];
      readonly retired: readonly CardNumber[];
    },
  ): void {
    const { clock } = this.#deps;
    const { repairs, bound, retired } = done;
    tx.append({
      event: 'card-change',
      at: clock.now(),
      clockSynchronized: clock.isSynchronized(),
      detail: {
        messageType: 'roster-page',
        requestIds: repairs.map(({ requestId }) => requestId),
        bound: bound.length,
        boundCards: bound.slice(0, MAX_NAMED),
        retired: retired.length,
        retiredCards: retired.slice(0, MAX_NAMED),
      },
    });
  }
}
