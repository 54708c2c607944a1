import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ParsedEvents } from '../../src/admin/requests.ts';
import type { AccessEvent } from '../../src/domain/access-event.ts';
import { AdminBench } from './admin-bench.ts';

const read = (bench: AdminBench, request: Partial<ParsedEvents> = {}, signal = new AbortController().signal) =>
  bench.operations.events({ since: undefined, limit: undefined, follow: false, ...request }, signal);

const sequences = async (events: AsyncIterable<AccessEvent>): Promise<number[]> => {
  const all: number[] = [];
  for await (const { sequence } of events) all.push(sequence);
  return all;
};

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('the feed of events', () => {
  it('holds the last twenty unless asked otherwise', async () => {
    const bench = await AdminBench.start();
    await bench.fillLog(50);
    assert.deepEqual(await sequences(read(bench)), range(31, 50));
    assert.deepEqual(await sequences(read(bench, { limit: 3 })), range(48, 50));
  });

  it('holds all there is where there is less, and nothing of an empty log', async () => {
    const bench = await AdminBench.start();
    assert.deepEqual(await sequences(read(bench)), []);
    await bench.fillLog(2);
    assert.deepEqual(await sequences(read(bench)), [1, 2]);
  });

  it('goes on after a number, over any number of pages, up to a limit', async () => {
    const bench = await AdminBench.start();
    await bench.fillLog(350);
    assert.deepEqual(await sequences(read(bench, { since: 0 })), range(1, 350));
    assert.deepEqual(await sequences(read(bench, { since: 120, limit: 150 })), range(121, 270));
    assert.deepEqual(await sequences(read(bench, { since: 350 })), []);
    assert.deepEqual(await sequences(read(bench, { since: 9_999 })), []);
  });

  it('ends, without follow, with what was there when it began', async () => {
    const bench = await AdminBench.start();
    await bench.fillLog(3);
    const seen: number[] = [];
    for await (const { sequence } of read(bench, { since: 0 })) {
      seen.push(sequence);
      await bench.fillLog(1);
    }
    assert.deepEqual(seen, [1, 2, 3]);
  });

  it('goes on, with follow, with each event in order until it is given up', async () => {
    const bench = await AdminBench.start();
    await bench.fillLog(2);
    const gone = new AbortController();
    const seen: number[] = [];
    for await (const { sequence } of read(bench, { since: 0, follow: true }, gone.signal)) {
      seen.push(sequence);
      // Some while this reader works, some while it waits.
      if (sequence === 2) setImmediate(() => void bench.fillLog(3));
      if (sequence === 5) gone.abort();
    }
    assert.deepEqual(seen, range(1, 5));
  });

  it('lets a follower that waits go', async () => {
    const bench = await AdminBench.start();
    const gone = new AbortController();
    const next = read(bench, { since: 0, follow: true }, gone.signal).next();
    setImmediate(() => gone.abort());
    assert.deepEqual(await next, { done: true, value: undefined });
  });

  it('breaks off at an event that cannot be read, rather than leave it out', async () => {
    const bench = await AdminBench.start();
    await bench.fillLog(5);
    bench.store.garbleEntry(3);
    await assert.rejects(sequences(read(bench, { since: 0 })), { code: 'store-record-unreadable' });
  });
});
