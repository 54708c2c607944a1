// The pair that is forming at a door which nobody enters alone; one for all readers on its outside.

import { type PairTap, stepPair } from '../domain/two-person.ts';
import type { Milliseconds } from '../domain/units.ts';

export class DoorPair {
  readonly #within: Milliseconds;
  #waiting: PairTap | undefined;

  /** `within`: how soon after the first card the second one has to come. */
  constructor(within: Milliseconds) {
    this.#within = within;
  }

  /**
   * What `judgeAgain` says of the tap that this one completes to a pair; undefined while a card is missing. A first card that
   * `judgeAgain` no longer lets through, by undefined, leaves this one to wait in its place.
   */
  complete<Judged>(tap: PairTap, judgeAgain: (first: PairTap) => Judged | undefined): Judged | undefined {
    const { waiting, first } = stepPair(this.#waiting, tap, this.#within);
    this.#waiting = waiting;
    const judged = first && judgeAgain(first);
    if (judged === undefined) this.#waiting = tap;
    return judged;
  }
}
