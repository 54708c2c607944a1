// The log of events as somebody reads along with it: read from the store, page by page, as fast as the reader takes them. A slow
// reader costs one page of memory; what it has not taken yet stays in the store.

import type { AccessEvent } from '../domain/access-event.ts';
import type { EventLog } from '../ports/event-log.ts';
import { DEFAULT_EVENTS } from './protocol.ts';
import type { ParsedEvents } from './requests.ts';
import { TimeIndex } from './time-index.ts';

const PAGE = 100;

export class EventFeed {
  readonly #eventLog: EventLog;
  readonly #waiting = new Set<() => void>();
  readonly #times = new TimeIndex();

  constructor(eventLog: EventLog) {
    this.#eventLog = eventLog;
  }

  /** The log has grown. */
  onCommitted(): void {
    this.#wakeAll();
  }

  /**
   * Events in order: those after `since`, at most `limit`; or without `since` the last `limit`. Of them only those of `names` and
   * in `range`. `follow` goes on with those to come. Ends when `signal` is aborted; rejects with CardeaError `store-record-unreadable`.
   */
  async *read({ since, limit, follow, names, range }: ParsedEvents, signal: AbortSignal): AsyncGenerator<AccessEvent> {
    const wake = (): void => this.#wakeAll();
    signal.addEventListener('abort', wake, { once: true });
    const tail = this.#eventLog.tail().sequence;
    let after = since ?? Math.max(0, tail - (limit ?? DEFAULT_EVENTS));
    let left = (since === undefined ? undefined : limit) ?? Number.POSITIVE_INFINITY;
    const reading = this.#times.reading();
    try {
      while (left > 0 && !signal.aborted) {
        const end = follow ? this.#eventLog.tail().sequence : tail;
        if (after >= end) {
          if (!follow) return;
          await new Promise<void>((resolve) => this.#waiting.add(resolve));
          continue;
        }
        if (range !== undefined) after = this.#times.skip(after, range, this.#eventLog);
        if (after >= end) continue;
        const page = await this.#eventLog.entriesAfter(after, Math.min(PAGE, end - after));
        if (page.length === 0) return;
        for (const { event } of page) {
          if (signal.aborted || left <= 0) return;
          after = event.sequence;
          reading.see(event);
          if (!isSelected(event, { names, range })) continue;
          yield event;
          left -= 1;
        }
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  #wakeAll(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}

const isSelected = ({ event, time }: AccessEvent, { names, range }: Pick<ParsedEvents, 'names' | 'range'>): boolean => {
  if (names !== undefined && !names.has(event)) return false;
  const at = Date.parse(time);
  return range === undefined || (at >= range.from && at < range.to);
};
