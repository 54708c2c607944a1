// How long ago the roster was last known to be HR's, and what the doors make of it (`reconcile.maxAgeHours`, `stalePolicy`).

import type { Milliseconds, MonotonicTime } from '../domain/units.ts';
import { milliseconds } from '../domain/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';

interface Dependencies {
  readonly store: Pick<CredentialStore, 'roster'>;
  readonly clock: Clock;
  readonly maxAge: Milliseconds;
  readonly policy: 'allow' | 'deny';
}

export class RosterFreshness {
  readonly #deps: Dependencies;
  readonly #startedAt: MonotonicTime;
  #confirmedAt: MonotonicTime | undefined;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#startedAt = deps.clock.monotonic();
  }

  /** The roster was found equal to HR's just now. */
  confirm(): void {
    this.#confirmedAt = this.#deps.clock.monotonic();
  }

  /**
   * Since the roster was last found equal to HR's. Of the time before this start only the wall clock knows, which may stand at
   * an earlier time than it should after a power cut; so it counts together with what has passed since.
   */
  age(): Milliseconds {
    const { clock, store } = this.#deps;
    const now = clock.monotonic();
    if (this.#confirmedAt !== undefined) return milliseconds(now - this.#confirmedAt);
    const sinceStart = now - this.#startedAt;
    const { reconciledAt } = store.roster();
    return milliseconds(Math.max(sinceStart, reconciledAt === undefined ? 0 : clock.now() - reconciledAt));
  }

  isStale(): boolean {
    return this.isRestored() || this.age() > this.#deps.maxAge;
  }

  /** A backup was restored, and the roster was not found equal to HR's since. */
  isRestored(): boolean {
    return this.#deps.store.roster().restored !== undefined;
  }

  /** Whether cards are denied for it. */
  isDenying(): boolean {
    return this.#deps.policy === 'deny' && this.isStale();
  }
}
