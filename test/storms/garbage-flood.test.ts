// A flood of garbage on the topics of HR, in a process of its own: its heap is measured.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MemoryStore } from '../fakes/memory-store.ts';
import { makeChangeFlow } from '../flows/change-flow.ts';
import { TOPICS } from '../wire/messages.ts';

test('invariant 8: two hundred thousand messages of garbage leave the heap as it was', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const flow = makeChangeFlow(new MemoryStore());
  const flood = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) {
      await flow.deliver(n % 2 === 0 ? TOPICS.cardBound : TOPICS.cardRevoked, `{"type":"card-bound","n":${n},`);
    }
  };
  const used = async (): Promise<number> => {
    await turnOfTheLoop();
    collect();
    return process.memoryUsage().heapUsed;
  };
  // Long enough for the engine to have compiled what it will.
  await flood(50_000);
  const before = await used();
  await flood(200_000);
  const grown = (await used()) - before;
  // An object kept for each message would be six megabytes at least; the engine's own code comes and goes by two.
  assert.ok(grown < 4_000_000, `the heap grew by ${grown} bytes`);
});
