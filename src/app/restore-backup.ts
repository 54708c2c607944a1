// Merges a backup into the store, page by page while the gateway works on. What is newer here wins, nothing comes back to life
// (domain/roster-merge.ts), and the log that tells more is kept (restored-log.ts).
//
// 1. Nothing is changed before begin() has found that the backup is of this gateway, and of a version that is understood.
// 2. From begin() on the roster counts as stale, until it is found equal to HR's.
// 3. A restore that breaks off leaves a store that is whole; the same backup can be restored again.

import type { NewEvent } from '../domain/access-event.ts';
import { orderCalendar } from '../domain/calendar-order.ts';
import type { DoorOrders } from '../domain/door-mode.ts';
import { ordersAfterRestart } from '../domain/door-mode.ts';
import type { DoorId } from '../domain/ids.ts';
import type { SequenceRange } from '../domain/log-chain.ts';
import type { ChangePlan } from '../domain/roster-change.ts';
import {
  type EpochMatch,
  matchEpochs,
  placedRecord,
  planRestoredCard,
  planWatermark,
  seenUpTo,
} from '../domain/roster-merge.ts';
import { CardeaError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { EventLog, LogEntry } from '../ports/event-log.ts';
import type { SnapshotRecord } from '../ports/store-snapshot.ts';
import { type BackupHeader, parseBackupHeader } from '../wire/backup-format.ts';
import { planMending } from './mend-cardholder.ts';
import { readSlots } from './read-log.ts';
import { appendAnew, fateOf, gapAfter, type LogFate, MOST_UNSENT } from './restored-log.ts';
import type { SerialWriter } from './serial-writer.ts';
import type { StoreTransaction } from './store-transaction.ts';
import type { BackupIdentity } from './write-backup.ts';

/** Records merged between two looks at what else there is to do; below a millisecond. */
const SLICE = 25;
/** Entries of the log that are read in one go. */
const PAGE = 100;

interface Dependencies {
  readonly identity: BackupIdentity;
  readonly store: CredentialStore & EventLog;
  readonly writer: SerialWriter;
  readonly clock: Clock;
  readonly log: Log;
  /** Undefined for what is no record. */
  readonly parseRecord: (value: unknown) => SnapshotRecord | undefined;
  readonly yieldToOthers: () => Promise<void>;
  /** Puts orders for a door of this gateway into effect, where nobody has ordered anything here. */
  readonly takeOrders: (door: DoorId, orders: DoorOrders) => void;
  /** Everything is merged: calendar, roster and log are to be looked at anew. */
  readonly onRestored: () => void;
}

/** The oldest event of the backup's log. */
export interface OldestEvent {
  readonly sequence: number;
  readonly hash: string;
}

export interface RestoreRequest {
  /** The first line of the backup. */
  readonly header: unknown;
  readonly oldest: OldestEvent | null;
  readonly operator: string;
  /** Only tells what would become of the log. */
  readonly isDryRun: boolean;
}

export interface RestorePlan {
  /** To be named with each page. */
  readonly restore: number;
  readonly log: LogFate;
  /** Epochs of the backup that cannot be placed among those here: their records are left out. */
  readonly hasForeignEpochs: boolean;
}

export interface RestoreOutcome {
  /** Records that are now as the backup has them. */
  readonly taken: number;
  /** Those that were so already, or newer here. */
  readonly kept: number;
  /** Cards that are live in the backup and stay denied. */
  readonly stopped: number;
  /** Records of an epoch that has no place here. */
  readonly leftOut: number;
  readonly log: LogFate;
  /** Events that were put in front of the log. */
  readonly events: number;
  /** Numbers that are gone for good; null where there are none. */
  readonly missing: SequenceRange | null;
}

interface Session {
  readonly number: number;
  readonly header: BackupHeader;
  readonly operator: string;
  readonly match: EpochMatch;
  readonly log: LogFate;
  readonly counts: { taken: number; kept: number; stopped: number; leftOut: number; events: number };
  /** Events of the backup that have not left its outbox, until the log is replaced. */
  unsent: LogEntry[];
  /** Numbers that are gone, once the log is replaced. */
  missing: SequenceRange | null;
  /** What the log begins with, once something was put in front of it. */
  first: number | undefined;
}

export class BackupRestorer {
  readonly #deps: Dependencies;
  #session: Session | undefined;
  #begun = 0;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Rejects with CardeaError `backup-invalid` for a backup that does not belong here, and `store-write-failed`. */
  async begin({ header: unread, oldest, operator, isDryRun }: RestoreRequest): Promise<RestorePlan> {
    const { store, writer, log } = this.#deps;
    const header = parseBackupHeader(unread);
    this.#refuseForeign(header);
    const backup = rosterOf(header);
    const match = matchEpochs(store.roster(), backup);
    const eras = Array.from({ length: backup.pastEpochs.length + 1 }, (_, era) => match.eraOf(era));
    const hasForeignEpochs = eras.includes(undefined);
    if (isDryRun) return { restore: this.#begun, log: fateOf(store, header.log, oldest), hasForeignEpochs };
    this.#begun += 1;
    const number = this.#begun;
    // Of one that was begun before, nothing more is taken.
    this.#session = undefined;
    log.warn({ operator, createdAt: header.createdAt, revision: backup.revision }, 'operator restores a backup');
    await writer.write((tx) => tx.putRestored(this.#reached(backup, match), match.isAhead ? backup : undefined));
    // Only now: what the other one had under way may have been the log.
    const fate = fateOf(store, header.log, oldest);
    const counts = { taken: 0, kept: 0, stopped: 0, leftOut: 0, events: 0 };
    this.#session = {
      number,
      header,
      operator,
      match,
      log: fate,
      counts,
      unsent: [],
      missing: null,
      first: undefined,
    };
    return { restore: number, log: fate, hasForeignEpochs };
  }

  /** The next records, in the backup's order. Rejects with CardeaError `backup-invalid`, `invalid-request` or `store-write-failed`. */
  async page(restore: number, values: readonly unknown[]): Promise<void> {
    const session = this.#current(restore);
    const records = values.map((value) => {
      const record = this.#deps.parseRecord(value);
      if (record === undefined)
        throw new CardeaError('backup-invalid', 'a record of the backup is not what one has to be');
      return record;
    });
    const events = records.flatMap((record) => (record.kind === 'event' ? [record.entry] : []));
    const others = records.filter((record) => record.kind !== 'event');
    if (others.length > 0) await this.#merge(session, others);
    this.#current(restore);
    if (events.length > 0) await this.#takeEvents(session, events);
  }

  /** All pages are there. Rejects as page() does. */
  async end(restore: number): Promise<RestoreOutcome> {
    const { writer, log, onRestored } = this.#deps;
    const session = this.#current(restore);
    if (session.log === 'replaced' && session.missing === null) await this.#replaceLog(session);
    if (session.missing === null) await writer.write((tx) => void tx.append(this.#event(session, null)));
    this.#session = undefined;
    const outcome = {
      ...session.counts,
      log: session.log,
      missing: session.missing,
    };
    log.warn({ ...outcome }, 'backup restored; the roster counts as stale until HR has been heard');
    onRestored();
    return outcome;
  }

  #refuseForeign(header: BackupHeader): void {
    const { identity } = this.#deps;
    for (const name of ['site', 'gateway', 'cardNumberFormat'] as const) {
      if (header[name] === identity[name]) continue;
      const what = { site: 'site', gateway: 'gateway', cardNumberFormat: 'card number format' }[name];
      throw new CardeaError('backup-invalid', `the backup is of ${what} ${header[name]}, this is ${identity[name]}`);
    }
  }

  #current(restore: number): Session {
    const session = this.#session;
    if (session?.number === restore) return session;
    throw new CardeaError(
      'invalid-request',
      'no such restore is under way: the gateway was restarted, or somebody began another',
    );
  }

  /** Revisions of an epoch that is none here say nothing here. */
  #reached(
    backup: ReturnType<typeof rosterOf>,
    match: EpochMatch,
  ): { readonly revision: BackupHeader['roster']['revision'] } {
    const era = match.eraOf(backup.pastEpochs.length);
    const isPresent = match.isAhead || era === this.#deps.store.roster().pastEpochs.length;
    return { revision: isPresent ? backup.revision : 0 };
  }

  async #merge(session: Session, records: readonly SnapshotRecord[]): Promise<void> {
    const { writer, yieldToOthers } = this.#deps;
    const counts = await writer.writeAlone(async (tx) => {
      const counted = { taken: 0, kept: 0, stopped: 0, leftOut: 0 };
      for (const [index, record] of records.entries()) {
        if (index % SLICE === SLICE - 1) await yieldToOthers();
        counted[await this.#mergeOne(tx, record, session)] += 1;
      }
      return counted;
    });
    for (const name of ['taken', 'kept', 'stopped', 'leftOut'] as const) session.counts[name] += counts[name];
  }

  async #mergeOne(
    tx: StoreTransaction,
    record: SnapshotRecord,
    { match, log }: Session,
  ): Promise<'taken' | 'kept' | 'stopped' | 'leftOut'> {
    switch (record.kind) {
      case 'calendar': {
        if (orderCalendar(tx.calendar(), record.calendar) !== 'applied') return 'kept';
        tx.putCalendar(record.calendar);
        return 'taken';
      }
      case 'orders': {
        // Where the gateway has gone on living, what was ordered here is newer.
        if (log !== 'replaced') return 'kept';
        this.#deps.takeOrders(record.door, ordersAfterRestart(record.orders));
        return 'taken';
      }
      case 'watermark': {
        const watermark = placedRecord(record.watermark, match);
        if (watermark === undefined) return 'leftOut';
        return this.#put(tx, () => planWatermark(tx, record.cardholder, watermark));
      }
      case 'card': {
        const placed = placedRecord(record.record, match);
        if (placed === undefined) return 'leftOut';
        return this.#put(tx, () => planRestoredCard(tx, record.card, { record: placed, seen: seenUpTo(tx.roster()) }));
      }
      case 'event':
        return 'kept';
    }
  }

  async #put(tx: StoreTransaction, planned: () => ChangePlan): Promise<'taken' | 'kept' | 'stopped'> {
    const plan = await planMending(tx, this.#deps.store, planned);
    if (plan.result === 'duplicate') return 'kept';
    if (plan.cards.size + plan.cardholders.size > 0) tx.putChange({ ...plan, revision: 0 });
    return plan.result === 'stale' ? 'stopped' : 'taken';
  }

  /** The newest come first. Those that had not left the outbox get in together with the new end of the log, so that they are sent. */
  async #takeEvents(session: Session, entries: readonly LogEntry[]): Promise<void> {
    if (session.log !== 'replaced') return session.log === 'continued' ? this.#putInFront(session, entries) : undefined;
    if (session.missing !== null) return this.#putInFront(session, entries);
    const { acknowledgedUpTo } = session.header.log;
    const sent = entries.findIndex(({ event }) => event.sequence <= acknowledgedUpTo);
    session.unsent.push(...(sent === -1 ? entries : entries.slice(0, sent)));
    const isFull = session.unsent.length >= MOST_UNSENT;
    if (sent === -1 && !isFull) return;
    await this.#replaceLog(session);
    if (sent !== -1) await this.#putInFront(session, entries.slice(sent));
  }

  async #putInFront(session: Session, entries: readonly LogEntry[]): Promise<void> {
    const { store, writer } = this.#deps;
    const first = store.firstSequence();
    // What is old was removed meanwhile, and these are older.
    if (first > (session.first ?? first)) return;
    // What an earlier attempt has put there already.
    const missing = entries.filter(({ event }) => event.sequence < first);
    const oldest = missing.at(-1)?.event;
    if (oldest === undefined) return;
    await writer.write((tx) => tx.putHistory({ entries: missing, trimmed: before(oldest), first }));
    session.first = oldest.sequence;
    session.counts.events += missing.length;
  }

  async #replaceLog(session: Session): Promise<void> {
    const { store, writer, clock } = this.#deps;
    const { sequence, hash, acknowledgedUpTo } = session.header.log;
    const gap = gapAfter(session.header, clock.now());
    const entries = session.unsent;
    const oldest = entries.at(-1)?.event;
    const trimmed = oldest === undefined ? { sequence, hash } : before(oldest);
    await writer.writeAlone(async (tx) => {
      // Where nothing of the backup waits, nothing that waits has a number in the gap.
      const acknowledged = oldest === undefined ? gap.to : Math.max(acknowledgedUpTo, trimmed.sequence);
      tx.replaceLog(
        { entries, trimmed, replacing: { acknowledgedUpTo: acknowledged, gap } },
        { sequence: gap.to, hash },
      );
      tx.append(this.#event(session, gap));
      if (oldest !== undefined && trimmed.sequence > acknowledgedUpTo) {
        tx.append(this.#dropped({ from: acknowledgedUpTo + 1, to: trimmed.sequence }));
      }
      for await (const entry of entriesOf(store)) appendAnew(tx, entry);
    });
    session.missing = gap;
    session.counts.events += entries.length;
    session.unsent = [];
  }

  /** What waits for HR is never given up in silence. */
  #dropped(range: SequenceRange): NewEvent {
    const { clock, log } = this.#deps;
    const detail = { ...range, reason: 'restore' };
    log.error(detail, 'events of the backup are not sent: there are too many that HR has not acknowledged');
    return { event: 'events-dropped', at: clock.now(), clockSynchronized: clock.isSynchronized(), detail };
  }

  #event({ header, operator, log }: Session, missing: SequenceRange | null) {
    const { clock } = this.#deps;
    const { createdAt, roster, log: backup } = header;
    return {
      event: 'store-restored' as const,
      at: clock.now(),
      clockSynchronized: clock.isSynchronized(),
      detail: {
        operator,
        createdAt,
        revision: roster.revision,
        sequence: backup.sequence,
        log,
        missing: missing && { ...missing },
      },
    };
  }
}

const before = ({ sequence, previousHash }: { readonly sequence: number; readonly previousHash: string }) => ({
  sequence: sequence - 1,
  hash: previousHash,
});

/** All that can be read. */
async function* entriesOf(log: EventLog): AsyncGenerator<LogEntry> {
  for (let after = log.firstSequence() - 1; after < log.tail().sequence; ) {
    const slots = await readSlots(log, after, PAGE);
    for (const { entry } of slots) if (entry !== undefined) yield entry;
    after = slots.at(-1)?.sequence ?? after + PAGE;
  }
}

const rosterOf = ({ roster: { epoch, ...roster } }: BackupHeader) => ({ ...roster, ...(epoch !== null && { epoch }) });
