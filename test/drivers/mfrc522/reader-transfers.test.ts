// The benchmark of the reader counts what it says, and the driver stays cheap.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureReaderTransfers } from '../../bench/reader-transfers.ts';

test('one poll costs as few transfers as is written down here', () => {
  const costs = measureReaderTransfers(3).filter(({ driver }) => driver === 'cardea');
  assert.deepEqual(
    costs.map(({ what, messages, frames, isRight }) => ({ what, messages, frames, isRight })),
    [
      { what: 'empty poll', messages: 2, frames: 8, isRight: true },
      { what: '4-byte card', messages: 7, frames: 27, isRight: true },
      { what: '7-byte card', messages: 11, frames: 41, isRight: true },
      { what: '10-byte card', messages: 15, frames: 55, isRight: true },
    ],
  );
});

test('stock mfrc522-rpi needs many times more, and reads 4-byte cards only', () => {
  const costs = measureReaderTransfers(3).filter(({ driver }) => driver === 'stock mfrc522-rpi');
  assert.deepEqual(
    costs.map(({ isRight }) => isRight),
    [true, true, false, false],
  );
  assert.ok(costs.every(({ messages }) => messages > 50));
});
