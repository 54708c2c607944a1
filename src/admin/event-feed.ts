// The log of events as somebody reads along with it: read from the store, page by page, as fast as the reader takes them. A slow
// reader costs one page of memory; what it has not taken yet stays in the store.

import type { AccessEvent } from '../domain/access-event.ts';
import type { EventLog } from '../ports/event-log.ts';
import { DEFAULT_EVENTS } from './protocol.ts';
import type { ParsedEvents } from './requests.ts';

const PAGE = 100;

export class EventFeed {
  readonly #eventLog: EventLog;
  readonly #waiting = new Set<() => void>();

  constructor(eventLog: EventLog) {
    this.#eventLog = eventLog;
  }

  /** The log has grown. */
  onCommitted(): void {
    this.#wakeAll();
  }

  /**
   * Events in order: those after `since`, at most `limit`; or without `since` the last `limit`. `follow` goes on with those to
   * come. Ends when `signal` is aborted; rejects with CardeaError `store-record-unreadable`.
   */
  async *read({ since, limit, follow }: ParsedEvents, signal: AbortSignal): AsyncGenerator<AccessEvent> {
    const wake = (): void => this.#wakeAll();
    signal.addEventListener('abort', wake, { once: true });
    const tail = this.#eventLog.tail().sequence;
    let after = since ?? Math.max(0, tail - (limit ?? DEFAULT_EVENTS));
    let left = (since === undefined ? undefined : limit) ?? Number.POSITIVE_INFINITY;
    try {
      while (left > 0 && !signal.aborted) {
        const end = follow ? this.#eventLog.tail().sequence : tail;
        if (after >= end) {
          if (!follow) return;
          await new Promise<void>((resolve) => this.#waiting.add(resolve));
          continue;
        }
        const page = await this.#eventLog.entriesAfter(after, Math.min(PAGE, left, end - after));
        if (page.length === 0) return;
        for (const { event } of page) {
          if (signal.aborted) return;
          yield event;
          after = event.sequence;
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
