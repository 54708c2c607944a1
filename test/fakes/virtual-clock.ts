// A clock that moves only when told. Timers run in order of their time, then of their scheduling, inside advance().

import {
  type Instant,
  instant,
  type Milliseconds,
  type MonotonicTime,
  milliseconds,
  monotonicTime,
} from '../../src/domain/units.ts';
import type { Clock, Timer } from '../../src/ports/clock.ts';

interface Pending {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
}

export interface VirtualClockOptions {
  /** Wall clock at the start: RFC 3339 text or milliseconds since 1970; default 2026-01-05T08:00:00Z, a Monday. */
  readonly now?: string | number;
  /** Monotonic milliseconds at the start; not 0 by default, so that nobody relies on it. */
  readonly monotonic?: number;
  /** Default true. */
  readonly synchronized?: boolean;
}

export class VirtualClock implements Clock {
  #monotonic: number;
  /** Wall minus monotonic. */
  #offset: number;
  #synchronized: boolean;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(options: VirtualClockOptions = {}) {
    this.#monotonic = options.monotonic ?? 100_000;
    this.#offset = new Date(options.now ?? '2026-01-05T08:00:00Z').getTime() - this.#monotonic;
    this.#synchronized = options.synchronized ?? true;
  }

  monotonic(): MonotonicTime {
    return monotonicTime(this.#monotonic);
  }

  now(): Instant {
    return instant(this.#monotonic + this.#offset);
  }

  isSynchronized(): boolean {
    return this.#synchronized;
  }

  schedule(delay: Milliseconds, callback: () => void): Timer {
    const timer: Pending = { due: this.#monotonic + Math.max(0, delay), order: this.#order++, callback };
    this.#pending.add(timer);
    return { cancel: () => void this.#pending.delete(timer) };
  }

  /** Moves both clocks on and runs what falls due, each timer at its own time; also what those timers schedule in between. */
  advance(by: number): void {
    const end = this.#monotonic + by;
    for (let next = this.#next(); next !== undefined && next.due <= end; next = this.#next()) {
      this.#monotonic = Math.max(this.#monotonic, next.due);
      this.#pending.delete(next);
      next.callback();
    }
    this.#monotonic = end;
  }

  /** Sets the wall clock, as a time server or a person would: timers and the monotonic clock do not move. */
  setNow(now: string | number): void {
    this.#offset = new Date(now).getTime() - this.#monotonic;
  }

  setSynchronized(synchronized: boolean): void {
    this.#synchronized = synchronized;
  }

  /** How many timers wait. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** How long until the next timer; undefined when none waits. */
  untilNextTimer(): Milliseconds | undefined {
    const next = this.#next();
    return next === undefined ? undefined : milliseconds(next.due - this.#monotonic);
  }

  #next(): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of this.#pending) {
      if (first === undefined || timer.due < first.due || (timer.due === first.due && timer.order < first.order))
        first = timer;
    }
    return first;
  }
}
