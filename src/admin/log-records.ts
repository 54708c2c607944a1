// The log as it lies in the store, for whoever verifies it: page by page, as fast as it is read, and on past what cannot be read.

import { pastGap } from '../app/log-count.ts';
import type { AccessEvent } from '../domain/access-event.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { UnreadableLine } from './protocol.ts';

const PAGE = 100;

type Line = AccessEvent | UnreadableLine;

/** From sequence number `from` to the present end of the log, in order. Ends when `signal` is aborted. */
export async function* readRecords(
  eventLog: EventLog,
  { from }: { readonly from: number },
  signal: AbortSignal,
): AsyncGenerator<Line> {
  const tail = eventLog.tail().sequence;
  let after = pastGap(eventLog, Math.max(from, eventLog.firstSequence()) - 1);
  while (after < tail) {
    const count = Math.min(PAGE, tail - after);
    for (const line of await readPage(eventLog, after, count)) {
      if (signal.aborted) return;
      yield line;
    }
    after = pastGap(eventLog, after + count);
  }
}

/** The records of the next `count` numbers after `after`, as far as they are there. */
export const readPage = async (eventLog: EventLog, after: number, count: number): Promise<readonly Line[]> => {
  try {
    const page = await eventLog.entriesAfter(after, count);
    return page.map(({ event }) => event).filter(({ sequence }) => sequence <= after + count);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return Array.from({ length: count }, (_, index) => after + 1 + index).flatMap((sequence) =>
      recordAt(eventLog, sequence),
    );
  }
};

const recordAt = (eventLog: EventLog, sequence: number): readonly Line[] => {
  try {
    const entry = eventLog.entryAt(sequence);
    return entry === undefined ? [] : [entry.event];
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return [{ type: 'unreadable', sequence, message: errorMessage(error) }];
  }
};

const isUnreadable = (error: unknown): boolean =>
  error instanceof CardeaError && error.code === 'store-record-unreadable';
