// The one place that knows what a strike's line has to do: fail mode decides whether power locks or unlocks, polarity
// decides which level is power. De-energized is the safe state for both fail modes.

import type { DoorWiring, StrikeState } from '../../ports/door-io.ts';

/** The electrical level of a line. */
export type LineLevel = 0 | 1;

type StrikeWiring = DoorWiring['strike'];

/** `secure`: power unlocks. `safe`: power locks. */
const isEnergized = (failMode: StrikeWiring['failMode'], state: StrikeState): boolean =>
  (state === 'unlocked') === (failMode === 'secure');

/** The level that means active (or inactive) on a line of this polarity. */
export const levelOf = (wiring: { readonly activeLow: boolean }, active: boolean): LineLevel =>
  active === wiring.activeLow ? 0 : 1;

/** Whether a line of this polarity is active at this level. */
export const isActive = (wiring: { readonly activeLow: boolean }, level: LineLevel): boolean =>
  levelOf(wiring, true) === level;

/** The level that puts the strike into `state`. */
export const strikeLevel = (strike: StrikeWiring, state: StrikeState): LineLevel =>
  levelOf(strike, isEnergized(strike.failMode, state));

/** The level without power on the strike: where a stop or a crash must leave the line. */
export const safeStrikeLevel = (strike: StrikeWiring): LineLevel => levelOf(strike, false);

/** What the door does at `safeStrikeLevel`: a fail-secure one is locked, a fail-safe one unlocked. */
export const safeStrikeState = (strike: StrikeWiring): StrikeState =>
  strike.failMode === 'secure' ? 'locked' : 'unlocked';
