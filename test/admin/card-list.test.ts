import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CardLine } from '../../src/admin/protocol.ts';
import { parseCardNumber } from '../../src/domain/card-number.ts';
import { AdminBench, CARD } from './admin-bench.ts';

const OTHER = '11223344';

const list = async (bench: AdminBench, withRetired: boolean, signal = new AbortController().signal) => {
  const lines: CardLine[] = [];
  for await (const line of bench.operations.cards({ withRetired }, signal)) lines.push(line);
  return lines.sort((a, b) => String(a.card).localeCompare(String(b.card)));
};

describe('the list of cards', () => {
  it('holds every bound card, and the retired ones where they are asked for', async () => {
    const bench = await AdminBench.start();
    await bench.bind();
    await bench.bind(OTHER);
    const [only, ...others] = await list(bench, false);
    assert.deepEqual([only?.card, only?.found, only?.binding?.name, others.length], [OTHER, 'live', 'Ada Lovelace', 0]);
    const [retired] = await list(bench, true);
    assert.deepEqual([retired?.card, retired?.found, retired?.tombstone?.reason], [CARD, 'retired', 'replaced']);
    assert.deepEqual([retired?.binding, retired?.origin?.revision], [null, 2]);
  });

  it('has a line for a record that cannot be read, rather than leave it out', async () => {
    const bench = await AdminBench.start();
    await bench.bind();
    const parsed = parseCardNumber(CARD, 'hex');
    assert.ok('number' in parsed);
    bench.store.garbleCard(parsed.number);
    const lines = await list(bench, false);
    assert.deepEqual(lines, [{ card: null, found: 'unreadable', binding: null, tombstone: null, origin: null }]);
  });

  it('ends when its reader is gone', async () => {
    const bench = await AdminBench.start();
    await bench.bind();
    assert.deepEqual(await list(bench, false, AbortSignal.abort()), []);
  });
});
