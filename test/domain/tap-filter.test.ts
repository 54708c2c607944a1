import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type AmbiguityCause,
  type FieldObservation,
  IDLE_FILTER,
  LOOKS_TO_BE_ALONE,
  LOOKS_TO_BE_AMBIGUOUS,
  LOOKS_TO_BE_GONE,
  stepTapFilter,
} from '../../src/domain/tap-filter.ts';
import { uidOf } from './samples.ts';

const A = { kind: 'card', uid: uidOf('DEADBEEF') } as const;
const B = { kind: 'card', uid: uidOf('04A2B3C4D5E680') } as const;
/** Begins like A: told apart by length alone. */
const LONGER_A = { kind: 'card', uid: uidOf('DEADBEEF000000') } as const;
const NONE = { kind: 'none' } as const;
const unclear = (cause: AmbiguityCause): FieldObservation => ({ kind: 'ambiguous', cause });

const LETTERS: Readonly<Record<string, FieldObservation>> = {
  A,
  B,
  L: LONGER_A,
  '.': NONE,
  c: unclear('collision'),
  s: unclear('short-read'),
  n: unclear('noise'),
};

const nameOf = (observation: FieldObservation): string =>
  Object.entries(LETTERS).find(([, known]) => known === observation)?.[0] ?? '?';

/** Looks as letters in; under each look the tap that it made, or a space. */
const tapsOf = (looks: string): string => {
  let state = IDLE_FILTER;
  return [...looks]
    .map((letter) => {
      const observation = LETTERS[letter];
      assert.ok(observation !== undefined, letter);
      const step = stepTapFilter(state, observation);
      state = step.state;
      if (step.tap === undefined) return ' ';
      return step.tap.kind === 'card' ? nameOf(observation) : step.tap.cause.slice(0, 1);
    })
    .join('');
};

const TABLE: readonly [string, string, string][] = [
  ['a card that stays is one tap', 'AAAAAAAA', 'A       '],
  ['one look without the card is not its removal', 'A.AA.A', 'A     '],
  ['two empty looks are: the same card taps again', 'A..A', 'A  A'],
  ['two empty looks that do not follow each other are not', 'A.A.A', 'A    '],
  ['a garbled look between two empty ones means that it is still there', 'A.n.A', 'A    '],
  ['another card is another tap', 'AAB', 'A B'],
  ['cards that take turns in the field tap at each turn', 'ABAB', 'ABAB'],
  ['a longer UID with the same beginning is another card', 'AAL', 'A L'],
  ['a garbled look while a card lies there is nothing', 'AnnnnA', 'A     '],
  ['a card on its way into the field is not denied', 'nnA', '  A'],
  ['what cannot be read is told once', 'nnnnnnn', '  n    '],
  ['what cannot be read and then can is a tap', 'nnnA', '  nA'],
  ['what cannot be read is told again after the field was empty', 'nnn..nnn', '  n    n'],
  ['a single empty look begins the count of garbled ones anew', 'nn.nn.nn', '        '],
  ['the cause is that of the look which settled it', 'nns', '  s'],
  ['two cards at once are told once', 'cccccc', '  c   '],
  ['after a collision no card of the stack is picked out', 'cccAAABB', '  c     '],
  ['nor after one empty look', 'ccc.A', '  c  '],
  ['the field must be empty first', 'ccc..A', '  c  A'],
  ['a second card laid upon the first is a collision', 'AAccc', 'A   c'],
  ['and shuts the presentation', 'AcccAB', 'A  c  '],
  ['a collision after noise shuts the presentation, though it was told once already', 'nnncccAB', '  n     '],
  ['however long one card is then read alone', 'nnncccAAAAAAAA', '  n           '],
  ['also when a card was read in between', 'nnnAcccB', '  nA    '],
  ['one look at a collision is not yet told', 'c..c..cc', '        '],
  ['but no card of the stack gets through at the next look', 'cA', '  '],
  ['nor at those after it', 'ccAAAABBBB', '          '],
  ['a card that is read alone for long enough is a tap', 'cAAAAAA', '     A '],
  ['the same card, not the two of the stack in turn', 'cAAABBBBA', '         '],
  ['in a row: a garbled look begins anew', 'cAAAAnAAAAA', '          A'],
  ['and so does an empty one', 'cAAAA.AAAAA', '          A'],
  ['and so does a collision', 'cAAAAcAAAAA', '          A'],
  ['an empty field ends the suspicion at once', 'c..A', '   A'],
  ['a stack that is read now and then is told all the same', 'cAcAcAAAAAAA', '    c       '],
  ['a card that made its tap before the collision makes no second one', 'AcAAAAAA', 'A       '],
  ['another card after a look at a collision has to lie alone', 'AcBBBBB', 'A     B'],
];

for (const [what, looks, taps] of TABLE) {
  test(`${what} (${looks})`, () => {
    assert.equal(tapsOf(looks), taps);
  });
}

const LOOKS = fc.array(fc.constantFrom(...Object.keys(LETTERS)), { maxLength: 60 }).map((letters) => letters.join(''));
const EMPTY = '.'.repeat(LOOKS_TO_BE_GONE);

test('whatever was seen before, a card after an empty field is a tap', () => {
  fc.assert(fc.property(LOOKS, (looks) => tapsOf(`${looks}${EMPTY}A`).endsWith('A')));
});

test('a presentation makes at most one tap per change of card and one ambiguous tap', () => {
  fc.assert(
    fc.property(LOOKS, (looks) => {
      for (const presentation of looks.split(EMPTY)) {
        const taps = tapsOf(presentation);
        const cards = [...presentation].filter((letter) => 'ABL'.includes(letter));
        const turns = cards.filter((card, i) => card !== cards[i - 1]).length;
        assert.ok([...taps].filter((tap) => 'ABL'.includes(tap)).length <= turns);
        assert.ok([...taps].filter((tap) => 'csn'.includes(tap)).length <= 1);
      }
    }),
    { numRuns: 2000 },
  );
});

test('after a single collision a card is a tap only after an empty field or once it was read alone for long enough', () => {
  fc.assert(
    fc.property(LOOKS, LOOKS, (before, after) => {
      const looks = `${before}c${after}`;
      const taps = tapsOf(looks);
      for (let at = before.length + 1; at < looks.length; at++) {
        if (!'ABL'.includes(taps[at] ?? '')) continue;
        const since = looks.slice(looks.lastIndexOf('c', at), at + 1);
        // Once one card has settled it, another one laid down after it is a tap as always.
        const isSettled = [...'ABL'].some((card) => since.includes(card.repeat(LOOKS_TO_BE_ALONE)));
        if (!since.includes(EMPTY) && !isSettled) return false;
      }
      return true;
    }),
    { numRuns: 2000 },
  );
});

test('a stack of which one card is read at random never makes a tap of a card', () => {
  const runs = fc.array(fc.constantFrom('c', 'cA', 'cB', 'cAA', 'cAB', 'cAAAA', 'cBBBB'), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(fc.property(runs, (parts) => !/[ABL]/.test(tapsOf(parts.join('')))));
});

test('after collisions enough to be told, nothing is a tap until the field was empty', () => {
  fc.assert(
    fc.property(LOOKS, LOOKS, (before, after) => {
      const stack = 'c'.repeat(LOOKS_TO_BE_AMBIGUOUS);
      const within = after.replaceAll(/\.+/g, '.');
      return (
        tapsOf(`${before}${stack}${within}`)
          .slice(before.length + stack.length)
          .trim() === ''
      );
    }),
    { numRuns: 2000 },
  );
});
