// Two different people, one after the other, for a door that nobody enters alone. Pure: time comes with each tap.
//
// 1. Only another card of another person completes a pair; whatever else is tapped begins a new one.

import type { CardNumber } from './card-number.ts';
import type { CardholderId } from './ids.ts';
import type { Milliseconds, MonotonicTime } from './units.ts';

/** A tap that would be granted if it were not for the rule. */
export interface PairTap {
  readonly card: CardNumber;
  readonly cardholder: CardholderId;
  readonly at: MonotonicTime;
}

export interface PairStep {
  /** The tap that waits for another one from now on. */
  readonly waiting: PairTap | undefined;
  /** The tap that this one completes to a pair; undefined where there is none yet. */
  readonly first: PairTap | undefined;
}

export const stepPair = (waiting: PairTap | undefined, tap: PairTap, within: Milliseconds): PairStep =>
  waiting !== undefined && isPair(waiting, tap) && tap.at - waiting.at <= within
    ? { waiting: undefined, first: waiting }
    : { waiting: tap, first: undefined };

const isPair = (one: PairTap, other: PairTap): boolean =>
  one.card !== other.card && one.cardholder !== other.cardholder;
