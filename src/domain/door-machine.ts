// One door as a pure machine: step(state, input) -> { state, effects }. Time arrives with every input; the runner carries the
// effects out and calls again at nextDeadline(state).
//
// 1. The strike is unlocked only together with its relock time, or held by the mode `held-open`; nothing else unlocks it.
// 2. A deadline that has passed takes effect before the input that arrives after it, however late the timer is.
// 3. Leaving is never blocked: the exit button releases the strike in every mode.

import type { DoorMode } from './door-mode.ts';
import { after, type Milliseconds, type MonotonicTime, monotonicTime } from './units.ts';

/** How one door behaves; from the configuration. */
export interface DoorTimings {
  /** How long a release unlocks the strike. */
  readonly release: Milliseconds;
  /**
   * How long after a relock by time an opening still counts as lawful: a contact is reported late, by its debouncing and by how
   * busy the process is, and a door that was opened in time must not raise the alarm. 0 where nothing is late.
   */
  readonly grace: Milliseconds;
  /** How long the door may stand open before it counts as held open. */
  readonly heldOpen: Milliseconds;
  /** Lock as soon as the door has closed again, rather than when the release time is over. */
  readonly relockOnClose: boolean;
}

/** What a release is for. `G` is the runner's own record of a granted card, handed back if the door is never opened. */
export type ReleaseCause<G> =
  | { readonly kind: 'card'; readonly grant: G }
  | { readonly kind: 'exit-button' }
  | { readonly kind: 'operator' };

/**
 * locked: nobody may pass without a tap.
 * released: entered by a release, left at `relockAt`, when the door closes behind the person, or by a change of mode.
 *   `untaken` is the grant that nobody has used yet.
 * relocked: locked. Entered from released when the time is over and the door is closed, left at `graceUntil`, when the door is
 *   reported open after all, or by a release or a change of mode; the grant waits to be reported as not taken.
 * held: unlocked for as long as the mode is `held-open`.
 */
export type StrikePhase<G> =
  | { readonly kind: 'locked' }
  | { readonly kind: 'released'; readonly relockAt: MonotonicTime; readonly untaken: G | undefined }
  | { readonly kind: 'relocked'; readonly graceUntil: MonotonicTime; readonly untaken: G | undefined }
  | { readonly kind: 'held' };

/**
 * unmonitored: the door has no contact. closed. open: lawfully, until `heldOpenAt` (undefined in mode `held-open`).
 * held-open: too long. forced-open: without a release; both last until the door closes or the mode allows it to stand open.
 */
export type LeafPhase =
  | { readonly kind: 'unmonitored' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly heldOpenAt: MonotonicTime | undefined }
  | { readonly kind: 'held-open' }
  | { readonly kind: 'forced-open' };

export interface DoorState<G> {
  readonly timings: DoorTimings;
  readonly mode: DoorMode;
  readonly strike: StrikePhase<G>;
  readonly leaf: LeafPhase;
}

export type DoorMachineInput<G> =
  | { readonly kind: 'release'; readonly at: MonotonicTime; readonly cause: ReleaseCause<G> }
  | { readonly kind: 'position'; readonly at: MonotonicTime; readonly position: 'open' | 'closed' }
  | { readonly kind: 'mode'; readonly at: MonotonicTime; readonly mode: DoorMode }
  /** The strike could not be driven to unlocked, and is locked again: whoever was let in was not. */
  | { readonly kind: 'strike-failed'; readonly at: MonotonicTime }
  | { readonly kind: 'time'; readonly at: MonotonicTime };

export type DoorEventName =
  | 'access-not-taken'
  | 'door-opened'
  | 'door-closed'
  | 'door-held-open'
  | 'door-held-open-cleared'
  | 'door-forced-open'
  | 'door-forced-open-cleared'
  | 'exit-requested';

export type DoorEffect<G> =
  | { readonly kind: 'strike'; readonly state: 'locked' | 'unlocked' }
  | { readonly kind: 'event'; readonly event: DoorEventName; readonly grant?: G }
  /** A card or an operator asked for a release that the mode forbids. */
  | { readonly kind: 'refused'; readonly mode: DoorMode };

export interface DoorStep<G> {
  readonly state: DoorState<G>;
  readonly effects: readonly DoorEffect<G>[];
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
});

/** When the runner must call again with a `time` input, if nothing else happens before. */
export const nextDeadline = <G>(state: DoorState<G>): MonotonicTime | undefined => {
  const strikeAt = strikeDeadline(state.strike);
  const heldOpenAt = state.leaf.kind === 'open' ? state.leaf.heldOpenAt : undefined;
  if (strikeAt === undefined || heldOpenAt === undefined) return strikeAt ?? heldOpenAt;
  return monotonicTime(Math.min(strikeAt, heldOpenAt));
};

const strikeDeadline = <G>(strike: StrikePhase<G>): MonotonicTime | undefined => {
  if (strike.kind === 'released') return strike.relockAt;
  return strike.kind === 'relocked' ? strike.graceUntil : undefined;
};

export const stepDoor = <G>(state: DoorState<G>, input: DoorMachineInput<G>): DoorStep<G> => {
  const expired = expire(state, input.at);
  const { state: next, effects } = react(expired.state, input);
  return { state: next, effects: [...expired.effects, ...effects] };
};

const react = <G>(state: DoorState<G>, input: DoorMachineInput<G>): DoorStep<G> => {
  switch (input.kind) {
    case 'time':
      return { state, effects: [] };
    case 'strike-failed':
      // Mode `held-open` stays what the operator wants; the runner says that the strike does not follow.
      return {
        state: state.strike.kind === 'released' ? { ...state, strike: { kind: 'locked' } } : state,
        effects: [],
      };
    case 'release':
      return release(state, input.cause, input.at);
    case 'position':
      return input.position === 'open' ? opened(state, input.at) : closed(state);
    case 'mode':
      return changeMode(state, input.mode, input.at);
  }
};

const event = <G>(name: DoorEventName): DoorEffect<G> => ({ kind: 'event', event: name });
const LOCK = { kind: 'strike', state: 'locked' } as const;
const UNLOCK = { kind: 'strike', state: 'unlocked' } as const;

const expire = <G>(state: DoorState<G>, at: MonotonicTime): DoorStep<G> => {
  const { leaf, timings } = state;
  const effects: DoorEffect<G>[] = [];
  let { strike } = state;
  if (strike.kind === 'released' && at >= strike.relockAt) {
    // Only of a closed door can an opening be on its way.
    strike =
      leaf.kind === 'closed'
        ? { kind: 'relocked', graceUntil: after(strike.relockAt, timings.grace), untaken: strike.untaken }
        : { kind: 'locked' };
    effects.push(LOCK);
  }
  if (strike.kind === 'relocked' && at >= strike.graceUntil) {
    effects.push(...notTaken(strike));
    strike = { kind: 'locked' };
  }
  let next: DoorState<G> = strike === state.strike ? state : { ...state, strike };
  if (leaf.kind === 'open' && leaf.heldOpenAt !== undefined && at >= leaf.heldOpenAt) {
    next = { ...next, leaf: { kind: 'held-open' } };
    effects.push(event('door-held-open'));
  }
  return { state: next, effects };
};

/** The grant that waits for the door to be opened. */
const untakenOf = <G>(strike: StrikePhase<G>): G | undefined =>
  strike.kind === 'released' || strike.kind === 'relocked' ? strike.untaken : undefined;

const notTaken = <G>(strike: StrikePhase<G>): DoorEffect<G>[] => {
  const grant = untakenOf(strike);
  return grant === undefined ? [] : [{ kind: 'event', event: 'access-not-taken', grant }];
};

const isUnlocked = <G>(strike: StrikePhase<G>): boolean => strike.kind === 'released' || strike.kind === 'held';

const release = <G>(state: DoorState<G>, cause: ReleaseCause<G>, at: MonotonicTime): DoorStep<G> => {
  const effects: DoorEffect<G>[] = cause.kind === 'exit-button' ? [event('exit-requested')] : [];
  if (state.mode === 'blocked' && cause.kind !== 'exit-button') {
    return { state, effects: [{ kind: 'refused', mode: state.mode }] };
  }
  if (state.strike.kind === 'held') return { state, effects };

  // Only a closed, monitored door can tell that a grant was not taken; where a second grant follows, the first is reported.
  const untaken = cause.kind === 'card' && state.leaf.kind === 'closed' ? cause.grant : undefined;
  const earlier = cause.kind === 'card' ? notTaken(state.strike) : [];
  const kept = cause.kind === 'card' ? untaken : untakenOf(state.strike);
  const strike: StrikePhase<G> = { kind: 'released', relockAt: after(at, state.timings.release), untaken: kept };
  // Somebody is allowed through an open door: the time for which it may stand open begins anew.
  const leaf: LeafPhase =
    state.leaf.kind === 'open' ? { kind: 'open', heldOpenAt: after(at, state.timings.heldOpen) } : state.leaf;
  const unlock = state.strike.kind === 'released' ? [] : [UNLOCK];
  return { state: { ...state, strike, leaf }, effects: [...effects, ...earlier, ...unlock] };
};

const opened = <G>(state: DoorState<G>, at: MonotonicTime): DoorStep<G> => {
  if (state.leaf.kind !== 'closed') return { state, effects: [] };
  if (state.strike.kind === 'locked') {
    return { state: { ...state, leaf: { kind: 'forced-open' } }, effects: [event('door-forced-open')] };
  }
  const heldOpenAt = state.mode === 'held-open' ? undefined : after(at, state.timings.heldOpen);
  const strike: StrikePhase<G> =
    state.strike.kind === 'released'
      ? { ...state.strike, untaken: undefined }
      : state.strike.kind === 'relocked'
        ? { kind: 'locked' }
        : state.strike;
  return { state: { ...state, strike, leaf: { kind: 'open', heldOpenAt } }, effects: [event('door-opened')] };
};

const closed = <G>(state: DoorState<G>): DoorStep<G> => {
  const { leaf, strike, timings } = state;
  if (leaf.kind === 'closed' || leaf.kind === 'unmonitored') return { state, effects: [] };
  const cleared = clearing<G>(leaf);
  const isRelocked = strike.kind === 'released' && timings.relockOnClose;
  return {
    state: { ...state, leaf: { kind: 'closed' }, strike: isRelocked ? { kind: 'locked' } : strike },
    effects: [...(isRelocked ? [LOCK] : []), ...cleared, event('door-closed')],
  };
};

const clearing = <G>(leaf: LeafPhase): DoorEffect<G>[] => {
  if (leaf.kind === 'held-open') return [event('door-held-open-cleared')];
  return leaf.kind === 'forced-open' ? [event('door-forced-open-cleared')] : [];
};

const changeMode = <G>(state: DoorState<G>, mode: DoorMode, at: MonotonicTime): DoorStep<G> => {
  if (mode === state.mode) return { state, effects: [] };
  if (mode === 'held-open') {
    const isOpen = state.leaf.kind !== 'closed' && state.leaf.kind !== 'unmonitored';
    const leaf: LeafPhase = isOpen ? { kind: 'open', heldOpenAt: undefined } : state.leaf;
    const unlock = state.strike.kind === 'released' ? [] : [UNLOCK];
    return {
      state: { ...state, mode, strike: { kind: 'held' }, leaf },
      effects: [...unlock, ...clearing<G>(state.leaf)],
    };
  }
  const wasHeld = state.strike.kind === 'held';
  const isLocked = wasHeld || mode === 'blocked';
  const lock = isLocked && isUnlocked(state.strike) ? [LOCK] : [];
  const unused = isLocked ? notTaken(state.strike) : [];
  const leaf: LeafPhase =
    wasHeld && state.leaf.kind === 'open'
      ? { kind: 'open', heldOpenAt: after(at, state.timings.heldOpen) }
      : state.leaf;
  return {
    state: { ...state, mode, strike: isLocked ? { kind: 'locked' } : state.strike, leaf },
    effects: [...lock, ...unused],
  };
};
