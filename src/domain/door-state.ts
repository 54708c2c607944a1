// What is known of one door: how it behaves, what its strike and its leaf are doing, and until when. Pure; door-machine.ts steps it.

import type { DoorMode } from './door-mode.ts';
import { after, type Milliseconds, type MonotonicTime, monotonicTime } from './units.ts';

/** How one door behaves; from the configuration. */
export interface DoorTimings {
  /** How long a release unlocks the strike. */
  readonly release: Milliseconds;
  /**
   * The same for a person who needs more time; at least `release`. By as much longer the door may then stand open before the
   * warning and the alarm.
   */
  readonly extendedRelease: Milliseconds;
  /**
   * How long after a relock by time an opening still counts as lawful: a contact is reported late, by its debouncing and by how
   * busy the process is, and a door that was opened in time must not raise the alarm. 0 where nothing is late.
   */
  readonly grace: Milliseconds;
  /** How long the door may stand open before it counts as held open. */
  readonly heldOpen: Milliseconds;
  /** How long before that the person at the door is warned; less than `heldOpen`, 0: not at all. */
  readonly heldOpenWarning: Milliseconds;
  /** Lock as soon as the door has closed again, rather than when the release time is over. */
  readonly relockOnClose: boolean;
  /** What the exit button does: it releases the strike, or only makes an opening lawful, where a handle opens from inside. */
  readonly exitAction: 'release' | 'shunt';
}

/**
 * locked: nobody may pass without a tap.
 * released: entered by a release, left at `relockAt`, when the door closes behind the person, or by a change of mode.
 *   `untaken` is the grant that nobody has used yet.
 * relocked: locked. Entered when the time of a release is over, or the mode holds the strike no more, and the door is closed;
 *   left at `graceUntil`, when the door is reported open after all, or by a release or a change of mode; the grant waits to be
 *   reported as not taken.
 * held: unlocked for as long as the mode is `held-open` or `unlocked`.
 */
export type StrikePhase<G> =
  | { readonly kind: 'locked' }
  | ({ readonly kind: 'released'; readonly relockAt: MonotonicTime } & ReleaseTerms<G>)
  | ({ readonly kind: 'relocked'; readonly graceUntil: MonotonicTime } & ReleaseTerms<G>)
  | { readonly kind: 'held' };

/** What is left of a release while the door waits to be opened. */
export interface ReleaseTerms<G> {
  /** The grant that nobody has used yet; `G` is the runner's own record of a granted card. */
  readonly untaken: G | undefined;
  /** Whoever opens the door may take longer. */
  readonly isExtended: boolean;
}

/**
 * unmonitored: the door has no contact. closed. open: lawfully, until `heldOpenAt` (undefined while the mode holds the strike).
 * warned: the same, and close to `heldOpenAt`. held-open: too long. forced-open: without a release; both last until the door
 * closes or the mode allows it to stand open.
 */
export type LeafPhase =
  | { readonly kind: 'unmonitored' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly heldOpenAt: MonotonicTime | undefined }
  | { readonly kind: 'warned'; readonly heldOpenAt: MonotonicTime }
  | { readonly kind: 'held-open' }
  | { readonly kind: 'forced-open' };

export interface DoorState<G> {
  readonly timings: DoorTimings;
  readonly mode: DoorMode;
  readonly strike: StrikePhase<G>;
  readonly leaf: LeafPhase;
  /** Until then one opening of the locked door is lawful: somebody inside has pressed the button that shunts the contact. */
  readonly shuntUntil: MonotonicTime | undefined;
}

/** A door as it is found at start: an open one counts as lawfully open, and its time begins now. */
export const initialDoor = <G>(
  timings: DoorTimings,
  found: { readonly position: 'open' | 'closed' | undefined; readonly at: MonotonicTime },
): DoorState<G> => ({
  timings,
  mode: 'normal',
  strike: { kind: 'locked' },
  leaf:
    found.position === undefined
      ? { kind: 'unmonitored' }
      : found.position === 'closed'
        ? { kind: 'closed' }
        : { kind: 'open', heldOpenAt: after(found.at, timings.heldOpen) },
  shuntUntil: undefined,
});

/** When the runner must call again with a `time` input, if nothing else happens before. */
export const nextDeadline = <G>(state: DoorState<G>): MonotonicTime | undefined => {
  const strikeAt = strikeDeadline(state.strike);
  const leafAt = leafDeadline(state);
  if (strikeAt === undefined || leafAt === undefined) return strikeAt ?? leafAt;
  return monotonicTime(Math.min(strikeAt, leafAt));
};

const strikeDeadline = <G>(strike: StrikePhase<G>): MonotonicTime | undefined => {
  if (strike.kind === 'released') return strike.relockAt;
  return strike.kind === 'relocked' ? strike.graceUntil : undefined;
};

const leafDeadline = <G>({ leaf, timings }: DoorState<G>): MonotonicTime | undefined => {
  if (leaf.kind === 'warned') return leaf.heldOpenAt;
  return leaf.kind === 'open' && leaf.heldOpenAt !== undefined ? warningAt(leaf.heldOpenAt, timings) : undefined;
};

/** When the person is warned; the end of the time itself where nobody is. */
export const warningAt = (heldOpenAt: MonotonicTime, { heldOpenWarning }: DoorTimings): MonotonicTime =>
  monotonicTime(heldOpenAt - heldOpenWarning);

/** Whether the person at the door is to be told to close it: from the warning on, and no less when the alarm has begun. */
export const isWarning = <G>({ leaf, timings }: DoorState<G>): boolean =>
  leaf.kind === 'warned' || (leaf.kind === 'held-open' && timings.heldOpenWarning > 0);
