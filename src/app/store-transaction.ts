// Work on the store that becomes one batch: reads see what earlier work of the same batch has put, and events get their numbers.

import { type AccessEvent, chainEvent, type LogTail, type NewEvent } from '../domain/access-event.ts';
import type { CalendarRecord } from '../domain/calendar.ts';
import type { HeldCalendar } from '../domain/calendar-order.ts';
import type { CardNumber } from '../domain/card-number.ts';
import type { CardholderRecord, CardRecord, Tombstone } from '../domain/credential.ts';
import type { CommandRecord } from '../domain/door-command.ts';
import type { DoorOrders } from '../domain/door-mode.ts';
import {
  type CardholderId,
  type DoorId,
  type GatewayId,
  parseCardholderId,
  parseMessageId,
  parseRevision,
} from '../domain/ids.ts';
import type { PassageEntry } from '../domain/passage.ts';
import type { RosterView } from '../domain/roster-change.ts';
import { BUCKET_BYTES, type RosterSummary, toggleCard } from '../domain/roster-digest.ts';
import { seenUpTo } from '../domain/roster-merge.ts';
import { type Instant, instant } from '../domain/units.ts';
import { CardeaError } from '../errors.ts';
import type { CredentialStore, StoreBatch } from '../ports/credential-store.ts';
import type { EventLog, LogEntry, LogHistory } from '../ports/event-log.ts';
import { isInDoubt } from './store-trust.ts';

/** The person whose record could not be read, where that is what a transaction threw. */
export const damagedCardholder = (error: unknown): CardholderId | undefined => {
  if (!(error instanceof CardeaError) || error.code !== 'store-record-unreadable') return undefined;
  const { cardholder } = error.context;
  return typeof cardholder === 'string' ? parseCardholderId(cardholder) : undefined;
};

export class StoreTransaction implements RosterView {
  readonly #store: CredentialStore;
  readonly #gateway: GatewayId;
  #before: StoreTransaction | undefined;
  readonly #cards = new Map<CardNumber, CardRecord>();
  readonly #cardholders = new Map<CardholderId, CardholderRecord>();
  readonly #doorOrders = new Map<DoorId, DoorOrders>();
  #calendar: CalendarRecord | undefined;
  readonly #passages: PassageEntry[] = [];
  #passageEra: number | undefined;
  /** A plan looks at the same card several times in a row. */
  #lastFound: { readonly number: CardNumber; readonly record: CardRecord | undefined } | undefined;
  readonly #entries: LogEntry[] = [];
  #roster: RosterSummary;
  #hasNewRoster = false;
  #commands: readonly CommandRecord[];
  #hasNewCommands = false;
  #puts = 0;
  #history: LogHistory | undefined;
  readonly #damagedCards = new Set<CardNumber>();
  #tail: LogTail;

  constructor({
    store,
    gateway,
    before,
  }: {
    readonly store: CredentialStore & Pick<EventLog, 'tail'>;
    readonly gateway: GatewayId;
    /** A transaction that is being committed: this one stands on it until settle(), and falls with it. */
    readonly before?: StoreTransaction | undefined;
  }) {
    this.#store = store;
    this.#gateway = gateway;
    this.#before = before;
    this.#tail = before === undefined ? store.tail() : before.#tail;
    this.#roster = before === undefined ? store.roster() : before.#roster;
    this.#commands = before === undefined ? store.commands() : before.#commands;
  }

  /** The transaction before it is in the store. */
  settle(): void {
    this.#before = undefined;
  }

  /** The last event, by earlier work of the same batch too. */
  tail(): LogTail {
    return this.#tail;
  }

  /** Grows with everything that is put, so that it shows whether work which failed has left something behind. */
  get puts(): number {
    return this.#puts;
  }

  /** Records in the batch so far. */
  get size(): number {
    const lists =
      (this.#hasNewRoster ? 1 : 0) + (this.#hasNewCommands ? 1 : 0) + (this.#calendar === undefined ? 0 : 1);
    const records = this.#cards.size + this.#cardholders.size + this.#doorOrders.size + this.#passages.length;
    return records + this.#entries.length + (this.#history?.entries.length ?? 0) + lists;
  }

  /**
   * A record that cannot be read counts as retired at the highest revision known here: it opens nothing, nothing older brings it
   * back, and a newer message writes over it.
   */
  card(number: CardNumber): CardRecord | undefined {
    const put = this.#pendingCard(number);
    if (put !== undefined) return put;
    if (this.#lastFound?.number === number) return this.#lastFound.record;
    const record = this.#find(number);
    this.#lastFound = { number, record };
    return record;
  }

  /** As this transaction, or the one that it stands on, has put it. */
  #pendingCard(number: CardNumber): CardRecord | undefined {
    return this.#cards.get(number) ?? (this.#before === undefined ? undefined : this.#before.#cards.get(number));
  }

  #find(number: CardNumber): CardRecord | undefined {
    const found = this.#store.findCard(number);
    switch (found.kind) {
      case 'live':
        return found.binding;
      case 'retired':
        return found.tombstone;
      case 'unknown':
        return undefined;
      case 'unreadable':
        this.#damagedCards.add(number);
        return this.#damaged();
    }
  }

  /** Whether what is held about the card cannot be read. */
  isDamaged(number: CardNumber): boolean {
    this.card(number);
    return this.#damagedCards.has(number) && this.#pendingCard(number) === undefined;
  }

  /** Cards that were met and could not be read. */
  get damagedCards(): ReadonlySet<CardNumber> {
    return this.#damagedCards;
  }

  /** What is held was not confirmed by HR since the store was damaged. */
  isInDoubt(): boolean {
    return isInDoubt(this.#store);
  }

  /** Throws CardeaError `store-record-unreadable`; see mendCardholder. */
  cardholder(id: CardholderId): CardholderRecord | undefined {
    const put =
      this.#cardholders.get(id) ?? (this.#before === undefined ? undefined : this.#before.#cardholders.get(id));
    if (put !== undefined) return put;
    try {
      return this.#store.findCardholder(id);
    } catch (error) {
      if (!(error instanceof CardeaError) || error.code !== 'store-record-unreadable') throw error;
      throw new CardeaError(error.code, error.message, { cause: error, context: { cardholder: id } });
    }
  }

  /** Puts a record in the place of one that cannot be read. One that can be, because others have mended it meanwhile, stays. */
  mendCardholder(id: CardholderId, record: CardholderRecord): void {
    try {
      this.cardholder(id);
    } catch (error) {
      if (damagedCardholder(error) !== id) throw error;
      this.#cardholders.set(id, record);
      this.#puts += 1;
    }
  }

  roster(): RosterSummary {
    return this.#roster;
  }

  /** Puts the records of a change and brings count and digest of the roster up to date with them. */
  putChange(change: {
    readonly cards: ReadonlyMap<CardNumber, CardRecord>;
    readonly cardholders: ReadonlyMap<CardholderId, CardholderRecord>;
    /** The revision that the roster has reached; a lower one than before is ignored. */
    readonly revision: RosterSummary['revision'];
  }): void {
    this.#puts += 1;
    const buckets = Uint8Array.from(this.#roster.buckets);
    let { cards } = this.#roster;
    for (const [number, record] of change.cards) {
      const before = this.card(number);
      if (before?.state === 'live') {
        toggleCard(buckets, number, before.revision);
        cards -= 1;
      }
      if (record.state === 'live') {
        toggleCard(buckets, number, record.revision);
        cards += 1;
      }
      this.#cards.set(number, record);
    }
    for (const [id, record] of change.cardholders) this.#cardholders.set(id, record);
    const isNewer = change.revision > this.#roster.revision;
    const revision = isNewer ? change.revision : this.#roster.revision;
    this.#putRoster({ ...this.#roster, revision, cards, buckets });
  }

  /** The roster was found equal to HR's as of `revision`: everything up to there has been seen. */
  putReconciled({ revision, at }: { readonly revision: RosterSummary['revision']; readonly at?: Instant }): void {
    const { restored: _, ...roster } = this.#roster;
    const reached = revision > roster.revision ? revision : roster.revision;
    this.#putRoster({
      ...roster,
      revision: reached,
      reconciled: revision,
      ...(at !== undefined && { reconciledAt: at }),
    });
  }

  /**
   * HR's history goes on under another name, and its revisions may start lower: what is held counts as older than all of it. So
   * does any message up to `revision`, with which the epoch is entered: it may be a replay from before, and what is new of it comes
   * by the pages. The first epoch that is heard of only gives what is there a name.
   */
  putEpoch(epoch: string, revision: RosterSummary['revision']): void {
    const { epoch: before, pastEpochs } = this.#roster;
    if (before === undefined) this.#putRoster({ ...this.#roster, epoch });
    else {
      const past = [...pastEpochs, before];
      this.#putRoster({ ...this.#roster, epoch, pastEpochs: past, revision: 0, reconciled: revision });
    }
  }

  /**
   * A backup is merged in: until the next reconciliation the roster is not HR's. Where the backup's epochs are ahead of those here they
   * are taken over, with the revision up to which they are no news.
   */
  putRestored(
    backup: Pick<RosterSummary, 'revision'>,
    ahead?: Pick<RosterSummary, 'epoch' | 'pastEpochs' | 'reconciled'>,
  ): void {
    const here = this.#roster;
    const restored = seenUpTo(here);
    if (ahead !== undefined) this.#putRoster({ ...here, ...ahead, revision: backup.revision, restored });
    else {
      const revision = here.revision > backup.revision ? here.revision : backup.revision;
      this.#putRoster({ ...here, revision, restored });
    }
  }

  /** Puts what the records of a bucket really add up to in the place of what was kept for it. */
  putBucket(bucket: number, value: Uint8Array): void {
    const buckets = Uint8Array.from(this.#roster.buckets);
    buckets.set(value, bucket * BUCKET_BYTES);
    this.#putRoster({ ...this.#roster, buckets });
  }

  #putRoster(roster: RosterSummary): void {
    this.#puts += 1;
    this.#roster = roster;
    this.#hasNewRoster = true;
  }

  /** What is ordered for the door, by earlier work of the same batch too. */
  doorOrders(door: DoorId): DoorOrders {
    return (
      this.#doorOrders.get(door) ??
      (this.#before === undefined ? undefined : this.#before.#doorOrders.get(door)) ??
      this.#store.doorOrders(door)
    );
  }

  putDoorOrders(door: DoorId, orders: DoorOrders): void {
    this.#puts += 1;
    this.#doorOrders.set(door, orders);
  }

  /** HR's calendar, from earlier work of the same batch too. */
  calendar(): HeldCalendar {
    return (
      this.#calendar ?? (this.#before === undefined ? undefined : this.#before.#calendar) ?? this.#store.calendar()
    );
  }

  putCalendar(calendar: CalendarRecord): void {
    this.#puts += 1;
    this.#calendar = calendar;
  }

  putPassage(entry: PassageEntry): void {
    this.#puts += 1;
    this.#passages.push(entry);
  }

  /** Passages before this era are counted and not judged. */
  putPassageEra(era: number): void {
    this.#puts += 1;
    this.#passageEra = era;
  }

  /** Commands that are remembered. */
  commands(): readonly CommandRecord[] {
    return this.#commands;
  }

  putCommands(commands: readonly CommandRecord[]): void {
    this.#puts += 1;
    this.#commands = commands;
    this.#hasNewCommands = true;
  }

  /** Appends an event; `receiptOf` makes the receipt that the record carries, knowing the record's number. */
  append(event: NewEvent, receiptOf?: (sequence: number) => string): AccessEvent {
    const chained = chainEvent(this.#gateway, this.#tail, event);
    const entry =
      receiptOf === undefined ? { event: chained } : { event: chained, receipt: receiptOf(chained.sequence) };
    this.#puts += 1;
    this.#tail = { sequence: chained.sequence, hash: chained.hash };
    this.#entries.push(entry);
    return chained;
  }

  /** Puts entries from a backup in front of the log. */
  putHistory(history: Omit<LogHistory, 'replacing'>): void {
    this.#puts += 1;
    this.#history = history;
  }

  /** The log is removed, and that of a backup takes its place: what is appended from here on comes after `tail`. */
  replaceLog(history: LogHistory & { readonly replacing: object }, tail: LogTail): void {
    this.#puts += 1;
    this.#history = history;
    this.#tail = tail;
  }

  batch(): StoreBatch {
    return {
      cards: this.#cards,
      cardholders: this.#cardholders,
      roster: this.#hasNewRoster ? this.#roster : undefined,
      doorOrders: this.#doorOrders,
      calendar: this.#calendar,
      passages: this.#passages,
      passageEra: this.#passageEra,
      commands: this.#hasNewCommands ? this.#commands : undefined,
      history: this.#history,
      entries: this.#entries,
    };
  }

  #damaged(): Tombstone {
    const revision = parseRevision(Math.max(1, this.#roster.revision));
    const messageId = parseMessageId('damaged-record');
    if (revision === undefined || messageId === undefined) {
      throw new CardeaError('store-record-unreadable', 'the roster has a revision that is none');
    }
    const origin = { revision, messageId, appliedAt: instant(0) };
    const era = this.#roster.pastEpochs.length;
    return { state: 'retired', revision, ...(era > 0 && { era }), fingerprint: '', reason: 'other', origin };
  }
}
