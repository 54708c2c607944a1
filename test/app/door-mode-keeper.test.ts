import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { UnlockSchedule } from '../../src/domain/door-mode.ts';
import type { DoorId } from '../../src/domain/ids.ts';
import type { UntrustedPolicy } from '../../src/domain/schedule.ts';
import { milliseconds, seconds } from '../../src/domain/units.ts';
import { CardeaError } from '../../src/errors.ts';
import { CommandBench, DAY, FRONT, LAB } from './command-bench.ts';
import { settle } from './door-bench.ts';

const diskIsFull = new CardeaError('store-write-failed', 'no space left on device');
const HOUR = 3_600_000;

/** Every event about orders in the log, as `front lockdown-started`, or `front block done`, with what ended it. */
const told = (bench: CommandBench): string[] =>
  bench.store.entries.flatMap(({ event: { event, door, detail } }) => {
    if (typeof detail !== 'object' || detail === null || !('operator' in detail) || door === null) return [];
    const what = 'action' in detail ? `${detail['action']} ${detail['result']}` : event;
    return [`${door} ${what}${'cause' in detail ? ` (${detail['cause']})` : ''}`];
  });

/** The front door unlocks by the schedule, the other one not. */
const startUnlocking = (
  unlock: Partial<UnlockSchedule> = {},
  now = '2026-01-05T08:00:00Z',
  policy: UntrustedPolicy = 'deny-windowed',
) =>
  CommandBench.start(
    { now },
    new Map<DoorId, UnlockSchedule>([[FRONT, { schedule: DAY, afterFirstCard: false, ...unlock }]]),
    policy,
  );

describe('an order with an end', () => {
  for (const [action, during] of [
    ['block', 'blocked'],
    ['hold-open', 'held-open'],
    ['lockdown', 'lockdown'],
  ] as const) {
    it(`${action} is over within a second of it, which is told and stored`, async () => {
      const bench = await CommandBench.start();
      await bench.order(action, { until: bench.in(seconds(60)), reason: 'painting' });
      bench.clock.advance(59_000);
      assert.equal(bench.mode(FRONT), during);
      bench.clock.advance(1_000);
      assert.equal(bench.mode(FRONT), 'normal');
      assert.equal(bench.io.strike(FRONT), 'locked');
      await settle();
      assert.deepEqual(bench.store.doorOrders(FRONT), {});
      const end = bench.store.entries.at(-1)?.event;
      const detail = { operator: 'ada', reason: 'painting', until: '2026-01-05T08:01:00.000Z', cause: 'expired' };
      assert.equal(end?.event, action === 'lockdown' ? 'lockdown-ended' : 'door-command');
      assert.deepEqual(end?.detail, action === 'lockdown' ? detail : { ...detail, action: 'normal', result: 'done' });
    });
  }

  it('goes back to the order beneath it', async () => {
    const bench = await CommandBench.start();
    await bench.order('block');
    await bench.order('lockdown', { until: bench.in(seconds(60)) });
    bench.clock.advance(60_000);
    assert.equal(bench.mode(FRONT), 'blocked');
    await settle();
    assert.equal(bench.store.doorOrders(FRONT).mode?.mode, 'blocked');
  });

  it('may run out beneath a lockdown', async () => {
    const bench = await CommandBench.start();
    await bench.order('block', { until: bench.in(seconds(60)) });
    await bench.order('lockdown');
    bench.clock.advance(60_000);
    assert.equal(bench.mode(FRONT), 'lockdown');
    await bench.order('end-lockdown');
    assert.equal(bench.mode(FRONT), 'normal');
  });

  it('lasts anew when it is given again, and without an end where it is given without', async () => {
    const bench = await CommandBench.start();
    await bench.order('block', { until: bench.in(seconds(60)) });
    bench.clock.advance(30_000);
    await bench.order('block', { until: bench.in(seconds(60)) });
    bench.clock.advance(59_000);
    assert.equal(bench.mode(FRONT), 'blocked');
    await bench.order('block');
    bench.clock.advance(HOUR);
    assert.equal(bench.mode(FRONT), 'blocked');
  });

  for (const [action, during] of [
    ['block', 'blocked'],
    ['hold-open', 'held-open'],
    ['lockdown', 'lockdown'],
  ] as const) {
    it(`${action} ends at the latest when its time is up, by a clock that is set back too`, async () => {
      const bench = await CommandBench.start();
      await bench.order(action, { until: bench.in(milliseconds(HOUR)) });
      bench.clock.setNow('2026-01-05T06:00:00Z');
      bench.clock.advance(HOUR - 1_000);
      assert.equal(bench.mode(FRONT), during);
      bench.clock.advance(1_000);
      assert.equal(bench.mode(FRONT), 'normal');
    });

    it(`${action} ends when a clock that is set forward has passed its end`, async () => {
      const bench = await CommandBench.start();
      await bench.order(action, { until: bench.in(milliseconds(HOUR)) });
      bench.clock.setNow('2026-01-05T09:00:00Z');
      bench.clock.advance(1_000);
      assert.equal(bench.mode(FRONT), 'normal');
    });

    it(`${action} ends${action === 'hold-open' ? '' : ' not'} when a clock that is a guess has passed its end`, async () => {
      const bench = await CommandBench.start();
      await bench.order(action, { until: bench.in(milliseconds(HOUR)) });
      bench.clock.setSynchronized(false);
      bench.clock.setNow('2026-01-05T09:00:00Z');
      bench.clock.advance(1_000);
      assert.equal(bench.mode(FRONT), action === 'hold-open' ? 'normal' : during);
      bench.clock.advance(HOUR);
      assert.equal(bench.mode(FRONT), 'normal');
    });
  }

  for (const policy of ['deny-windowed', 'allow'] as const) {
    it(`cannot be given one while the clock is a guess, by which cards are judged or not (${policy}): what locks has none, what opens is refused`, async () => {
      const bench = await CommandBench.start({ synchronized: false }, new Map(), policy);
      const until = bench.in(milliseconds(HOUR));
      const held = await bench.order('hold-open', { until });
      assert.deepEqual([held.result, bench.mode(FRONT)], ['refused', 'normal']);
      assert.match(held.detail ?? '', /does not know the time/);
      for (const action of ['block', 'lockdown'] as const) {
        const answer = await bench.order(action, { until });
        assert.equal(answer.result, 'done');
        assert.match(answer.detail ?? '', /without an end/);
      }
      bench.clock.setSynchronized(true);
      bench.clock.advance(2 * HOUR);
      assert.equal(bench.mode(FRONT), 'lockdown');
    });

    it(`keeps a lockdown over a restart with a clock that is a guess and has passed it (${policy})`, async () => {
      const bench = await CommandBench.start({}, new Map(), policy);
      await bench.order('lockdown', { until: bench.in(milliseconds(HOUR)) });
      bench.clock.setSynchronized(false);
      bench.clock.setNow('2026-01-06T08:00:00Z');
      await bench.restart();
      bench.clock.advance(5_000);
      assert.equal(bench.mode(FRONT), 'lockdown');
    });
  }
});

describe('a lockdown', () => {
  it('takes effect before anything is stored, and while nothing can be', async () => {
    const bench = await CommandBench.start();
    bench.store.commitFailure = diskIsFull;
    const answered = bench.order('lockdown');
    assert.equal(bench.mode(FRONT), 'lockdown');
    const answer = await answered;
    assert.deepEqual([answer.result, answer.sequence], ['done', null]);
    bench.store.commitFailure = undefined;
    bench.clock.advance(60_000);
    await settle();
    bench.clock.advance(2_000);
    await settle();
    assert.deepEqual(told(bench), ['front lockdown-started']);
    await bench.restart();
    assert.equal(bench.mode(FRONT), 'lockdown', 'what could not be stored then was stored later');
  });

  it('refuses what opens, and takes orders for what comes after it', async () => {
    const bench = await CommandBench.start();
    await bench.order('lockdown');
    for (const action of ['unlock', 'hold-open'] as const) {
      const answer = await bench.order(action);
      assert.deepEqual([answer.result, answer.mode], ['refused', 'lockdown']);
      assert.match(answer.detail ?? '', /end-lockdown/);
    }
    await bench.order('block');
    assert.equal(bench.mode(FRONT), 'lockdown');
    await bench.order('end-lockdown');
    assert.equal(bench.mode(FRONT), 'blocked');
    await bench.order('lockdown');
    await bench.order('normal');
    assert.equal(bench.mode(FRONT), 'lockdown');
    await bench.order('end-lockdown');
    assert.equal(bench.mode(FRONT), 'normal');
    assert.deepEqual(bench.releases, []);
    assert.deepEqual(told(bench), [
      'front lockdown-started',
      'front unlock refused',
      'front hold-open refused',
      'front block done',
      'front lockdown-ended',
      'front lockdown-started',
      'front normal done',
      'front lockdown-ended',
    ]);
  });

  it('ends what was held open, for good', async () => {
    const bench = await CommandBench.start();
    await bench.order('hold-open');
    await bench.order('lockdown');
    assert.equal(bench.io.strike(FRONT), 'locked');
    await bench.order('end-lockdown');
    assert.deepEqual([bench.mode(FRONT), bench.io.strike(FRONT)], ['normal', 'locked']);
  });

  it('does not end while its end cannot be recorded', async () => {
    const bench = await CommandBench.start();
    await bench.order('lockdown');
    bench.store.commitFailure = diskIsFull;
    await assert.rejects(bench.order('end-lockdown'), { code: 'store-write-failed' });
    assert.equal(bench.mode(FRONT), 'lockdown');
  });

  it('stands against an order that was still being recorded when it came', async () => {
    for (const action of ['unlock', 'hold-open', 'normal', 'end-lockdown'] as const) {
      const bench = await CommandBench.start();
      bench.store.holdCommits();
      const opening = bench.order(action);
      await settle();
      const locking = bench.order('lockdown');
      bench.store.releaseCommits();
      assert.equal((await opening).result, 'refused');
      await locking;
      await settle();
      assert.deepEqual([bench.mode(FRONT), bench.store.doorOrders(FRONT).lockdown?.operator], ['lockdown', 'ada']);
    }
  });

  it('by message says who, why and until when, for one gateway and for all', async () => {
    const bench = await CommandBench.start();
    const until = '2026-01-05T10:00:00+01:00';
    await bench.deliver({ ...bench.fresh('lock', { action: 'lockdown', door: '*', until }), reason: 'alarm' });
    const events = bench.store.entries.filter(({ event }) => event.event === 'lockdown-started');
    const detail = { operator: 'guard.3', reason: 'alarm', until: '2026-01-05T09:00:00.000Z', messageId: 'lock' };
    assert.deepEqual(
      events.map(({ event }) => [event.door, event.detail]),
      [
        ['front', detail],
        ['lab', detail],
      ],
    );
    assert.equal(await bench.outcome(bench.fresh('end', { action: 'end-lockdown', door: '*' })), 'applied front,lab');
    assert.deepEqual([bench.mode(FRONT), bench.mode(LAB)], ['normal', 'normal']);
  });

  it('that has not been is no fault to end, and no end of one is told', async () => {
    const bench = await CommandBench.start();
    const answer = await bench.order('end-lockdown');
    assert.deepEqual([answer.result, answer.detail], ['done', 'the door was not in lockdown']);
    assert.deepEqual(told(bench), ['front end-lockdown done']);
  });

  it('is not cut short by a message from before it, nor is a block', async () => {
    for (const [action, mode] of [
      ['lockdown', 'lockdown'],
      ['block', 'blocked'],
    ] as const) {
      const bench = await CommandBench.start();
      const late = bench.fresh('late', { action, until: '2026-01-05T08:05:00Z' });
      bench.clock.advance(10_000);
      await bench.order(action);
      assert.equal(await bench.outcome(late), 'applied front');
      bench.clock.advance(HOUR);
      assert.equal(bench.mode(FRONT), mode);
    }
  });

  it('and the block beneath it are judged apart: a late block that is newer than the block takes its place', async () => {
    const bench = await CommandBench.start();
    await bench.order('block', { until: bench.in(seconds(60)) });
    bench.clock.advance(10_000);
    const late = bench.fresh('late', { action: 'block' });
    bench.clock.advance(10_000);
    await bench.order('lockdown');
    assert.equal(await bench.outcome(late), 'applied front');
    bench.clock.advance(60_000);
    await bench.order('end-lockdown');
    assert.equal(bench.mode(FRONT), 'blocked');
  });

  it('is not ended by a message from before it', async () => {
    const bench = await CommandBench.start();
    const lateEnd = bench.fresh('end', { action: 'end-lockdown' });
    bench.clock.advance(10_000);
    await bench.order('lockdown');
    assert.equal(await bench.outcome(lateEnd), 'rejected: not-carried-out -');
    assert.equal(bench.mode(FRONT), 'lockdown');
  });

  it('is not ended by a message from before it that comes after a restart', async () => {
    const bench = await CommandBench.start();
    const late = bench.fresh('end', { action: 'end-lockdown' });
    bench.clock.advance(10_000);
    await bench.order('lockdown');
    bench.clock.advance(10_000);
    await bench.restart();
    assert.equal(await bench.outcome(late), 'rejected: not-carried-out -');
    assert.equal(await bench.outcome(bench.fresh('new', { action: 'end-lockdown' })), 'applied front');
  });

  it('from before a restart counts from when it was given, also after an older one has come late', async () => {
    const bench = await CommandBench.start();
    const lateLock = bench.fresh('lock', { action: 'lockdown' });
    bench.clock.advance(5_000);
    const lateEnd = bench.fresh('end', { action: 'end-lockdown' });
    bench.clock.advance(5_000);
    await bench.order('lockdown');
    await bench.restart();
    assert.equal(await bench.outcome(lateLock), 'applied front');
    assert.equal(await bench.outcome(lateEnd), 'rejected: not-carried-out -');
    assert.equal(bench.mode(FRONT), 'lockdown');
  });
});

describe('a restart', () => {
  for (const [action, after] of [
    ['block', 'blocked'],
    ['lockdown', 'lockdown'],
    ['hold-open', 'normal'],
  ] as const) {
    it(`leaves a door ${after} after ${action}, and its end stands`, async () => {
      const bench = await CommandBench.start();
      await bench.order(action, { until: bench.in(milliseconds(HOUR)) });
      await bench.restart();
      assert.equal(bench.mode(FRONT), after);
      assert.deepEqual(bench.releases, []);
      bench.clock.advance(HOUR - 1_000);
      assert.equal(bench.mode(FRONT), after);
      bench.clock.advance(1_000);
      assert.equal(bench.mode(FRONT), 'normal');
      await settle();
      assert.deepEqual(bench.store.doorOrders(FRONT), {});
    });
  }

  it('after the end of an order ends it, when the clock can be trusted', async () => {
    const bench = await CommandBench.start();
    await bench.order('block', { until: bench.in(milliseconds(HOUR)) });
    bench.clock.setSynchronized(false);
    bench.clock.setNow('2026-01-05T12:00:00Z');
    await bench.restart();
    bench.clock.advance(2 * HOUR);
    assert.equal(bench.mode(FRONT), 'blocked');
    bench.clock.setSynchronized(true);
    bench.clock.advance(1_000);
    assert.equal(bench.mode(FRONT), 'normal');
    await settle();
    assert.deepEqual(told(bench), ['front block done', 'front normal done (expired)']);
  });

  it('at any step of an order leaves the door as it was, or as it was to be', async () => {
    for (const step of ['before the disk', 'after the disk']) {
      for (const action of ['block', 'lockdown'] as const) {
        const bench = await CommandBench.start();
        bench.store.holdCommits();
        void bench.order(action).catch(() => {});
        await settle();
        if (step === 'after the disk') {
          bench.store.releaseCommits();
          await settle();
        }
        await bench.restart();
        const expected = action === 'block' ? 'blocked' : 'lockdown';
        assert.equal(bench.mode(FRONT), step === 'after the disk' ? expected : 'normal');
      }
    }
  });
});

describe('an end that the store cannot hold', () => {
  it('takes effect all the same, and is told once when the store works again', async () => {
    const bench = await CommandBench.start();
    await bench.order('block', { until: bench.in(seconds(10)) });
    bench.store.commitFailure = diskIsFull;
    bench.clock.advance(10_000);
    await settle();
    assert.equal(bench.mode(FRONT), 'normal');
    bench.store.commitFailure = undefined;
    for (let second = 0; second < 60; second++) {
      bench.clock.advance(1_000);
      await settle();
    }
    assert.deepEqual(told(bench), ['front block done', 'front normal done (expired)']);
    assert.deepEqual(bench.store.doorOrders(FRONT), {});
  });
});

describe('an unlock schedule', () => {
  it('unlocks while it holds, and tells both', async () => {
    const bench = await startUnlocking();
    bench.clock.advance(0.5 * HOUR - 1_000);
    assert.equal(bench.mode(FRONT), 'normal');
    bench.clock.advance(1_000);
    assert.deepEqual([bench.mode(FRONT), bench.io.strike(FRONT)], ['unlocked', 'unlocked']);
    bench.clock.advance(3.5 * HOUR);
    assert.deepEqual([bench.mode(FRONT), bench.io.strike(FRONT), bench.mode(LAB)], ['normal', 'locked', 'normal']);
    await settle();
    assert.deepEqual(
      bench.store.entries.map(({ event }) => event.detail),
      ['schedule-unlock', 'schedule-lock'].map((action) => ({
        action,
        operator: 'cardea',
        result: 'done',
        schedule: 'day',
      })),
    );
  });

  for (const policy of ['deny-windowed', 'allow'] as const) {
    it(`locks while the clock is a guess, by which cards are judged or not (${policy})`, async () => {
      const bench = await startUnlocking({}, '2026-01-05T09:00:00Z', policy);
      assert.equal(bench.mode(FRONT), 'unlocked');
      bench.clock.setSynchronized(false);
      bench.clock.advance(1_000);
      assert.equal(bench.mode(FRONT), 'normal');
    });
  }

  it('follows a clock that is set', async () => {
    const bench = await startUnlocking();
    bench.clock.setNow('2026-01-05T10:00:00Z');
    bench.clock.advance(1_000);
    assert.equal(bench.mode(FRONT), 'unlocked');
    bench.clock.setNow('2026-01-04T10:00:00Z');
    bench.clock.advance(1_000);
    assert.equal(bench.mode(FRONT), 'normal', 'a Sunday');
  });

  it('gives way to every order, and goes on when the order is over', async () => {
    const bench = await startUnlocking({}, '2026-01-05T09:00:00Z');
    await bench.order('block');
    assert.equal(bench.io.strike(FRONT), 'locked');
    await bench.order('normal');
    assert.equal(bench.mode(FRONT), 'unlocked');
    await bench.order('lockdown', { until: bench.in(seconds(60)) });
    assert.equal(bench.io.strike(FRONT), 'locked');
    bench.clock.advance(60_000);
    assert.equal(bench.mode(FRONT), 'unlocked');
    await bench.order('hold-open');
    await bench.order('normal');
    assert.equal(bench.mode(FRONT), 'unlocked');
    await bench.order('block', { until: bench.in(milliseconds(4 * HOUR)) });
    bench.clock.advance(4 * HOUR);
    assert.equal(bench.mode(FRONT), 'normal', 'the schedule has ended meanwhile');
  });

  it('is in effect again after a restart', async () => {
    const bench = await startUnlocking({}, '2026-01-05T09:00:00Z');
    await bench.restart();
    assert.deepEqual([bench.mode(FRONT), bench.io.strike(FRONT)], ['unlocked', 'unlocked']);
  });

  it('says so when the strike does not follow', async () => {
    const bench = await startUnlocking();
    bench.io.writeFailure = new CardeaError('gpio-write-failed', 'the relay board is gone');
    bench.clock.advance(HOUR);
    await settle();
    assert.equal(told(bench)[0], 'front schedule-unlock failed');
  });
});

describe('an unlock schedule that waits for the first card', () => {
  const first = { afterFirstCard: true };

  it('unlocks when a card is granted while it holds, and not by one from before', async () => {
    const bench = await startUnlocking(first);
    bench.keeper.onGranted(FRONT);
    bench.clock.advance(HOUR);
    assert.equal(bench.mode(FRONT), 'normal');
    bench.keeper.onGranted(LAB);
    assert.equal(bench.mode(FRONT), 'normal');
    bench.keeper.onGranted(FRONT);
    assert.equal(bench.mode(FRONT), 'unlocked');
  });

  it('takes a card in the same second in which it begins to hold', async () => {
    const bench = await startUnlocking(first, '2026-01-05T08:29:59.500Z');
    bench.clock.advance(600);
    bench.keeper.onGranted(FRONT);
    assert.equal(bench.mode(FRONT), 'unlocked');
  });

  it('waits anew each day, after a restart, after a lockdown, and not after a block', async () => {
    const bench = await startUnlocking(first, '2026-01-05T09:00:00Z');
    const isUnlockedAgain = (): boolean => {
      const isWaiting = bench.mode(FRONT) === 'normal';
      bench.keeper.onGranted(FRONT);
      assert.equal(bench.mode(FRONT), 'unlocked');
      return !isWaiting;
    };
    assert.equal(isUnlockedAgain(), false);
    await bench.order('block');
    await bench.order('normal');
    assert.equal(isUnlockedAgain(), true);
    await bench.order('lockdown');
    bench.keeper.onGranted(FRONT);
    await bench.order('end-lockdown');
    assert.equal(isUnlockedAgain(), false, 'nor does a card count that overrode the lockdown');
    await bench.restart();
    assert.equal(isUnlockedAgain(), false);
    bench.clock.advance(24 * HOUR);
    assert.equal(isUnlockedAgain(), false);
  });
});

describe('a reset of anti-passback by message', () => {
  const reset = { action: 'reset-passback', door: '*', cardholder: 'E1001' };

  it('forgets where the person is, and is one event with its receipt', async () => {
    const bench = await CommandBench.start();
    const receipt = await bench.answer(reset);
    assert.deepEqual([receipt.result, receipt.cardholder, receipt.doors], ['applied', 'E1001', []]);
    assert.deepEqual(bench.resets, ['E1001']);
    assert.equal(bench.store.commits.length, 1);
    const [entry] = bench.store.entries;
    assert.equal(entry?.event.event, 'operator-action');
    assert.deepEqual(entry?.event.detail, {
      action: 'reset-passback',
      cardholder: 'E1001',
      operator: 'guard.3',
      messageId: 'c-1',
      reason: 'parcel service',
    });
  });

  it('is carried out once, over a restart too', async () => {
    const bench = await CommandBench.start();
    await bench.deliver(reset);
    await bench.restart();
    assert.equal((await bench.answer(reset)).result, 'duplicate');
    assert.deepEqual(bench.resets, ['E1001']);
  });

  it('is not acknowledged while the store fails', async () => {
    const bench = await CommandBench.start();
    bench.store.commitFailure = diskIsFull;
    await assert.rejects(bench.deliver(reset), { code: 'store-write-failed' });
    assert.deepEqual(bench.resets, []);
  });
});
