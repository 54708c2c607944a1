import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DoorController, LOCK_RETRY } from '../../src/app/door-controller.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { seconds } from '../../src/domain/units.ts';
import { createLog } from '../../src/log.ts';
import type { DoorWiring, StrikeState } from '../../src/ports/door-io.ts';
import { bindingOf, gatewayId } from '../domain/samples.ts';
import { FakeDoorIo } from '../fakes/fake-door-io.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { FRONT, HELD_OPEN, makeDoorBench, RELEASE, settle } from './door-bench.ts';

const UID = '04A2B3C4D5E680';
const live = { cards: { [UID]: bindingOf() } };

test('invariant 6: the relock is set before the strike is driven', async () => {
  const clock = new VirtualClock();
  const pendingAtStrike: [StrikeState, number | undefined][] = [];
  class WatchedIo extends FakeDoorIo {
    override setStrike(door: typeof FRONT, state: StrikeState): void {
      pendingAtStrike.push([state, clock.untilNextTimer()]);
      super.setStrike(door, state);
    }
  }
  const wiring: DoorWiring = { door: FRONT, strike: { line: 17, activeLow: false, failMode: 'secure' } };
  const io = new WatchedIo([wiring]);
  await io.open({ onInput: () => {}, onFailure: assert.fail });
  const log = createLog('silent');
  const writer = new SerialWriter({ store: new MemoryStore(), gateway: gatewayId('g'), clock, log });
  const timings = { release: seconds(5), grace: seconds(0), heldOpen: seconds(20), relockOnClose: true };
  const door = new DoorController({ door: FRONT, timings, io, writer, clock, log, onChange: () => {} }, undefined);
  door.releaseByOperator();
  assert.deepEqual(pendingAtStrike, [['unlocked', 5000]]);
  clock.advance(5000);
  assert.deepEqual(pendingAtStrike.at(-1)?.[0], 'locked');
});

test('invariant 6: a released strike locks on time when nobody opens the door, and the grant was not taken', async () => {
  const bench = await makeDoorBench(live);
  bench.tap(UID);
  bench.clock.advance(RELEASE - 1);
  assert.equal(bench.strike(), 'unlocked');
  bench.clock.advance(1);
  assert.equal(bench.strike(), 'locked');
  const events = await bench.events();
  const { event, card, cardholder, reader } = events[1] ?? {};
  assert.deepEqual([event, card, cardholder, reader], ['access-not-taken', UID, 'E1001', 'front-in']);
  assert.equal(bench.clock.pendingTimers, 0);
});

test('a door that was opened in time and is reported after the relock raises no alarm', async () => {
  const bench = await makeDoorBench({ ...live, grace: 500 });
  bench.tap(UID);
  bench.clock.advance(RELEASE + 5);
  assert.equal(bench.strike(), 'locked');
  bench.moveDoor('open');
  assert.deepEqual(await bench.eventNames(), ['access-granted', 'door-opened']);
  assert.deepEqual(bench.controller.view().alarms, []);
});

test('a released strike locks as soon as the door has closed behind the person', async () => {
  const bench = await makeDoorBench(live);
  bench.tap(UID);
  bench.moveDoor('open');
  assert.equal(bench.strike(), 'unlocked');
  bench.clock.advance(1000);
  bench.moveDoor('closed');
  assert.equal(bench.strike(), 'locked');
  bench.clock.advance(60_000);
  assert.deepEqual(bench.strikes(), ['unlocked', 'locked']);
  assert.deepEqual(await bench.eventNames(), ['access-granted', 'door-opened', 'door-closed']);
});

test('without relockOnClose the strike stays unlocked until its time is over', async () => {
  const bench = await makeDoorBench({ ...live, relockOnClose: false });
  bench.tap(UID);
  bench.moveDoor('open');
  bench.moveDoor('closed');
  assert.equal(bench.strike(), 'unlocked');
  bench.clock.advance(RELEASE);
  assert.equal(bench.strike(), 'locked');
});

test('a door without a contact locks on time and knows of no grant that was not taken', async () => {
  const bench = await makeDoorBench({ ...live, hasContact: false });
  bench.tap(UID);
  bench.clock.advance(RELEASE);
  assert.equal(bench.strike(), 'locked');
  assert.deepEqual(await bench.eventNames(), ['access-granted']);
  assert.equal(bench.controller.view().position, 'unmonitored');
});

test('a second release makes the time begin anew and does not drive the strike again', async () => {
  const bench = await makeDoorBench(live);
  bench.tap(UID);
  bench.clock.advance(RELEASE - 1000);
  bench.tap(UID);
  bench.clock.advance(RELEASE - 1);
  assert.equal(bench.strike(), 'unlocked');
  bench.clock.advance(1);
  assert.deepEqual(bench.strikes(), ['unlocked', 'locked']);
});

test('a jump of the wall clock, either way, moves no deadline', async () => {
  for (const now of ['2040-01-01T00:00:00Z', '1970-01-01T00:00:00Z']) {
    const bench = await makeDoorBench(live);
    bench.tap(UID);
    bench.clock.setNow(now);
    bench.clock.advance(RELEASE - 1);
    assert.equal(bench.strike(), 'unlocked', now);
    bench.clock.advance(1);
    assert.equal(bench.strike(), 'locked', now);
  }
});

test('a door that stands open too long is an alarm until it closes, told once each', async () => {
  const bench = await makeDoorBench(live);
  bench.tap(UID);
  bench.moveDoor('open');
  bench.clock.advance(HELD_OPEN - 1);
  assert.deepEqual(bench.controller.view().alarms, []);
  bench.clock.advance(1);
  assert.deepEqual(bench.controller.view().alarms, ['held-open']);
  assert.equal(bench.strike(), 'locked');
  bench.clock.advance(10 * HELD_OPEN);
  bench.moveDoor('closed');
  assert.deepEqual(bench.controller.view().alarms, []);
  assert.deepEqual(await bench.eventNames(), [
    'access-granted',
    'door-opened',
    'door-held-open',
    'door-held-open-cleared',
    'door-closed',
  ]);
});

test('a door that opens without a release was forced, until it closes', async () => {
  const bench = await makeDoorBench();
  bench.moveDoor('open');
  assert.deepEqual(bench.controller.view().alarms, ['forced-open']);
  assert.deepEqual(bench.strikes(), []);
  bench.clock.advance(10 * HELD_OPEN);
  bench.moveDoor('closed');
  assert.deepEqual(bench.controller.view().alarms, []);
  assert.deepEqual(await bench.eventNames(), ['door-forced-open', 'door-forced-open-cleared', 'door-closed']);
});

test('the exit button releases, also a blocked door, and going out is not forcing', async () => {
  const bench = await makeDoorBench();
  bench.controller.setMode('blocked');
  bench.pressExit();
  assert.equal(bench.strike(), 'unlocked');
  bench.moveDoor('open');
  bench.moveDoor('closed');
  assert.equal(bench.strike(), 'locked');
  assert.deepEqual(await bench.eventNames(), ['exit-requested', 'door-opened', 'door-closed']);
});

test('an operator releases once, but not a blocked door', async () => {
  const bench = await makeDoorBench();
  assert.deepEqual(bench.controller.releaseByOperator(), { kind: 'released' });
  bench.clock.advance(RELEASE);
  assert.equal(bench.strike(), 'locked');
  bench.controller.setMode('blocked');
  assert.deepEqual(bench.controller.releaseByOperator(), { kind: 'refused', mode: 'blocked' });
  assert.equal(bench.strike(), 'locked');
});

test('held open lasts until the mode ends; blocking a released door locks it at once', async () => {
  const bench = await makeDoorBench(live);
  bench.controller.setMode('held-open');
  bench.clock.advance(100 * HELD_OPEN);
  assert.equal(bench.strike(), 'unlocked');
  bench.moveDoor('open');
  bench.clock.advance(100 * HELD_OPEN);
  assert.deepEqual(bench.controller.view().alarms, []);
  bench.controller.setMode('normal');
  assert.equal(bench.strike(), 'locked');
  bench.moveDoor('closed');
  bench.tap(UID);
  bench.controller.setMode('blocked');
  assert.equal(bench.strike(), 'locked');
});

test('after a restart a stored block holds, a stored hold-open does not', async () => {
  const blocked = await makeDoorBench({ ...live, storedMode: 'blocked' });
  assert.equal(blocked.controller.mode, 'blocked');
  blocked.tap(UID);
  assert.deepEqual(await blocked.eventNames(), ['access-denied: door-blocked']);
  const held = await makeDoorBench({ ...live, storedMode: 'held-open' });
  assert.equal(held.controller.mode, 'normal');
  assert.deepEqual([held.strike(), held.strikes()], ['locked', []]);
});

test('a door that is found open at start is no forced door, but may not stand so for ever', async () => {
  const bench = await makeDoorBench();
  bench.controller.stop();
  bench.moveDoor('open');
  const found = bench.makeController(undefined);
  assert.deepEqual(found.view().alarms, []);
  bench.clock.advance(HELD_OPEN);
  assert.deepEqual(found.view().alarms, ['held-open']);
});

test('invariant 6: a strike that cannot be unlocked is told to lock, is an alarm, and nobody counts as let in', async () => {
  const bench = await makeDoorBench(live);
  bench.breakStrike();
  const outcome = bench.controller.releaseByOperator();
  assert.equal(outcome.kind, 'failed');
  assert.deepEqual(bench.controller.view().alarms, ['strike-failed']);
  bench.moveDoor('open');
  assert.deepEqual(await bench.eventNames(), ['door-forced-open'], 'whoever opens a door that is locked forces it');
  bench.moveDoor('closed');
  bench.mendStrike();
  assert.equal(bench.controller.releaseByOperator().kind, 'released');
  assert.equal(bench.strike(), 'unlocked');
  assert.deepEqual(bench.controller.view().alarms, []);
});

test('invariant 6: a strike that failed to unlock may have done so halfway, and is told to lock at once', async () => {
  const bench = await makeDoorBench();
  const asked: StrikeState[] = [];
  const setStrike = bench.io.setStrike.bind(bench.io);
  bench.io.setStrike = (door, state) => {
    asked.push(state);
    setStrike(door, state);
  };
  bench.breakStrike();
  assert.equal(bench.controller.releaseByOperator().kind, 'failed');
  assert.deepEqual(asked, ['unlocked', 'locked']);
  bench.mendStrike();
  bench.clock.advance(LOCK_RETRY);
  assert.deepEqual(asked, ['unlocked', 'locked', 'locked'], 'and again, since that failed as well');
});

test('invariant 6: a strike that cannot be locked is told again until it locks', async () => {
  const bench = await makeDoorBench(live);
  bench.tap(UID);
  bench.breakStrike();
  bench.clock.advance(RELEASE);
  assert.equal(bench.strike(), 'unlocked');
  assert.deepEqual(bench.controller.view().alarms, ['strike-failed']);
  bench.clock.advance(10 * LOCK_RETRY);
  assert.equal(bench.strike(), 'unlocked');
  bench.mendStrike();
  const changes = bench.changes();
  bench.clock.advance(LOCK_RETRY);
  assert.equal(bench.strike(), 'locked');
  assert.deepEqual(bench.controller.view().alarms, []);
  assert.ok(bench.changes() > changes, 'status hears of it');
  assert.equal(bench.clock.pendingTimers, 0);
});

test('invariant 6: a release while locking is being tried again is a release with its full time', async () => {
  const bench = await makeDoorBench(live);
  bench.tap(UID);
  bench.breakStrike();
  bench.clock.advance(RELEASE + 10);
  bench.mendStrike();
  bench.tap(UID);
  bench.clock.advance(RELEASE - 1);
  assert.equal(bench.strike(), 'unlocked');
  bench.clock.advance(1);
  assert.equal(bench.strike(), 'locked');
  assert.equal(bench.clock.pendingTimers, 0);
});

test('held open with a strike that does not follow is an alarm, and the next tap tries the strike again', async () => {
  const bench = await makeDoorBench(live);
  bench.breakStrike();
  bench.controller.setMode('held-open');
  assert.deepEqual([bench.strike(), bench.controller.view().alarms], ['locked', ['strike-failed']]);
  bench.mendStrike();
  bench.tap(UID);
  assert.deepEqual([bench.strike(), bench.controller.view().alarms], ['unlocked', []]);
  bench.clock.advance(100 * RELEASE);
  assert.equal(bench.strike(), 'unlocked');
});

test('a stopped controller leaves no timer behind', async () => {
  const bench = await makeDoorBench(live);
  bench.tap(UID);
  bench.breakStrike();
  bench.clock.advance(RELEASE);
  bench.controller.stop();
  assert.equal(bench.clock.pendingTimers, 0);
  await settle();
});
