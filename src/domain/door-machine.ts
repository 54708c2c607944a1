// One door as a pure machine: step(state, input) -> { state, effects }. Time arrives with every input; the runner carries the
// effects out and calls again at nextDeadline(state).
//
// 1. The strike is unlocked only together with its relock time, or held by a mode that holds it; nothing else unlocks it.
// 2. A deadline that has passed takes effect before the input that arrives after it, however late the timer is.
// 3. Leaving is never blocked: the exit button does what it does in every mode.
// 4. Of each grant that released the strike it is told once what became of it: taken, or not taken.

import { type DoorMode, isOpenMode } from './door-mode.ts';
import {
  type DoorState,
  type DoorTimings,
  type LeafPhase,
  type ReleaseTerms,
  type StrikePhase,
  warningAt,
} from './door-state.ts';
import { after, type Milliseconds, type MonotonicTime, milliseconds } from './units.ts';

/** What a release is for. `G` is the runner's own record of a granted card, handed back when it is taken or not taken. */
export type ReleaseCause<G> =
  | {
      readonly kind: 'card';
      readonly grant: G;
      /** Releases in a lockdown too. */
      readonly overridesLockdown: boolean;
      /** `extendedRelease` holds instead of `release`. */
      readonly isExtended: boolean;
    }
  | { readonly kind: 'exit-button' }
  | { readonly kind: 'operator' };

export type DoorMachineInput<G> =
  | { readonly kind: 'release'; readonly at: MonotonicTime; readonly cause: ReleaseCause<G> }
  | { readonly kind: 'position'; readonly at: MonotonicTime; readonly position: 'open' | 'closed' }
  | { readonly kind: 'mode'; readonly at: MonotonicTime; readonly mode: DoorMode }
  /**
   * The strike could not be driven to unlocked, and is locked again: whoever was let in was not. `denied` is the grant that it
   * was to be unlocked for: the runner denies it, and nothing more is told of it.
   */
  | { readonly kind: 'strike-failed'; readonly at: MonotonicTime; readonly denied: G | undefined }
  | { readonly kind: 'time'; readonly at: MonotonicTime };

export type DoorEventName =
  | 'access-not-taken'
  | 'door-opened'
  | 'door-closed'
  | 'door-held-open-warning'
  | 'door-held-open'
  | 'door-held-open-cleared'
  | 'door-forced-open'
  | 'door-forced-open-cleared'
  | 'exit-requested';

export type DoorEffect<G> =
  | { readonly kind: 'strike'; readonly state: 'locked' | 'unlocked' }
  | { readonly kind: 'event'; readonly event: DoorEventName; readonly grant?: G }
  /** The door was opened on this grant, or nothing can tell whether it was. */
  | { readonly kind: 'taken'; readonly grant: G }
  /** A card or an operator asked for a release that the mode forbids. */
  | { readonly kind: 'refused'; readonly mode: DoorMode };

export interface DoorStep<G> {
  readonly state: DoorState<G>;
  readonly effects: readonly DoorEffect<G>[];
}

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
      return strikeFailed(state, input.denied);
    case 'release':
      return release(state, input.cause, input.at);
    case 'position':
      return input.position === 'open' ? opened(state, input.at) : closed(state);
    case 'mode':
      return input.mode === state.mode ? { state, effects: [] } : changeMode(state, input.mode, input.at);
  }
};

const event = <G>(name: DoorEventName): DoorEffect<G> => ({ kind: 'event', event: name });
const LOCK = { kind: 'strike', state: 'locked' } as const;
const UNLOCK = { kind: 'strike', state: 'unlocked' } as const;
const NO_TERMS = { untaken: undefined, isExtended: false } as const;

const expire = <G>(state: DoorState<G>, at: MonotonicTime): DoorStep<G> => {
  const strike = expireStrike(state, at);
  const leaf = expireLeaf(state, at);
  const shuntUntil = state.shuntUntil !== undefined && at >= state.shuntUntil ? undefined : state.shuntUntil;
  return {
    state: { ...state, strike: strike.phase, leaf: leaf.phase, shuntUntil },
    effects: [...strike.effects, ...leaf.effects],
  };
};

interface Expiry<Phase, G> {
  readonly phase: Phase;
  readonly effects: readonly DoorEffect<G>[];
}

const expireStrike = <G>({ strike, leaf, timings }: DoorState<G>, at: MonotonicTime): Expiry<StrikePhase<G>, G> => {
  let phase = strike;
  const effects: DoorEffect<G>[] = [];
  if (phase.kind === 'released' && at >= phase.relockAt) {
    const { relockAt, untaken, isExtended } = phase;
    // Only of a closed door can an opening be on its way.
    phase =
      leaf.kind === 'closed'
        ? { kind: 'relocked', graceUntil: after(relockAt, timings.grace), untaken, isExtended }
        : { kind: 'locked' };
    effects.push(LOCK);
  }
  if (phase.kind === 'relocked' && at >= phase.graceUntil) {
    effects.push(...notTaken(phase));
    phase = { kind: 'locked' };
  }
  return { phase, effects };
};

const expireLeaf = <G>({ leaf, timings }: DoorState<G>, at: MonotonicTime): Expiry<LeafPhase, G> => {
  let phase = leaf;
  const effects: DoorEffect<G>[] = [];
  if (phase.kind === 'open' && phase.heldOpenAt !== undefined && at >= warningAt(phase.heldOpenAt, timings)) {
    if (timings.heldOpenWarning > 0) effects.push(event('door-held-open-warning'));
    phase = { kind: 'warned', heldOpenAt: phase.heldOpenAt };
  }
  if (phase.kind === 'warned' && at >= phase.heldOpenAt) {
    effects.push(event('door-held-open'));
    phase = { kind: 'held-open' };
  }
  return { phase, effects };
};

/** What is left of an earlier release while the door waits to be opened. */
const termsOf = <G>(strike: StrikePhase<G>): ReleaseTerms<G> =>
  strike.kind === 'released' || strike.kind === 'relocked' ? strike : NO_TERMS;

const notTaken = <G>(strike: StrikePhase<G>): DoorEffect<G>[] => {
  const { untaken } = termsOf(strike);
  return untaken === undefined ? [] : [{ kind: 'event', event: 'access-not-taken', grant: untaken }];
};

const taken = <G>(strike: StrikePhase<G>): DoorEffect<G>[] => {
  const { untaken } = termsOf(strike);
  return untaken === undefined ? [] : [{ kind: 'taken', grant: untaken }];
};

const isUnlocked = <G>(strike: StrikePhase<G>): boolean => strike.kind === 'released' || strike.kind === 'held';

const isForbidden = <G>(mode: DoorMode, cause: ReleaseCause<G>): boolean => {
  if (cause.kind === 'exit-button') return false;
  if (mode === 'lockdown') return cause.kind !== 'card' || !cause.overridesLockdown;
  return mode === 'blocked';
};

const strikeFailed = <G>(state: DoorState<G>, denied: G | undefined): DoorStep<G> => {
  // A mode that holds the strike stays what was ordered; the runner says that the strike does not follow.
  if (state.strike.kind !== 'released') return { state, effects: [] };
  const unused = state.strike.untaken === denied ? [] : notTaken(state.strike);
  return { state: { ...state, strike: { kind: 'locked' } }, effects: unused };
};

const release = <G>(state: DoorState<G>, cause: ReleaseCause<G>, at: MonotonicTime): DoorStep<G> => {
  const { mode, strike, timings } = state;
  if (isForbidden(mode, cause)) return { state, effects: [{ kind: 'refused', mode }] };
  const isShunt = cause.kind === 'exit-button' && timings.exitAction === 'shunt';
  const requested: DoorEffect<G>[] = cause.kind === 'exit-button' ? [event('exit-requested')] : [];
  const own: DoorEffect<G>[] = cause.kind === 'card' ? [{ kind: 'taken', grant: cause.grant }] : [];
  const isExtended = cause.kind === 'card' && cause.isExtended;
  const next = { ...state, leaf: stayingOpen(state, { at, isExtended }) };
  if (isShunt) {
    const shuntUntil = after(at, milliseconds(timings.release + timings.grace));
    return { state: { ...next, shuntUntil }, effects: requested };
  }
  if (strike.kind === 'held') return { state, effects: [...requested, ...own] };

  // Only a closed, monitored door can tell that a grant was not taken; where a second grant follows, the first is reported.
  const isWaiting = cause.kind === 'card' && state.leaf.kind === 'closed';
  const earlier = termsOf(strike);
  const duration = isExtended ? timings.extendedRelease : timings.release;
  const released: StrikePhase<G> = {
    kind: 'released',
    relockAt: later(after(at, duration), strike.kind === 'released' ? strike.relockAt : at),
    untaken: isWaiting ? cause.grant : cause.kind === 'card' ? undefined : earlier.untaken,
    isExtended: isExtended || earlier.isExtended,
  };
  const unused = cause.kind === 'card' ? notTaken(strike) : [];
  const unlock = strike.kind === 'released' ? [] : [UNLOCK];
  return {
    state: { ...next, strike: released },
    effects: [...requested, ...unused, ...unlock, ...(isWaiting ? [] : own)],
  };
};

const later = (a: MonotonicTime, b: MonotonicTime): MonotonicTime => (a > b ? a : b);

/** How long an opened door may stay open. */
const openTime = ({ heldOpen, release: usual, extendedRelease }: DoorTimings, isExtended: boolean): Milliseconds =>
  isExtended ? milliseconds(heldOpen + extendedRelease - usual) : heldOpen;

/** Somebody is allowed through: the time for which a lawfully open door may stand open begins anew. */
const stayingOpen = <G>(
  { leaf, timings }: DoorState<G>,
  { at, isExtended }: { readonly at: MonotonicTime; readonly isExtended: boolean },
): LeafPhase => {
  if ((leaf.kind !== 'open' && leaf.kind !== 'warned') || leaf.heldOpenAt === undefined) return leaf;
  return { kind: 'open', heldOpenAt: later(after(at, openTime(timings, isExtended)), leaf.heldOpenAt) };
};

const opened = <G>(state: DoorState<G>, at: MonotonicTime): DoorStep<G> => {
  const { leaf, strike, timings, shuntUntil } = state;
  if (leaf.kind !== 'closed') return { state, effects: [] };
  if (strike.kind === 'locked' && shuntUntil === undefined) {
    return { state: { ...state, leaf: { kind: 'forced-open' } }, effects: [event('door-forced-open')] };
  }
  const heldOpenAt = strike.kind === 'held' ? undefined : after(at, openTime(timings, termsOf(strike).isExtended));
  return {
    state: {
      ...state,
      strike: afterOpening(strike),
      leaf: { kind: 'open', heldOpenAt },
      shuntUntil: strike.kind === 'locked' ? undefined : shuntUntil,
    },
    effects: [event('door-opened'), ...taken(strike)],
  };
};

/** One opening uses the grant up, and the grace. */
const afterOpening = <G>(strike: StrikePhase<G>): StrikePhase<G> => {
  if (strike.kind === 'released') return { ...strike, untaken: undefined };
  return strike.kind === 'relocked' ? { kind: 'locked' } : strike;
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
  if (isOpenMode(mode)) return hold(state, mode);
  const { strike, leaf, timings } = state;
  const next: DoorState<G> =
    strike.kind === 'held' && leaf.kind === 'open'
      ? { ...state, mode, leaf: { kind: 'open', heldOpenAt: after(at, timings.heldOpen) } }
      : { ...state, mode };
  const lock = isUnlocked(strike) ? [LOCK] : [];
  if (mode !== 'normal') {
    return { state: { ...next, strike: { kind: 'locked' } }, effects: [...lock, ...notTaken(strike)] };
  }
  if (strike.kind !== 'held') return { state: next, effects: [] };
  const isClosed = leaf.kind === 'closed';
  const relocked: StrikePhase<G> = { kind: 'relocked', graceUntil: after(at, timings.grace), ...NO_TERMS };
  return { state: { ...next, strike: isClosed ? relocked : { kind: 'locked' } }, effects: lock };
};

/** Whoever waits to open the door may do so now, as everybody: nothing tells any more whether it was on the grant. */
const hold = <G>(state: DoorState<G>, mode: DoorMode): DoorStep<G> => {
  const { strike, leaf } = state;
  const isShut = leaf.kind === 'closed' || leaf.kind === 'unmonitored';
  return {
    state: { ...state, mode, strike: { kind: 'held' }, leaf: isShut ? leaf : { kind: 'open', heldOpenAt: undefined } },
    effects: [...taken(strike), ...(isUnlocked(strike) ? [] : [UNLOCK]), ...clearing<G>(leaf)],
  };
};
