import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffDelay } from '../../src/domain/backoff.ts';
import { milliseconds } from '../../src/domain/units.ts';

const RANGE = { minimum: milliseconds(1_000), maximum: milliseconds(60_000) };

test('the first delay is already spread over one to two seconds', () => {
  assert.equal(backoffDelay(RANGE, 0, 0), 1_000);
  assert.equal(backoffDelay(RANGE, 0, 0.5), 1_500);
  assert.equal(backoffDelay(RANGE, 0, 0.999_999), 2_000);
});

test('the ceiling doubles with every failure until it reaches the maximum', () => {
  const ceilings = [0, 1, 2, 3, 4, 5, 6, 50].map((failures) => backoffDelay(RANGE, failures, 0.999_999_9));
  assert.deepEqual(ceilings, [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('no count of failures and no draw leaves the range', () => {
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, random) => {
      const delay = backoffDelay(RANGE, failures, random);
      assert.ok(delay >= RANGE.minimum && delay <= RANGE.maximum && Number.isInteger(delay));
    }),
  );
});
