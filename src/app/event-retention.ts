// Removes history that HR has acknowledged when it is older, or there is more of it, than the configuration keeps.
//
// 1. What is not acknowledged stays, and so do the last KEPT events, whatever their age.
// 2. Age is judged only while the clock is trusted, and only by times that were: a guess removes nothing. Nor does a clock that
//    jumps ahead: since it was first trusted no more time has passed than the monotonic clock has counted.
// 3. Little at a time: taps and changes get their turn in between.

import { type Milliseconds, milliseconds } from '../domain/units.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventLog } from '../ports/event-log.ts';
import { LaterWork } from './later-work.ts';
import { numberBefore } from './log-count.ts';
import { entryOrNothing } from './read-log.ts';

/** Alarms are taken up from them at the next start. */
export const KEPT = 1000;
/** Events removed in one write. */
export const SLICE = 256;
const FIRST_LOOK = milliseconds(10 * 60_000);
const EVERY = milliseconds(24 * 3_600_000);
const PAUSE = milliseconds(50);

interface Dependencies {
  readonly eventLog: EventLog;
  readonly maxAge: Milliseconds;
  readonly maxEvents: number;
  readonly clock: Clock;
  readonly log: Log;
}

export class EventRetention {
  readonly #deps: Dependencies;
  readonly #later: LaterWork;
  /** How far the wall clock was ahead of the monotonic one when it was first found to be trusted. */
  #lead: number | undefined;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#later = new LaterWork(deps.clock);
  }

  /** Some minutes after the start, then once a day. */
  start(): void {
    this.#trustedNow();
    this.#later.schedule(FIRST_LOOK, () => this.#look());
  }

  /** Room is short: what is due goes now. */
  lookNow(): void {
    this.#later.schedule(PAUSE, () => this.#look());
  }

  stop(): Promise<void> {
    return this.#later.stop();
  }

  async #look(): Promise<void> {
    const before = this.#deps.eventLog.firstSequence();
    await this.#trimOn(before);
  }

  /** One slice now, the next after a pause. */
  async #trimOn(before: number): Promise<void> {
    const { eventLog, log } = this.#deps;
    const first = eventLog.firstSequence();
    try {
      await this.#trimSlice();
    } catch (error) {
      log.warn({ err: errorMessage(error) }, 'old events could not be removed');
    }
    if (eventLog.firstSequence() > first) {
      this.#later.schedule(PAUSE, () => this.#trimOn(before));
      return;
    }
    if (first > before) log.info({ from: before, to: first - 1 }, 'old events were removed');
    this.#later.schedule(EVERY, () => this.#look());
  }

  async #trimSlice(): Promise<void> {
    const { eventLog, maxEvents } = this.#deps;
    const first = eventLog.firstSequence();
    const removable = Math.min(eventLog.acknowledgedUpTo(), numberBefore(eventLog, KEPT));
    const last = Math.min(first + SLICE - 1, removable);
    const tooMany = Math.min(last, numberBefore(eventLog, maxEvents));
    const upTo = Math.max(tooMany, this.#tooOld(first, last));
    if (upTo >= first) await this.#trim(first, upTo);
  }

  /** The last of these that is too old for certain: what stands before it happened before. */
  #tooOld(first: number, last: number): number {
    const now = this.#trustedNow();
    if (now === undefined) return 0;
    const limit = now - this.#deps.maxAge;
    for (let sequence = last; sequence >= first; sequence--) {
      const time = this.#trustedTimeOf(sequence);
      if (time !== undefined && time < limit) return sequence;
    }
    return 0;
  }

  #trustedNow(): number | undefined {
    const { clock } = this.#deps;
    if (!clock.isSynchronized()) return undefined;
    this.#lead ??= clock.now() - clock.monotonic();
    return Math.min(clock.now(), clock.monotonic() + this.#lead);
  }

  #trustedTimeOf(sequence: number): number | undefined {
    const event = entryOrNothing(this.#deps.eventLog, sequence)?.event;
    return event?.clockSynchronized ? Date.parse(event.time) : undefined;
  }

  /** Where the log would begin with a record that cannot be read, it begins with one before it. */
  async #trim(first: number, upTo: number): Promise<void> {
    const { eventLog } = this.#deps;
    for (let last = upTo; last >= first; last--) {
      try {
        await eventLog.trim(last);
        return;
      } catch (error) {
        if (!(error instanceof CardeaError) || error.code !== 'store-record-unreadable') throw error;
      }
    }
  }
}
