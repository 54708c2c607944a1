// Old events go, from the beginning of each gateway's log, and no others.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DeskWriter } from '../../src/desk/desk-writer.ts';
import { EventRetention } from '../../src/desk/event-retention.ts';
import { sequenceKey } from '../../src/desk/records.ts';
import { formatInstant, instant, seconds } from '../../src/domain/units.ts';
import { MemoryDeskStore } from '../fakes/memory-desk-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const DAY = seconds(86_400);

const bench = async (t: TestContext, gateways: Readonly<Record<string, readonly (number | null)[]>>) => {
  const clock = new VirtualClock();
  const store = new MemoryDeskStore();
  const faults: string[] = [];
  const writer = new DeskWriter(store, () => {});
  for (const [gateway, ages] of Object.entries(gateways)) {
    await store.write(
      ages.map((age, index) => ({
        kind: 'event',
        key: `${gateway}/${sequenceKey(index + 1)}`,
        value: {
          // A gateway that does not know the time begins with the year 1970.
          time: age === null ? '1970-01-01T00:00:01.000Z' : formatInstant(instant(clock.now() - age * DAY)),
          clockSynchronized: age !== null,
        },
      })),
    );
  }
  const left = async (): Promise<string> => {
    const keys: string[] = [];
    for await (const key of store.keys('event')) keys.push(key.replace(/\/0*/, ' '));
    return keys.join(', ');
  };
  const retention = new EventRetention({
    ...{ store, writer, clock, maxAge: seconds(10 * 86_400) },
    gateways: () => Object.keys(gateways),
    onFault: (text) => faults.push(text),
  });
  t.after(() => retention.stop());
  return { clock, store, retention, left, faults };
};

test('events that are older than the site wants to keep them are removed', async (t) => {
  const { retention, left } = await bench(t, { a: [30, 11, 9, 1], 'a-b': [20], c: [1] });
  assert.equal(await retention.sweep(), 3);
  assert.equal(await left(), 'a 3, a 4, c 1');
  assert.equal(await retention.sweep(), 0);
});

test('what was recorded without a clock is as old as what comes behind it', async (t) => {
  const { retention, left } = await bench(t, { a: [null, null, 20, null, 5, null, 1], b: [null] });
  assert.equal(await retention.sweep(), 3);
  assert.equal(await left(), 'a 4, a 5, a 6, a 7, b 1');
});

test('thousands are removed in several writes', async (t) => {
  const { retention, store, left } = await bench(t, { a: [...Array.from({ length: 1_700 }, () => 20), 1] });
  const before = store.writes;
  assert.equal(await retention.sweep(), 1_700);
  assert.equal(store.writes - before, 4);
  assert.equal(await left(), 'a 1701');
});

test('it looks a minute after the start and then four times a day, also after a failure', async (t) => {
  const { retention, clock, store, left, faults } = await bench(t, { a: [9.99, 9.5, 1] });
  retention.start();
  const pass = async (time: number): Promise<void> => {
    clock.advance(seconds(time));
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  await pass(61);
  assert.equal(await left(), 'a 1, a 2, a 3');
  await pass(6 * 3600);
  assert.equal(await left(), 'a 2, a 3');
  store.isBroken = true;
  await pass(12 * 3600);
  assert.equal(faults.length, 1);
});
