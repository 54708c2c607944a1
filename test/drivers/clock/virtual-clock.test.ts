// The virtual clock is what every other timing test trusts.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatInstant, milliseconds } from '../../../src/domain/units.ts';
import { VirtualClock } from '../../fakes/virtual-clock.ts';

describe('VirtualClock', () => {
  it('moves both clocks only when told', () => {
    const clock = new VirtualClock({ now: '2026-01-05T08:00:00Z', monotonic: 5 });
    clock.advance(1500);
    assert.equal(clock.monotonic(), 1505);
    assert.equal(formatInstant(clock.now()), '2026-01-05T08:00:01.500Z');
  });

  it('runs timers in order of time, then of scheduling, each at its own time', () => {
    const clock = new VirtualClock({ monotonic: 0 });
    const ran: [string, number][] = [];
    const note = (name: string) => (): void => void ran.push([name, clock.monotonic()]);
    clock.schedule(milliseconds(30), note('c'));
    clock.schedule(milliseconds(10), note('a'));
    clock.schedule(milliseconds(10), note('b'));
    clock.schedule(milliseconds(31), note('late'));
    clock.advance(30);
    assert.deepEqual(ran, [
      ['a', 10],
      ['b', 10],
      ['c', 30],
    ]);
    assert.equal(clock.pendingTimers, 1);
    assert.equal(clock.untilNextTimer(), 1);
  });

  it('runs what a timer schedules within the same advance', () => {
    const clock = new VirtualClock();
    let ticks = 0;
    const tick = (): void => {
      ticks++;
      clock.schedule(milliseconds(10), tick);
    };
    clock.schedule(milliseconds(10), tick);
    clock.advance(100);
    assert.equal(ticks, 10);
  });

  it('does not run a cancelled timer', () => {
    const clock = new VirtualClock();
    const timer = clock.schedule(milliseconds(10), () => assert.fail('ran'));
    clock.schedule(milliseconds(5), () => timer.cancel());
    clock.advance(20);
    assert.equal(clock.pendingTimers, 0);
  });

  it('sets the wall clock without moving timers', () => {
    const clock = new VirtualClock({ monotonic: 0 });
    let ran = false;
    clock.schedule(milliseconds(10), () => {
      ran = true;
    });
    clock.setNow('2030-06-01T00:00:00Z');
    assert.equal(ran, false);
    assert.equal(clock.monotonic(), 0);
    clock.advance(10);
    assert.equal(formatInstant(clock.now()), '2030-06-01T00:00:00.010Z');
  });
});
