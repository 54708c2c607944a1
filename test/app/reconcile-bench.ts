// A gateway's roster and HR's, joined by what they say to each other: changes, digests, requests, pages. Tests choose what gets lost.

import { ChangeHandler } from '../../src/app/apply-hr-message.ts';
import { HrInbox } from '../../src/app/receive-hr-messages.ts';
import { QUIET, RosterReconciler } from '../../src/app/reconcile-roster.ts';
import { RosterRepairer } from '../../src/app/repair-roster.ts';
import { RosterFreshness } from '../../src/app/roster-freshness.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { type CardBinding, type ChangeOutcome, Roster } from '../../src/desk/roster.ts';
import { parseRevision } from '../../src/domain/ids.ts';
import { milliseconds } from '../../src/domain/units.ts';
import { createLog } from '../../src/log.ts';
import type { CredentialStore } from '../../src/ports/credential-store.ts';
import type { EventLog } from '../../src/ports/event-log.ts';
import { encodeChange } from '../../src/wire/change-encoding.ts';
import type { HrMessage } from '../../src/wire/change-messages.ts';
import { unsignedEnvelope } from '../../src/wire/message-envelope.ts';
import {
  decodeRosterRequest,
  encodeRosterDigest,
  encodeRosterPage,
  type RosterDigest,
  type RosterPage,
  type RosterRequest,
} from '../../src/wire/roster-messages.ts';
import { cardNumber } from '../domain/samples.ts';
import { FakeHrLink } from '../fakes/fake-hr-link.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { judgeOf } from '../fixtures/access-judge.ts';
import { NO_CALENDARS, NO_COMMANDS, NO_OUTBOX } from '../fixtures/hr-inbox.ts';
import { ROOMY_DISK } from '../fixtures/roomy-disk.ts';
import { GATEWAY, SITE, TOPICS } from '../flows/change-flow.ts';
import { settle } from './door-bench.ts';

const LOG = createLog('silent');
const HOUR = 3_600_000;

export interface ReconcileOptions<Store> {
  readonly store?: Store;
  readonly trustsEpochs?: boolean;
  readonly stalePolicy?: 'allow' | 'deny';
}

/** A number that no two of these share; 8 hex digits. */
export const cardOf = (index: number): string => (0x10000000 + index).toString(16).toUpperCase();

export const newRoster = (epoch = '2026-a'): Roster =>
  new Roster({ site: SITE, cardNumberFormat: 'hex' }, { epoch, revision: 0, cards: [] });

export class ReconcileBench<Store extends CredentialStore & EventLog = MemoryStore> {
  hr = newRoster();
  readonly clock = new VirtualClock();
  readonly link = new FakeHrLink();
  readonly store: Store;
  readonly writer: SerialWriter;
  readonly freshness: RosterFreshness;
  readonly reconciler: RosterReconciler;
  isDiskFull = false;
  readonly #inbox: HrInbox;
  #requestsSeen = 0;
  #messages = 0;

  constructor(
    store: Store,
    { trustsEpochs = false, stalePolicy = 'allow' }: Omit<ReconcileOptions<Store>, 'store'> = {},
  ) {
    const { clock, link } = this;
    this.store = store;
    const writer = new SerialWriter({ store, gateway: GATEWAY, clock, log: LOG });
    this.writer = writer;
    const freshness = new RosterFreshness({ store, clock, maxAge: milliseconds(24 * HOUR), policy: stalePolicy });
    this.freshness = freshness;
    let requests = 0;
    const reconciler = new RosterReconciler({
      gateway: GATEWAY,
      store,
      writer,
      repairer: new RosterRepairer({ store, writer, clock, yieldToOthers: async () => {} }),
      freshness,
      link,
      topics: TOPICS,
      clock,
      log: LOG,
      newRequestId: () => `request-${++requests}`,
      random: () => 0,
      trustsEpochs: () => trustsEpochs,
      hasRoom: () => !this.isDiskFull,
      onChange: () => {},
    });
    this.reconciler = reconciler;
    this.#inbox = new HrInbox({
      calendars: NO_CALENDARS,
      commands: NO_COMMANDS,
      disk: ROOMY_DISK,
      outbox: NO_OUTBOX,
      settings: () => ({
        site: SITE,
        gateway: GATEWAY,
        topics: TOPICS,
        cardNumberFormat: 'hex',
        envelope: unsignedEnvelope,
      }),
      changes: new ChangeHandler({
        gateway: GATEWAY,
        doors: [],
        judge: judgeOf({ freshness, clock }),
        store,
        writer,
        clock,
        log: LOG,
      }),
      reconciler,
    });
    link.start({
      onMessage: (message) => this.#inbox.handle(message),
      onConnect: () => reconciler.onConnect(),
      onDisconnect: () => {},
    });
    link.connect();
  }

  /** Changes HR's roster; what comes back is not delivered yet. */
  bind(card: string, cardholder: string, fields: Partial<CardBinding> = {}): HrMessage {
    const binding: CardBinding = { card, cardholder: { id: cardholder }, access: [{ doors: ['*'] }], ...fields };
    return changedBy(this.hr.bind(binding, this.#note()));
  }

  revoke(card: string): HrMessage {
    return changedBy(this.hr.revokeCard(card, 'lost', this.#note()));
  }

  leave(cardholder: string): HrMessage {
    return changedBy(this.hr.revokeCardholder(cardholder, 'left', this.#note()));
  }

  async deliver(...messages: readonly HrMessage[]): Promise<void> {
    const outcomes = messages.map((message) =>
      this.link.deliver(
        message.messageType === 'card-bound' ? TOPICS.cardBound : TOPICS.cardRevoked,
        encodeChange(SITE, message),
      ),
    );
    await Promise.all(outcomes);
  }

  /** HR publishes its digest, or another one. */
  async digest(digest: RosterDigest = this.hr.digest(), { retained = false } = {}): Promise<void> {
    await this.link.deliver(TOPICS.rosterDigest, encodeRosterDigest(SITE, digest), { retained });
    await settle();
  }

  /** Requests since the last call. */
  requests(): RosterRequest[] {
    const all = this.link.published.filter(({ topic }) => topic === TOPICS.rosterRequest);
    const news = all.slice(this.#requestsSeen);
    this.#requestsSeen = all.length;
    return news.flatMap(({ payload }) => decodeRosterRequest(Buffer.from(payload)) ?? []);
  }

  /** HR binds so many cards, each to somebody else, and tells nobody. */
  fill(count: number): void {
    for (let index = 0; index < count; index++) this.bind(cardOf(index), `E${index}`);
  }

  /** The digest, the quiet after it, and what the gateway asks then. */
  async asked(): Promise<RosterRequest> {
    await this.digest();
    await this.wait(QUIET);
    const [request] = this.requests();
    if (request === undefined) throw new TypeError('the gateway asks for nothing');
    return request;
  }

  async page(page: RosterPage): Promise<void> {
    await this.link.deliver(TOPICS.rosterPage, encodeRosterPage(SITE, page));
    await settle();
  }

  /** HR answers whatever was asked since the last call, until nothing more is asked; tells how many requests there were. */
  async answer(): Promise<number> {
    let answered = 0;
    for (let requests = this.requests(); requests.length > 0; requests = this.requests()) {
      for (const request of requests) for (const page of this.hr.pagesFor(request)) await this.page(page);
      answered += requests.length;
      await this.writer.idle();
      await settle();
    }
    return answered;
  }

  /** Time passes until `limit` milliseconds are over. */
  async wait(limit: number): Promise<void> {
    this.clock.advance(limit);
    await settle();
  }

  /** The whole way: digest, quiet, request, pages. */
  async reconcile(): Promise<number> {
    await this.digest();
    await this.wait(2_000);
    return this.answer();
  }

  /** `live CARDHOLDER REVISION`, the reason of a retired card, or `unknown`. */
  held(card: string): string {
    const found = this.store.findCard(cardNumber(card));
    if (found.kind === 'live') return `live ${found.binding.cardholder} ${found.binding.revision}`;
    return found.kind === 'retired' ? found.tombstone.reason : found.kind;
  }

  async eventsNamed(name: string) {
    const entries = await this.store.entriesAfter(0, Number.MAX_SAFE_INTEGER);
    return entries.map(({ event }) => event).filter(({ event }) => event === name);
  }

  #note() {
    this.#messages += 1;
    return { messageId: `m-${this.#messages}`, issuedAt: '2026-01-05T09:00:00+08:00', operator: 'hr.desk-2' };
  }
}

export const makeReconciliation = (options: ReconcileOptions<MemoryStore> = {}): ReconcileBench =>
  new ReconcileBench(options.store ?? new MemoryStore(), options);

export const restored = (backup: Pick<Roster, 'save'>, epoch: string, atLeast = 0): Roster =>
  Roster.fromBackup({ site: SITE, cardNumberFormat: 'hex' }, backup.save(), {
    epoch,
    atLeast: parseRevision(atLeast) ?? 0,
  });

const changedBy = (outcome: ChangeOutcome): HrMessage => {
  if (outcome.kind === 'refused') throw new TypeError(`HR refuses: ${outcome.fault.detail}`);
  return outcome.message;
};
