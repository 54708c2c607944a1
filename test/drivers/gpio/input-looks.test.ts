// Debouncing in whole looks, and lines that cannot be read. What a steady level means is tested with the doors.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputLooks, type LineChange } from '../../../src/drivers/gpio/input-looks.ts';
import type { LineLevel } from '../../../src/drivers/gpio/strike-level.ts';

const NONE = new Map<number, LineLevel>([
  [27, 0],
  [22, 0],
]);

/** Looks at two lines whose levels are in `levels`; a line without one cannot be read. */
const looksAt = (levels: Map<number, LineLevel>, debounce = 0): InputLooks =>
  new InputLooks({
    lines: new Map(
      [...NONE.keys()].map((line) => [
        line,
        {
          read: () => {
            const level = levels.get(line);
            if (level === undefined) throw new RangeError('ENODEV');
            return level;
          },
        },
      ]),
    ),
    levels: NONE,
    debounce,
  });

test('changes are told in the order of the lines, each once', () => {
  const levels = new Map(NONE);
  const looks = looksAt(levels);
  levels.set(22, 1).set(27, 1);
  const both: readonly LineChange[] = [
    { line: 27, level: 1 },
    { line: 22, level: 1 },
  ];
  assert.deepEqual(looks.look(), { changes: both, unreadable: undefined });
  assert.deepEqual(looks.look().changes, []);
});

test('a pulse that one look missed the debouncing of does not count, one that it did not miss does', () => {
  const levels = new Map(NONE);
  const looks = looksAt(levels, 10);
  const seen = ([1, 0, 1, 1, 0, 1, 0, 0] as const).flatMap((level) => {
    levels.set(27, level);
    return looks.look().changes.map((change) => change.level);
  });
  assert.deepEqual(seen, [1, 0]);
});

test('a line that cannot be read is named, and what the lines before it did is still told', () => {
  const levels = new Map(NONE);
  const looks = looksAt(levels);
  levels.set(27, 1).delete(22);
  assert.deepEqual(looks.look(), {
    changes: [{ line: 27, level: 1 }],
    unreadable: { line: 22, reason: 'ENODEV' },
  });
});
