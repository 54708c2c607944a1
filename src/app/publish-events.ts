// The outbox: what the log holds beyond the cursor is published in order, with its receipts under the gateway's seal. The cursor
// follows what the broker has acknowledged, or where the configuration says so, what HR has.
//
// 1. Events are never lost or doubled (DESIGN.md, invariant 7): an entry is read from the store, so it is durable; it leaves the
//    outbox after it was acknowledged; what is sent again keeps its number.
// 2. Nothing is handed to the client while it is offline, and at most WINDOW entries are in flight.
// 3. A record that cannot be read keeps none of the others from being sent.

import { backoffDelay } from '../domain/backoff.ts';
import type { SequenceRange } from '../domain/log-chain.ts';
import { type Milliseconds, milliseconds } from '../domain/units.ts';
import { errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { EventLog, LogEntry } from '../ports/event-log.ts';
import type { HrLink } from '../ports/hr-link.ts';
import type { MessageSeal } from '../wire/message-envelope.ts';
import type { Topics } from '../wire/topics.ts';
import { AcknowledgementWatch } from './acknowledgement-watch.ts';
import { eventsAfter } from './log-count.ts';
import { entryOrNothing, type LogSlot, readSlots, unreadableRanges } from './read-log.ts';
import { SendWindow } from './send-window.ts';

/** Log entries published and not yet acknowledged by the broker. */
export const WINDOW = 400;
/** Entries that are read and published in one go: a tap must not wait for more. */
const PAGE = 100;
/** A broker that is connected and owes the same acknowledgement for so long has lost it. */
const STALLED = milliseconds(120_000);
/** What HR leaves unanswered is sent again at growing distances, at most so far apart. */
const MOST_APART = milliseconds(3_600_000);
const RETRY = { minimum: milliseconds(500), maximum: milliseconds(30_000) };

interface Dependencies {
  readonly eventLog: EventLog;
  readonly link: HrLink;
  readonly topics: Topics;
  /** For receipts; what cannot be sealed is not published. */
  readonly seal: MessageSeal;
  /** What HR has not acknowledged for so long is sent again; left out where the broker's acknowledgement is enough. */
  readonly resendAfter?: Milliseconds | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface OutboxView {
  /** Entries that are not acknowledged: by the broker, or by HR where it is to acknowledge. */
  readonly pending: number;
  /** When the oldest of them happened, RFC 3339; null when none is pending. */
  readonly oldest: string | null;
  /** The last one that is acknowledged, with all before it. */
  readonly acknowledged: number;
}

export class EventPublisher {
  readonly #deps: Dependencies;
  #window = new SendWindow(() => void this.#run());
  /** Of the log that is read. */
  #gap: SequenceRange | undefined;
  readonly #brokerWatch: AcknowledgementWatch;
  /** Left out where the broker's acknowledgement is enough. */
  readonly #hrWatch: AcknowledgementWatch | undefined;
  /** The last number that was handed to the link. */
  #handed: number;
  /** The highest that ever was. */
  #highest: number;
  #isRunning = false;
  #isWoken = false;
  #isStopped = false;
  /** What HR has not acknowledged is sent again as soon as nothing is in flight. */
  #mustResend = false;
  #failures = 0;
  #retry: Timer | undefined;
  #fault: string | undefined;
  #unreadable = 0;
  #unreadableUpTo = 0;
  #refused: string | undefined;
  readonly #quiet: (() => void)[] = [];
  /** These records cannot be read and are not sent; called once for each. */
  onUnreadable: (range: SequenceRange) => void = () => {};

  constructor(deps: Dependencies) {
    this.#deps = deps;
    const { eventLog, clock, resendAfter, link } = deps;
    this.#handed = eventLog.acknowledgedUpTo();
    this.#highest = eventLog.sentUpTo();
    this.#gap = eventLog.gap();
    this.#brokerWatch = new AcknowledgementWatch({
      clock,
      patience: STALLED,
      isAwaited: () => this.#isOnline && this.#window.size > 0,
      // The client sends again what it has in flight.
      onLate: () => link.reconnect('the broker does not acknowledge events'),
    });
    this.#hrWatch =
      resendAfter &&
      new AcknowledgementWatch({
        clock,
        patience: resendAfter,
        mostPatience: MOST_APART,
        isAwaited: () => this.#isOnline && this.#isHrBehind,
        onLate: () => this.#resend(),
      });
  }

  view(): OutboxView {
    const { eventLog } = this.#deps;
    const acknowledged = eventLog.acknowledgedUpTo();
    const pending = eventsAfter(eventLog, acknowledged);
    return { pending, oldest: pending > 0 ? this.#timeOf(acknowledged + 1) : null, acknowledged };
  }

  /** What needs attention, in words. */
  alarms(): readonly string[] {
    const unreadable =
      this.#unreadable === 0 ? [] : [`records of the log that cannot be read and are not sent: ${this.#unreadable}`];
    return [...[this.#fault, this.#refused].filter((alarm) => alarm !== undefined), ...unreadable];
  }

  /** Something may be there to publish. */
  wake(): void {
    if (this.#retry === undefined) void this.#run();
  }

  /** The link is up. What only the broker lacks, the client sends again by itself. */
  onConnect(): void {
    this.#brokerWatch.begin();
    this.#hrWatch?.progress();
    if (this.#hrWatch !== undefined) this.#resend();
    this.wake();
  }

  /**
   * HR has everything up to `upTo`. Ignored where the broker's acknowledgement is enough, and below what HR has said before;
   * beyond what was sent, ignored with an alarm. Never rejects.
   */
  async acknowledge(upTo: number): Promise<void> {
    const { eventLog, resendAfter, log } = this.#deps;
    if (resendAfter === undefined) return;
    if (upTo > this.#highest) {
      log.warn({ upTo, sent: this.#highest }, 'HR acknowledges events that were never sent');
      this.#refused = `HR acknowledges event ${upTo}, and the last one sent is ${this.#highest}`;
      return;
    }
    if (upTo < eventLog.acknowledgedUpTo()) return;
    this.#refused = undefined;
    if (upTo > eventLog.acknowledgedUpTo()) this.#hrWatch?.progress();
    this.#hrWatch?.answered();
    if (upTo === eventLog.acknowledgedUpTo()) return;
    try {
      await eventLog.saveAcknowledgedUpTo(upTo);
    } catch (error) {
      log.warn({ err: errorMessage(error) }, 'what HR acknowledges could not be kept');
    }
    this.wake();
  }

  /** Ends when what is in flight was acknowledged, or at once while the link is down: it is sent again then. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#retry?.cancel();
    for (const watch of this.#watches) watch.stop();
    if (this.#isQuiet || !this.#deps.link.isConnected()) return;
    await new Promise<void>((resolve) => this.#quiet.push(resolve));
  }

  get #isQuiet(): boolean {
    return this.#window.size === 0 && !this.#isRunning;
  }

  get #isOnline(): boolean {
    return !this.#isStopped && this.#deps.link.isConnected();
  }

  /** Something was sent that HR has not acknowledged. */
  get #isHrBehind(): boolean {
    return this.#deps.eventLog.acknowledgedUpTo() < this.#handed;
  }

  get #watches(): readonly AcknowledgementWatch[] {
    return [this.#brokerWatch, ...(this.#hrWatch === undefined ? [] : [this.#hrWatch])];
  }

  #resend(): void {
    this.#mustResend = true;
    this.wake();
  }

  /** Whatever happens comes here, one after the other: a commit, an acknowledgement, a connection. */
  async #run(): Promise<void> {
    this.#isWoken = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#isWoken) {
      this.#isWoken = false;
      try {
        await this.#step();
      } catch (error) {
        this.#window.fail(error);
        this.#isWoken = true;
      }
    }
    this.#isRunning = false;
    for (const watch of this.#watches) watch.look();
    if (this.#isQuiet) for (const resolve of this.#quiet.splice(0)) resolve();
  }

  async #step(): Promise<void> {
    this.#followLog();
    const window = this.#window;
    if (window.advance()) this.#brokerWatch.progress();
    if (window.failure !== undefined) {
      // Nothing is sent anew while some of what was sent is in flight.
      if (window.isSettled) await this.#backOff(window.failure.cause);
      return;
    }
    if (this.#isCursorDue()) await this.#saveCursor();
    const acknowledged = this.#deps.eventLog.acknowledgedUpTo();
    if (this.#mustResend && window.size === 0) {
      this.#mustResend = false;
      this.#handed = acknowledged;
    }
    // What was given up is passed over.
    this.#handed = Math.max(this.#handed, acknowledged);
    if (this.#mayHandOver()) await this.#handOver();
    else if (window.size === 0 && this.#retry === undefined) this.#fault = undefined;
  }

  /** Another log has taken the place of the one that was read: what is in flight of that means nothing any more. */
  #followLog(): void {
    const { eventLog } = this.#deps;
    const gap = eventLog.gap();
    if (gap === this.#gap) return;
    this.#gap = gap;
    this.#window = new SendWindow(() => void this.#run());
    this.#handed = eventLog.acknowledgedUpTo();
    this.#highest = eventLog.sentUpTo();
    this.#unreadableUpTo = 0;
  }

  /** Not for each acknowledgement: what a power cut takes of it is only sent again. */
  #isCursorDue(): boolean {
    const news = this.#window.acknowledgedUpTo - this.#cursor;
    return news >= WINDOW || (news > 0 && this.#window.size === 0);
  }

  async #saveCursor(): Promise<void> {
    const { eventLog, resendAfter } = this.#deps;
    const { acknowledgedUpTo } = this.#window;
    if (acknowledgedUpTo <= this.#cursor) return;
    if (resendAfter === undefined) await eventLog.saveAcknowledgedUpTo(acknowledgedUpTo);
    else await eventLog.saveSentUpTo(acknowledgedUpTo);
    this.#failures = 0;
  }

  /** What the broker has, as far as it is kept. */
  get #cursor(): number {
    const { eventLog, resendAfter } = this.#deps;
    return resendAfter === undefined ? eventLog.acknowledgedUpTo() : eventLog.sentUpTo();
  }

  #mayHandOver(): boolean {
    const { eventLog, link } = this.#deps;
    if (this.#isStopped || this.#mustResend || this.#retry !== undefined || !link.isConnected()) return false;
    const waiting = eventLog.tail().sequence - this.#handed;
    // What is new goes at once; what has piled up, page by page.
    return waiting > 0 && WINDOW - this.#window.size >= Math.min(waiting, PAGE);
  }

  async #handOver(): Promise<void> {
    const slots = await readSlots(this.#deps.eventLog, this.#handed, Math.min(PAGE, WINDOW - this.#window.size));
    this.#noteUnreadable(slots);
    // All of them first: a seal that takes its time must not let a later entry overtake.
    const sealed = await Promise.all(slots.map(({ entry }) => entry && this.#sealed(entry)));
    if (this.#window.size === 0) this.#brokerWatch.begin();
    // HR is given its time from the end of what had piled up.
    if (!this.#isHrBehind || slots.length >= PAGE) this.#hrWatch?.begin();
    for (const [index, { sequence }] of slots.entries()) {
      const entry = sealed[index];
      this.#window.add(sequence, entry && this.#publish(entry));
      this.#handed = sequence;
      this.#highest = Math.max(this.#highest, sequence);
    }
    if (slots.length > 0) this.#isWoken = true;
  }

  async #sealed({ event, receipt }: LogEntry): Promise<LogEntry> {
    return receipt === undefined ? { event } : { event, receipt: await this.#deps.seal(receipt) };
  }

  #publish({ event, receipt }: LogEntry): Promise<void> {
    const { link, topics } = this.#deps;
    const receipted = receipt === undefined ? undefined : link.publish(topics.receipt, receipt);
    const published = link.publish(topics.event, JSON.stringify(event));
    return receipted === undefined ? published : both(receipted, published);
  }

  #noteUnreadable(slots: readonly LogSlot[]): void {
    for (const range of unreadableRanges(slots)) {
      // Sent again, what lies around it meets it again.
      if (range.to <= this.#unreadableUpTo) continue;
      this.#unreadable += range.to - range.from + 1;
      this.#unreadableUpTo = range.to;
      this.#deps.log.error(range, 'records of the log cannot be read and are not sent');
      this.onUnreadable(range);
    }
  }

  /** Status is not to fail because one record of the log does not decode. */
  #timeOf(sequence: number): string | null {
    return entryOrNothing(this.#deps.eventLog, sequence)?.event.time ?? null;
  }

  /** What is not acknowledged is sent again after a while. */
  async #backOff(error: unknown): Promise<void> {
    const { link, clock, log } = this.#deps;
    try {
      await this.#saveCursor();
    } catch {
      // It is the failure that brought us here, or the next attempt meets it.
    }
    this.#window.clear();
    this.#handed = this.#cursor;
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

/** Rejects when both have settled. */
const both = async (...published: readonly Promise<void>[]): Promise<void> => {
  for (const outcome of await Promise.allSettled(published)) if (outcome.status === 'rejected') throw outcome.reason;
};
