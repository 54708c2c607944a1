import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventsAfter, numberBefore } from '../../src/app/log-count.ts';

test('numbers that no event has are not counted', () => {
  // 1 to 10, then 101 to 105.
  const log = { tail: () => ({ sequence: 105, hash: '' }), gap: () => ({ from: 11, to: 100 }) };
  assert.deepEqual(
    [0, 8, 10, 50, 100, 103, 105].map((number) => eventsAfter(log, number)),
    [15, 7, 5, 5, 5, 2, 0],
  );
  assert.deepEqual(
    [0, 2, 5, 6, 15, 16].map((events) => numberBefore(log, events)),
    [105, 103, 100, 9, 0, -1],
  );
});

test('without such numbers it is a difference', () => {
  const log = { tail: () => ({ sequence: 10, hash: '' }), gap: () => undefined };
  assert.deepEqual([eventsAfter(log, 4), numberBefore(log, 4)], [6, 6]);
});
