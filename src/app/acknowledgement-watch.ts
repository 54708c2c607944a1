// How long the outbox waits for one side's acknowledgement, the broker's or HR's, before it does something about it.
//
// 1. What is sent while something is waited for does not prolong the waiting: an event that was lost is not forgotten because
//    others go well.

import { type Milliseconds, type MonotonicTime, milliseconds } from '../domain/units.ts';
import type { Clock, Timer } from '../ports/clock.ts';

interface Dependencies {
  readonly clock: Clock;
  readonly patience: Milliseconds;
  /** Where nothing comes, the patience is doubled each time that it is at an end, up to this; not doubled where it is left out. */
  readonly mostPatience?: Milliseconds;
  /** Whether something is waited for. */
  readonly isAwaited: () => boolean;
  readonly onLate: () => void;
}

export class AcknowledgementWatch {
  readonly #deps: Dependencies;
  #timer: Timer | undefined;
  /** When the timer looks again. */
  #looksAt = 0;
  #since: MonotonicTime;
  /** How often nothing came in time. */
  #late = 0;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#since = deps.clock.monotonic();
  }

  /** What is waited for is on its way from now on. */
  begin(): void {
    this.#since = this.#deps.clock.monotonic();
  }

  /** Some of what is waited for has come. */
  progress(): void {
    this.#late = 0;
    this.begin();
  }

  /** The other side is there, whether or not it has got on: what it waits for need not wait any longer than at first. */
  answered(): void {
    this.#late = 0;
    this.look();
  }

  /** Waits for as long as there is something to wait for. */
  look(): void {
    const { clock, isAwaited } = this.#deps;
    if (!isAwaited()) {
      this.stop();
      return;
    }
    const dueAt = this.#since + this.#patience;
    // A timer that goes off too early looks again; there is not one for each acknowledgement.
    if (this.#timer !== undefined && this.#looksAt <= dueAt) return;
    this.stop();
    this.#looksAt = dueAt;
    this.#timer = clock.schedule(milliseconds(Math.max(0, dueAt - clock.monotonic())), () => this.#onTimer());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  get #patience(): Milliseconds {
    const { patience, mostPatience = patience } = this.#deps;
    return milliseconds(Math.min(patience * 2 ** this.#late, Math.max(patience, mostPatience)));
  }

  #onTimer(): void {
    const { clock, isAwaited, onLate } = this.#deps;
    this.#timer = undefined;
    if (isAwaited() && clock.monotonic() - this.#since >= this.#patience) {
      this.#late += 1;
      this.begin();
      onLate();
    }
    this.look();
  }
}
