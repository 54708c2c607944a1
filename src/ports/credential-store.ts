// What the gateway holds about cards and cardholders, and the log that goes with it. Both live in one store, because a change
// and the record of the change are one atomic batch.
// The contract is tested by test/contracts/store.contract.ts on every implementation.

import type { CalendarRecord } from '../domain/calendar.ts';
import type { HeldCalendar } from '../domain/calendar-order.ts';
import type { CardNumber } from '../domain/card-number.ts';
import type { CardholderRecord, CardLookup, CardRecord } from '../domain/credential.ts';
import type { CommandRecord } from '../domain/door-command.ts';
import type { DoorOrders } from '../domain/door-mode.ts';
import type { CardholderId, DoorId } from '../domain/ids.ts';
import type { PassageEntry } from '../domain/passage.ts';
import type { RosterSummary } from '../domain/roster-digest.ts';
import type { Instant } from '../domain/units.ts';
import type { LogEntry, LogHistory } from './event-log.ts';

/** The store before this one was damaged; this one began empty, or with what of that one proved genuine. */
export interface StoreDamage {
  readonly at: Instant;
  /** What was found, in words. */
  readonly reason: string;
  /** Name of the directory beside the store that holds the damaged one. */
  readonly setAside: string;
  /** What is missing now, in words. */
  readonly lost: string;
}

/** All that one batch changes. What is undefined or empty stays as it is. */
export interface StoreBatch {
  readonly cards: ReadonlyMap<CardNumber, CardRecord>;
  readonly cardholders: ReadonlyMap<CardholderId, CardholderRecord>;
  readonly roster: RosterSummary | undefined;
  readonly doorOrders: ReadonlyMap<DoorId, DoorOrders>;
  /** The whole list, in the place of the one before. */
  readonly commands: readonly CommandRecord[] | undefined;
  /** HR's calendar, in the place of the one before. */
  readonly calendar?: CalendarRecord | undefined;
  readonly passages?: readonly PassageEntry[];
  readonly passageEra?: number | undefined;
  /** Only for a store that begins anew in the place of a damaged one. */
  readonly damage?: StoreDamage | undefined;
  readonly history?: LogHistory | undefined;
  /** Continue the log's tail without a hole; after a history that replaces the log, the first may have any number above it. */
  readonly entries: readonly LogEntry[];
}

export interface CredentialStore {
  /** Synchronous and local. Never throws: what cannot be read or decoded is `unreadable`. */
  findCard(card: CardNumber): CardLookup;
  /** Throws CardeaError `store-record-unreadable` when the record does not decode, or the store's own failure. */
  findCardholder(id: CardholderId): CardholderRecord | undefined;
  /** Every readable card record that names this person, live or retired; reads the whole store. For a record that was damaged. */
  cardsOf(id: CardholderId): Promise<readonly (readonly [CardNumber, CardRecord])[]>;
  /** Every card record of a bucket of the roster digest, live or retired; undefined for one that does not decode. */
  cardsIn(bucket: number): AsyncIterable<readonly [CardNumber, CardRecord] | undefined>;
  /** As of the last committed batch. The buckets must not be changed. */
  roster(): RosterSummary;
  /** What was last ordered for the door; none where nobody has ordered anything, UNREADABLE_ORDERS where that does not decode. */
  doorOrders(door: DoorId): DoorOrders;
  /** HR's calendar, as of the last committed batch. */
  calendar(): HeldCalendar;
  /** Every entry of the book of passages that decodes. */
  passages(): AsyncIterable<PassageEntry>;
  /** 0 before the first. */
  passageEra(): number;
  /** Why this store began in the place of another one; undefined for one that did not. */
  damage(): StoreDamage | undefined;
  /** The commands that are remembered, as of the last committed batch. */
  commands(): readonly CommandRecord[];
  /**
   * Writes the batch whole and synced: when the promise fulfils, a power cut no longer undoes it, and the finders see it.
   * Rejects with CardeaError `store-write-failed`; then the finders do not see it, and nothing more is written before recover()
   * has fulfilled. Only one commit may be under way.
   */
  commit(batch: StoreBatch): Promise<void>;
  /**
   * Makes a store with a failed write behind it writable again. Afterwards tail(), roster() and the finders say what is really
   * there, which may be the batch whose commit rejected, and is all of it or nothing. Rejects with `store-write-failed` while the
   * store cannot be written; then it still answers reads as well as it can. Fulfils at once where nothing has failed.
   */
  recover(): Promise<void>;
  /** Throws when the store does not answer a read. */
  probe(): void;
  close(): Promise<void>;
}
