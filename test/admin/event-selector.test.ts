import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ParsedSelection } from '../../src/admin/requests.ts';
import { instant, milliseconds } from '../../src/domain/units.ts';
import { AdminBench } from './admin-bench.ts';

const ALWAYS = { from: instant(Number.NEGATIVE_INFINITY), to: instant(Number.POSITIVE_INFINITY) };

const select = async (
  bench: AdminBench,
  selection: Partial<ParsedSelection>,
  signal = new AbortController().signal,
) => {
  const names = new Set(['operator-action', 'card-change']);
  const lines: (number | string)[] = [];
  for await (const line of bench.operations.selectEvents({ names, range: ALWAYS, ...selection }, signal)) {
    if (line.type === 'event') lines.push(line.sequence);
    else lines.push(line.type === 'unreadable' ? `unreadable ${line.sequence}` : `missing ${line.from} to ${line.to}`);
  }
  return lines;
};

describe('a selection of events', () => {
  it('holds those of some names, from the whole log', async () => {
    const bench = await AdminBench.start();
    await bench.fillLog(3);
    await bench.bind();
    await bench.fillLog(150);
    await bench.revoke();
    assert.deepEqual(await select(bench, { names: new Set(['card-change']) }), [4, 155]);
    assert.equal((await select(bench, {})).length, 155);
  });

  it('holds those of a time, whether the log was read before or not', async () => {
    const bench = await AdminBench.start();
    await bench.fillLog(2_500);
    const from = bench.clock.now();
    bench.clock.advance(milliseconds(60_000));
    await bench.fillLog(3);
    const to = bench.clock.now();
    bench.clock.advance(milliseconds(60_000));
    await bench.fillLog(3);
    const range = { from: instant(from + 1), to: instant(to + 1) };
    for (const _ of ['first', 'second']) assert.deepEqual(await select(bench, { range }), [2_501, 2_502, 2_503]);
  });

  it('says in their place which records cannot be read, and goes on', async () => {
    const bench = await AdminBench.start();
    await bench.fillLog(5);
    bench.store.garbleEntry(3);
    assert.deepEqual(await select(bench, {}), [1, 2, 'unreadable 3', 4, 5]);
  });

  it('says which events are not in the log any more', async () => {
    const bench = await AdminBench.start();
    await bench.fillLog(5);
    await bench.store.saveAcknowledgedUpTo(5);
    await bench.store.trim(2);
    assert.deepEqual(await select(bench, {}), ['missing 1 to 2', 3, 4, 5]);
  });

  it('ends when its reader is gone', async () => {
    const bench = await AdminBench.start();
    await bench.fillLog(5);
    assert.deepEqual(await select(bench, {}, AbortSignal.abort()), []);
  });
});
