import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BLOCK, TimeIndex } from '../../src/admin/time-index.ts';
import { chainEvent, EMPTY_LOG, type LogTail } from '../../src/domain/access-event.ts';
import { instant } from '../../src/domain/units.ts';
import type { LogEntry } from '../../src/ports/event-log.ts';
import { GATEWAY } from './admin-bench.ts';

const MINUTE = 60_000;

/** A log with one event at each of these minutes. */
const logOf = (minutes: readonly number[]) => {
  const entries: LogEntry[] = [];
  let tail: LogTail = EMPTY_LOG;
  for (const minute of minutes) {
    const at = instant(minute * MINUTE);
    const event = chainEvent(GATEWAY, tail, { event: 'exit-requested', at, clockSynchronized: true });
    entries.push({ event });
    tail = event;
  }
  return { entries, entryAt: (sequence: number) => entries[sequence - 1] };
};

const minutesFrom = (first: number): number[] => Array.from({ length: BLOCK }, (_, index) => first + index);
const range = (from: number, to: number) => ({ from: instant(from * MINUTE), to: instant(to * MINUTE) });

/** Reads the log from `after` on. */
const read = (index: TimeIndex, log: ReturnType<typeof logOf>, after = 0): void => {
  const reading = index.reading();
  for (const { event } of log.entries.slice(after)) reading.see(event);
};

describe('the index of times', () => {
  it('goes past blocks that were read and have nothing in range', () => {
    const log = logOf([...minutesFrom(0), ...minutesFrom(5000), ...minutesFrom(9000)]);
    const index = new TimeIndex();
    assert.equal(index.skip(0, range(9000, 9999), log), 0, 'nothing is known yet');
    read(index, log);
    assert.equal(index.skip(0, range(9000, 9999), log), 2 * BLOCK);
    assert.equal(index.skip(0, range(5999, 6000), log), BLOCK);
    assert.equal(index.skip(0, range(5000 + BLOCK, 9000), log), 3 * BLOCK, 'to is no part of the range');
    assert.equal(index.skip(7, range(9000, 9999), log), 7, 'the middle of a block is read on');
  });

  it('does not go past a block in which the clock was put back or forward', () => {
    const log = logOf([...minutesFrom(0).slice(1), 9000]);
    const index = new TimeIndex();
    read(index, log);
    assert.equal(index.skip(0, range(9000, 9999), log), 0);
  });

  it('concludes nothing of a block that was read in part', () => {
    const log = logOf([...minutesFrom(0), ...minutesFrom(5000).slice(1)]);
    const index = new TimeIndex();
    read(index, log, 1);
    assert.equal(index.skip(0, range(9000, 9999), log), 0);
    assert.equal(index.skip(BLOCK, range(9000, 9999), log), BLOCK);
  });

  it('forgets a block in whose place another one stands', () => {
    const index = new TimeIndex();
    read(index, logOf(minutesFrom(0)));
    assert.equal(index.skip(0, range(5000, 5001), logOf(minutesFrom(4500))), 0);
  });
});
