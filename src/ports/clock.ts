// The two clocks. Deadlines use the monotonic one; the wall clock is for the record and for validity windows only.

import type { Instant, Milliseconds, MonotonicTime } from '../domain/units.ts';

export interface Timer {
  /** Idempotent; a cancelled callback never runs. */
  cancel(): void;
}

export interface Clock {
  monotonic(): MonotonicTime;
  now(): Instant;
  /** Whether the wall clock was set from a trusted source since boot. No real-time clock: false until then. */
  isSynchronized(): boolean;
  /** Runs `callback` once, not before `delay` has passed on the monotonic clock. */
  schedule(delay: Milliseconds, callback: () => void): Timer;
}
