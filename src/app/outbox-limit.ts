// What becomes of events when HR has not acknowledged too many of them: `events.maxPending` and `whenFull` of the configuration.
//
// 1. Nothing is given up in silence: which events are, is an event itself, and durable before they are.

import { errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventLog } from '../ports/event-log.ts';
import { eventsAfter, numberBefore } from './log-count.ts';
import type { SerialWriter } from './serial-writer.ts';

export type WhenFull = 'drop-oldest' | 'deny' | 'keep';

/** Of maxPending; from there on it is an alarm. */
const ALARM_SHARE = 0.9;
/** Of maxPending; so many are given up together, so that it is not an event for each of them. */
const BLOCK_SHARE = 0.01;

interface Dependencies {
  readonly eventLog: EventLog;
  readonly writer: Pick<SerialWriter, 'write'>;
  readonly maxPending: number;
  readonly whenFull: WhenFull;
  readonly clock: Clock;
  readonly log: Log;
}

export class OutboxLimit {
  readonly #deps: Dependencies;
  #givingUp: Promise<void> | undefined;
  #givenUp = 0;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Whether cards are denied because there is no room to record that they were granted. */
  isDenying(): boolean {
    return this.#deps.whenFull === 'deny' && this.#isFull;
  }

  /** The log has grown. */
  onCommitted(): void {
    if (this.#deps.whenFull !== 'drop-oldest' || !this.#isFull || this.#givingUp !== undefined) return;
    this.#givingUp = this.#giveUp().finally(() => {
      this.#givingUp = undefined;
    });
  }

  /** Ends when nothing is being given up. */
  async stop(): Promise<void> {
    await this.#givingUp;
  }

  /** What needs attention, in words. */
  alarms(): readonly string[] {
    const { maxPending, whenFull } = this.#deps;
    const isNear = this.#pending >= maxPending * ALARM_SHARE;
    const near = `${this.#pending} events are not acknowledged, events.maxPending is ${maxPending}: ${CONSEQUENCE[whenFull]}`;
    const lost = `${this.#givenUp} events were given up unacknowledged; events-dropped in the log says which`;
    return [...(isNear ? [near] : []), ...(this.#givenUp > 0 ? [lost] : [])];
  }

  get #pending(): number {
    const { eventLog } = this.#deps;
    return eventsAfter(eventLog, eventLog.acknowledgedUpTo());
  }

  get #isFull(): boolean {
    return this.#pending >= this.#deps.maxPending;
  }

  async #giveUp(): Promise<void> {
    const { eventLog, writer, maxPending, clock, log } = this.#deps;
    const from = eventLog.acknowledgedUpTo() + 1;
    const to = numberBefore(eventLog, maxPending - Math.ceil(maxPending * BLOCK_SHARE));
    const detail = { from, to, reason: 'max-pending' };
    const clockSynchronized = clock.isSynchronized();
    try {
      await writer.write((tx) => tx.append({ event: 'events-dropped', at: clock.now(), clockSynchronized, detail }));
      this.#givenUp += Math.max(0, to - Math.max(from - 1, eventLog.acknowledgedUpTo()));
      log.error(detail, 'events were given up: they are not acknowledged, and there are too many of them');
      await eventLog.saveAcknowledgedUpTo(to);
    } catch (error) {
      log.warn({ err: errorMessage(error) }, 'events could not be given up');
    }
  }
}

const CONSEQUENCE: Readonly<Record<WhenFull, string>> = {
  'drop-oldest': 'then the oldest are given up',
  deny: 'then every card is denied',
  keep: 'the log goes on growing',
};
