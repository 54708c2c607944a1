// How long to wait before the next attempt: full jitter between a floor and a ceiling that doubles with every failure, so
// that a hundred gateways do not come back to a restarted broker in the same second.

import { type Milliseconds, milliseconds } from './units.ts';

export interface BackoffRange {
  /** The shortest delay; above zero. */
  readonly minimum: Milliseconds;
  /** The longest delay; not below `minimum`. */
  readonly maximum: Milliseconds;
}

/**
 * The delay after `failures` failed attempts in a row (0, 1, 2, ...), in whole milliseconds within the range.
 * `random` is uniform in [0, 1); the caller draws it, since nothing in this folder does.
 */
export const backoffDelay = (range: BackoffRange, failures: number, random: number): Milliseconds => {
  const ceiling = Math.min(range.maximum, range.minimum * 2 ** (failures + 1));
  return milliseconds(Math.round(range.minimum + random * (ceiling - range.minimum)));
};
