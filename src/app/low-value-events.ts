// Events of low value, which may wait a while for something to share a write with: a synced write of its own costs a card several
// kilobytes, and a tap at a door with a contact is followed by two of them.
//
// 1. Only what LOW_VALUE names may wait: never a decision, an alarm, a command, a change, or anything about the gateway itself.
// 2. Order is kept: whoever writes something else takes what waits here first.
// 3. Bounded: nothing waits longer than the delay, and no more than MOST_HELD do. A power cut loses what waits.

import type { EventName, NewEvent } from '../domain/access-event.ts';
import type { Milliseconds } from '../domain/units.ts';
import type { Clock, Timer } from '../ports/clock.ts';

/** What happens at every passage, and the end of a fault. `reader-offline` is not here: a cable that was cut is news. */
const LOW_VALUE: ReadonlySet<EventName> = new Set(['door-opened', 'door-closed', 'exit-requested', 'reader-online']);

/** About what one write takes. */
export const MOST_HELD = 100;

export const isOfLowValue = ({ event }: NewEvent): boolean => LOW_VALUE.has(event);

interface Dependencies {
  /** 0: nothing waits. */
  readonly delay: Milliseconds;
  readonly clock: Clock;
  /** What waits is due: it is to be taken now. */
  readonly onDue: () => void;
}

export class LowValueEvents {
  readonly #deps: Dependencies;
  #held: NewEvent[] = [];
  #timer: Timer | undefined;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Keeps the event, or returns false where it may not wait. */
  hold(event: NewEvent): boolean {
    const { delay, clock, onDue } = this.#deps;
    if (delay <= 0 || this.#held.length >= MOST_HELD || !isOfLowValue(event)) return false;
    this.#held.push(event);
    this.#timer ??= clock.schedule(delay, onDue);
    return true;
  }

  /** All that waits, in order; nothing waits any more. */
  take(): readonly NewEvent[] {
    this.#timer?.cancel();
    this.#timer = undefined;
    const held = this.#held;
    this.#held = [];
    return held;
  }
}
