// Finds the way back to HR's truth: compares its digest with what is held here, asks for the buckets that differ, and has the
// pages applied when all of them are there (PROTOCOL.md, Roster digest, request, pages).
//
// 1. Nothing is removed early: pages change nothing before the last one has come and they add up to HR's digest.
// 2. Only a digest that is equal, bucket for bucket, makes the roster reconciled as of its revision.
// 3. Bounded: one request at a time, of so many buckets as hold about CARDS_PER_REQUEST cards; failures back off.

import { backoffDelay } from '../domain/backoff.ts';
import { type GatewayId, type MessageId, parseMessageId } from '../domain/ids.ts';
import { BUCKETS, differingBuckets } from '../domain/roster-digest.ts';
import { type Milliseconds, type MonotonicTime, milliseconds } from '../domain/units.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { HrLink } from '../ports/hr-link.ts';
import { encodeRosterRequest, type RosterDigest, type RosterPage } from '../wire/roster-messages.ts';
import type { Topics } from '../wire/topics.ts';
import type { BucketRepair, RosterRepairer } from './repair-roster.ts';
import type { RosterFreshness } from './roster-freshness.ts';
import { RosterPages } from './roster-pages.ts';
import type { SerialWriter } from './serial-writer.ts';

/** HR's messages are on their way: only when none has come for so long is a difference worth asking about. */
export const QUIET: Milliseconds = milliseconds(2_000);
/** With changes that never pause, a difference is asked about after so long all the same. */
export const MOST_PATIENCE: Milliseconds = milliseconds(60_000);
/** Without a further page for so long, the answer is not coming. */
export const PAGE_LIMIT: Milliseconds = milliseconds(30_000);
/** Fifty pages: a broker's default queue holds a thousand messages and drops the rest. */
export const CARDS_PER_REQUEST = 10_000;
/** An equal digest is written down so often, unless it says something new. */
const SAVE_EVERY: Milliseconds = milliseconds(3_600_000);
const ALL_BUCKETS = Array.from({ length: BUCKETS }, (_, bucket) => bucket);
const RETRY = { minimum: QUIET, maximum: milliseconds(300_000) };

interface Dependencies {
  readonly gateway: GatewayId;
  readonly store: CredentialStore;
  readonly writer: SerialWriter;
  readonly repairer: RosterRepairer;
  readonly freshness: RosterFreshness;
  readonly link: HrLink;
  readonly topics: Topics;
  readonly clock: Clock;
  readonly log: Log;
  /** A name for a request, never used before. */
  readonly newRequestId: () => string;
  /** Uniform in [0, 1); for the jitter. */
  readonly random: () => number;
  /** Whether a digest proves who sent it. Without that a new epoch waits for an operator's consent. */
  readonly trustsEpochs: () => boolean;
  /** Something that status shows has changed. */
  readonly onChange: () => void;
}

/** Buckets that were found to differ together, repaired by one request after the other, applied in as few batches as can be. */
interface Round {
  remaining: readonly number[];
  repairs: BucketRepair[];
  changed: number;
  readonly buckets: readonly number[];
}

interface Divergence {
  readonly since: MonotonicTime;
  readonly buckets: number;
}

export class RosterReconciler {
  readonly #deps: Dependencies;
  #digest: RosterDigest | undefined;
  /** An epoch that nobody has consented to. */
  #offered: RosterDigest | undefined;
  #divergence: Divergence | undefined;
  /** HR's digest is behind what we hold, since then. */
  #aheadSince: MonotonicTime | undefined;
  #fault: string | undefined;
  #round: Round | undefined;
  #pages: RosterPages | undefined;
  #lastChangeAt: MonotonicTime | undefined;
  #failures = 0;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** What needs attention, in words. */
  alarms(): string[] {
    const { clock, store } = this.#deps;
    const { epoch, revision } = store.roster();
    const alarms: string[] = [];
    if (this.#offered !== undefined) {
      alarms.push(
        `HR was restored: its epoch is "${this.#offered.epoch}", ours is "${epoch}"; consent with: cardea roster accept-epoch ${this.#offered.epoch}`,
      );
    }
    if (this.#divergence !== undefined) {
      alarms.push(`differs from HR in ${this.#divergence.buckets} of ${BUCKETS} buckets${this.#because()}`);
    }
    if (this.#aheadSince !== undefined && clock.monotonic() - this.#aheadSince > MOST_PATIENCE) {
      alarms.push(
        `HR's digest is of revision ${this.#digest?.revision}, ours is ${revision}: was HR restored from a backup without a new epoch?`,
      );
    }
    return alarms;
  }

  /** The link is up; the broker hands out the retained digest, unless it forgot it. */
  onConnect(): void {
    if (this.#divergence !== undefined && this.#round === undefined) this.#look(QUIET);
  }

  /** A change from HR is on its way in. */
  onChange(): void {
    this.#lastChangeAt = this.#deps.clock.monotonic();
  }

  /** Fulfils when what follows for the records is durable. */
  async onDigest(digest: RosterDigest): Promise<void> {
    const { store, trustsEpochs, onChange, log } = this.#deps;
    const { epoch, pastEpochs } = store.roster();
    if (pastEpochs.includes(digest.epoch)) {
      log.error({ epoch, offered: digest.epoch }, 'digest of an epoch that is over is ignored');
      return;
    }
    if (epoch !== undefined && epoch !== digest.epoch && !trustsEpochs()) {
      log.error({ epoch, offered: digest.epoch }, 'digest of another epoch waits for an operator');
      this.#offered = digest;
      onChange();
      return;
    }
    await this.#take(digest);
  }

  /** The operator's consent to the epoch that HR offers. Rejects with CardeaError `unknown-epoch` when it does not offer it. */
  async acceptEpoch(epoch: string, operator: string): Promise<void> {
    const offered = this.#offered;
    if (offered?.epoch !== epoch) {
      const what = offered === undefined ? 'HR offers no new epoch' : `HR offers the epoch ${offered.epoch}`;
      throw new CardeaError('unknown-epoch', `${what}; there is nothing else to accept`);
    }
    await this.#take(offered, operator);
  }

  async onPage(page: RosterPage): Promise<void> {
    const { log, clock } = this.#deps;
    const pages = this.#pages;
    if (pages === undefined || page.requestId !== pages.requestId) {
      log.debug({ requestId: page.requestId }, 'page of the roster that nobody waits for');
      return;
    }
    const outcome = pages.add(page);
    if (typeof outcome === 'object') return this.#fail(outcome.fault);
    this.#timer?.cancel();
    if (outcome === 'more') {
      this.#timer = clock.schedule(PAGE_LIMIT, () => this.#fail('the pages stopped coming'));
      return;
    }
    this.#pages = undefined;
    // The last page is not held back until all is applied: a change behind it need not wait.
    void this.#complete(pages).catch((error: unknown) => this.#fail(errorMessage(error)));
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #take(digest: RosterDigest, operator?: string): Promise<void> {
    const { store, onChange } = this.#deps;
    if (store.roster().epoch !== digest.epoch) await this.#enter(digest, operator);
    this.#offered = undefined;
    this.#digest = digest;
    await this.#compare();
    onChange();
  }

  /** The first epoch there is, or another one than before. */
  async #enter({ epoch, revision }: RosterDigest, operator?: string): Promise<void> {
    const { writer, clock, log, store } = this.#deps;
    const before = store.roster();
    this.#abandon();
    await writer.write((tx) => {
      tx.putEpoch(epoch);
      if (before.epoch === undefined) return;
      tx.append({
        event: operator === undefined ? 'roster-divergence' : 'operator-action',
        at: clock.now(),
        clockSynchronized: clock.isSynchronized(),
        detail: {
          action: 'accept-epoch',
          epoch,
          revision,
          previousEpoch: before.epoch,
          previousRevision: before.revision,
          ...(operator !== undefined && { operator }),
        },
      });
    });
    log.warn({ epoch, previousEpoch: before.epoch ?? null }, 'HR counts in this epoch from now on');
  }

  async #compare(): Promise<void> {
    const digest = this.#digest;
    if (digest === undefined) return;
    const { store, clock } = this.#deps;
    const roster = store.roster();
    const differing = differingBuckets(roster.buckets, digest.buckets);
    const isAhead = roster.revision > digest.revision;
    this.#aheadSince = isAhead ? (this.#aheadSince ?? clock.monotonic()) : undefined;
    if (isAhead) return;
    if (differing.length === 0) return this.#confirm(digest);
    this.#divergence = { since: this.#divergence?.since ?? clock.monotonic(), buckets: differing.length };
    if (this.#round === undefined && this.#timer === undefined) this.#look(QUIET);
  }

  /** Equal as of the digest's revision. */
  async #confirm(digest: RosterDigest): Promise<void> {
    const { store, writer, clock, freshness, log } = this.#deps;
    this.#abandon();
    this.#failures = 0;
    this.#fault = undefined;
    const divergence = this.#divergence;
    const { reconciled, reconciledAt } = store.roster();
    const isFirst = reconciledAt === undefined;
    const isNews = isFirst || divergence !== undefined || digest.revision > reconciled;
    freshness.confirm();
    if (!isNews && clock.now() - reconciledAt < SAVE_EVERY) return;
    const isTrue = await writer.write((tx) => {
      const { buckets, revision } = tx.roster();
      // A change that stands before this in the batch is newer than the digest.
      if (revision > digest.revision || differingBuckets(buckets, digest.buckets).length > 0) return false;
      tx.putReconciled({ revision: digest.revision, at: clock.now() });
      if (isFirst || divergence !== undefined) {
        tx.append({
          event: 'roster-reconciled',
          at: clock.now(),
          clockSynchronized: clock.isSynchronized(),
          detail: {
            revision: digest.revision,
            cards: tx.roster().cards,
            milliseconds: divergence === undefined ? 0 : Math.round(clock.monotonic() - divergence.since),
          },
        });
      }
      return true;
    });
    if (!isTrue) return;
    this.#divergence = undefined;
    if (divergence !== undefined) log.info({ revision: digest.revision }, 'roster reconciled with HR');
  }

  #look(delay: Milliseconds): void {
    this.#timer?.cancel();
    if (this.#isStopped) return;
    this.#timer = this.#deps.clock.schedule(delay, () => {
      this.#timer = undefined;
      this.#begin();
    });
  }

  /** Asks, if there still is something to ask and the moment is right. */
  #begin(): void {
    const { store, link, clock, writer, log } = this.#deps;
    const digest = this.#digest;
    // Offline: the broker hands out the retained digest at the next connect.
    if (digest === undefined || this.#round !== undefined || !link.isConnected()) return;
    const roster = store.roster();
    const differing = differingBuckets(roster.buckets, digest.buckets);
    if (differing.length === 0 || roster.revision > digest.revision) {
      void this.#compare().catch((error: unknown) => this.#fail(errorMessage(error)));
      return;
    }
    const now = clock.monotonic();
    const since = this.#divergence?.since ?? now;
    const quietFor = now - (this.#lastChangeAt ?? since);
    if (quietFor < QUIET && now - since < MOST_PATIENCE) return this.#look(milliseconds(QUIET - quietFor));
    const detail = { buckets: differing.length, revision: roster.revision, hrRevision: digest.revision };
    if (this.#failures === 0) {
      log.warn(detail, 'roster differs from HR');
      writer.record({
        event: 'roster-divergence',
        at: clock.now(),
        clockSynchronized: clock.isSynchronized(),
        detail: { ...detail, cards: roster.cards, hrCards: digest.cards },
      });
    }
    const buckets = roster.cards === 0 ? ALL_BUCKETS : differing;
    this.#round = { remaining: buckets, repairs: [], changed: 0, buckets };
    this.#ask(this.#round);
  }

  #ask(round: Round): void {
    const { gateway, store, link, topics, clock, newRequestId } = this.#deps;
    const { cards, revision } = store.roster();
    const perBucket = Math.max(cards, this.#digest?.cards ?? 0) / BUCKETS;
    const count = Math.max(1, Math.floor(CARDS_PER_REQUEST / Math.max(1, perBucket)));
    const buckets = round.remaining.slice(0, count);
    round.remaining = round.remaining.slice(count);
    const requestId = newRequestId();
    this.#pages = new RosterPages({ requestId, buckets, findCard: (card) => store.findCard(card) });
    this.#timer?.cancel();
    this.#timer = clock.schedule(PAGE_LIMIT, () => this.#fail('HR does not answer roster requests'));
    link
      .publish(topics.rosterRequest, encodeRosterRequest({ gateway, requestId, buckets, revision }))
      .catch((error: unknown) => this.#fail(errorMessage(error)));
  }

  async #complete(pages: RosterPages): Promise<void> {
    const { repairer } = this.#deps;
    const round = this.#round;
    const digest = this.#digest;
    if (round === undefined || digest === undefined) return;
    if (!pages.agreesWith(digest)) return this.#fail("HR's pages do not add up to its digest");
    round.repairs.push(await repairer.compare(pages, requestIdOf(pages)));
    const isOver = round.remaining.length === 0;
    if (isOver || sizeOf(round.repairs) >= CARDS_PER_REQUEST) {
      const repairs = round.repairs;
      round.repairs = [];
      round.changed += await repairer.apply(repairs);
    }
    if (this.#round !== round) return;
    if (isOver) await this.#conclude(round);
    else this.#ask(round);
  }

  /** All that differed has been asked for and applied. What differs still was changed meanwhile, or HR says two things. */
  async #conclude({ buckets, changed }: Round): Promise<void> {
    const { store, repairer, onChange, log } = this.#deps;
    log.info({ buckets: buckets.length, changed }, 'pages of the roster applied');
    const digest = this.#digest;
    const isEqual = (): boolean =>
      digest !== undefined && differingBuckets(store.roster().buckets, digest.buckets).length === 0;
    // Nothing to change, and not equal: what is kept for the bucket is not what its records add up to.
    if (changed === 0 && !isEqual()) await repairer.recount(buckets);
    this.#abandon();
    if (!isEqual()) {
      this.#failures += 1;
      if (changed === 0) this.#fault = "HR's pages say what is held here already, and its digest says something else";
      this.#look(backoffDelay(RETRY, this.#failures, this.#deps.random()));
    }
    await this.#compare();
    onChange();
  }

  #fail(reason: string): void {
    const { log, random, onChange } = this.#deps;
    if (this.#isStopped) return;
    log.warn({ reason }, 'roster could not be reconciled; trying again');
    this.#abandon();
    this.#fault = reason;
    this.#failures += 1;
    this.#look(backoffDelay(RETRY, this.#failures, random()));
    onChange();
  }

  #abandon(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#round = undefined;
    this.#pages = undefined;
  }

  #because(): string {
    return this.#fault === undefined ? '' : `: ${this.#fault}`;
  }
}

const sizeOf = (repairs: readonly BucketRepair[]): number =>
  repairs.reduce((sum, { differing, absent }) => sum + differing.length + absent.length, 0);

const requestIdOf = ({ requestId }: RosterPages): MessageId => {
  const id = parseMessageId(requestId);
  if (id === undefined) throw new CardeaError('internal-error', 'a request was made with an id that is none');
  return id;
};
