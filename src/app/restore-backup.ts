// Merges a backup into the store, page by page while the gateway works on. What is newer here wins, nothing comes back to life
// (domain/roster-merge.ts), and the log that tells more is kept (restored-log.ts).
//
// 1. Nothing is changed before begin() has found that the backup is of this gateway, and of a version that is understood.
// 2. From begin() on the roster counts as stale, until it is found equal to HR's.
// 3. Who restores what is in the log before anything of it is.
// 4. A restore that breaks off leaves a store that is whole; the same backup can be restored again.

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
import type { EventLog } from '../ports/event-log.ts';
import type { SnapshotRecord } from '../ports/store-snapshot.ts';
import { type BackupHeader, parseBackupHeader } from '../wire/backup-format.ts';
import { planMending } from './mend-cardholder.ts';
import { LogRestore } from './restore-log.ts';
import { fateOf, type LogFate } from './restored-log.ts';
import type { SerialWriter } from './serial-writer.ts';
import type { StoreTransaction } from './store-transaction.ts';
import type { BackupIdentity } from './write-backup.ts';

/** Records merged between two looks at what else there is to do; below a millisecond. */
const SLICE = 25;

interface Dependencies {
  readonly identity: BackupIdentity;
  readonly store: CredentialStore & EventLog;
  readonly writer: SerialWriter;
  readonly clock: Clock;
  readonly log: Log;
  /** Undefined for what is no record. */
  readonly parseRecord: (value: unknown) => SnapshotRecord | undefined;
  readonly yieldToOthers: () => Promise<void>;
  /** Whether there is room for more than taps. */
  readonly hasRoom: () => boolean;
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
  readonly match: EpochMatch;
  readonly log: LogRestore;
  readonly counts: { taken: number; kept: number; stopped: number; leftOut: number };
}

export class BackupRestorer {
  readonly #deps: Dependencies;
  #session: Session | undefined;
  #begun = 0;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Rejects with CardeaError `backup-invalid` for a backup that does not belong here, `disk-full` and `store-write-failed`. */
  async begin({ header: unread, oldest, operator, isDryRun }: RestoreRequest): Promise<RestorePlan> {
    const { store, writer, clock, log } = this.#deps;
    const header = parseBackupHeader(unread);
    this.#refuseForeign(header);
    const backup = rosterOf(header);
    const match = matchEpochs(store.roster(), backup);
    const eras = Array.from({ length: backup.pastEpochs.length + 1 }, (_, era) => match.eraOf(era));
    const hasForeignEpochs = eras.includes(undefined);
    if (isDryRun) return { restore: this.#begun, log: fateOf(store, header.log, oldest), hasForeignEpochs };
    this.#needRoom();
    this.#begun += 1;
    const number = this.#begun;
    // Of one that was begun before, nothing more is taken.
    this.#session = undefined;
    const what = { operator, createdAt: header.createdAt, revision: backup.revision };
    log.warn(what, 'operator restores a backup');
    await writer.write((tx) => tx.putRestored(this.#reached(backup, match), match.isAhead ? backup : undefined));
    // Only now: what the other one had under way may have been the log.
    const fate = fateOf(store, header.log, oldest);
    await writer.write((tx) => {
      const time = { at: clock.now(), clockSynchronized: clock.isSynchronized() };
      tx.append({ event: 'operator-action', ...time, detail: { action: 'restore', ...what } });
    });
    const counts = { taken: 0, kept: 0, stopped: 0, leftOut: 0 };
    this.#session = { number, match, counts, log: new LogRestore({ ...this.#deps, header, operator, fate }) };
    return { restore: number, log: fate, hasForeignEpochs };
  }

  /** The next records, in the backup's order. Rejects with CardeaError `backup-invalid`, `invalid-request`, `disk-full` or `store-write-failed`. */
  async page(restore: number, values: readonly unknown[]): Promise<void> {
    const session = this.#current(restore);
    this.#needRoom();
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
    if (events.length > 0) await session.log.take(events);
  }

  /** All pages are there. Rejects as page() does. */
  async end(restore: number): Promise<RestoreOutcome> {
    const { log, onRestored } = this.#deps;
    const session = this.#current(restore);
    await session.log.end();
    this.#session = undefined;
    const { fate, events, missing } = session.log;
    const outcome = { ...session.counts, log: fate, events, missing };
    log.warn({ ...outcome }, 'backup restored; the roster counts as stale until HR has been heard');
    onRestored();
    return outcome;
  }

  #needRoom(): void {
    if (this.#deps.hasRoom()) return;
    throw new CardeaError('disk-full', 'the disk is nearly full: make room, then restore the backup again');
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
        if (log.fate !== 'replaced') return 'kept';
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
}

const rosterOf = ({ roster: { epoch, ...roster } }: BackupHeader) => ({ ...roster, ...(epoch !== null && { epoch }) });
