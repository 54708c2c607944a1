// The full table of states and inputs, written by hand, and a long random walk.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type DoorEffect,
  type DoorMachineInput,
  type DoorState,
  initialDoor,
  type LeafPhase,
  nextDeadline,
  type StrikePhase,
  stepDoor,
} from '../../src/domain/door-machine.ts';
import type { DoorMode } from '../../src/domain/door-mode.ts';
import { milliseconds, monotonicTime } from '../../src/domain/units.ts';

const NOW = 1000;
const RELEASE = 5;
const HELD_OPEN = 30;
const GRACE = 4;
const at = monotonicTime(NOW);
const timings = {
  release: milliseconds(RELEASE),
  grace: milliseconds(GRACE),
  heldOpen: milliseconds(HELD_OPEN),
  relockOnClose: true,
};

// States as short text: strike / leaf / mode.
//   strike  L locked, R released with a deadline ahead and nobody's grant, G the same with grant g untaken, H held,
//           P relocked by time with the end of grace ahead and nobody's grant, Q the same with grant g untaken
//   leaf    u unmonitored, c closed, o open with a deadline ahead, O open without, h held open too long, f forced open
//   mode    n normal, b blocked, k held-open (kept open)

const STRIKES: Readonly<Record<string, StrikePhase<string>>> = {
  L: { kind: 'locked' },
  R: { kind: 'released', relockAt: monotonicTime(NOW + 2), untaken: undefined },
  G: { kind: 'released', relockAt: monotonicTime(NOW + 2), untaken: 'g' },
  P: { kind: 'relocked', graceUntil: monotonicTime(NOW + 2), untaken: undefined },
  Q: { kind: 'relocked', graceUntil: monotonicTime(NOW + 2), untaken: 'g' },
  H: { kind: 'held' },
};
const LEAVES: Readonly<Record<string, LeafPhase>> = {
  u: { kind: 'unmonitored' },
  c: { kind: 'closed' },
  o: { kind: 'open', heldOpenAt: monotonicTime(NOW + 3) },
  O: { kind: 'open', heldOpenAt: undefined },
  h: { kind: 'held-open' },
  f: { kind: 'forced-open' },
};
const MODES: Readonly<Record<string, DoorMode>> = { n: 'normal', b: 'blocked', k: 'held-open' };

const stateOf = (text: string): DoorState<string> => {
  const [strike, leaf, mode] = [STRIKES[text[0] ?? ''], LEAVES[text[1] ?? ''], MODES[text[2] ?? '']];
  assert.ok(strike !== undefined && leaf !== undefined && mode !== undefined, text);
  return { timings, strike, leaf, mode };
};

const strikeTextOf = (strike: StrikePhase<string>): string => {
  if (strike.kind === 'locked') return 'L';
  if (strike.kind === 'held') return 'H';
  if (strike.kind === 'relocked') {
    return `${strike.untaken === undefined ? 'P' : 'Q'}${strike.graceUntil === NOW + 2 + GRACE ? '+' : ''}`;
  }
  const untaken = strike.untaken === undefined ? 'R' : strike.untaken === 'g' ? 'G' : 'X';
  return `${untaken}${strike.relockAt === NOW + RELEASE ? '+' : ''}`;
};

/**
 * As above; a deadline that began at NOW, and a grace that began at the relock (NOW + 2), are marked with `+`, the grant of this
 * very input is `x`.
 */
const textOf = ({ strike, leaf, mode }: DoorState<string>): string => {
  const leafText =
    leaf.kind === 'open'
      ? leaf.heldOpenAt === undefined
        ? 'O'
        : `o${leaf.heldOpenAt === NOW + HELD_OPEN ? '+' : ''}`
      : { unmonitored: 'u', closed: 'c', 'held-open': 'h', 'forced-open': 'f' }[leaf.kind];
  return `${strikeTextOf(strike)}${leafText}${{ normal: 'n', blocked: 'b', 'held-open': 'k', unlocked: 'u', lockdown: 'l' }[mode]}`;
};

const effectText = (effect: DoorEffect<string>): string => {
  switch (effect.kind) {
    case 'strike':
      return effect.state === 'locked' ? 'LOCK' : 'UNLOCK';
    case 'event':
      return effect.grant === undefined ? effect.event : `${effect.event}(${effect.grant})`;
    case 'refused':
      return `refused(${effect.mode})`;
  }
};

const INPUTS: Readonly<Record<string, DoorMachineInput<string>>> = {
  card: { kind: 'release', at, cause: { kind: 'card', grant: 'x' } },
  exit: { kind: 'release', at, cause: { kind: 'exit-button' } },
  operator: { kind: 'release', at, cause: { kind: 'operator' } },
  open: { kind: 'position', at, position: 'open' },
  close: { kind: 'position', at, position: 'closed' },
  normal: { kind: 'mode', at, mode: 'normal' },
  block: { kind: 'mode', at, mode: 'blocked' },
  hold: { kind: 'mode', at, mode: 'held-open' },
  time: { kind: 'time', at },
  relock: { kind: 'time', at: monotonicTime(NOW + 2) },
  late: { kind: 'time', at: monotonicTime(NOW + 1_000_000) },
  failed: { kind: 'strike-failed', at },
};

/** Every state that can be: held exactly in mode held-open, where no open leaf has a deadline or an alarm. */
const STATES: readonly string[] = [
  ...['n', 'b'].flatMap((mode) =>
    ['L', 'R', 'G', 'P', 'Q'].flatMap((strike) =>
      ['u', 'c', 'o', 'h', 'f']
        // A grant is untaken, and an opening on its way, only while the door is closed.
        .filter((leaf) => !['G', 'P', 'Q'].includes(strike) || leaf === 'c')
        .map((leaf) => `${strike}${leaf}${mode}`),
    ),
  ),
  'Huk',
  'Hck',
  'HOk',
];

/** state, input: state afterwards, effects. `=` nothing changes. */
const TABLE = `
Lun card      R+un UNLOCK
Lun exit      R+un exit-requested UNLOCK
Lun operator  R+un UNLOCK
Lun open      =
Lun close     =
Lun normal    =
Lun block     Lub
Lun hold      Huk UNLOCK
Lun time      =
Lun relock    =
Lun late      =
Lun failed    =

Lcn card      X+cn UNLOCK
Lcn exit      R+cn exit-requested UNLOCK
Lcn operator  R+cn UNLOCK
Lcn open      Lfn door-forced-open
Lcn close     =
Lcn normal    =
Lcn block     Lcb
Lcn hold      Hck UNLOCK
Lcn time      =
Lcn relock    =
Lcn late      =
Lcn failed    =

Lon card      R+o+n UNLOCK
Lon exit      R+o+n exit-requested UNLOCK
Lon operator  R+o+n UNLOCK
Lon open      =
Lon close     Lcn door-closed
Lon normal    =
Lon block     Lob
Lon hold      HOk UNLOCK
Lon time      =
Lon relock    =
Lon late      Lhn door-held-open
Lon failed    =

Lhn card      R+hn UNLOCK
Lhn exit      R+hn exit-requested UNLOCK
Lhn operator  R+hn UNLOCK
Lhn open      =
Lhn close     Lcn door-held-open-cleared door-closed
Lhn normal    =
Lhn block     Lhb
Lhn hold      HOk UNLOCK door-held-open-cleared
Lhn time      =
Lhn relock    =
Lhn late      =
Lhn failed    =

Lfn card      R+fn UNLOCK
Lfn exit      R+fn exit-requested UNLOCK
Lfn operator  R+fn UNLOCK
Lfn open      =
Lfn close     Lcn door-forced-open-cleared door-closed
Lfn normal    =
Lfn block     Lfb
Lfn hold      HOk UNLOCK door-forced-open-cleared
Lfn time      =
Lfn relock    =
Lfn late      =
Lfn failed    =

Run card      R+un
Run exit      R+un exit-requested
Run operator  R+un
Run open      =
Run close     =
Run normal    =
Run block     Lub LOCK
Run hold      Huk
Run time      =
Run relock    Lun LOCK
Run late      Lun LOCK
Run failed    Lun

Rcn card      X+cn
Rcn exit      R+cn exit-requested
Rcn operator  R+cn
Rcn open      Ro+n door-opened
Rcn close     =
Rcn normal    =
Rcn block     Lcb LOCK
Rcn hold      Hck
Rcn time      =
Rcn relock    P+cn LOCK
Rcn late      Lcn LOCK
Rcn failed    Lcn

Ron card      R+o+n
Ron exit      R+o+n exit-requested
Ron operator  R+o+n
Ron open      =
Ron close     Lcn LOCK door-closed
Ron normal    =
Ron block     Lob LOCK
Ron hold      HOk
Ron time      =
Ron relock    Lon LOCK
Ron late      Lhn LOCK door-held-open
Ron failed    Lon

Rhn card      R+hn
Rhn exit      R+hn exit-requested
Rhn operator  R+hn
Rhn open      =
Rhn close     Lcn LOCK door-held-open-cleared door-closed
Rhn normal    =
Rhn block     Lhb LOCK
Rhn hold      HOk door-held-open-cleared
Rhn time      =
Rhn relock    Lhn LOCK
Rhn late      Lhn LOCK
Rhn failed    Lhn

Rfn card      R+fn
Rfn exit      R+fn exit-requested
Rfn operator  R+fn
Rfn open      =
Rfn close     Lcn LOCK door-forced-open-cleared door-closed
Rfn normal    =
Rfn block     Lfb LOCK
Rfn hold      HOk door-forced-open-cleared
Rfn time      =
Rfn relock    Lfn LOCK
Rfn late      Lfn LOCK
Rfn failed    Lfn

Gcn card      X+cn access-not-taken(g)
Gcn exit      G+cn exit-requested
Gcn operator  G+cn
Gcn open      Ro+n door-opened
Gcn close     =
Gcn normal    =
Gcn block     Lcb LOCK access-not-taken(g)
Gcn hold      Hck
Gcn time      =
Gcn relock    Q+cn LOCK
Gcn late      Lcn LOCK access-not-taken(g)
Gcn failed    Lcn

Pcn card      X+cn UNLOCK
Pcn exit      R+cn exit-requested UNLOCK
Pcn operator  R+cn UNLOCK
Pcn open      Lo+n door-opened
Pcn close     =
Pcn normal    =
Pcn block     Lcb
Pcn hold      Hck UNLOCK
Pcn time      =
Pcn relock    Lcn
Pcn late      Lcn
Pcn failed    =

Qcn card      X+cn access-not-taken(g) UNLOCK
Qcn exit      G+cn exit-requested UNLOCK
Qcn operator  G+cn UNLOCK
Qcn open      Lo+n door-opened
Qcn close     =
Qcn normal    =
Qcn block     Lcb access-not-taken(g)
Qcn hold      Hck UNLOCK
Qcn time      =
Qcn relock    Lcn access-not-taken(g)
Qcn late      Lcn access-not-taken(g)
Qcn failed    =

Lub card      = refused(blocked)
Lub exit      R+ub exit-requested UNLOCK
Lub operator  = refused(blocked)
Lub open      =
Lub close     =
Lub normal    Lun
Lub block     =
Lub hold      Huk UNLOCK
Lub time      =
Lub relock    =
Lub late      =
Lub failed    =

Lcb card      = refused(blocked)
Lcb exit      R+cb exit-requested UNLOCK
Lcb operator  = refused(blocked)
Lcb open      Lfb door-forced-open
Lcb close     =
Lcb normal    Lcn
Lcb block     =
Lcb hold      Hck UNLOCK
Lcb time      =
Lcb relock    =
Lcb late      =
Lcb failed    =

Lob card      = refused(blocked)
Lob exit      R+o+b exit-requested UNLOCK
Lob operator  = refused(blocked)
Lob open      =
Lob close     Lcb door-closed
Lob normal    Lon
Lob block     =
Lob hold      HOk UNLOCK
Lob time      =
Lob relock    =
Lob late      Lhb door-held-open
Lob failed    =

Lhb card      = refused(blocked)
Lhb exit      R+hb exit-requested UNLOCK
Lhb operator  = refused(blocked)
Lhb open      =
Lhb close     Lcb door-held-open-cleared door-closed
Lhb normal    Lhn
Lhb block     =
Lhb hold      HOk UNLOCK door-held-open-cleared
Lhb time      =
Lhb relock    =
Lhb late      =
Lhb failed    =

Lfb card      = refused(blocked)
Lfb exit      R+fb exit-requested UNLOCK
Lfb operator  = refused(blocked)
Lfb open      =
Lfb close     Lcb door-forced-open-cleared door-closed
Lfb normal    Lfn
Lfb block     =
Lfb hold      HOk UNLOCK door-forced-open-cleared
Lfb time      =
Lfb relock    =
Lfb late      =
Lfb failed    =

Rub card      = refused(blocked)
Rub exit      R+ub exit-requested
Rub operator  = refused(blocked)
Rub open      =
Rub close     =
Rub normal    Run
Rub block     =
Rub hold      Huk
Rub time      =
Rub relock    Lub LOCK
Rub late      Lub LOCK
Rub failed    Lub

Rcb card      = refused(blocked)
Rcb exit      R+cb exit-requested
Rcb operator  = refused(blocked)
Rcb open      Ro+b door-opened
Rcb close     =
Rcb normal    Rcn
Rcb block     =
Rcb hold      Hck
Rcb time      =
Rcb relock    P+cb LOCK
Rcb late      Lcb LOCK
Rcb failed    Lcb

Rob card      = refused(blocked)
Rob exit      R+o+b exit-requested
Rob operator  = refused(blocked)
Rob open      =
Rob close     Lcb LOCK door-closed
Rob normal    Ron
Rob block     =
Rob hold      HOk
Rob time      =
Rob relock    Lob LOCK
Rob late      Lhb LOCK door-held-open
Rob failed    Lob

Rhb card      = refused(blocked)
Rhb exit      R+hb exit-requested
Rhb operator  = refused(blocked)
Rhb open      =
Rhb close     Lcb LOCK door-held-open-cleared door-closed
Rhb normal    Rhn
Rhb block     =
Rhb hold      HOk door-held-open-cleared
Rhb time      =
Rhb relock    Lhb LOCK
Rhb late      Lhb LOCK
Rhb failed    Lhb

Rfb card      = refused(blocked)
Rfb exit      R+fb exit-requested
Rfb operator  = refused(blocked)
Rfb open      =
Rfb close     Lcb LOCK door-forced-open-cleared door-closed
Rfb normal    Rfn
Rfb block     =
Rfb hold      HOk door-forced-open-cleared
Rfb time      =
Rfb relock    Lfb LOCK
Rfb late      Lfb LOCK
Rfb failed    Lfb

Gcb card      = refused(blocked)
Gcb exit      G+cb exit-requested
Gcb operator  = refused(blocked)
Gcb open      Ro+b door-opened
Gcb close     =
Gcb normal    Gcn
Gcb block     =
Gcb hold      Hck
Gcb time      =
Gcb relock    Q+cb LOCK
Gcb late      Lcb LOCK access-not-taken(g)
Gcb failed    Lcb

Pcb card      = refused(blocked)
Pcb exit      R+cb exit-requested UNLOCK
Pcb operator  = refused(blocked)
Pcb open      Lo+b door-opened
Pcb close     =
Pcb normal    Pcn
Pcb block     =
Pcb hold      Hck UNLOCK
Pcb time      =
Pcb relock    Lcb
Pcb late      Lcb
Pcb failed    =

Qcb card      = refused(blocked)
Qcb exit      G+cb exit-requested UNLOCK
Qcb operator  = refused(blocked)
Qcb open      Lo+b door-opened
Qcb close     =
Qcb normal    Qcn
Qcb block     =
Qcb hold      Hck UNLOCK
Qcb time      =
Qcb relock    Lcb access-not-taken(g)
Qcb late      Lcb access-not-taken(g)
Qcb failed    =

Huk card      =
Huk exit      = exit-requested
Huk operator  =
Huk open      =
Huk close     =
Huk normal    Lun LOCK
Huk block     Lub LOCK
Huk hold      =
Huk time      =
Huk relock    =
Huk late      =
Huk failed    =

Hck card      =
Hck exit      = exit-requested
Hck operator  =
Hck open      HOk door-opened
Hck close     =
Hck normal    Lcn LOCK
Hck block     Lcb LOCK
Hck hold      =
Hck time      =
Hck relock    =
Hck late      =
Hck failed    =

HOk card      =
HOk exit      = exit-requested
HOk operator  =
HOk open      =
HOk close     Hck door-closed
HOk normal    Lo+n LOCK
HOk block     Lo+b LOCK
HOk hold      =
HOk time      =
HOk relock    =
HOk late      =
HOk failed    =
`;

const rows = TABLE.split('\n')
  .map((line) => line.trim().split(/\s+/))
  .filter(([state]) => state !== undefined && state !== '');

test('the table has one row for every state and input', () => {
  const expected = STATES.flatMap((state) => Object.keys(INPUTS).map((input) => `${state} ${input}`));
  const written = rows.map(([state, input]) => `${state} ${input}`);
  assert.deepEqual(written.sort(), expected.sort());
});

for (const state of STATES) {
  test(`door ${state}: every input leads where the table says, with the effects that it says`, () => {
    const own = rows.filter(([from]) => from === state);
    assert.equal(own.length, Object.keys(INPUTS).length);
    for (const [from = '', name = '', to = '', ...effects] of own) {
      const input = INPUTS[name];
      assert.ok(input !== undefined);
      const step = stepDoor(stateOf(from), input);
      assert.deepEqual(
        [textOf(step.state), ...step.effects.map(effectText)],
        [to === '=' ? from : to, ...effects],
        `${from} ${name}`,
      );
    }
  });
}

test('without relockOnClose a door that closes stays unlocked until its time is over', () => {
  const state = { ...stateOf('Ron'), timings: { ...timings, relockOnClose: false } };
  const step = stepDoor(state, { kind: 'position', at, position: 'closed' });
  assert.deepEqual([textOf(step.state), ...step.effects.map(effectText)], ['Rcn', 'door-closed']);
});

test('a door is taken over as it is found', () => {
  const found = (position: 'open' | 'closed' | undefined) => textOf(initialDoor<string>(timings, { position, at }));
  assert.deepEqual([found('closed'), found('open'), found(undefined)], ['Lcn', 'Lo+n', 'Lun']);
});

const openingAt = (time: number): DoorMachineInput<string> => ({
  kind: 'position',
  at: monotonicTime(time),
  position: 'open',
});

test('an opening that is reported within the grace after the relock is lawful, later it is forced', () => {
  const outcomes = [NOW + 1, NOW + 2, NOW + 2 + GRACE - 1, NOW + 2 + GRACE].map((time) => {
    const { state, effects } = stepDoor(stateOf('Gcn'), openingAt(time));
    return [strikeTextOf(state.strike), state.leaf.kind, ...effects.map(effectText)];
  });
  assert.deepEqual(outcomes, [
    ['R', 'open', 'door-opened'],
    ['L', 'open', 'LOCK', 'door-opened'],
    ['L', 'open', 'LOCK', 'door-opened'],
    ['L', 'forced-open', 'LOCK', 'access-not-taken(g)', 'door-forced-open'],
  ]);
});

test('one opening uses the grace up: the next one without a release is forced', () => {
  let state = stepDoor(stateOf('Gcn'), openingAt(NOW + 3)).state;
  state = stepDoor(state, { kind: 'position', at: monotonicTime(NOW + 3), position: 'closed' }).state;
  assert.deepEqual(stepDoor(state, openingAt(NOW + 4)).effects.map(effectText), ['door-forced-open']);
});

test('without grace an opening after the relock is forced', () => {
  const state = { ...stateOf('Gcn'), timings: { ...timings, grace: milliseconds(0) } };
  const step = stepDoor(state, openingAt(NOW + 2));
  assert.deepEqual(step.effects.map(effectText), ['LOCK', 'access-not-taken(g)', 'door-forced-open']);
});

test('the next deadline is the earlier one of relock and held open', () => {
  const deadlines = ['Lcn', 'Rcn', 'Lon', 'Ron', 'Hck', 'HOk', 'Rhn', 'Qcn'].map((text) => nextDeadline(stateOf(text)));
  assert.deepEqual(deadlines, [undefined, NOW + 2, NOW + 3, NOW + 2, undefined, undefined, NOW + 2, NOW + 2]);
});

/** Reproducible: mulberry32. */
const randomNumbers = (seed: number): (() => number) => {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
};

const STEPS = 100_000;

interface Walk {
  readonly state: DoorState<string>;
  readonly before: DoorState<string>;
  readonly input: DoorMachineInput<string>;
  readonly effects: readonly DoorEffect<string>[];
}

function* randomWalk(seed: number, position: 'closed' | undefined): Generator<Walk> {
  const random = randomNumbers(seed);
  const pick = <T>(choices: readonly [T, ...T[]]): T => choices[Math.floor(random() * choices.length)] ?? choices[0];
  let now = NOW;
  let grants = 0;
  let state = initialDoor<string>({ ...timings, relockOnClose: random() < 0.5 }, { position, at });
  for (let i = 0; i < STEPS; i++) {
    now += pick([0, 0, 1, 1, 2, 4, 10, 40]);
    const when = monotonicTime(now);
    const input = pick<() => DoorMachineInput<string>>([
      () => ({ kind: 'release', at: when, cause: { kind: 'card', grant: `g${++grants}` } }),
      () => ({ kind: 'release', at: when, cause: { kind: 'exit-button' } }),
      () => ({ kind: 'release', at: when, cause: { kind: 'operator' } }),
      () => ({ kind: 'position', at: when, position: 'open' }),
      () => ({ kind: 'position', at: when, position: 'open' }),
      () => ({ kind: 'position', at: when, position: 'closed' }),
      () => ({ kind: 'position', at: when, position: 'closed' }),
      () => ({ kind: 'mode', at: when, mode: pick(['normal', 'normal', 'normal', 'blocked', 'held-open']) }),
      () => ({ kind: 'time', at: when }),
    ])();
    const before = state;
    const step = stepDoor(before, input);
    state = step.state;
    yield { before, state, input, effects: step.effects };
  }
}

for (const position of ['closed', undefined] as const) {
  test(`invariant 6: on a walk of ${STEPS} steps the strike of a door ${position ?? 'without contact'} always has a deadline or the mode to hold it`, () => {
    let strike = 'locked';
    for (const { state, input, effects } of randomWalk(1, position)) {
      for (const effect of effects) {
        if (effect.kind !== 'strike') continue;
        assert.notEqual(effect.state, strike, 'the strike is told only what is new to it');
        strike = effect.state;
      }
      assert.equal(strike === 'unlocked', state.strike.kind === 'released' || state.strike.kind === 'held');
      assert.equal(state.strike.kind === 'held', state.mode === 'held-open');
      const deadline = nextDeadline(state);
      assert.ok(deadline === undefined || deadline > input.at, 'what is over is over');
      if (state.strike.kind === 'released') {
        assert.ok(state.strike.relockAt > input.at && state.strike.relockAt <= input.at + RELEASE);
        assert.ok(deadline !== undefined && deadline <= state.strike.relockAt);
      }
      if (state.strike.kind === 'relocked') {
        assert.equal(state.leaf.kind, 'closed');
        assert.ok(state.strike.graceUntil > input.at && state.strike.graceUntil <= input.at + GRACE);
        assert.equal(deadline, state.strike.graceUntil);
      }
      if (position === undefined) assert.equal(state.leaf.kind, 'unmonitored');
    }
  });
}

test(`on a walk of ${STEPS} steps every alarm is cleared once, and only an alarm that stands`, () => {
  const standing = { 'held-open': false, 'forced-open': false };
  let raised = 0;
  for (const { state, effects } of randomWalk(2, 'closed')) {
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

test(`on a walk of ${STEPS} steps a grant is reported as not taken at most once, and never after the door was opened for it`, () => {
  const open = new Map<string, boolean>();
  let reported = 0;
  for (const { before, state, input, effects } of randomWalk(3, 'closed')) {
    for (const effect of effects) {
      if (effect.kind !== 'event' || effect.event !== 'access-not-taken') continue;
      assert.ok(effect.grant !== undefined);
      assert.equal(open.has(effect.grant), false, `${effect.grant} twice`);
      open.set(effect.grant, true);
      reported += 1;
      assert.ok(before.strike.kind === 'released' || before.strike.kind === 'relocked');
      assert.equal(before.strike.untaken, effect.grant);
    }
    if (state.leaf.kind !== 'closed' && state.strike.kind === 'released') assert.equal(state.strike.untaken, undefined);
    assert.ok(input.at >= NOW);
  }
  assert.ok(reported > 1000);
});

test('a timer that comes late changes nothing in the outcome: what was due happens before what came after', () => {
  const random = randomNumbers(4);
  for (let run = 0; run < 5000; run++) {
    let prompt = initialDoor<string>(timings, { position: 'closed', at });
    let late = prompt;
    let now = NOW;
    const effects: { prompt: string[]; late: string[] } = { prompt: [], late: [] };
    for (let i = 0; i < 6; i++) {
      now += Math.floor(random() * 12);
      const when = monotonicTime(now);
      const input: DoorMachineInput<string> =
        random() < 0.4
          ? { kind: 'release', at: when, cause: { kind: 'card', grant: `g${i}` } }
          : { kind: 'position', at: when, position: random() < 0.5 ? 'open' : 'closed' };
      // The prompt runner calls at every deadline; the late one only when something happens.
      for (let due = nextDeadline(prompt); due !== undefined && due <= now; due = nextDeadline(prompt)) {
        const step = stepDoor(prompt, { kind: 'time', at: due });
        prompt = step.state;
        effects.prompt.push(...step.effects.map(effectText));
        assert.notEqual(nextDeadline(prompt), due, 'a deadline that was served is over');
      }
      const [a, b] = [stepDoor(prompt, input), stepDoor(late, input)];
      prompt = a.state;
      late = b.state;
      effects.prompt.push(...a.effects.map(effectText));
      effects.late.push(...b.effects.map(effectText));
    }
    assert.deepEqual(late, prompt);
    assert.deepEqual(effects.late.sort(), effects.prompt.sort());
  }
});
