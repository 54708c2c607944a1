// The full table of states and inputs. The random walks stand in door-machine-walk.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type DoorEffect,
  type DoorMachineInput,
  type DoorStep,
  type ReleaseCause,
  stepDoor,
} from '../../src/domain/door-machine.ts';
import type { DoorMode } from '../../src/domain/door-mode.ts';
import {
  type DoorState,
  initialDoor,
  isWarning,
  type LeafPhase,
  nextDeadline,
  type StrikePhase,
} from '../../src/domain/door-state.ts';
import { milliseconds, monotonicTime } from '../../src/domain/units.ts';
import { timingsOf } from '../fixtures/door-timings.ts';

const NOW = 1000;
const RELEASE = 5;
const EXTENDED = 12;
const HELD_OPEN = 30;
const WARNING = 6;
const GRACE = 4;
const at = monotonicTime(NOW);
const timings = timingsOf({
  release: milliseconds(RELEASE),
  extendedRelease: milliseconds(EXTENDED),
  grace: milliseconds(GRACE),
  heldOpen: milliseconds(HELD_OPEN),
  heldOpenWarning: milliseconds(WARNING),
});

// States as short text: strike / leaf / mode.
//   strike  L locked, R released with a deadline ahead and nobody's grant, G the same with grant g untaken, H held,
//           P relocked with the end of grace ahead and nobody's grant, Q the same with grant g untaken
//   leaf    u unmonitored, c closed, o open with a deadline ahead, O open without, w warned, h held open too long, f forced open
//   mode    n normal, b blocked, l lockdown, k held-open (kept open), u unlocked by schedule
// Blocked and lockdown differ in one input only, held-open and unlocked in none: a row of the table with 1 in it holds twice,
// with b for 1 and l for 2, and the other way round; so does one with 3, with k for 3 and u for 4, and the other way round.

const STRIKES: Readonly<Record<string, StrikePhase<string>>> = {
  L: { kind: 'locked' },
  R: { kind: 'released', relockAt: monotonicTime(NOW + 2), untaken: undefined, isExtended: false },
  G: { kind: 'released', relockAt: monotonicTime(NOW + 2), untaken: 'g', isExtended: false },
  P: { kind: 'relocked', graceUntil: monotonicTime(NOW + 2), untaken: undefined, isExtended: false },
  Q: { kind: 'relocked', graceUntil: monotonicTime(NOW + 2), untaken: 'g', isExtended: false },
  H: { kind: 'held' },
};
const LEAVES: Readonly<Record<string, LeafPhase>> = {
  u: { kind: 'unmonitored' },
  c: { kind: 'closed' },
  o: { kind: 'open', heldOpenAt: monotonicTime(NOW + 10) },
  O: { kind: 'open', heldOpenAt: undefined },
  w: { kind: 'warned', heldOpenAt: monotonicTime(NOW + 3) },
  h: { kind: 'held-open' },
  f: { kind: 'forced-open' },
};
const MODES: Readonly<Record<string, DoorMode>> = {
  n: 'normal',
  b: 'blocked',
  l: 'lockdown',
  k: 'held-open',
  u: 'unlocked',
};

const letterOf = (mode: DoorMode): string | undefined => Object.keys(MODES).find((letter) => MODES[letter] === mode);

const stateOf = (text: string): DoorState<string> => {
  const [strike, leaf, mode] = [STRIKES[text[0] ?? ''], LEAVES[text[1] ?? ''], MODES[text[2] ?? '']];
  assert.ok(strike !== undefined && leaf !== undefined && mode !== undefined, text);
  return { timings, strike, leaf, mode, shuntUntil: undefined };
};

const strikeTextOf = (strike: StrikePhase<string>): string => {
  if (strike.kind === 'locked') return 'L';
  if (strike.kind === 'held') return 'H';
  const { untaken } = strike;
  const extended = strike.isExtended ? '^' : '';
  if (strike.kind === 'relocked') {
    const begun = new Map([
      [NOW + 2 + GRACE, '+'],
      [NOW + GRACE, '-'],
    ]);
    return `${untaken === undefined ? 'P' : 'Q'}${extended}${begun.get(strike.graceUntil) ?? ''}`;
  }
  const begun = new Map([
    [NOW + RELEASE, '+'],
    [NOW + EXTENDED, '++'],
  ]);
  const letter = untaken === undefined ? 'R' : untaken === 'g' ? 'G' : 'X';
  return `${letter}${extended}${begun.get(strike.relockAt) ?? ''}`;
};

const LEAF_TEXTS = { unmonitored: 'u', closed: 'c', 'held-open': 'h', 'forced-open': 'f' } as const;

const leafTextOf = (leaf: LeafPhase): string => {
  if (leaf.kind === 'warned') return 'w';
  if (leaf.kind !== 'open') return LEAF_TEXTS[leaf.kind];
  if (leaf.heldOpenAt === undefined) return 'O';
  const begun = new Map([
    [NOW + HELD_OPEN, '+'],
    [NOW + HELD_OPEN + EXTENDED - RELEASE, '++'],
  ]);
  return `o${begun.get(leaf.heldOpenAt) ?? ''}`;
};

/**
 * As above. A deadline that began at NOW is marked with `+`, an extended one with `++`; a grace that began at the relock (NOW + 2)
 * with `+`, at NOW with `-`; an extended release with `^`, a shunt with `!`. The grant of this very input is `X`.
 */
const textOf = ({ strike, leaf, mode, shuntUntil }: DoorState<string>): string => {
  const shunt = shuntUntil === undefined ? '' : shuntUntil === NOW + RELEASE + GRACE ? '!' : '!?';
  return `${strikeTextOf(strike)}${leafTextOf(leaf)}${letterOf(mode)}${shunt}`;
};

const effectText = (effect: DoorEffect<string>): string => {
  switch (effect.kind) {
    case 'strike':
      return effect.state === 'locked' ? 'LOCK' : 'UNLOCK';
    case 'event':
      return effect.grant === undefined ? effect.event : `${effect.event}(${effect.grant})`;
    case 'taken':
      return `taken(${effect.grant})`;
    case 'refused':
      return `refused(${letterOf(effect.mode)})`;
  }
};

const cardCause = (grant: string, special: 'overridesLockdown' | 'isExtended' | undefined): ReleaseCause<string> => ({
  kind: 'card',
  grant,
  overridesLockdown: special === 'overridesLockdown',
  isExtended: special === 'isExtended',
});

const INPUTS: Readonly<Record<string, DoorMachineInput<string>>> = {
  card: { kind: 'release', at, cause: cardCause('x', undefined) },
  extended: { kind: 'release', at, cause: cardCause('x', 'isExtended') },
  override: { kind: 'release', at, cause: cardCause('x', 'overridesLockdown') },
  exit: { kind: 'release', at, cause: { kind: 'exit-button' } },
  /** At a door whose exit button shunts. */
  shunt: { kind: 'release', at, cause: { kind: 'exit-button' } },
  operator: { kind: 'release', at, cause: { kind: 'operator' } },
  open: { kind: 'position', at, position: 'open' },
  close: { kind: 'position', at, position: 'closed' },
  'mode-n': { kind: 'mode', at, mode: 'normal' },
  'mode-b': { kind: 'mode', at, mode: 'blocked' },
  'mode-l': { kind: 'mode', at, mode: 'lockdown' },
  'mode-k': { kind: 'mode', at, mode: 'held-open' },
  'mode-u': { kind: 'mode', at, mode: 'unlocked' },
  time: { kind: 'time', at },
  relock: { kind: 'time', at: monotonicTime(NOW + 2) },
  warn: { kind: 'time', at: monotonicTime(NOW + 4) },
  late: { kind: 'time', at: monotonicTime(NOW + 1_000_000) },
  failed: { kind: 'strike-failed', at, denied: undefined },
};

const stepFrom = (text: string, name: string): DoorStep<string> => {
  const input = INPUTS[name];
  assert.ok(input !== undefined, name);
  const state = stateOf(text);
  if (name !== 'shunt') return stepDoor(state, input);
  const { state: next, effects } = stepDoor(
    { ...state, timings: timingsOf({ ...timings, exitAction: 'shunt' }) },
    input,
  );
  return { state: { ...next, timings }, effects };
};

/** Every state that can be: held exactly in the modes that hold, where no open leaf has a deadline or an alarm. */
const STATES: readonly string[] = [
  ...['n', 'b', 'l'].flatMap((mode) =>
    ['L', 'R', 'G', 'P', 'Q'].flatMap((strike) =>
      ['u', 'c', 'o', 'w', 'h', 'f']
        // A grant is untaken, and an opening on its way, only while the door is closed.
        .filter((leaf) => !['G', 'P', 'Q'].includes(strike) || leaf === 'c')
        .map((leaf) => `${strike}${leaf}${mode}`),
    ),
  ),
  ...['k', 'u'].flatMap((mode) => [`Hu${mode}`, `Hc${mode}`, `HO${mode}`]),
];

/** state, input: state afterwards, effects. `=` nothing changes. */
const TABLE = `
Lun card      R+un UNLOCK taken(x)
Lun extended  R^++un UNLOCK taken(x)
Lun override  R+un UNLOCK taken(x)
Lun exit      R+un exit-requested UNLOCK
Lun shunt     Lun! exit-requested
Lun operator  R+un UNLOCK
Lun open      =
Lun close     =
Lun mode-n    =
Lun mode-1    Lu1
Lun mode-3    Hu3 UNLOCK
Lun time      =
Lun relock    =
Lun warn      =
Lun late      =
Lun failed    =

Lcn card      X+cn UNLOCK
Lcn extended  X^++cn UNLOCK
Lcn override  X+cn UNLOCK
Lcn exit      R+cn exit-requested UNLOCK
Lcn shunt     Lcn! exit-requested
Lcn operator  R+cn UNLOCK
Lcn open      Lfn door-forced-open
Lcn close     =
Lcn mode-n    =
Lcn mode-1    Lc1
Lcn mode-3    Hc3 UNLOCK
Lcn time      =
Lcn relock    =
Lcn warn      =
Lcn late      =
Lcn failed    =

Lon card      R+o+n UNLOCK taken(x)
Lon extended  R^++o++n UNLOCK taken(x)
Lon override  R+o+n UNLOCK taken(x)
Lon exit      R+o+n exit-requested UNLOCK
Lon shunt     Lo+n! exit-requested
Lon operator  R+o+n UNLOCK
Lon open      =
Lon close     Lcn door-closed
Lon mode-n    =
Lon mode-1    Lo1
Lon mode-3    HO3 UNLOCK
Lon time      =
Lon relock    =
Lon warn      Lwn door-held-open-warning
Lon late      Lhn door-held-open-warning door-held-open
Lon failed    =

Lwn card      R+o+n UNLOCK taken(x)
Lwn extended  R^++o++n UNLOCK taken(x)
Lwn override  R+o+n UNLOCK taken(x)
Lwn exit      R+o+n exit-requested UNLOCK
Lwn shunt     Lo+n! exit-requested
Lwn operator  R+o+n UNLOCK
Lwn open      =
Lwn close     Lcn door-closed
Lwn mode-n    =
Lwn mode-1    Lw1
Lwn mode-3    HO3 UNLOCK
Lwn time      =
Lwn relock    =
Lwn warn      Lhn door-held-open
Lwn late      Lhn door-held-open
Lwn failed    =

Lhn card      R+hn UNLOCK taken(x)
Lhn extended  R^++hn UNLOCK taken(x)
Lhn override  R+hn UNLOCK taken(x)
Lhn exit      R+hn exit-requested UNLOCK
Lhn shunt     Lhn! exit-requested
Lhn operator  R+hn UNLOCK
Lhn open      =
Lhn close     Lcn door-held-open-cleared door-closed
Lhn mode-n    =
Lhn mode-1    Lh1
Lhn mode-3    HO3 UNLOCK door-held-open-cleared
Lhn time      =
Lhn relock    =
Lhn warn      =
Lhn late      =
Lhn failed    =

Lfn card      R+fn UNLOCK taken(x)
Lfn extended  R^++fn UNLOCK taken(x)
Lfn override  R+fn UNLOCK taken(x)
Lfn exit      R+fn exit-requested UNLOCK
Lfn shunt     Lfn! exit-requested
Lfn operator  R+fn UNLOCK
Lfn open      =
Lfn close     Lcn door-forced-open-cleared door-closed
Lfn mode-n    =
Lfn mode-1    Lf1
Lfn mode-3    HO3 UNLOCK door-forced-open-cleared
Lfn time      =
Lfn relock    =
Lfn warn      =
Lfn late      =
Lfn failed    =

Run card      R+un taken(x)
Run extended  R^++un taken(x)
Run override  R+un taken(x)
Run exit      R+un exit-requested
Run shunt     Run! exit-requested
Run operator  R+un
Run open      =
Run close     =
Run mode-n    =
Run mode-1    Lu1 LOCK
Run mode-3    Hu3
Run time      =
Run relock    Lun LOCK
Run warn      Lun LOCK
Run late      Lun LOCK
Run failed    Lun

Rcn card      X+cn
Rcn extended  X^++cn
Rcn override  X+cn
Rcn exit      R+cn exit-requested
Rcn shunt     Rcn! exit-requested
Rcn operator  R+cn
Rcn open      Ro+n door-opened
Rcn close     =
Rcn mode-n    =
Rcn mode-1    Lc1 LOCK
Rcn mode-3    Hc3
Rcn time      =
Rcn relock    P+cn LOCK
Rcn warn      P+cn LOCK
Rcn late      Lcn LOCK
Rcn failed    Lcn

Ron card      R+o+n taken(x)
Ron extended  R^++o++n taken(x)
Ron override  R+o+n taken(x)
Ron exit      R+o+n exit-requested
Ron shunt     Ro+n! exit-requested
Ron operator  R+o+n
Ron open      =
Ron close     Lcn LOCK door-closed
Ron mode-n    =
Ron mode-1    Lo1 LOCK
Ron mode-3    HO3
Ron time      =
Ron relock    Lon LOCK
Ron warn      Lwn LOCK door-held-open-warning
Ron late      Lhn LOCK door-held-open-warning door-held-open
Ron failed    Lon

Rwn card      R+o+n taken(x)
Rwn extended  R^++o++n taken(x)
Rwn override  R+o+n taken(x)
Rwn exit      R+o+n exit-requested
Rwn shunt     Ro+n! exit-requested
Rwn operator  R+o+n
Rwn open      =
Rwn close     Lcn LOCK door-closed
Rwn mode-n    =
Rwn mode-1    Lw1 LOCK
Rwn mode-3    HO3
Rwn time      =
Rwn relock    Lwn LOCK
Rwn warn      Lhn LOCK door-held-open
Rwn late      Lhn LOCK door-held-open
Rwn failed    Lwn

Rhn card      R+hn taken(x)
Rhn extended  R^++hn taken(x)
Rhn override  R+hn taken(x)
Rhn exit      R+hn exit-requested
Rhn shunt     Rhn! exit-requested
Rhn operator  R+hn
Rhn open      =
Rhn close     Lcn LOCK door-held-open-cleared door-closed
Rhn mode-n    =
Rhn mode-1    Lh1 LOCK
Rhn mode-3    HO3 door-held-open-cleared
Rhn time      =
Rhn relock    Lhn LOCK
Rhn warn      Lhn LOCK
Rhn late      Lhn LOCK
Rhn failed    Lhn

Rfn card      R+fn taken(x)
Rfn extended  R^++fn taken(x)
Rfn override  R+fn taken(x)
Rfn exit      R+fn exit-requested
Rfn shunt     Rfn! exit-requested
Rfn operator  R+fn
Rfn open      =
Rfn close     Lcn LOCK door-forced-open-cleared door-closed
Rfn mode-n    =
Rfn mode-1    Lf1 LOCK
Rfn mode-3    HO3 door-forced-open-cleared
Rfn time      =
Rfn relock    Lfn LOCK
Rfn warn      Lfn LOCK
Rfn late      Lfn LOCK
Rfn failed    Lfn

Gcn card      X+cn access-not-taken(g)
Gcn extended  X^++cn access-not-taken(g)
Gcn override  X+cn access-not-taken(g)
Gcn exit      G+cn exit-requested
Gcn shunt     Gcn! exit-requested
Gcn operator  G+cn
Gcn open      Ro+n door-opened taken(g)
Gcn close     =
Gcn mode-n    =
Gcn mode-1    Lc1 LOCK access-not-taken(g)
Gcn mode-3    Hc3 taken(g)
Gcn time      =
Gcn relock    Q+cn LOCK
Gcn warn      Q+cn LOCK
Gcn late      Lcn LOCK access-not-taken(g)
Gcn failed    Lcn access-not-taken(g)

Pcn card      X+cn UNLOCK
Pcn extended  X^++cn UNLOCK
Pcn override  X+cn UNLOCK
Pcn exit      R+cn exit-requested UNLOCK
Pcn shunt     Pcn! exit-requested
Pcn operator  R+cn UNLOCK
Pcn open      Lo+n door-opened
Pcn close     =
Pcn mode-n    =
Pcn mode-1    Lc1
Pcn mode-3    Hc3 UNLOCK
Pcn time      =
Pcn relock    Lcn
Pcn warn      Lcn
Pcn late      Lcn
Pcn failed    =

Qcn card      X+cn access-not-taken(g) UNLOCK
Qcn extended  X^++cn access-not-taken(g) UNLOCK
Qcn override  X+cn access-not-taken(g) UNLOCK
Qcn exit      G+cn exit-requested UNLOCK
Qcn shunt     Qcn! exit-requested
Qcn operator  G+cn UNLOCK
Qcn open      Lo+n door-opened taken(g)
Qcn close     =
Qcn mode-n    =
Qcn mode-1    Lc1 access-not-taken(g)
Qcn mode-3    Hc3 taken(g) UNLOCK
Qcn time      =
Qcn relock    Lcn access-not-taken(g)
Qcn warn      Lcn access-not-taken(g)
Qcn late      Lcn access-not-taken(g)
Qcn failed    =

Lu1 card      = refused(1)
Lu1 extended  = refused(1)
Lub override  = refused(b)
Lul override  R+ul UNLOCK taken(x)
Lu1 exit      R+u1 exit-requested UNLOCK
Lu1 shunt     Lu1! exit-requested
Lu1 operator  = refused(1)
Lu1 open      =
Lu1 close     =
Lu1 mode-n    Lun
Lu1 mode-1    =
Lu1 mode-2    Lu2
Lu1 mode-3    Hu3 UNLOCK
Lu1 time      =
Lu1 relock    =
Lu1 warn      =
Lu1 late      =
Lu1 failed    =

Lc1 card      = refused(1)
Lc1 extended  = refused(1)
Lcb override  = refused(b)
Lcl override  X+cl UNLOCK
Lc1 exit      R+c1 exit-requested UNLOCK
Lc1 shunt     Lc1! exit-requested
Lc1 operator  = refused(1)
Lc1 open      Lf1 door-forced-open
Lc1 close     =
Lc1 mode-n    Lcn
Lc1 mode-1    =
Lc1 mode-2    Lc2
Lc1 mode-3    Hc3 UNLOCK
Lc1 time      =
Lc1 relock    =
Lc1 warn      =
Lc1 late      =
Lc1 failed    =

Lo1 card      = refused(1)
Lo1 extended  = refused(1)
Lob override  = refused(b)
Lol override  R+o+l UNLOCK taken(x)
Lo1 exit      R+o+1 exit-requested UNLOCK
Lo1 shunt     Lo+1! exit-requested
Lo1 operator  = refused(1)
Lo1 open      =
Lo1 close     Lc1 door-closed
Lo1 mode-n    Lon
Lo1 mode-1    =
Lo1 mode-2    Lo2
Lo1 mode-3    HO3 UNLOCK
Lo1 time      =
Lo1 relock    =
Lo1 warn      Lw1 door-held-open-warning
Lo1 late      Lh1 door-held-open-warning door-held-open
Lo1 failed    =

Lw1 card      = refused(1)
Lw1 extended  = refused(1)
Lwb override  = refused(b)
Lwl override  R+o+l UNLOCK taken(x)
Lw1 exit      R+o+1 exit-requested UNLOCK
Lw1 shunt     Lo+1! exit-requested
Lw1 operator  = refused(1)
Lw1 open      =
Lw1 close     Lc1 door-closed
Lw1 mode-n    Lwn
Lw1 mode-1    =
Lw1 mode-2    Lw2
Lw1 mode-3    HO3 UNLOCK
Lw1 time      =
Lw1 relock    =
Lw1 warn      Lh1 door-held-open
Lw1 late      Lh1 door-held-open
Lw1 failed    =

Lh1 card      = refused(1)
Lh1 extended  = refused(1)
Lhb override  = refused(b)
Lhl override  R+hl UNLOCK taken(x)
Lh1 exit      R+h1 exit-requested UNLOCK
Lh1 shunt     Lh1! exit-requested
Lh1 operator  = refused(1)
Lh1 open      =
Lh1 close     Lc1 door-held-open-cleared door-closed
Lh1 mode-n    Lhn
Lh1 mode-1    =
Lh1 mode-2    Lh2
Lh1 mode-3    HO3 UNLOCK door-held-open-cleared
Lh1 time      =
Lh1 relock    =
Lh1 warn      =
Lh1 late      =
Lh1 failed    =

Lf1 card      = refused(1)
Lf1 extended  = refused(1)
Lfb override  = refused(b)
Lfl override  R+fl UNLOCK taken(x)
Lf1 exit      R+f1 exit-requested UNLOCK
Lf1 shunt     Lf1! exit-requested
Lf1 operator  = refused(1)
Lf1 open      =
Lf1 close     Lc1 door-forced-open-cleared door-closed
Lf1 mode-n    Lfn
Lf1 mode-1    =
Lf1 mode-2    Lf2
Lf1 mode-3    HO3 UNLOCK door-forced-open-cleared
Lf1 time      =
Lf1 relock    =
Lf1 warn      =
Lf1 late      =
Lf1 failed    =

Ru1 card      = refused(1)
Ru1 extended  = refused(1)
Rub override  = refused(b)
Rul override  R+ul taken(x)
Ru1 exit      R+u1 exit-requested
Ru1 shunt     Ru1! exit-requested
Ru1 operator  = refused(1)
Ru1 open      =
Ru1 close     =
Ru1 mode-n    Run
Ru1 mode-1    =
Ru1 mode-2    Lu2 LOCK
Ru1 mode-3    Hu3
Ru1 time      =
Ru1 relock    Lu1 LOCK
Ru1 warn      Lu1 LOCK
Ru1 late      Lu1 LOCK
Ru1 failed    Lu1

Rc1 card      = refused(1)
Rc1 extended  = refused(1)
Rcb override  = refused(b)
Rcl override  X+cl
Rc1 exit      R+c1 exit-requested
Rc1 shunt     Rc1! exit-requested
Rc1 operator  = refused(1)
Rc1 open      Ro+1 door-opened
Rc1 close     =
Rc1 mode-n    Rcn
Rc1 mode-1    =
Rc1 mode-2    Lc2 LOCK
Rc1 mode-3    Hc3
Rc1 time      =
Rc1 relock    P+c1 LOCK
Rc1 warn      P+c1 LOCK
Rc1 late      Lc1 LOCK
Rc1 failed    Lc1

Ro1 card      = refused(1)
Ro1 extended  = refused(1)
Rob override  = refused(b)
Rol override  R+o+l taken(x)
Ro1 exit      R+o+1 exit-requested
Ro1 shunt     Ro+1! exit-requested
Ro1 operator  = refused(1)
Ro1 open      =
Ro1 close     Lc1 LOCK door-closed
Ro1 mode-n    Ron
Ro1 mode-1    =
Ro1 mode-2    Lo2 LOCK
Ro1 mode-3    HO3
Ro1 time      =
Ro1 relock    Lo1 LOCK
Ro1 warn      Lw1 LOCK door-held-open-warning
Ro1 late      Lh1 LOCK door-held-open-warning door-held-open
Ro1 failed    Lo1

Rw1 card      = refused(1)
Rw1 extended  = refused(1)
Rwb override  = refused(b)
Rwl override  R+o+l taken(x)
Rw1 exit      R+o+1 exit-requested
Rw1 shunt     Ro+1! exit-requested
Rw1 operator  = refused(1)
Rw1 open      =
Rw1 close     Lc1 LOCK door-closed
Rw1 mode-n    Rwn
Rw1 mode-1    =
Rw1 mode-2    Lw2 LOCK
Rw1 mode-3    HO3
Rw1 time      =
Rw1 relock    Lw1 LOCK
Rw1 warn      Lh1 LOCK door-held-open
Rw1 late      Lh1 LOCK door-held-open
Rw1 failed    Lw1

Rh1 card      = refused(1)
Rh1 extended  = refused(1)
Rhb override  = refused(b)
Rhl override  R+hl taken(x)
Rh1 exit      R+h1 exit-requested
Rh1 shunt     Rh1! exit-requested
Rh1 operator  = refused(1)
Rh1 open      =
Rh1 close     Lc1 LOCK door-held-open-cleared door-closed
Rh1 mode-n    Rhn
Rh1 mode-1    =
Rh1 mode-2    Lh2 LOCK
Rh1 mode-3    HO3 door-held-open-cleared
Rh1 time      =
Rh1 relock    Lh1 LOCK
Rh1 warn      Lh1 LOCK
Rh1 late      Lh1 LOCK
Rh1 failed    Lh1

Rf1 card      = refused(1)
Rf1 extended  = refused(1)
Rfb override  = refused(b)
Rfl override  R+fl taken(x)
Rf1 exit      R+f1 exit-requested
Rf1 shunt     Rf1! exit-requested
Rf1 operator  = refused(1)
Rf1 open      =
Rf1 close     Lc1 LOCK door-forced-open-cleared door-closed
Rf1 mode-n    Rfn
Rf1 mode-1    =
Rf1 mode-2    Lf2 LOCK
Rf1 mode-3    HO3 door-forced-open-cleared
Rf1 time      =
Rf1 relock    Lf1 LOCK
Rf1 warn      Lf1 LOCK
Rf1 late      Lf1 LOCK
Rf1 failed    Lf1

Gc1 card      = refused(1)
Gc1 extended  = refused(1)
Gcb override  = refused(b)
Gcl override  X+cl access-not-taken(g)
Gc1 exit      G+c1 exit-requested
Gc1 shunt     Gc1! exit-requested
Gc1 operator  = refused(1)
Gc1 open      Ro+1 door-opened taken(g)
Gc1 close     =
Gc1 mode-n    Gcn
Gc1 mode-1    =
Gc1 mode-2    Lc2 LOCK access-not-taken(g)
Gc1 mode-3    Hc3 taken(g)
Gc1 time      =
Gc1 relock    Q+c1 LOCK
Gc1 warn      Q+c1 LOCK
Gc1 late      Lc1 LOCK access-not-taken(g)
Gc1 failed    Lc1 access-not-taken(g)

Pc1 card      = refused(1)
Pc1 extended  = refused(1)
Pcb override  = refused(b)
Pcl override  X+cl UNLOCK
Pc1 exit      R+c1 exit-requested UNLOCK
Pc1 shunt     Pc1! exit-requested
Pc1 operator  = refused(1)
Pc1 open      Lo+1 door-opened
Pc1 close     =
Pc1 mode-n    Pcn
Pc1 mode-1    =
Pc1 mode-2    Lc2
Pc1 mode-3    Hc3 UNLOCK
Pc1 time      =
Pc1 relock    Lc1
Pc1 warn      Lc1
Pc1 late      Lc1
Pc1 failed    =

Qc1 card      = refused(1)
Qc1 extended  = refused(1)
Qcb override  = refused(b)
Qcl override  X+cl access-not-taken(g) UNLOCK
Qc1 exit      G+c1 exit-requested UNLOCK
Qc1 shunt     Qc1! exit-requested
Qc1 operator  = refused(1)
Qc1 open      Lo+1 door-opened taken(g)
Qc1 close     =
Qc1 mode-n    Qcn
Qc1 mode-1    =
Qc1 mode-2    Lc2 access-not-taken(g)
Qc1 mode-3    Hc3 taken(g) UNLOCK
Qc1 time      =
Qc1 relock    Lc1 access-not-taken(g)
Qc1 warn      Lc1 access-not-taken(g)
Qc1 late      Lc1 access-not-taken(g)
Qc1 failed    =

Hu3 card      = taken(x)
Hu3 extended  = taken(x)
Hu3 override  = taken(x)
Hu3 exit      = exit-requested
Hu3 shunt     Hu3! exit-requested
Hu3 operator  =
Hu3 open      =
Hu3 close     =
Hu3 mode-n    Lun LOCK
Hu3 mode-1    Lu1 LOCK
Hu3 mode-3    =
Hu3 mode-4    Hu4
Hu3 time      =
Hu3 relock    =
Hu3 warn      =
Hu3 late      =
Hu3 failed    =

Hc3 card      = taken(x)
Hc3 extended  = taken(x)
Hc3 override  = taken(x)
Hc3 exit      = exit-requested
Hc3 shunt     Hc3! exit-requested
Hc3 operator  =
Hc3 open      HO3 door-opened
Hc3 close     =
Hc3 mode-n    P-cn LOCK
Hc3 mode-1    Lc1 LOCK
Hc3 mode-3    =
Hc3 mode-4    Hc4
Hc3 time      =
Hc3 relock    =
Hc3 warn      =
Hc3 late      =
Hc3 failed    =

HO3 card      = taken(x)
HO3 extended  = taken(x)
HO3 override  = taken(x)
HO3 exit      = exit-requested
HO3 shunt     HO3! exit-requested
HO3 operator  =
HO3 open      =
HO3 close     Hc3 door-closed
HO3 mode-n    Lo+n LOCK
HO3 mode-1    Lo+1 LOCK
HO3 mode-3    =
HO3 mode-4    HO4
HO3 time      =
HO3 relock    =
HO3 warn      =
HO3 late      =
HO3 failed    =
`;

/** A row for each of the pairs of modes that the digits stand for. */
const expand = (row: string): readonly string[] =>
  inBoth(row, { first: '1', second: '2', modes: 'bl' }).flatMap((half) =>
    inBoth(half, { first: '3', second: '4', modes: 'ku' }),
  );

const inBoth = (
  row: string,
  { first, second, modes }: { readonly first: string; readonly second: string; readonly modes: string },
): readonly string[] => {
  if (!row.includes(first)) return [row];
  const [a = '', b = ''] = modes;
  return [row.replaceAll(first, a).replaceAll(second, b), row.replaceAll(first, b).replaceAll(second, a)];
};

const rows = TABLE.split('\n')
  .filter((line) => line.trim() !== '')
  .flatMap(expand)
  .map((line) => line.trim().split(/\s+/));

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
      const step = stepFrom(from, name);
      assert.deepEqual(
        [textOf(step.state), ...step.effects.map(effectText)],
        [to === '=' ? from : to, ...effects],
        `${from} ${name}`,
      );
    }
  });
}

/** As in the table: the state afterwards and the effects, in one line. */
const stepText = ({ state, effects }: DoorStep<string>): string =>
  [textOf(state), ...effects.map(effectText)].join(' ');

const moveAt = (position: 'open' | 'closed', time: number): DoorMachineInput<string> => ({
  kind: 'position',
  at: monotonicTime(time),
  position,
});
const openingAt = (time: number) => moveAt('open', time);
const closingAt = (time: number) => moveAt('closed', time);

test('without relockOnClose a door that closes stays unlocked until its time is over', () => {
  const state = { ...stateOf('Ron'), timings: { ...timings, relockOnClose: false } };
  assert.equal(stepText(stepDoor(state, closingAt(NOW))), 'Rcn door-closed');
});

test('a door is taken over as it is found', () => {
  const found = (position: 'open' | 'closed' | undefined) => textOf(initialDoor<string>(timings, { position, at }));
  assert.deepEqual([found('closed'), found('open'), found(undefined)], ['Lcn', 'Lo+n', 'Lun']);
});

test('an opening that is reported within the grace after the relock is lawful, later it is forced', () => {
  const outcomes = [NOW + 1, NOW + 2, NOW + 2 + GRACE - 1, NOW + 2 + GRACE].map((time) => {
    const { state, effects } = stepDoor(stateOf('Gcn'), openingAt(time));
    return [strikeTextOf(state.strike), state.leaf.kind, ...effects.map(effectText)];
  });
  assert.deepEqual(outcomes, [
    ['R', 'open', 'door-opened', 'taken(g)'],
    ['L', 'open', 'LOCK', 'door-opened', 'taken(g)'],
    ['L', 'open', 'LOCK', 'door-opened', 'taken(g)'],
    ['L', 'forced-open', 'LOCK', 'access-not-taken(g)', 'door-forced-open'],
  ]);
});

test('one opening uses the grace up: the next one without a release is forced', () => {
  let state = stepDoor(stateOf('Gcn'), openingAt(NOW + 3)).state;
  state = stepDoor(state, closingAt(NOW + 3)).state;
  assert.deepEqual(stepDoor(state, openingAt(NOW + 4)).effects.map(effectText), ['door-forced-open']);
});

test('without grace an opening after the relock is forced', () => {
  const state = { ...stateOf('Gcn'), timings: { ...timings, grace: milliseconds(0) } };
  const step = stepDoor(state, openingAt(NOW + 2));
  assert.deepEqual(step.effects.map(effectText), ['LOCK', 'access-not-taken(g)', 'door-forced-open']);
});

test('whoever opens a door in the moment in which its mode stops holding it has not forced it', () => {
  const { state } = stepFrom('Hcu', 'mode-n');
  assert.deepEqual(stepDoor(state, openingAt(NOW + GRACE - 1)).effects.map(effectText), ['door-opened']);
  assert.deepEqual(stepDoor(state, openingAt(NOW + GRACE)).effects.map(effectText), ['door-forced-open']);
});

test('the next deadline is the earliest one of relock, warning and held open', () => {
  const states = ['Lcn', 'Rcn', 'Lon', 'Ron', 'Lwn', 'Hck', 'HOk', 'Rhn', 'Qcn'];
  const deadlines = states.map((text) => nextDeadline(stateOf(text)));
  const relock = NOW + 2;
  assert.deepEqual(deadlines, [undefined, relock, NOW + 4, relock, NOW + 3, undefined, undefined, relock, relock]);
});

test('where nobody is to be warned the door is held open without a warning, at the same time', () => {
  const state = { ...stateOf('Lon'), timings: { ...timings, heldOpenWarning: milliseconds(0) } };
  assert.equal(nextDeadline(state), NOW + 10);
  const { state: next, effects } = stepDoor(state, { kind: 'time', at: monotonicTime(NOW + 10) });
  assert.deepEqual([next.leaf.kind, ...effects.map(effectText)], ['held-open', 'door-held-open']);
  assert.equal(isWarning(next), false);
});

test('the person at the door is warned from the warning until the door is closed, also beside the alarm', () => {
  const warned = ['Lcn', 'Lun', 'Lon', 'HOk', 'Lwn', 'Lhn', 'Lfn'].filter((text) => isWarning(stateOf(text)));
  assert.deepEqual(warned, ['Lwn', 'Lhn']);
});

test('whoever opens with an extended release may stand in the door for longer, by the difference', () => {
  const { state } = stepFrom('Lcn', 'extended');
  assert.equal(textOf(stepDoor(state, openingAt(NOW)).state), 'R^++o++n');
  assert.equal(textOf(stepDoor(state, openingAt(NOW + EXTENDED - 1)).state), 'R^++on');
  const relocked = stepDoor(state, { kind: 'time', at: monotonicTime(NOW + EXTENDED) }).state;
  assert.equal(textOf(relocked), 'Q^cn');
});

test('an extended release is not cut short by a usual one that follows', () => {
  const { state: waiting } = stepFrom('Lcn', 'extended');
  for (const name of ['card', 'exit', 'operator']) {
    const { state } = stepDoor(waiting, INPUTS[name] ?? assert.fail(name));
    assert.equal(textOf(state), 'X^++cn', name);
  }
  const { state: open } = stepFrom('Lon', 'extended');
  for (const name of ['card', 'exit', 'operator', 'shunt']) {
    const { state } = stepDoor(open, INPUTS[name] ?? assert.fail(name));
    assert.equal(textOf(state), 'R^++o++n', name);
  }
});

test('a grant for which the strike could not be unlocked is the runner’s to deny; an earlier one is not taken', () => {
  const { state: own } = stepFrom('Lcn', 'card');
  assert.equal(stepText(stepDoor(own, { kind: 'strike-failed', at, denied: 'x' })), 'Lcn');
  const { state: earlier } = stepFrom('Qcn', 'operator');
  assert.equal(
    stepText(stepDoor(earlier, { kind: 'strike-failed', at, denied: undefined })),
    'Lcn access-not-taken(g)',
  );
});

const shunted = (text: string): DoorState<string> => ({ ...stateOf(text), shuntUntil: monotonicTime(NOW + 3) });
const locked = STATES.filter((text) => text.startsWith('Lc'));

test('a shunt makes one opening of the locked door lawful in every mode, until its time is over', () => {
  assert.deepEqual(locked, ['Lcn', 'Lcb', 'Lcl']);
  for (const text of locked) {
    const { state, effects } = stepDoor(shunted(text), openingAt(NOW + 2));
    assert.deepEqual(
      [state.strike.kind, state.leaf.kind, ...effects.map(effectText)],
      ['locked', 'open', 'door-opened'],
    );
    assert.equal(state.shuntUntil, undefined);
    assert.deepEqual(stepDoor(shunted(text), openingAt(NOW + 3)).effects.map(effectText), ['door-forced-open']);
  }
});

test('a shunt changes nothing else: every other input to every state does what the table says', () => {
  for (const text of STATES) {
    for (const [name, input] of Object.entries(INPUTS)) {
      if (name === 'shunt' || (name === 'open' && locked.includes(text))) continue;
      const { state, effects } = stepDoor(shunted(text), input);
      const plain = stepDoor(stateOf(text), input);
      const isOver = input.at >= NOW + 3;
      assert.deepEqual({ ...state, shuntUntil: undefined }, plain.state, `${text} ${name}`);
      assert.deepEqual(effects, plain.effects, `${text} ${name}`);
      assert.equal(state.shuntUntil, isOver ? undefined : NOW + 3, `${text} ${name}`);
    }
  }
});

test('who presses while the door still stands open may open it when it has closed behind somebody else', () => {
  const door = { ...stateOf('Ron'), timings: { ...timings, exitAction: 'shunt' as const } };
  const press: DoorMachineInput<string> = { kind: 'release', at, cause: { kind: 'exit-button' } };
  const inputs = [press, closingAt(NOW + 1), openingAt(NOW + 6)];
  const effects: string[] = [];
  let state: DoorState<string> = door;
  for (const input of inputs) {
    const step = stepDoor(state, input);
    state = step.state;
    effects.push(...step.effects.map(effectText));
  }
  assert.deepEqual(effects, ['exit-requested', 'LOCK', 'door-closed', 'door-opened']);
});
