// The log of events, from which the outbox is read. Entries get in with a store batch only (credential-store.ts).
// The contract is tested by test/contracts/event-log.contract.ts on every implementation.

import type { AccessEvent, LogTail } from '../domain/access-event.ts';
import type { SequenceRange } from '../domain/log-chain.ts';

/** One record of the log. An HR message's audit record carries the receipt that answers it. */
export interface LogEntry {
  readonly event: AccessEvent;
  /** JSON text of the receipt, published on the receipt topic together with the event. */
  readonly receipt?: string;
}

/** Entries that come in front of a log, from a backup. */
export interface LogHistory {
  /** In any order, without a hole; what the log holds so far, or begins after, comes after them. */
  readonly entries: readonly LogEntry[];
  /** What the log begins after, with them in front of it. */
  readonly trimmed: LogTail;
  /** What the log begins with so far: all is left out where that was trimmed meanwhile, which would leave a hole. */
  readonly first?: number;
  /**
   * Given where the log so far is removed, and the batch goes on after another one: how far that one had left the outbox, and the numbers
   * between it and the first of the batch, which no event has.
   */
  readonly replacing?: { readonly acknowledgedUpTo: number; readonly gap: SequenceRange };
}

export interface EventLog {
  tail(): LogTail;
  /** The number that the log begins with: 1 until something was trimmed. */
  firstSequence(): number;
  /** The last record that was trimmed, which the first one kept is chained to; EMPTY_LOG where none was. */
  trimmedUpTo(): LogTail;
  /**
   * Numbers that no event has, where the log has taken the place of another one; another object each time that it has. Undefined where
   * it never did.
   */
  gap(): SequenceRange | undefined;
  /** One entry, read at once; undefined where there is none. Throws `store-record-unreadable`. */
  entryAt(sequence: number): LogEntry | undefined;
  /**
   * At most `limit` entries with a sequence above `after`, in order. Rejects with `store-record-unreadable` when one of them cannot be
   * read; `context.sequence` is the number of the first.
   */
  entriesAfter(after: number, limit: number): Promise<readonly LogEntry[]>;
  /** The last sequence that the broker has acknowledged, with everything before it; 0 at first. */
  sentUpTo(): number;
  /**
   * Moves the durable cursor, forward only. May be lost in a power cut: entries are then sent again with the same numbers. Rejects
   * with `store-write-failed`.
   */
  saveSentUpTo(sequence: number): Promise<void>;
  /** The last sequence that has left the outbox for good, with everything before it; 0 at first, never above sentUpTo(). */
  acknowledgedUpTo(): number;
  /** As saveSentUpTo(), which it takes along: what has left for good was sent. */
  saveAcknowledgedUpTo(sequence: number): Promise<void>;
  /**
   * Removes entries up to `upTo` from the beginning of the log, all of them or none. What has not left the outbox stays, and so
   * does the last entry, whatever `upTo` says. Rejects with `store-write-failed`, or with `store-record-unreadable` where the
   * entry that the log would begin with cannot be read: then another `upTo` may do.
   */
  trim(upTo: number): Promise<void>;
}
