import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NEWS_CALM, NEWS_LIMIT, NEWS_WINDOW, ReaderNews } from '../../src/app/reader-news.ts';
import type { ReaderCondition } from '../../src/ports/card-reader.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

interface Told {
  readonly event: string;
  readonly detail: string;
  readonly at: number;
}

const start = () => {
  const clock = new VirtualClock();
  const told: Told[] = [];
  const news = new ReaderNews({
    clock,
    record: (event, detail) => told.push({ event, detail, at: clock.monotonic() }),
  });
  const turn = (state: ReaderCondition['state'], detail: string = state): void => news.onCondition({ state, detail });
  const names = (): string[] => told.map(({ event }) => event.replace('reader-', ''));
  return { clock, told, news, turn, names };
};

test('a reader that starts as it should is no news, one that starts dead is', () => {
  const good = start();
  good.turn('online');
  assert.deepEqual(good.told, []);
  const dead = start();
  dead.turn('offline');
  assert.deepEqual(dead.names(), ['offline']);
});

test('what changes in the description only is no news', () => {
  const { turn, told } = start();
  for (const detail of ['all bits 0', 'all bits 1', 'all bits 0']) turn('offline', detail);
  turn('online', 'version 92');
  turn('online', 'version 91');
  assert.deepEqual(
    told.map(({ detail }) => detail),
    ['all bits 0', 'version 92'],
  );
});

test('a reader that comes and goes at every poll makes a bounded number of events, and each further one is counted', () => {
  const { clock, turn, told } = start();
  turn('online');
  const changes = 2 * 3600;
  for (let change = 0; change < changes; change++) {
    turn(change % 2 === 0 ? 'offline' : 'online');
    clock.advance(500);
  }
  clock.advance(2 * NEWS_WINDOW);
  assert.ok(told.length <= NEWS_LIMIT * Math.ceil((changes * 500) / NEWS_WINDOW + 1), String(told.length));
  const counted = told.map(({ detail }) => Number(/ (\d+) times/.exec(detail)?.[1] ?? 1));
  assert.equal(
    counted.reduce((sum, count) => sum + count, 0),
    changes,
  );
});

test('the state that remains is recorded once it has held for a while, with the count', () => {
  const { clock, turn, told, names } = start();
  turn('online');
  for (let change = 0; change < 2 * NEWS_LIMIT; change++) turn(change % 2 === 0 ? 'offline' : 'online');
  turn('offline', 'no chip answers');
  const before = names().length;
  clock.advance(NEWS_CALM - 1);
  assert.equal(names().length, before);
  clock.advance(1);
  const last = told.at(-1);
  assert.deepEqual(
    [last?.event, last?.detail],
    ['reader-offline', `no chip answers; went offline or online ${NEWS_LIMIT + 2} times since the event before`],
  );
  assert.equal(clock.pendingTimers, 0);
});

test('after a quiet window everything is told at once again', () => {
  const { clock, turn, told, names } = start();
  turn('online');
  for (let change = 0; change < 2 * NEWS_LIMIT; change++) turn(change % 2 === 0 ? 'offline' : 'online');
  clock.advance(2 * NEWS_WINDOW);
  told.length = 0;
  turn('offline');
  turn('online');
  assert.deepEqual(names(), ['offline', 'online']);
});

test('a stop records what was still to be told, and leaves no timer', () => {
  const { clock, turn, news, told, names } = start();
  for (let change = 0; change < 20; change++) turn(change % 2 === 0 ? 'offline' : 'online');
  news.stop();
  news.stop();
  assert.equal(names().at(-1), 'online');
  assert.equal(clock.pendingTimers, 0);
  const { length } = told;
  clock.advance(2 * NEWS_WINDOW);
  assert.equal(told.length, length);
});

test('however it comes and goes: never more than the limit in a window, and the last state is always recorded in the end', () => {
  const steps = fc.array(
    fc.record({
      state: fc.constantFrom('online' as const, 'offline' as const),
      wait: fc.integer({ max: 200_000, min: 0 }),
    }),
    { maxLength: 80 },
  );
  fc.assert(
    fc.property(steps, (course) => {
      const { clock, turn, told, names } = start();
      turn('online');
      for (const { state, wait } of course) {
        turn(state);
        clock.advance(wait);
      }
      clock.advance(NEWS_WINDOW);
      assert.equal(names().at(-1) ?? 'online', course.at(-1)?.state ?? 'online');
      for (const { at } of told) {
        const inWindow = told.filter((other) => other.at >= at && other.at < at + NEWS_WINDOW);
        assert.ok(inWindow.length <= NEWS_LIMIT, String(inWindow.length));
      }
      assert.equal(clock.pendingTimers, 0);
    }),
  );
});
