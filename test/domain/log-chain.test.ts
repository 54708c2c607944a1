// What is said of a log that is not what was recorded.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AccessEvent, EMPTY_LOG } from '../../src/domain/access-event.ts';
import { parseGatewayId } from '../../src/domain/ids.ts';
import {
  CHAIN_START,
  type ChainState,
  checkItem,
  eventFrom,
  finishChain,
  type LogItem,
} from '../../src/domain/log-chain.ts';
import { chain, type LogEvent, logOf } from '../fixtures/random-log.ts';

const verify = (items: readonly (AccessEvent | LogItem)[]): ChainState =>
  finishChain(
    items.reduce<ChainState>(
      (state, item) => checkItem(state, 'kind' in item ? item : { kind: 'record', event: item }),
      CHAIN_START,
    ),
  );

const faultOf = (items: readonly (AccessEvent | LogItem)[]): string => {
  const { fault } = verify(items);
  return fault === undefined ? 'none' : `${fault.kind} ${fault.sequence}`;
};

const at = <Value>(list: readonly Value[], index: number): Value => {
  const value = list[index];
  assert.ok(value !== undefined);
  return value;
};

/** A log, and a place in it that is neither the first nor the last. */
const logAndPlace = fc
  .integer({ min: 3, max: 12 })
  .chain((count) => fc.tuple(fc.constant(count), fc.integer({ min: 1, max: count - 2 })))
  .map(([count, place]) => ({ log: logOf(count), place }));
const RUNS = { numRuns: 60 };

test('a log that is what was recorded has no fault', () => {
  const { fault, records, first, last, gaps } = verify(logOf(20));
  assert.deepEqual(
    { fault, records, first, last: last?.sequence, gaps },
    { fault: undefined, records: 20, first: 1, last: 20, gaps: 0 },
  );
  assert.equal(faultOf([]), 'none');
});

test('a log that was trimmed begins where it begins, and the first record of all follows nothing', () => {
  assert.equal(faultOf(logOf(9).slice(4)), 'none');
  assert.equal(faultOf(logOf(3, { tail: { sequence: 0, hash: 'f'.repeat(64) } })), 'wrong-previous 1');
});

test('any byte that is flipped in any record is found, and the record is named', () => {
  fc.assert(
    fc.property(logAndPlace, fc.nat(), fc.integer({ min: 0, max: 7 }), ({ log, place }, offset, bit) => {
      const bytes = Buffer.from(JSON.stringify(at(log, place)));
      const position = offset % bytes.length;
      bytes.writeUInt8(bytes.readUInt8(position) ^ (1 << bit), position);
      let event: AccessEvent | undefined;
      try {
        event = eventFrom(JSON.parse(bytes.toString()));
      } catch {
        // No JSON any more.
      }
      const broken: AccessEvent | LogItem = event ?? { kind: 'unreadable', sequence: undefined, detail: 'no record' };
      assert.equal(
        faultOf([...log.slice(0, place), broken, ...log.slice(place + 1)]),
        `${event ? 'altered' : 'unreadable'} ${place + 1}`,
      );
    }),
    { numRuns: 400 },
  );
});

test('any record that is removed is missing', () => {
  fc.assert(
    fc.property(logAndPlace, ({ log, place }) => {
      assert.equal(faultOf(log.toSpliced(place, 1)), `missing ${place + 1}`);
    }),
    RUNS,
  );
});

test('any two records that changed places are out of order, and any that comes again is', () => {
  fc.assert(
    fc.property(logAndPlace, ({ log, place }) => {
      const swapped = log.with(place, at(log, place + 1)).with(place + 1, at(log, place));
      assert.equal(faultOf(swapped), `out-of-order ${place + 1}`);
      assert.equal(faultOf(log.toSpliced(place + 1, 0, at(log, place - 1))), `out-of-order ${place}`);
    }),
    RUNS,
  );
});

test('any record that was made and put in, or in the place of another, is found', () => {
  fc.assert(
    fc.property(logAndPlace, ({ log, place }) => {
      const { sequence, hash } = at(log, place - 1);
      const forged = chain({ sequence, hash }, { event: 'access-granted' });
      assert.equal(faultOf(log.toSpliced(place, 0, forged)), `out-of-order ${place + 1}`);
      assert.equal(faultOf(log.with(place, forged)), `wrong-previous ${place + 2}`);
    }),
    RUNS,
  );
});

test('a record that cannot be read is named, after those that are missing before it', () => {
  const log = logOf(5);
  const unreadable = { kind: 'unreadable', sequence: 4, detail: 'does not open' } as const;
  assert.equal(faultOf([...log.slice(0, 3), unreadable, ...log.slice(4)]), 'unreadable 4');
  assert.equal(faultOf([...log.slice(0, 2), unreadable, ...log.slice(4)]), 'missing 3');
});

test('numbers that the log says are gone are a gap and no fault, told by the next record or a later one', () => {
  const before = logOf(4);
  const { hash } = at(before, 3);
  const opened: LogEvent = { event: 'store-damaged', detail: { missing: { from: 5, to: 8 } } };
  const after = chain({ sequence: 8, hash }, opened);
  const { fault, gap, gaps } = verify([...before, after, chain(after, { event: 'gateway-started' })]);
  assert.deepEqual({ fault, gap, gaps }, { fault: undefined, gap: { from: 5, to: 8 }, gaps: 1 });
  const whole = logOf(9, { events: { 9: { event: 'store-restored', detail: { missing: { from: 4, to: 6 } } } } });
  assert.equal(faultOf(whole.toSpliced(3, 2)), 'none');
});

test('a gap that the log declares too small, or by an event that may not, is missing records', () => {
  const before = logOf(4);
  const { hash } = at(before, 3);
  const small: LogEvent = { event: 'store-damaged', detail: { missing: { from: 6, to: 8 } } };
  assert.equal(faultOf([...before, chain({ sequence: 8, hash }, small)]), 'missing 5');
  const other: LogEvent = { event: 'operator-action', detail: { missing: { from: 5, to: 8 } } };
  assert.equal(faultOf([...before, chain({ sequence: 8, hash }, other)]), 'missing 5');
});

test('a record after a declared gap follows the last one before it', () => {
  const opened: LogEvent = { event: 'store-damaged', detail: { missing: { from: 5, to: 8 } } };
  const after = chain({ sequence: 8, hash: 'e'.repeat(64) }, opened);
  assert.equal(faultOf([...logOf(4), after]), 'wrong-previous 9');
});

test('a checkpoint that does not vouch for the records before it contradicts them', () => {
  const { hash } = at(logOf(4), 3);
  const checkpoint = (upTo: number, claimed: string): readonly AccessEvent[] =>
    logOf(6, { events: { 5: { event: 'checkpoint', detail: { upTo, hash: claimed, kid: null, jws: null } } } });
  assert.equal(faultOf(checkpoint(4, hash)), 'none');
  assert.equal(faultOf(checkpoint(4, EMPTY_LOG.hash)), 'contradicted 5');
  assert.equal(faultOf(checkpoint(3, hash)), 'contradicted 5');
});

test('a record of another gateway, or nested deeper than can be followed, is found', () => {
  const log = logOf(3);
  const second = at(log, 1);
  const other = parseGatewayId('other');
  assert.equal(faultOf([...log.slice(0, 2), chain(second, { event: 'gateway-started' }, other)]), 'foreign 3');
  const deep: unknown = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`);
  const nested = eventFrom({ ...at(log, 2), detail: deep });
  assert.ok(nested);
  assert.equal(faultOf([...log.slice(0, 2), nested]), 'altered 3');
});

test('what is no record is not taken for one', () => {
  const [record] = logOf(1);
  assert.ok(eventFrom(record));
  for (const value of [
    null,
    7,
    [],
    {},
    { ...record, type: 'receipt' },
    { ...record, sequence: 0 },
    { ...record, hash: 7 },
  ]) {
    assert.equal(eventFrom(value), undefined);
  }
});
