// Work that is done again and again, with a pause before each time: one piece at a time, and none after the end.

import type { Milliseconds } from '../domain/units.ts';
import type { Clock, Timer } from '../ports/clock.ts';

export class LaterWork {
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #isStopped = false;
  #underWay: Promise<void> = Promise.resolve();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** For work that is under way, and is to get no further. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Does `work`, which never rejects, after the delay, in the place of what waits already. */
  schedule(delay: Milliseconds, work: () => Promise<void>): void {
    if (this.#isStopped) return;
    this.#timer?.cancel();
    this.#timer = this.#clock.schedule(delay, () => {
      this.#underWay = work();
    });
  }

  /** Fulfils when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#underWay;
  }
}
