// The outbox: what the log holds beyond the cursor is published in order, with its receipts under the gateway's seal, and the
// cursor follows what the broker has acknowledged.
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
import type { MessageSeal } from '../wire/message-envelope.ts';
import type { Topics } from '../wire/topics.ts';

/** Log entries published and not yet acknowledged. */
export const WINDOW = 100;
const RETRY = { minimum: milliseconds(500), maximum: milliseconds(30_000) };

interface Dependencies {
  readonly eventLog: EventLog;
  readonly link: HrLink;
  readonly topics: Topics;
  /** For receipts; what cannot be sealed is not published. */
  readonly seal: MessageSeal;
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
  #fault: string | undefined;
  #done: Promise<void> = Promise.resolve();

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  view(): OutboxView {
    const { eventLog } = this.#deps;
    const sent = eventLog.sentUpTo();
    const pending = eventLog.tail().sequence - sent;
    return { pending, oldest: pending > 0 ? this.#timeOf(sent + 1) : null };
  }

  /** Why nothing leaves the outbox although the broker is there; undefined when all is well. */
  get fault(): string | undefined {
    return this.#fault;
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

  /** Ends after the window that is under way was acknowledged, or at once while the link is down: it is sent again then. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#retry?.cancel();
    if (this.#deps.link.isConnected()) await this.#done;
  }

  async #drain(): Promise<void> {
    const { eventLog, link } = this.#deps;
    while (this.#isWoken && !this.#isStopped && link.isConnected()) {
      this.#isWoken = false;
      try {
        const entries = await eventLog.entriesAfter(eventLog.sentUpTo(), WINDOW);
        if (entries.length === 0) continue;
        // All of them first: a seal that takes its time must not let a later entry overtake.
        const sealed = await Promise.all(entries.map((entry) => this.#sealed(entry)));
        const outcomes = await Promise.allSettled(sealed.map((entry) => this.#publish(entry)));
        const firstRefused = outcomes.findIndex(({ status }) => status === 'rejected');
        // What stands before the first refusal has left for good; the rest is sent again, and nothing of it is still in flight.
        const last = entries.at(firstRefused === -1 ? -1 : firstRefused - 1);
        if (firstRefused !== 0 && last !== undefined) await eventLog.saveSentUpTo(last.event.sequence);
        for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
        this.#failures = 0;
        this.#fault = undefined;
        // A window that was not full was all there was; what came since has woken us.
        this.#isWoken ||= entries.length === WINDOW;
      } catch (error) {
        this.#later(error);
        return;
      }
    }
  }

  async #sealed({ event, receipt }: LogEntry): Promise<LogEntry> {
    return receipt === undefined ? { event } : { event, receipt: await this.#deps.seal(receipt) };
  }

  async #publish(entry: LogEntry): Promise<void> {
    const { link, topics } = this.#deps;
    const sent: Promise<void>[] = [];
    if (entry.receipt !== undefined) sent.push(link.publish(topics.receipt, entry.receipt));
    sent.push(link.publish(topics.event, JSON.stringify(entry.event)));
    for (const outcome of await Promise.allSettled(sent)) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** Status is not to fail because one record of the log does not decode. */
  #timeOf(sequence: number): string | null {
    try {
      return this.#deps.eventLog.entryAt(sequence)?.event.time ?? null;
    } catch {
      return null;
    }
  }

  #later(error: unknown): void {
    const { link, clock, log } = this.#deps;
    this.#isWoken = true;
    // Offline: the next connect wakes us.
    if (!link.isConnected() || this.#isStopped) return;
    this.#fault = errorMessage(error);
    log.warn({ err: this.#fault }, 'outbox could not publish');
    this.#retry = clock.schedule(backoffDelay(RETRY, this.#failures, 1), () => {
      this.#retry = undefined;
      this.wake();
    });
    this.#failures += 1;
  }
}
