import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SequenceRanges } from '../../src/domain/sequence-ranges.ts';

test('numbers that follow upon each other are one range, in whatever order they come', () => {
  const ranges = new SequenceRanges();
  for (const sequence of [5, 7, 6, 2, 3]) ranges.add(sequence);
  assert.deepEqual(ranges.gaps(), [{ from: 4, to: 4 }]);
  assert.deepEqual([ranges.contiguousAfter(0), ranges.contiguousAfter(1), ranges.contiguousAfter(4)], [0, 3, 7]);
  ranges.add(1, 4);
  assert.deepEqual([ranges.gaps(), ranges.contiguousAfter(0)], [[], 7]);
});

test('it holds what was added, and nothing else', () => {
  const pairs = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 5 })), { maxLength: 25 });
  fc.assert(
    fc.property(pairs, fc.integer({ min: 0, max: 65 }), (added, base) => {
      const ranges = new SequenceRanges();
      const model = new Set<number>();
      for (const [from, length] of added) {
        ranges.add(from, from + length);
        for (let n = from; n <= from + length; n++) model.add(n);
      }
      let contiguous = base;
      while (model.has(contiguous + 1)) contiguous += 1;
      const [first, last] = [Math.min(...model), Math.max(...model)];
      const missing = ranges
        .gaps()
        .flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
      for (let n = 0; n < 70; n++) assert.equal(ranges.has(n), model.has(n));
      for (let n = first; n < last; n++) assert.equal(missing.includes(n), !model.has(n));
      assert.equal(ranges.contiguousAfter(base), contiguous);
    }),
  );
});
