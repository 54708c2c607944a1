import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Direction } from '../../src/domain/access-event.ts';
import { type AntiPassback, judgePassback, type PassbackVerdict } from '../../src/domain/anti-passback.ts';
import type { Passage } from '../../src/domain/passage.ts';
import { milliseconds } from '../../src/domain/units.ts';

const WITHIN = 1_800_000;
const RULES: Readonly<Record<AntiPassback['mode'], AntiPassback>> = {
  off: { mode: 'off' },
  soft: { mode: 'soft' },
  hard: { mode: 'hard' },
  timed: { mode: 'timed', within: milliseconds(WITHIN) },
};

type Row = readonly [AntiPassback['mode'], Direction, Passage['place'] | undefined, number, PassbackVerdict];

// Every mode, way and place, at the age of a moment and at both sides of the limit.
const TABLE: readonly Row[] = [
  ['off', 'in', undefined, 0, 'clear'],
  ['off', 'in', 'inside', 0, 'clear'],
  ['off', 'in', 'outside', 0, 'clear'],
  ['off', 'out', undefined, 0, 'clear'],
  ['off', 'out', 'inside', 0, 'clear'],
  ['off', 'out', 'outside', 0, 'clear'],
  ['soft', 'in', undefined, 0, 'clear'],
  ['soft', 'in', 'inside', 0, 'noted'],
  ['soft', 'in', 'inside', WITHIN, 'noted'],
  ['soft', 'in', 'outside', 0, 'clear'],
  ['soft', 'out', undefined, 0, 'clear'],
  ['soft', 'out', 'inside', 0, 'clear'],
  ['soft', 'out', 'outside', 0, 'noted'],
  ['hard', 'in', undefined, 0, 'clear'],
  ['hard', 'in', 'inside', 0, 'denied'],
  ['hard', 'in', 'inside', 100 * WITHIN, 'denied'],
  ['hard', 'in', 'outside', 0, 'clear'],
  ['hard', 'out', undefined, 0, 'clear'],
  ['hard', 'out', 'inside', 0, 'clear'],
  ['hard', 'out', 'outside', 0, 'denied'],
  ['timed', 'in', undefined, 0, 'clear'],
  ['timed', 'in', 'inside', 0, 'denied'],
  ['timed', 'in', 'inside', WITHIN - 1, 'denied'],
  ['timed', 'in', 'inside', WITHIN, 'clear'],
  ['timed', 'in', 'outside', 0, 'clear'],
  ['timed', 'out', undefined, 0, 'clear'],
  ['timed', 'out', 'inside', 0, 'clear'],
  ['timed', 'out', 'outside', 0, 'clear'],
];

for (const [mode, direction, place, age, verdict] of TABLE) {
  test(`${mode}: going ${direction}, ${place ?? 'nowhere in particular'} for ${age} ms, is ${verdict}`, () => {
    const known = place === undefined ? undefined : { place, age: milliseconds(age) };
    assert.equal(judgePassback(RULES[mode], direction, known), verdict);
  });
}
