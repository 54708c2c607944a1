import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DoorController, LOCK_RETRY } from '../../src/app/door-controller.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { DOOR_MODES } from '../../src/domain/door-mode.ts';
import { milliseconds } from '../../src/domain/units.ts';
import { createLog } from '../../src/log.ts';
import type { DoorWiring, StrikeState } from '../../src/ports/door-io.ts';
import { bindingOf, cardholderId, gatewayId } from '../domain/samples.ts';
import { FakeDoorIo } from '../fakes/fake-door-io.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { timingsOf } from '../fixtures/door-timings.ts';
import { FRONT, HELD_OPEN, makeDoorBench, RELEASE, settle } from './door-bench.ts';

const UID = '04A2B3C4D5E680';
const MASTER = 'DEADBEEF';
const EXTENDED = 15_000;
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
  const deps = { door: FRONT, timings: timingsOf(), io, writer, clock, log, onChange: () => {} };
  const door = new DoorController(deps, 'normal');
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
  const bench = await makeDoorBench({ ...live, timings: { grace: milliseconds(500) } });
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
  const bench = await makeDoorBench({ ...live, timings: { relockOnClose: false } });
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

test('a door starts in the mode that it is given, unlocked in one that holds the strike', async () => {
  const strikes: Record<string, readonly string[]> = {};
  for (const initialMode of DOOR_MODES) {
    const bench = await makeDoorBench({ initialMode });
    assert.equal(bench.controller.mode, initialMode);
    strikes[initialMode] = bench.strikes();
  }
  const none: string[] = [];
  const held = ['unlocked'];
  assert.deepEqual(strikes, { normal: none, blocked: none, lockdown: none, 'held-open': held, unlocked: held });
});

test('status hears of a change of mode that leaves the strike alone', async () => {
  const bench = await makeDoorBench();
  bench.controller.setMode('blocked');
  bench.controller.setMode('lockdown');
  assert.deepEqual([bench.changes(), bench.strikes()], [2, []]);
});

test('a change from one mode that holds the strike to another does not click it', async () => {
  const bench = await makeDoorBench();
  for (const mode of ['unlocked', 'held-open', 'unlocked'] as const) bench.controller.setMode(mode);
  assert.deepEqual(bench.strikes(), ['unlocked']);
  bench.controller.setMode('lockdown');
  assert.deepEqual(bench.strikes(), ['unlocked', 'locked']);
});

test('a lockdown locks at once, and opens to cards that override it and from inside', async () => {
  const cards = {
    [UID]: bindingOf(),
    [MASTER]: bindingOf({ cardholder: cardholderId('E2'), overridesLockdown: true }),
  };
  const bench = await makeDoorBench({ cards });
  bench.tap(UID);
  bench.controller.setMode('lockdown');
  assert.equal(bench.strike(), 'locked');
  bench.tap(UID);
  assert.deepEqual(bench.controller.releaseByOperator(), { kind: 'refused', mode: 'lockdown' });
  assert.deepEqual(bench.strikes(), ['unlocked', 'locked']);
  bench.tap(MASTER);
  assert.equal(bench.strike(), 'unlocked');
  bench.clock.advance(RELEASE);
  bench.pressExit();
  assert.equal(bench.strike(), 'unlocked');
  const events = await bench.eventNames();
  assert.deepEqual(events, [
    'access-granted',
    'access-not-taken',
    'access-denied: lockdown',
    'access-granted',
    'access-not-taken',
    'exit-requested',
  ]);
});

test('a person who needs more time has more of it, before the relock and in the open door', async () => {
  const bench = await makeDoorBench({ cards: { [UID]: bindingOf({ extendedRelease: true }) } });
  bench.tap(UID);
  bench.clock.advance(EXTENDED - 1);
  assert.equal(bench.strike(), 'unlocked');
  bench.moveDoor('open');
  bench.clock.advance(HELD_OPEN + EXTENDED - RELEASE - 1);
  assert.deepEqual(bench.controller.view().alarms, []);
  bench.clock.advance(1);
  assert.deepEqual(bench.controller.view().alarms, ['held-open']);
});

test('an exit button that shunts leaves the strike alone and makes an opening within the release time lawful', async () => {
  const bench = await makeDoorBench({ timings: { exitAction: 'shunt' } });
  bench.pressExit();
  bench.clock.advance(RELEASE - 1);
  bench.moveDoor('open');
  bench.moveDoor('closed');
  bench.pressExit();
  bench.clock.advance(RELEASE);
  bench.moveDoor('open');
  assert.deepEqual(bench.strikes(), []);
  assert.deepEqual(await bench.eventNames(), [
    'exit-requested',
    'door-opened',
    'door-closed',
    'exit-requested',
    'door-forced-open',
  ]);
});

const WARNED = { heldOpenWarning: milliseconds(4000) };

test('the reader warns before the door is held open too long, and until it is closed', async () => {
  const bench = await makeDoorBench({ ...live, timings: WARNED });
  bench.tap(UID);
  bench.moveDoor('open');
  bench.clock.advance(HELD_OPEN - 4001);
  assert.deepEqual(bench.warnings, []);
  bench.clock.advance(1);
  assert.deepEqual(bench.warnings, [true]);
  bench.clock.advance(4000);
  assert.deepEqual([bench.warnings, bench.controller.view().alarms], [[true], ['held-open']]);
  bench.moveDoor('closed');
  assert.deepEqual(bench.warnings, [true, false]);
  assert.deepEqual((await bench.eventNames()).slice(1), [
    'door-opened',
    'door-held-open-warning',
    'door-held-open',
    'door-held-open-cleared',
    'door-closed',
  ]);
});

test('a warning is over when the door is closed, somebody is released, or the mode lets it stand open', async () => {
  const endings: readonly ((bench: Awaited<ReturnType<typeof makeDoorBench>>) => void)[] = [
    (bench) => bench.moveDoor('closed'),
    (bench) => bench.tap(UID),
    (bench) => bench.pressExit(),
    (bench) => bench.controller.setMode('held-open'),
  ];
  for (const end of endings) {
    const bench = await makeDoorBench({ ...live, timings: WARNED });
    bench.tap(UID);
    bench.moveDoor('open');
    bench.clock.advance(HELD_OPEN - 1);
    end(bench);
    assert.deepEqual(bench.warnings, [true, false]);
    assert.equal((await bench.eventNames()).includes('door-held-open'), false);
  }
});

test('a grant is taken when the door is opened on it, and at once where that cannot be told', async () => {
  const waiting = await makeDoorBench(live);
  waiting.tap(UID);
  assert.deepEqual(waiting.taken, []);
  waiting.moveDoor('open');
  assert.deepEqual(waiting.taken, [UID]);
  waiting.tap(UID);
  assert.deepEqual(waiting.taken, [UID, UID], 'the door stands open');
  const blind = await makeDoorBench({ ...live, hasContact: false });
  blind.tap(UID);
  assert.deepEqual(blind.taken, [UID]);
  const held = await makeDoorBench({ ...live, initialMode: 'unlocked' });
  held.tap(UID);
  assert.deepEqual(held.taken, [UID]);
});

test('a grant that nobody uses, or that the strike does not follow, is not taken', async () => {
  const bench = await makeDoorBench(live);
  bench.tap(UID);
  bench.clock.advance(RELEASE);
  assert.deepEqual(bench.taken, []);
  bench.breakStrike();
  bench.moveDoor('open');
  bench.tap(UID);
  bench.controller.setMode('held-open');
  bench.tap(UID);
  assert.deepEqual(bench.taken, []);
  assert.equal((await bench.eventNames()).filter((name) => name === 'access-denied: door-blocked').length, 2);
  bench.mendStrike();
  bench.tap(UID);
  assert.deepEqual([bench.taken, bench.strike()], [[UID], 'unlocked']);
});

test('a grant that waited when a later release failed was not taken', async () => {
  const bench = await makeDoorBench({ ...live, timings: { grace: milliseconds(500) } });
  bench.tap(UID);
  bench.clock.advance(RELEASE);
  bench.breakStrike();
  bench.pressExit();
  assert.deepEqual(await bench.eventNames(), ['access-granted', 'exit-requested', 'access-not-taken']);
  assert.deepEqual(bench.taken, []);
});

test('the exit button too tries the strike of a door that is held open in name only', async () => {
  const bench = await makeDoorBench();
  bench.breakStrike();
  bench.controller.setMode('held-open');
  bench.mendStrike();
  bench.pressExit();
  assert.equal(bench.strike(), 'unlocked');
});

test('a door that is found open at start is no forced door, but may not stand so for ever', async () => {
  const bench = await makeDoorBench();
  bench.controller.stop();
  bench.moveDoor('open');
  const found = bench.makeController('normal');
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
