// Reads the log past records that cannot be read: each of them is a slot without an entry, so that those behind it are not held up.

import type { SequenceRange } from '../domain/log-chain.ts';
import { CardeaError } from '../errors.ts';
import type { EventLog, LogEntry } from '../ports/event-log.ts';

/** A number of the log; without an entry where the record cannot be read. */
export interface LogSlot {
  readonly sequence: number;
  readonly entry?: LogEntry;
}

/** At most `limit` slots above `after`, in order; a number that is gone for good has none. Rejects as the store does. */
export const readSlots = async (eventLog: EventLog, after: number, limit: number): Promise<readonly LogSlot[]> => {
  try {
    const entries = await eventLog.entriesAfter(after, limit);
    return entries.map((entry) => ({ sequence: entry.event.sequence, entry }));
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return readOneByOne(eventLog, after, limit);
  }
};

const readOneByOne = (eventLog: EventLog, after: number, limit: number): readonly LogSlot[] => {
  const slots: LogSlot[] = [];
  const last = Math.min(eventLog.tail().sequence, after + limit);
  for (let sequence = after + 1; sequence <= last; sequence++) {
    try {
      const entry = eventLog.entryAt(sequence);
      if (entry !== undefined) slots.push({ sequence, entry });
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      slots.push({ sequence });
    }
  }
  return slots;
};

/** Numbers without an entry, joined where they follow upon each other. */
export const unreadableRanges = (slots: readonly LogSlot[]): readonly SequenceRange[] => {
  const ranges: { from: number; to: number }[] = [];
  for (const { sequence, entry } of slots) {
    if (entry !== undefined) continue;
    const last = ranges.at(-1);
    if (last?.to === sequence - 1) last.to = sequence;
    else ranges.push({ from: sequence, to: sequence });
  }
  return ranges;
};

const isUnreadable = (error: unknown): boolean =>
  error instanceof CardeaError && error.code === 'store-record-unreadable';
