import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PairTap, stepPair } from '../../src/domain/two-person.ts';
import { milliseconds, monotonicTime } from '../../src/domain/units.ts';
import { cardholderId, cardNumber } from './samples.ts';

const WITHIN = milliseconds(15_000);
const START = 1_000;

const tapOf = (card: string, cardholder: string, at: number): PairTap => ({
  card: cardNumber(card),
  cardholder: cardholderId(cardholder),
  at: monotonicTime(START + at),
});

const FIRST = tapOf('DEADBEEF', 'E1', 0);

const TABLE: readonly (readonly [string, PairTap | undefined, PairTap, boolean])[] = [
  ['nobody waits', undefined, tapOf('DEADBEEF', 'E1', 0), false],
  ['another card of another person follows at once', FIRST, tapOf('C0FFEE01', 'E2', 0), true],
  ['another card of another person follows in the last moment', FIRST, tapOf('C0FFEE01', 'E2', 15_000), true],
  ['another card of another person follows too late', FIRST, tapOf('C0FFEE01', 'E2', 15_001), false],
  ['the same card follows', FIRST, tapOf('DEADBEEF', 'E1', 1), false],
  ['another card of the same person follows', FIRST, tapOf('C0FFEE01', 'E1', 1), false],
  ['the same card follows, and is somebody else’s by now', FIRST, tapOf('DEADBEEF', 'E2', 1), false],
];

for (const [what, waiting, tap, isPair] of TABLE) {
  test(`${isPair ? 'a pair' : 'no pair'}: ${what}`, () => {
    const expected = isPair ? { waiting: undefined, first: waiting } : { waiting: tap, first: undefined };
    assert.deepEqual(stepPair(waiting, tap, WITHIN), expected);
  });
}

test('a card that is tapped again begins anew: the time counts from there', () => {
  const again = tapOf('DEADBEEF', 'E1', 10_000);
  const { waiting } = stepPair(FIRST, again, WITHIN);
  assert.equal(stepPair(waiting, tapOf('C0FFEE01', 'E2', 20_000), WITHIN).first, again);
});

test('of three people two make a pair, and the third waits', () => {
  const second = stepPair(FIRST, tapOf('C0FFEE01', 'E2', 1), WITHIN);
  const third = tapOf('0BADCAFE', 'E3', 2);
  assert.deepEqual(stepPair(second.waiting, third, WITHIN), { waiting: third, first: undefined });
});
