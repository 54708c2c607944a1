// The two clocks of this machine. Timers never fire early; the wall clock counts as set only when somebody trustworthy
// says so, and stays so until the process ends.

import { performance } from 'node:perf_hooks';
import { type Instant, instant, type Milliseconds, type MonotonicTime, monotonicTime } from '../../domain/units.ts';
import type { Clock, Timer } from '../../ports/clock.ts';

/** `always`: a machine with a battery-backed clock. `auto`: ask the probes. */
export type ClockTrust = 'auto' | 'always';

/** Says whether the wall clock was set from a trusted source since boot. Must be cheap and must not throw. */
export type SynchronizationProbe = () => boolean;

export interface SystemClockOptions {
  /** Default `auto`. */
  readonly trust?: ClockTrust;
  /** Asked in turn until one says yes; without any, an `auto` clock is never synchronized. See synchronization-probes.ts. */
  readonly probes?: readonly SynchronizationProbe[];
  /** Milliseconds since an arbitrary start, never going back; default performance.now(). */
  readonly readMonotonic?: () => number;
}

/** setTimeout takes a signed 32-bit number of milliseconds and fires at once beyond it. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;
/** A "no" from the probes is believed for this long, in milliseconds. */
const PROBE_LIFETIME = 10_000;

export class SystemClock implements Clock {
  readonly #trust: ClockTrust;
  readonly #probes: readonly SynchronizationProbe[];
  readonly #readMonotonic: () => number;
  #synchronized = false;
  #probedAt: number | undefined;

  constructor(options: SystemClockOptions = {}) {
    this.#trust = options.trust ?? 'auto';
    this.#probes = options.probes ?? [];
    this.#readMonotonic = options.readMonotonic ?? (() => performance.now());
  }

  monotonic(): MonotonicTime {
    return monotonicTime(this.#readMonotonic());
  }

  now(): Instant {
    return instant(Date.now());
  }

  isSynchronized(): boolean {
    if (this.#trust === 'always' || this.#synchronized) return true;
    const at = this.#readMonotonic();
    if (this.#probedAt !== undefined && at - this.#probedAt < PROBE_LIFETIME) return false;
    this.#probedAt = at;
    // The kernel takes its word back after hours without a time server; what was set since boot remains set.
    this.#synchronized = this.#probes.some((probe) => probe());
    return this.#synchronized;
  }

  schedule(delay: Milliseconds, callback: () => void): Timer {
    const due = this.#readMonotonic() + Math.max(0, delay);
    let handle: NodeJS.Timeout | undefined;
    // setTimeout may fire up to a millisecond before its time as performance.now() counts it: look again, and re-arm.
    const arm = (): void => {
      const remaining = due - this.#readMonotonic();
      handle = setTimeout(fire, Math.min(Math.ceil(remaining), LONGEST_TIMEOUT));
    };
    const fire = (): void => {
      if (this.#readMonotonic() < due) arm();
      else callback();
    };
    arm();
    return { cancel: () => clearTimeout(handle) };
  }
}
