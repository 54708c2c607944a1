// Whether somebody may go through a door of a zone once more the same way: a card that was handed back through the fence is to
// open nothing for the next person. Pure.
//
// 1. Only what is known of a person counts: who is nowhere in particular may go both ways.

import type { Direction } from './access-event.ts';
import type { Passage } from './passage.ts';
import type { Milliseconds } from './units.ts';

export const ANTI_PASSBACK_MODES = ['off', 'soft', 'hard', 'timed'] as const;

/**
 * off: everybody passes. soft: everybody passes, and the event says so. hard: nobody enters who is inside, nobody leaves who is
 * outside. timed: nobody enters who is inside and has entered less than `within` ago; leaving is not judged.
 */
export type AntiPassback =
  | { readonly mode: Exclude<(typeof ANTI_PASSBACK_MODES)[number], 'timed'> }
  | { readonly mode: 'timed'; readonly within: Milliseconds };

/** Where a person is held to be, and for how long at least. */
export interface KnownPlace {
  readonly place: Passage['place'];
  readonly age: Milliseconds;
}

/** noted: it would be a second time, and the zone only wants to know. */
export type PassbackVerdict = 'clear' | 'noted' | 'denied';

export const placeBehind = (direction: Direction): Passage['place'] => (direction === 'in' ? 'inside' : 'outside');

/** `known` is undefined for somebody of whom nothing is known, or whose earlier passages are forgiven. */
export const judgePassback = (
  rule: AntiPassback,
  direction: Direction,
  known: KnownPlace | undefined,
): PassbackVerdict => {
  if (known?.place !== placeBehind(direction)) return 'clear';
  switch (rule.mode) {
    case 'off':
      return 'clear';
    case 'soft':
      return 'noted';
    case 'hard':
      return 'denied';
    case 'timed':
      return direction === 'in' && known.age < rule.within ? 'denied' : 'clear';
  }
};
