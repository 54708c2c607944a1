// Which log goes on after a restore: the one here, or the backup's with the few events of here after it.
//
// 1. A log that tells more is never given up for one that tells less, and no log is mixed with another.
// 2. Numbers are never used twice: after the backup's log it goes on well above anything that was used since the backup was made, by the
//    gateway that is gone or by one on which the same backup was restored; the first event there says which numbers are gone.

import type { NewEvent } from '../domain/access-event.ts';
import type { JsonValue } from '../domain/canonical-json.ts';
import type { SequenceRange } from '../domain/log-chain.ts';
import { type Instant, instant } from '../domain/units.ts';
import type { EventLog, LogEntry } from '../ports/event-log.ts';
import type { BackupHeader } from '../wire/backup-format.ts';
import { entryOrNothing } from './read-log.ts';
import type { StoreTransaction } from './store-transaction.ts';

/** A log with more events than this is kept; those of a shorter one are recorded anew. */
export const MOST_MOVED = 10_000;
/** Events of the backup that had not left the outbox: at most so many are sent, the newest; the others are in the log only. */
export const MOST_UNSENT = 20_000;
/** Numbers go on so far above the backup's, and further by this many for each second since then: no gateway records so much. */
const MARGIN = 1_000_000;
const A_SECOND = 10;

/** What becomes of the two logs, for the person who restores. */
export type LogFate = 'kept-same' | 'kept-longer' | 'kept-branched' | 'replaced' | 'continued';

type Log = Pick<EventLog, 'tail' | 'firstSequence' | 'trimmedUpTo' | 'gap' | 'entryAt'>;

/** `oldest`: the first event of the backup's log; null for a log without events. */
export const fateOf = (
  log: Log,
  { sequence, hash }: BackupHeader['log'],
  oldest: { readonly sequence: number; readonly hash: string } | null,
): LogFate => {
  if (sequence === 0 || oldest === null) return 'kept-longer';
  if (hashAt(log, sequence, hash)) {
    // It was restored before, which may have broken off: what is not in front of the log yet is put there now.
    const isAfterRestore = log.gap()?.from === sequence + 1;
    return isAfterRestore && log.firstSequence() > oldest.sequence ? 'continued' : 'kept-same';
  }
  const own = log.tail().sequence - log.firstSequence() + 1;
  if (log.tail().sequence >= sequence || own > MOST_MOVED) return 'kept-longer';
  return hashAt(log, oldest.sequence, oldest.hash) ? 'kept-branched' : 'replaced';
};

/** Whether the record of that number has that hash here, or is the one that the log begins after. */
const hashAt = (log: Log, sequence: number, hash: string): boolean => {
  const trimmed = log.trimmedUpTo();
  return (trimmed.sequence === sequence ? trimmed.hash : entryOrNothing(log, sequence)?.event.hash) === hash;
};

/** The numbers that are left out after the backup's log. */
export const gapAfter = ({ log, createdAt }: Pick<BackupHeader, 'log' | 'createdAt'>, now: Instant): SequenceRange => {
  const seconds = Math.max(0, Math.ceil((now - Date.parse(createdAt)) / 1000) || 0);
  return { from: log.sequence + 1, to: log.sequence + MARGIN + A_SECOND * seconds };
};

/**
 * An event of here, to be recorded once more. Its receipt tells the new number. What it says of numbers was true of the log that it
 * was in: checkpoints of that are left out, and so are its gaps.
 */
export const appendAnew = (tx: StoreTransaction, { event, receipt }: LogEntry): void => {
  if (event.event === 'checkpoint') return;
  const { door, reader, direction, card, cardholder, bindingRevision, reason } = event;
  const news: NewEvent = {
    event: event.event,
    at: instant(Date.parse(event.time)),
    clockSynchronized: event.clockSynchronized,
    door: door ?? undefined,
    reader: reader ?? undefined,
    direction: direction ?? undefined,
    card: card ?? undefined,
    cardholder: cardholder ?? undefined,
    bindingRevision: bindingRevision ?? undefined,
    reason: reason ?? undefined,
    detail: withoutGap(event.detail),
  };
  tx.append(news, receipt === undefined ? undefined : (sequence) => renumbered(receipt, sequence));
};

const withoutGap = (detail: JsonValue): JsonValue =>
  typeof detail === 'object' && detail !== null && !Array.isArray(detail) && 'missing' in detail
    ? { ...detail, missing: null }
    : detail;

const renumbered = (receipt: string, sequence: number): string => {
  const fields: unknown = JSON.parse(receipt);
  return JSON.stringify({ ...(typeof fields === 'object' ? fields : {}), sequence });
};
