// Reads the log past records that cannot be read: each of them is a slot without an entry, so that those behind it are not held up.

import type { SequenceRange } from '../domain/log-chain.ts';
import { CardeaError } from '../errors.ts';
import type { EventLog, LogEntry } from '../ports/event-log.ts';

/** A number of the log; without an entry where the record cannot be read. */
export interface LogSlot {
  readonly sequence: number;
  readonly entry?: LogEntry;
}

type Readable = Pick<EventLog, 'entriesAfter'>;

/** At most `limit` slots above `after`, in order; a number that is gone for good has none. Rejects as the store does. */
export const readSlots = async (eventLog: Readable, after: number, limit: number): Promise<readonly LogSlot[]> => {
  try {
    const entries = await eventLog.entriesAfter(after, limit);
    return entries.map((entry) => ({ sequence: entry.event.sequence, entry }));
  } catch (error) {
    if (unreadableNumber(error) === undefined) throw error;
    return readOneByOne(eventLog, after, limit);
  }
};

const readOneByOne = async (eventLog: Readable, after: number, limit: number): Promise<readonly LogSlot[]> => {
  const slots: LogSlot[] = [];
  while (slots.length < limit) {
    const slot = await nextSlot(eventLog, slots.at(-1)?.sequence ?? after);
    if (slot === undefined) break;
    slots.push(slot);
  }
  return slots;
};

const nextSlot = async (eventLog: Readable, after: number): Promise<LogSlot | undefined> => {
  try {
    const [entry] = await eventLog.entriesAfter(after, 1);
    return entry && { sequence: entry.event.sequence, entry };
  } catch (error) {
    const sequence = unreadableNumber(error);
    if (sequence === undefined) throw error;
    return { sequence };
  }
};

/** The entry of that number; undefined where there is none, or none that can be read. */
export const entryOrNothing = (eventLog: Pick<EventLog, 'entryAt'>, sequence: number): LogEntry | undefined => {
  try {
    return eventLog.entryAt(sequence);
  } catch {
    return undefined;
  }
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

/** Of the record that could not be read; undefined for a failure of another kind. */
const unreadableNumber = (error: unknown): number | undefined => {
  if (!(error instanceof CardeaError) || error.code !== 'store-record-unreadable') return undefined;
  const { sequence } = error.context;
  return typeof sequence === 'number' ? sequence : undefined;
};
