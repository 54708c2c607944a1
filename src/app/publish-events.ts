// The outbox: what the log holds beyond the cursor is published in order, with its receipts, and the cursor follows what the
// broker has acknowledged.
//
// 1. Events are never lost or doubled (DESIGN.md, invariant 7): an entry is read from the store, so it is durable; it leaves the
//    outbox after the broker has acknowledged it; what is sent again keeps its number.
// 2. Nothing is handed to the client while it is offline, and at most WINDOW messages are in flight.

import { backoffDelay } from '../domain/backoff.ts';
import { milliseconds } from '../domain/units.ts';
import { errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { EventLog, LogEntry } from '../ports/event-log.ts';
import type { HrLink } from '../ports/hr-link.ts';
import type { Topics } from '../wire/topics.ts';

/** Log entries published and not yet acknowledged. */
export const WINDOW = 100;
const RETRY = { minimum: milliseconds(500), maximum: milliseconds(30_000) };

interface Dependencies {
  readonly eventLog: EventLog;
  readonly link: HrLink;
  readonly topics: Topics;
  readonly clock: Clock;
  readonly log: Log;
}

export interface OutboxView {
  /** Entries that the broker has not acknowledged. */
  readonly pending: number;
  /** When the oldest of them happened, RFC 3339; null when none is pending. */
  readonly oldest: string | null;
}

export class EventPublisher {
  readonly #deps: Dependencies;
  #isBusy = false;
  #isStopped = false;
  #isWoken = false;
  #failures = 0;
  #retry: Timer | undefined;
  #done: Promise<void> = Promise.resolve();

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  view(): OutboxView {
    const { eventLog } = this.#deps;
    const sent = eventLog.sentUpTo();
    const pending = eventLog.tail().sequence - sent;
    return { pending, oldest: pending > 0 ? (eventLog.entryAt(sent + 1)?.event.time ?? null) : null };
  }

  /** Something may be there to publish: the log has grown, or the link is up. */
  wake(): void {
    this.#isWoken = true;
    if (this.#isBusy || this.#isStopped || this.#retry !== undefined) return;
    this.#isBusy = true;
    this.#done = this.#drain().finally(() => {
      this.#isBusy = false;
      // A wake-up that came while the last look was ending must not be lost.
      if (this.#isWoken && this.#deps.link.isConnected()) this.wake();
    });
  }

  /** Ends after the window that is under way was acknowledged or the link went down. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#retry?.cancel();
    await this.#done;
  }

  async #drain(): Promise<void> {
    const { eventLog, link } = this.#deps;
    while (this.#isWoken && !this.#isStopped && link.isConnected()) {
      this.#isWoken = false;
      try {
        const entries = await eventLog.entriesAfter(eventLog.sentUpTo(), WINDOW);
        if (entries.length === 0) continue;
        await Promise.all(entries.map((entry) => this.#publish(entry)));
        await eventLog.saveSentUpTo(entries.at(-1)?.event.sequence ?? eventLog.sentUpTo());
        this.#failures = 0;
        this.#isWoken = true;
      } catch (error) {
        this.#later(error);
        return;
      }
    }
  }

  async #publish(entry: LogEntry): Promise<void> {
    const { link, topics } = this.#deps;
    const sent: Promise<void>[] = [];
    if (entry.receipt !== undefined) sent.push(link.publish(topics.receipt, entry.receipt));
    sent.push(link.publish(topics.event, JSON.stringify(entry.event)));
    await Promise.all(sent);
  }

  #later(error: unknown): void {
    const { link, clock, log } = this.#deps;
    this.#isWoken = true;
    // Offline: the next connect wakes us.
    if (!link.isConnected()) return;
    log.warn({ err: errorMessage(error) }, 'outbox could not publish');
    this.#retry = clock.schedule(backoffDelay(RETRY, this.#failures, 1), () => {
      this.#retry = undefined;
      this.wake();
    });
    this.#failures += 1;
  }
}
