// One door as a pure machine: step(state, input) -> { state, effects }. Time arrives with every input; the runner carries the
// effects out and calls again at nextDeadline(state).
//
// 1. The strike is unlocked only together with its relock time, or held by a mode that holds it; nothing else unlocks it.
// 2. A deadline that has passed takes effect before the input that arrives after it, however late the timer is.
// 3. Leaving is never blocked: the exit button does what it does in every mode.
// 4. Of each grant that released the strike it is told once what became of it: taken, or not taken.

import type { DoorMode } from './door-mode.ts';
import { after, type Milliseconds, type MonotonicTime, milliseconds, monotonicTime } from './units.ts';

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

interface ReleaseTerms<G> {
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

/** The end of the time itself where nobody is warned. */
const warningAt = (heldOpenAt: MonotonicTime, { heldOpenWarning }: DoorTimings): MonotonicTime =>
  monotonicTime(heldOpenAt - heldOpenWarning);

/** Whether the person at the door is to be told to close it: from the warning on, and no less when the alarm has begun. */
export const isWarning = <G>({ leaf, timings }: DoorState<G>): boolean =>
  leaf.kind === 'warned' || (leaf.kind === 'held-open' && timings.heldOpenWarning > 0);

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

/** Open to everybody. */
const isHolding = (mode: DoorMode): boolean => mode === 'held-open' || mode === 'unlocked';

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
  if (isHolding(mode)) return hold(state, mode);
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
