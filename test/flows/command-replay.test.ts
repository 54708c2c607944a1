// Commands that are replayed, retained, late, or delivered to a gateway that does not know the time: whatever comes in whatever
// order, over restarts too, a door is released at most once for each command, while the command is good, and by a live delivery.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatInstant, instant } from '../../src/domain/units.ts';
import { CommandBench } from '../app/command-bench.ts';
import { seededRandom } from '../fixtures/seeded-random.ts';
import { wholeLog } from './change-flow.ts';

const STEPS = 1500;

for (const seed of [1, 2, 3, 4]) {
  test(`invariant 6: no replay releases a door (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const bench = await CommandBench.start();
    const heard: { readonly messageId: string; readonly expiresAt: string }[] = [];
    /** How often each command was. */
    const applied = new Map<string, number>();
    const results = new Map<string, number>();
    let releases = 0;

    const giveNew = () => {
      const issuedAt = instant(bench.clock.now() - random.below(60_000));
      const expiresAt = instant(issuedAt + 1 + random.below(300_000));
      const times = { issuedAt: formatInstant(issuedAt), expiresAt: formatInstant(expiresAt) };
      const command = { ...times, messageId: `c-${heard.length}`, door: random.pick(['front', 'lab', '*']) };
      heard.push(command);
      return command;
    };

    for (let step = 0; step < STEPS; step++) {
      const what = random.below(20);
      if (what === 0) {
        releases += bench.releases.length;
        await bench.restart();
      } else if (what === 1) bench.clock.setSynchronized(!bench.clock.isSynchronized());
      else if (what < 6) bench.clock.advance(random.below(60_000));
      else {
        const command = heard.length === 0 || what < 9 ? giveNew() : random.pick(heard);
        const isRetained = random.below(10) === 0;
        const doneBefore = bench.recorded.length;
        await bench.deliver(command, isRetained);
        const { result } = JSON.parse(bench.store.entries.findLast(({ receipt }) => receipt)?.receipt ?? '');
        results.set(result, (results.get(result) ?? 0) + 1);
        if (result !== 'applied') {
          assert.equal(bench.recorded.length, doneBefore);
          continue;
        }
        applied.set(command.messageId, (applied.get(command.messageId) ?? 0) + 1);
        assert.ok(!isRetained && bench.clock.isSynchronized());
        assert.ok(bench.clock.now() < Date.parse(command.expiresAt));
      }
    }

    releases += bench.releases.length;
    assert.deepEqual([...new Set(applied.values())], [1]);
    assert.ok(releases > 20 && releases <= bench.recorded.length);
    for (const result of ['applied', 'duplicate', 'rejected']) assert.ok((results.get(result) ?? 0) > 20, result);
    bench.clock.setSynchronized(true);
    await bench.deliver(giveNew());
    assert.ok(
      bench.store
        .commands()
        .filter(({ isForgotten }) => isForgotten === undefined)
        .every(({ messageId, expiresAt }) => expiresAt > bench.clock.now() || messageId === heard.at(-1)?.messageId),
    );
    await wholeLog(bench.store);
  });
}
