// What is in the store at one moment, for a backup: taps and changes go on, and nothing of them is seen.

import type { LogTail } from '../domain/access-event.ts';
import type { CalendarRecord } from '../domain/calendar.ts';
import type { CardNumber } from '../domain/card-number.ts';
import type { CardRecord, Watermark } from '../domain/credential.ts';
import type { DoorOrders } from '../domain/door-mode.ts';
import type { CardholderId, DoorId } from '../domain/ids.ts';
import type { RosterSummary } from '../domain/roster-digest.ts';
import type { LogEntry } from './event-log.ts';

/** One record of a backup. The live cards of a person follow from those of the cards. */
export type SnapshotRecord =
  | { readonly kind: 'calendar'; readonly calendar: CalendarRecord }
  | { readonly kind: 'orders'; readonly door: DoorId; readonly orders: DoorOrders }
  | { readonly kind: 'watermark'; readonly cardholder: CardholderId; readonly watermark: Watermark }
  | { readonly kind: 'card'; readonly card: CardNumber; readonly record: CardRecord }
  | { readonly kind: 'event'; readonly entry: LogEntry };

export interface StoreSnapshot {
  /** `digest` is that of the buckets; undefined where nothing was ever bound. */
  readonly roster: Omit<RosterSummary, 'buckets'> & { readonly digest?: string };
  readonly tail: LogTail;
  /** As EventLog.acknowledgedUpTo(). */
  readonly acknowledgedUpTo: number;
  /**
   * Everything that decodes, in the order in which it is to be restored: calendar, orders, watermarks, cards (live and retired),
   * events with the newest first. `undefined` stands for a record that does not decode. `kinds`: only these. `isLookedUp`: `undefined`
   * stands for one, too, that is another one, or none, when it is looked up by its name.
   */
  records(
    kinds?: readonly SnapshotRecord['kind'][],
    options?: { readonly isLookedUp?: boolean },
  ): AsyncIterable<SnapshotRecord | undefined>;
  /** Frees what it holds. To be called before the store is closed. */
  close(): Promise<void>;
}

export interface SnapshotSource {
  /** Rejects with CardeaError `store-record-unreadable` where what everything hangs on does not decode. */
  snapshot(): Promise<StoreSnapshot>;
}
