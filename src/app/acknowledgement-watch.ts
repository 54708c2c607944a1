// How long the outbox waits for an acknowledgement before it does something about it.

import { type Milliseconds, type MonotonicTime, milliseconds } from '../domain/units.ts';
import type { Clock, Timer } from '../ports/clock.ts';

/** A broker that is connected and acknowledges nothing for so long has lost what it should acknowledge. */
export const STALLED = milliseconds(120_000);
/** What HR leaves unanswered is sent again at growing distances, at most so far apart. */
const MAX_RESEND = milliseconds(3_600_000);

interface Dependencies {
  readonly clock: Clock;
  /** Left out where HR's acknowledgement is not asked for. */
  readonly resendAfter: Milliseconds | undefined;
  /** Whose acknowledgement is waited for. */
  readonly awaited: () => 'broker' | 'hr' | undefined;
  readonly onStalled: () => void;
  readonly onUnanswered: () => void;
}

export class AcknowledgementWatch {
  readonly #deps: Dependencies;
  #timer: Timer | undefined;
  /** When the timer looks again. */
  #looksAt = 0;
  #progressAt: MonotonicTime;
  /** How often HR has left unanswered what was sent again. */
  #unanswered = 0;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#progressAt = deps.clock.monotonic();
  }

  /** Something was acknowledged, or is on its way anew. */
  progress(): void {
    this.#progressAt = this.#deps.clock.monotonic();
  }

  /** HR is there, whether or not it has got on: what it waits for need not wait any longer than at first. */
  answered(): void {
    this.#unanswered = 0;
    this.look();
  }

  /** Waits for as long as there is something to wait for. */
  look(): void {
    const limit = this.#limit();
    if (limit === undefined) {
      this.stop();
      return;
    }
    const dueAt = this.#progressAt + limit;
    // A timer that goes off too early looks again; there is not one for each acknowledgement.
    if (this.#timer !== undefined && this.#looksAt <= dueAt) return;
    this.stop();
    this.#looksAt = dueAt;
    const { clock } = this.#deps;
    this.#timer = clock.schedule(milliseconds(Math.max(0, dueAt - clock.monotonic())), () => this.#onTimer());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #limit(): Milliseconds | undefined {
    const { awaited, resendAfter } = this.#deps;
    const from = awaited();
    if (from === 'broker') return STALLED;
    if (from === undefined || resendAfter === undefined) return undefined;
    return milliseconds(Math.min(resendAfter * 2 ** this.#unanswered, Math.max(resendAfter, MAX_RESEND)));
  }

  #onTimer(): void {
    const { clock, awaited, onStalled, onUnanswered } = this.#deps;
    this.#timer = undefined;
    const limit = this.#limit();
    if (limit !== undefined && clock.monotonic() - this.#progressAt >= limit) {
      this.progress();
      if (awaited() === 'broker') onStalled();
      else {
        this.#unanswered += 1;
        onUnanswered();
      }
    }
    this.look();
  }
}
