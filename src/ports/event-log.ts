// The log of events, from which the outbox is read. Entries get in with a store batch only (credential-store.ts).

import type { AccessEvent, LogTail } from '../domain/access-event.ts';

/** One record of the log. An HR message's audit record carries the receipt that answers it. */
export interface LogEntry {
  readonly event: AccessEvent;
  /** JSON text of the receipt, published on the receipt topic together with the event. */
  readonly receipt?: string;
}

export interface EventLog {
  tail(): LogTail;
  /** One entry, read at once; undefined where there is none. Throws `store-record-unreadable`. */
  entryAt(sequence: number): LogEntry | undefined;
  /** At most `limit` entries with a sequence above `after`, in order. Rejects with `store-record-unreadable`. */
  entriesAfter(after: number, limit: number): Promise<readonly LogEntry[]>;
  /** The last sequence that the broker has acknowledged, with everything before it; 0 at first. */
  sentUpTo(): number;
  /** Moves the durable cursor. May be lost in a power cut: entries are then sent again with the same numbers. */
  saveSentUpTo(sequence: number): Promise<void>;
}
