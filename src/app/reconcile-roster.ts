// Finds the way back to HR's truth: compares its digest with what is held here, asks for the buckets that differ, and has the
// pages applied when all of them are there (PROTOCOL.md, Roster digest, request, pages).
//
// 1. Nothing is removed early: pages change nothing before the last one has come and they add up to HR's digest.
// 2. Only a digest that is equal, bucket for bucket, makes the roster reconciled as of its revision.
// 3. Bounded: one request at a time, of so many buckets as hold about CARDS_PER_REQUEST cards; failures back off.

import { backoffDelay } from '../domain/backoff.ts';
import { type GatewayId, type MessageId, parseMessageId } from '../domain/ids.ts';
import { BUCKETS, differingBuckets } from '../domain/roster-digest.ts';
import { type Instant, type Milliseconds, type MonotonicTime, milliseconds } from '../domain/units.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { HrLink } from '../ports/hr-link.ts';
import { encodeRosterRequest, type RosterDigest, type RosterPage } from '../wire/roster-messages.ts';
import type { Topics } from '../wire/topics.ts';
import type { BucketRepair, RosterRepairer } from './repair-roster.ts';
import { RosterEpoch } from './roster-epoch.ts';
import type { RosterFreshness } from './roster-freshness.ts';
import { RosterPages } from './roster-pages.ts';
import type { SerialWriter } from './serial-writer.ts';

/** HR's messages are on their way: only when none has come for so long is a difference worth asking about. */
export const QUIET: Milliseconds = milliseconds(2_000);
/** With changes that never pause, a difference is asked about after so long all the same. */
export const MOST_PATIENCE: Milliseconds = milliseconds(60_000);
/** Without a further page for so long, the answer is not coming. */
export const PAGE_LIMIT: Milliseconds = milliseconds(30_000);
/** An answer that is not complete after so long is given up, however steadily its pages come. */
export const ANSWER_LIMIT: Milliseconds = milliseconds(600_000);
/**
 * A dozen pages: a broker's default queue holds a thousand messages and drops the rest, and while so many are applied in one batch
 * other changes wait (a fifth of a second on a slow desktop core).
 */
export const CARDS_PER_REQUEST = 2_500;
/** Staged for one request at most, whatever HR's digest leads to expect: more than twice a bucket of ten million cards. */
const MOST_CARDS = 100_000;
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
  /** Whether there is room on the disk for a roster. */
  readonly hasRoom: () => boolean;
  /** Something that status shows has changed. */
  readonly onChange: () => void;
}

/** Buckets that were found to differ together, repaired by one request after the other, applied in as few batches as can be. */
interface Round {
  remaining: readonly number[];
  repairs: BucketRepair[];
  changed: number;
  readonly buckets: readonly number[];
  /** In which its pages say something. */
  readonly epoch: string;
}

interface Divergence {
  readonly since: MonotonicTime;
  readonly buckets: number;
  /** It has lasted until HR was asked. A change that is on its way, and its digest ahead of it, is no alarm and no event. */
  readonly isAnnounced: boolean;
}

export class RosterReconciler {
  readonly #deps: Dependencies;
  readonly #epoch: RosterEpoch;
  #digest: RosterDigest | undefined;
  /** HR itself was heard, by its digest or its pages, since the last copy of the broker's. */
  #isHeardLive = false;
  #divergence: Divergence | undefined;
  /** HR's digest is behind what we hold, since then. */
  #aheadSince: MonotonicTime | undefined;
  #fault: string | undefined;
  #round: Round | undefined;
  #pages: RosterPages | undefined;
  #askedAt: MonotonicTime;
  #lastChangeAt: MonotonicTime | undefined;
  /** Digests and consents are taken one after the other: each looks at the epoch that the one before it has left. */
  #taken: Promise<void> = Promise.resolve();
  #failures = 0;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#epoch = new RosterEpoch(deps);
    this.#askedAt = deps.clock.monotonic();
  }

  /** What needs attention, in words. */
  alarms(): string[] {
    const { clock, store } = this.#deps;
    const { revision } = store.roster();
    const alarms = this.#epoch.alarms();
    if (this.#divergence?.isAnnounced) {
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

  /**
   * Fulfils when what follows for the records is durable. `isLive`: HR has said it just now. The broker's retained copy tells what
   * HR said last, and HR may be gone since.
   */
  onDigest(digest: RosterDigest, { isLive }: { readonly isLive: boolean }): Promise<void> {
    return this.#inTurn(() => {
      this.#isHeardLive = isLive;
      return this.#judge(digest);
    });
  }

  /** The operator's consent to the epoch that HR offers. Rejects with CardeaError `unknown-epoch` when it does not offer it. */
  acceptEpoch(epoch: string, operator: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#take(this.#epoch.offered(epoch), operator);
      this.#deps.onChange();
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#taken.then(work);
    this.#taken = turn.catch(() => {});
    return turn;
  }

  async #judge(digest: RosterDigest): Promise<void> {
    if (this.#epoch.admits(digest)) await this.#take(digest);
    this.#deps.onChange();
  }

  /** The records have changed otherwise than by HR's messages: they are compared with its digest once more. */
  recompare(): Promise<void> {
    return this.#inTurn(() => this.#compare());
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
      const left = this.#askedAt + ANSWER_LIMIT - clock.monotonic();
      const limit = milliseconds(Math.min(PAGE_LIMIT, left));
      this.#timer = clock.schedule(limit, () => this.#fail('the pages stopped coming'));
      return;
    }
    this.#pages = undefined;
    this.#isHeardLive = true;
    // The last page is not held back until all is applied: a change behind it need not wait.
    void this.#complete(pages).catch((error: unknown) => this.#fail(errorMessage(error)));
  }

  stop(): void {
    this.#isStopped = true;
    this.#abandon();
  }

  async #take(digest: RosterDigest, operator?: string): Promise<void> {
    if (this.#deps.store.roster().epoch !== digest.epoch) {
      this.#abandon();
      await this.#epoch.enter(digest, operator);
    }
    this.#digest = digest;
    await this.#compare();
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
    const { since = clock.monotonic(), isAnnounced = false } = this.#divergence ?? {};
    this.#divergence = { since, buckets: differing.length, isAnnounced };
    if (this.#round === undefined && this.#timer === undefined) this.#look(QUIET);
  }

  /** Equal as of the digest's revision. */
  async #confirm(digest: RosterDigest): Promise<void> {
    const { store, writer, clock, freshness, log } = this.#deps;
    this.#abandon();
    this.#failures = 0;
    this.#fault = undefined;
    const divergence = this.#divergence?.isAnnounced ? this.#divergence : undefined;
    const { reconciled, reconciledAt, restored } = store.roster();
    const isLive = this.#isHeardLive;
    const isFirst = (isLive && reconciledAt === undefined) || restored !== undefined;
    const isNews = isFirst || divergence !== undefined || digest.revision > reconciled;
    if (isLive) freshness.confirm();
    if (!isNews && (!isLive || isSavedLately(reconciledAt, clock))) {
      this.#divergence = undefined;
      return;
    }
    const saved = writer.write((tx) => {
      const { buckets, revision } = tx.roster();
      // A change that stands before this in the batch is newer than the digest.
      if (revision > digest.revision || differingBuckets(buckets, digest.buckets).length > 0) return false;
      tx.putReconciled({ revision: digest.revision, ...(isLive && { at: clock.now() }) });
      // Whoever passed while the roster was wrong was perhaps not seen: earlier passages are not held against anybody.
      if (divergence !== undefined) tx.putPassageEra(store.passageEra() + 1);
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
    let isTrue: boolean;
    try {
      isTrue = await saved;
    } catch (error) {
      // A store that takes no writes is no reason to have the digest delivered again: it changes nothing.
      return this.#fail(errorMessage(error));
    }
    if (!isTrue) return this.#compare();
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
    const { store, link, clock, writer, log, onChange } = this.#deps;
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
    if (!this.#divergence?.isAnnounced) {
      log.warn(detail, 'roster differs from HR');
      writer.record({
        event: 'roster-divergence',
        at: clock.now(),
        clockSynchronized: clock.isSynchronized(),
        detail: { ...detail, cards: roster.cards, hrCards: digest.cards },
      });
    }
    this.#divergence = { since, buckets: differing.length, isAnnounced: true };
    if (!this.#deps.hasRoom()) return this.#fail('the disk is nearly full');
    const buckets = roster.cards === 0 ? ALL_BUCKETS : differing;
    this.#round = { remaining: buckets, repairs: [], changed: 0, buckets, epoch: digest.epoch };
    this.#ask(this.#round);
    onChange();
  }

  #ask(round: Round): void {
    const { gateway, store, link, topics, clock, newRequestId } = this.#deps;
    const { cards, revision } = store.roster();
    const perBucket = Math.max(cards, this.#digest?.cards ?? 0) / BUCKETS;
    const count = Math.max(1, Math.floor(CARDS_PER_REQUEST / Math.max(1, perBucket)));
    const buckets = round.remaining.slice(0, count);
    round.remaining = round.remaining.slice(count);
    const requestId = newRequestId();
    const mostCards = Math.min(MOST_CARDS, 2 * Math.max(CARDS_PER_REQUEST, perBucket));
    this.#pages = new RosterPages({ requestId, buckets, mostCards, findCard: (card) => store.findCard(card) });
    this.#askedAt = clock.monotonic();
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
    if (this.#round !== round) return;
    const isOver = round.remaining.length === 0;
    if (isOver || sizeOf(round.repairs) >= CARDS_PER_REQUEST) {
      const repairs = round.repairs;
      round.repairs = [];
      round.changed += await repairer.apply(repairs, round.epoch);
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

const isSavedLately = (reconciledAt: Instant | undefined, clock: Clock): boolean =>
  reconciledAt !== undefined && Math.abs(clock.now() - reconciledAt) < SAVE_EVERY;

const sizeOf = (repairs: readonly BucketRepair[]): number =>
  repairs.reduce((sum, { differing, absent }) => sum + differing.length + absent.length, 0);

const requestIdOf = ({ requestId }: RosterPages): MessageId => {
  const id = parseMessageId(requestId);
  if (id === undefined) throw new CardeaError('internal-error', 'a request was made with an id that is none');
  return id;
};
