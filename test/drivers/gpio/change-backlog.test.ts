// What waits for a busy main thread: in order, complete within the limit, and right at the end beyond it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHANGES_PER_LINE, ChangeBacklog } from '../../../src/drivers/gpio/change-backlog.ts';
import type { LineChange } from '../../../src/drivers/gpio/input-looks.ts';

/** Changes of a line that was at 0: to 1, to 0, and so on. */
const flapping = (line: number, times: number): readonly LineChange[] =>
  Array.from({ length: times }, (_, index) => ({ line, level: index % 2 === 0 ? 1 : 0 }));

const backlogOf = (changes: readonly LineChange[]): ChangeBacklog => {
  const backlog = new ChangeBacklog();
  for (const change of changes) backlog.add(change);
  return backlog;
};

test('every change waits, in order, and is taken once', () => {
  const changes: readonly LineChange[] = [
    { line: 22, level: 1 },
    { line: 27, level: 1 },
    { line: 22, level: 0 },
  ];
  const backlog = backlogOf(changes);
  assert.deepEqual(backlog.take(), { changes, leftOut: 0 });
  assert.equal(backlog.isEmpty, true);
  assert.deepEqual(backlog.take(), { changes: [], leftOut: 0 });
});

test('as many changes as the limit wait for each line', () => {
  const changes = [22, 27].flatMap((line) => flapping(line, CHANGES_PER_LINE));
  assert.deepEqual(backlogOf(changes).take(), { changes, leftOut: 0 });
});

test('a line that flaps beyond the limit loses changes in pairs: they alternate, the last level is right, other lines lose none', () => {
  for (const beyond of [1, 2, 3, 5000, 5001]) {
    const other: LineChange = { line: 27, level: 1 };
    const flaps = flapping(22, CHANGES_PER_LINE + beyond);
    const { changes, leftOut } = backlogOf([...flaps.slice(0, 3), other, ...flaps.slice(3)]).take();
    const told = changes.filter(({ line }) => line === 22);
    assert.deepEqual(changes[3], other);
    assert.deepEqual(told, flapping(22, told.length));
    assert.deepEqual(told.at(-1), flaps.at(-1));
    assert.equal(told.length + leftOut, flaps.length);
    assert.ok(told.length >= CHANGES_PER_LINE - 1 && told.length <= CHANGES_PER_LINE);
  }
});

test('there is room again once the changes were taken', () => {
  const backlog = backlogOf(flapping(22, CHANGES_PER_LINE + 7));
  backlog.take();
  const changes = flapping(22, CHANGES_PER_LINE);
  for (const change of changes) backlog.add(change);
  assert.deepEqual(backlog.take(), { changes, leftOut: 0 });
});
