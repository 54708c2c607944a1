// Long random walks of the door machine, with what must hold at every step. The table of single steps stands in
// door-machine.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DoorEffect, type DoorMachineInput, stepDoor } from '../../src/domain/door-machine.ts';
import { DOOR_MODES, type DoorMode } from '../../src/domain/door-mode.ts';
import { type DoorState, type DoorTimings, initialDoor, isWarning, nextDeadline } from '../../src/domain/door-state.ts';
import { milliseconds, monotonicTime } from '../../src/domain/units.ts';
import { timingsOf } from '../fixtures/door-timings.ts';
import { type Random, seededRandom } from '../fixtures/seeded-random.ts';

const STEPS = 100_000;
/** Of the walks that differ from the first in one setting only. */
const FEWER_STEPS = 25_000;
const START = 1000;
const RELEASE = 5;
const EXTENDED = 12;
const HELD_OPEN = 30;
const WARNING = 10;
const GRACE = 4;
const timings = timingsOf({
  release: milliseconds(RELEASE),
  extendedRelease: milliseconds(EXTENDED),
  grace: milliseconds(GRACE),
  heldOpen: milliseconds(HELD_OPEN),
  heldOpenWarning: milliseconds(WARNING),
});

type Input = DoorMachineInput<string>;
type State = DoorState<string>;

interface Step {
  readonly before: State;
  readonly state: State;
  readonly input: Input;
  readonly effects: readonly DoorEffect<string>[];
}

interface Walk {
  readonly seed: number;
  readonly position?: 'closed' | 'open' | undefined;
  readonly timings?: Partial<DoorTimings>;
  readonly steps?: number;
}

const holds = (mode: DoorMode): boolean => mode === 'held-open' || mode === 'unlocked';
const locks = (mode: DoorMode): boolean => mode === 'blocked' || mode === 'lockdown';

const chooseInput = (random: Random, at: Input['at'], grant: string): Input => {
  const kind = random.below(14);
  if (kind < 4) {
    const isExtended = random.below(4) === 0;
    const overridesLockdown = random.below(4) === 0;
    return { kind: 'release', at, cause: { kind: 'card', grant, overridesLockdown, isExtended } };
  }
  if (kind < 5) return { kind: 'release', at, cause: { kind: 'exit-button' } };
  if (kind < 6) return { kind: 'release', at, cause: { kind: 'operator' } };
  if (kind < 8) return { kind: 'position', at, position: 'open' };
  if (kind < 10) return { kind: 'position', at, position: 'closed' };
  if (kind < 12) return { kind: 'mode', at, mode: random.below(2) === 0 ? 'normal' : random.pick(DOOR_MODES) };
  return { kind: 'time', at };
};

/** Every strike that is to be unlocked fails to, now and then; then the runner says so. */
function* randomWalk({ seed, position, timings: special, steps = STEPS }: Walk): Generator<Step> {
  const random = seededRandom(seed);
  let now = START;
  let state = initialDoor<string>({ ...timings, ...special }, { position, at: monotonicTime(now) });
  for (let i = 0; i < steps; i++) {
    now += random.pick([0, 0, 1, 1, 2, 4, 10, 40]);
    const at = monotonicTime(now);
    const input = chooseInput(random, at, `g${i}`);
    const step = stepDoor(state, input);
    yield { before: state, input, ...step };
    state = step.state;
    if (random.below(20) > 0 || !step.effects.some(isUnlocking)) continue;
    const denied = grantAsking(input);
    const failure: Input = { kind: 'strike-failed', at, denied };
    const failed = stepDoor(state, failure);
    yield { before: state, input: failure, ...failed };
    state = failed.state;
  }
}

const isUnlocking = (effect: DoorEffect<string>): boolean => effect.kind === 'strike' && effect.state === 'unlocked';

const grantAsking = (input: Input): string | undefined =>
  input.kind === 'release' && input.cause.kind === 'card' ? input.cause.grant : undefined;

const hasEvent = (effects: readonly DoorEffect<string>[], name: string): boolean =>
  effects.some((effect) => effect.kind === 'event' && effect.event === name);

const DOORS: readonly (readonly [string, Walk])[] = [
  ['a door', { seed: 1, position: 'closed' }],
  [
    'a door that stays unlocked when it has closed',
    { seed: 2, position: 'closed', steps: FEWER_STEPS, timings: { relockOnClose: false } },
  ],
  [
    'a door whose exit button shunts',
    { seed: 3, position: 'open', steps: FEWER_STEPS, timings: { exitAction: 'shunt' } },
  ],
  [
    'a door without grace and warning',
    {
      seed: 4,
      position: 'closed',
      steps: FEWER_STEPS,
      timings: { grace: milliseconds(0), heldOpenWarning: milliseconds(0) },
    },
  ],
  ['a door without a contact', { seed: 5, position: undefined, steps: FEWER_STEPS }],
];

for (const [what, walk] of DOORS) {
  const { steps = STEPS } = walk;

  test(`invariant 6: on a walk of ${steps} steps the strike of ${what} always has a deadline or the mode to hold it`, () => {
    let strike = 'locked';
    for (const { state, input, effects } of randomWalk(walk)) {
      if (input.kind === 'strike-failed' && !holds(state.mode)) strike = 'locked';
      for (const effect of effects) {
        if (effect.kind !== 'strike') continue;
        assert.notEqual(effect.state, strike, 'the strike is told only what is new to it');
        strike = effect.state;
      }
      assert.equal(strike === 'unlocked', state.strike.kind === 'released' || state.strike.kind === 'held');
      assert.equal(state.strike.kind === 'held', holds(state.mode));
      if (state.strike.kind === 'released') {
        assert.ok(state.strike.relockAt > input.at && state.strike.relockAt <= input.at + EXTENDED);
        assert.ok((nextDeadline(state) ?? Number.POSITIVE_INFINITY) <= state.strike.relockAt);
      }
      if (state.strike.kind === 'relocked') {
        assert.equal(state.leaf.kind, 'closed');
        assert.ok(state.strike.graceUntil <= input.at + GRACE);
        assert.equal(nextDeadline(state), state.strike.graceUntil);
      }
      if (walk.position === undefined) assert.equal(state.leaf.kind, 'unmonitored');
    }
  });

  test(`on a walk of ${steps} steps no deadline of ${what} is missed or moved backwards`, () => {
    for (const { before, state, input } of randomWalk(walk)) {
      const { at } = input;
      const deadline = nextDeadline(state);
      assert.ok(deadline === undefined || deadline > at || isDueAtOnce(state, at), 'what is over is over');
      if (before.strike.kind === 'released' && state.strike.kind === 'released') {
        assert.ok(state.strike.relockAt >= before.strike.relockAt);
      }
      const [until, earlier] = [openUntil(state), openUntil(before)];
      if (until !== undefined && earlier !== undefined && state.mode === before.mode && input.kind !== 'position') {
        assert.ok(until >= earlier);
      }
      if (before.shuntUntil !== undefined && state.shuntUntil !== undefined) {
        assert.ok(state.shuntUntil >= before.shuntUntil);
      }
    }
  });

  test(`on a walk of ${steps} steps a mode that locks ${what} beats every grant but the ones that override a lockdown`, () => {
    const counts = { refused: 0, overridden: 0, left: 0 };
    for (const { before, state, input, effects } of randomWalk(walk)) {
      if (input.kind === 'mode' && locks(input.mode) && input.mode !== before.mode) {
        assert.equal(state.strike.kind, 'locked');
      }
      if (input.kind !== 'release') {
        assert.ok(!locks(state.mode) || !effects.some(isUnlocking));
        continue;
      }
      const { cause } = input;
      const isAllowed =
        !locks(before.mode) ||
        cause.kind === 'exit-button' ||
        (before.mode === 'lockdown' && cause.kind === 'card' && cause.overridesLockdown);
      assert.equal(
        effects.some(({ kind }) => kind === 'refused'),
        !isAllowed,
      );
      if (!isAllowed) {
        counts.refused += 1;
        assert.ok(!effects.some(isUnlocking) && !effects.some(({ kind }) => kind === 'taken'));
        continue;
      }
      if (cause.kind === 'card') counts.overridden += before.mode === 'lockdown' ? 1 : 0;
      if (cause.kind !== 'exit-button') continue;
      counts.left += 1;
      assert.ok(hasEvent(effects, 'exit-requested'));
      const isShunt = state.timings.exitAction === 'shunt';
      const isOpenable = isShunt ? state.shuntUntil !== undefined : ['released', 'held'].includes(state.strike.kind);
      assert.ok(isOpenable, 'leaving is never blocked');
      if (isShunt) assert.ok(!effects.some(isUnlocking));
      if (state.leaf.kind !== 'closed') continue;
      const opening = stepDoor(state, { kind: 'position', at: input.at, position: 'open' });
      assert.ok(hasEvent(opening.effects, 'door-opened'));
    }
    for (const [name, count] of Object.entries(counts)) assert.ok(count > 100, name);
  });

  test(`on a walk of ${steps} steps each grant that released ${what} is taken or not taken, never both, never twice`, () => {
    const released = new Set<string>();
    const told = new Map<string, string>();
    let last: State | undefined;
    for (const { input, effects, state } of randomWalk(walk)) {
      last = state;
      const grant = grantAsking(input);
      if (grant !== undefined && !effects.some(({ kind }) => kind === 'refused')) released.add(grant);
      if (input.kind === 'strike-failed' && input.denied !== undefined) {
        // At a door that cannot tell it counts as taken already; the runner keeps that to itself.
        assert.notEqual(told.get(input.denied), 'access-not-taken');
        told.set(input.denied, 'denied');
      }
      for (const [one, what] of fates(effects)) {
        assert.ok(released.has(one), `${one} never released the strike`);
        assert.equal(told.get(one), undefined, `${one} is told twice`);
        told.set(one, what);
      }
    }
    assert.ok(last !== undefined);
    const { effects } = stepDoor(last, { kind: 'time', at: monotonicTime(1e12) });
    for (const [one, what] of fates(effects)) told.set(one, what);
    assert.deepEqual(
      [...released].filter((grant) => !told.has(grant)),
      [],
    );
    const kinds = new Set(told.values());
    assert.deepEqual(
      [...kinds].sort(),
      walk.position === undefined ? ['denied', 'taken'] : ['access-not-taken', 'denied', 'taken'],
    );
  });
}

const isDueAtOnce = ({ strike }: State, at: number): boolean => strike.kind === 'relocked' && strike.graceUntil === at;

const openUntil = ({ leaf }: State): number | undefined =>
  leaf.kind === 'open' || leaf.kind === 'warned' ? leaf.heldOpenAt : undefined;

/** What became of grants in one step. */
const fates = (effects: readonly DoorEffect<string>[]): readonly (readonly [string, string])[] =>
  effects.flatMap((effect): readonly (readonly [string, string])[] => {
    if (effect.kind === 'taken') return [[effect.grant, 'taken']];
    return effect.kind === 'event' && effect.grant !== undefined ? [[effect.grant, effect.event]] : [];
  });

test(`on a walk of ${STEPS} steps every alarm is cleared once, and only an alarm that stands`, () => {
  const standing = { 'held-open': false, 'forced-open': false };
  let raised = 0;
  for (const { state, effects } of randomWalk({ seed: 6, position: 'closed' })) {
    for (const effect of effects) {
      if (effect.kind !== 'event') continue;
      for (const alarm of ['held-open', 'forced-open'] as const) {
        if (effect.event === `door-${alarm}`) {
          assert.equal(standing[alarm], false);
          standing[alarm] = true;
          raised += 1;
        }
        if (effect.event === `door-${alarm}-cleared`) {
          assert.equal(standing[alarm], true);
          standing[alarm] = false;
        }
      }
    }
    assert.deepEqual(standing, {
      'held-open': state.leaf.kind === 'held-open',
      'forced-open': state.leaf.kind === 'forced-open',
    });
  }
  assert.ok(raised > 1000);
});

test(`on a walk of ${STEPS} steps a warning comes between opening and closing, once before each held-open alarm`, () => {
  let isOpen = false;
  let isWarned = false;
  let warnings = 0;
  for (const { state, effects } of randomWalk({ seed: 7, position: 'closed' })) {
    for (const effect of effects) {
      if (effect.kind !== 'event') continue;
      if (effect.event === 'door-held-open-warning') {
        assert.ok(isOpen && !isWarned);
        isWarned = true;
        warnings += 1;
      }
      if (effect.event === 'door-held-open') assert.ok(isWarned);
      if (effect.event === 'door-opened') isOpen = true;
      if (effect.event === 'door-closed') isOpen = false;
      if (effect.event === 'door-held-open-cleared' && holds(state.mode)) isOpen = true;
      if (effect.event === 'door-forced-open-cleared' && holds(state.mode)) isOpen = true;
    }
    isWarned = isWarning(state);
    assert.ok(!isWarned || isOpen);
  }
  assert.ok(warnings > 300);
});

test('a timer that comes late changes nothing in the outcome: what was due happens before what came after', () => {
  const random = seededRandom(8);
  for (let run = 0; run < 5000; run++) {
    let now = START;
    let prompt = initialDoor<string>(timings, { position: 'closed', at: monotonicTime(now) });
    let late = prompt;
    const told: { readonly prompt: unknown[]; readonly late: unknown[] } = { prompt: [], late: [] };
    for (let i = 0; i < 8; i++) {
      now += random.below(16);
      const input = chooseInput(random, monotonicTime(now), `g${i}`);
      // The prompt runner calls at every deadline; the late one only when something happens.
      for (let due = nextDeadline(prompt); due !== undefined && due <= now; due = nextDeadline(prompt)) {
        const step = stepDoor(prompt, { kind: 'time', at: due });
        prompt = step.state;
        told.prompt.push(...step.effects);
        assert.notEqual(nextDeadline(prompt), due, 'a deadline that was served is over');
      }
      const [a, b] = [stepDoor(prompt, input), stepDoor(late, input)];
      prompt = a.state;
      late = b.state;
      told.prompt.push(...a.effects);
      told.late.push(...b.effects);
    }
    assert.deepEqual(late, prompt);
    const inOrder = (effects: readonly unknown[]) => effects.map((effect) => JSON.stringify(effect)).sort();
    assert.deepEqual(inOrder(told.late), inOrder(told.prompt));
  }
});
