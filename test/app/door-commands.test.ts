import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type DoorCommandAnswer, OPENING_LIMIT } from '../../src/app/door-commands.ts';
import type { DoorAction } from '../../src/domain/door-command.ts';
import { modeOf, NO_ORDERS } from '../../src/domain/door-mode.ts';
import type { DoorId } from '../../src/domain/ids.ts';
import { milliseconds } from '../../src/domain/units.ts';
import { CardeaError } from '../../src/errors.ts';
import { AdminBench, FRONT, LAB } from '../admin/admin-bench.ts';
import { CommandBench } from './command-bench.ts';
import { settle } from './door-bench.ts';

const OPERATOR = 'ada';

const command = (bench: AdminBench, action: DoorAction, door: DoorId = FRONT): Promise<DoorCommandAnswer> =>
  bench.operations.commandDoor({ door, action, operator: OPERATOR });

/** What the log of events says about commands, oldest first. */
const commandsIn = async (bench: AdminBench): Promise<string[]> => {
  const entries = await bench.store.entriesAfter(0, 1000);
  return entries.flatMap(({ event }) => {
    if (event.event !== 'door-command') return [];
    const { detail } = event;
    assert.ok(typeof detail === 'object' && detail !== null && 'action' in detail);
    assert.equal(detail['operator'], OPERATOR);
    return [`${event.door} ${detail['action']} ${detail['result']}`];
  });
};

const diskIsFull = new CardeaError('store-write-failed', 'no space left on device');
const isStoreFailure = (error: unknown): boolean =>
  error instanceof CardeaError && error.code === 'store-write-failed' && error.message.includes('stays as it is');

describe('a door command', () => {
  it('unlock releases the strike once, for as long as a granted tap does', async () => {
    const bench = await AdminBench.start();
    const answer = await command(bench, 'unlock');
    assert.deepEqual(answer, {
      door: 'front',
      action: 'unlock',
      result: 'done',
      mode: 'normal',
      sequence: 1,
      detail: null,
    });
    assert.equal(bench.io.strike(FRONT), 'unlocked');
    bench.clock.advance(5_000);
    assert.equal(bench.io.strike(FRONT), 'locked');
  });

  it('normal says that a lockdown goes on', async () => {
    const bench = await AdminBench.start();
    await command(bench, 'lockdown');
    const { result, mode, detail } = await command(bench, 'normal');
    assert.deepEqual([result, mode], ['done', 'lockdown']);
    assert.match(detail ?? '', /^not before the lockdown ends/);
    assert.equal((await command(bench, 'end-lockdown')).detail, null);
  });

  it('is one event that names action, operator and result', async () => {
    const bench = await AdminBench.start();
    for (const action of ['unlock', 'hold-open', 'block', 'normal'] as const) await command(bench, action, LAB);
    await bench.writer.idle();
    assert.deepEqual(await commandsIn(bench), [
      'lab unlock done',
      'lab hold-open done',
      'lab block done',
      'lab normal done',
    ]);
  });

  it('hold-open keeps the strike unlocked until normal', async () => {
    const bench = await AdminBench.start();
    assert.equal((await command(bench, 'hold-open')).mode, 'held-open');
    bench.clock.advance(3_600_000);
    assert.equal(bench.io.strike(FRONT), 'unlocked');
    assert.equal((await command(bench, 'normal')).mode, 'normal');
    assert.equal(bench.io.strike(FRONT), 'locked');
  });

  it('stores the mode in the batch that records the command', async () => {
    const bench = await AdminBench.start();
    for (const [action, mode] of [
      ['block', 'blocked'],
      ['normal', 'normal'],
      ['hold-open', 'held-open'],
    ] as const) {
      await command(bench, action);
      const batch = bench.store.commits.at(-1);
      assert.equal(modeOf(batch?.doorOrders.get(FRONT) ?? NO_ORDERS, false), mode);
      assert.equal(batch?.entries.at(-1)?.event.event, 'door-command');
      assert.equal(modeOf(bench.store.doorOrders(FRONT), false), mode);
    }
  });

  it('unlock is refused while the door is blocked, and the refusal is recorded', async () => {
    const bench = await AdminBench.start();
    await command(bench, 'block');
    const answer = await command(bench, 'unlock');
    assert.equal(answer.result, 'refused');
    assert.match(answer.detail ?? '', /blocked/);
    assert.equal(bench.io.strike(FRONT), 'locked');
    assert.deepEqual(await commandsIn(bench), ['front block done', 'front unlock refused']);
  });

  it('to a door that is not here is refused with the doors that are', async () => {
    const bench = await AdminBench.start();
    await assert.rejects(
      bench.operations.commandDoor({ door: 'attic', action: 'unlock', operator: OPERATOR }),
      (error) => error instanceof CardeaError && error.code === 'unknown-door' && error.message.includes('front, lab'),
    );
  });

  it('is logged with the operator', async () => {
    const bench = await AdminBench.start();
    await command(bench, 'unlock');
    const [record] = bench.log.at('info').filter(({ message }) => message === 'door command');
    assert.equal(record?.fields['operator'], OPERATOR);
    assert.equal(record?.fields['action'], 'unlock');
  });
});

describe('what opens is recorded first', () => {
  for (const action of ['unlock', 'hold-open'] as const) {
    it(`${action} waits until it is on the disk`, async () => {
      const bench = await AdminBench.start();
      bench.store.holdCommits();
      const answered = command(bench, action);
      await settle();
      assert.equal(bench.io.strike(FRONT), 'locked');
      bench.store.releaseCommits();
      await answered;
      assert.equal(bench.io.strike(FRONT), 'unlocked');
    });

    it(`${action} does not happen while the store fails`, async () => {
      const bench = await AdminBench.start();
      bench.store.commitFailure = diskIsFull;
      await assert.rejects(command(bench, action), isStoreFailure);
      assert.equal(bench.io.strike(FRONT), 'locked');
      assert.equal(bench.doors.get(FRONT)?.mode, 'normal');
    });
  }

  it('normal does not lift a block while the store fails', async () => {
    const bench = await AdminBench.start();
    await command(bench, 'block');
    bench.store.commitFailure = diskIsFull;
    await assert.rejects(command(bench, 'normal'), isStoreFailure);
    assert.equal(bench.doors.get(FRONT)?.mode, 'blocked');
  });
});

describe('what opens, and got to the disk although the store refused it', () => {
  for (const [locking, ending, mode] of [
    ['block', 'normal', 'blocked'],
    ['lockdown', 'end-lockdown', 'lockdown'],
  ] as const) {
    it(`${ending} does not happen, after a restart either, and the log is corrected`, async () => {
      const bench = await CommandBench.start();
      await bench.order(locking);
      bench.store.refuseButKeepNextCommit();
      await assert.rejects(bench.order(ending), isStoreFailure);
      for (let second = 0; second < 5; second++) {
        bench.clock.advance(1_000);
        await settle();
      }
      assert.equal(bench.recorded.at(-1), `front ${ending} refused`);
      await bench.restart();
      assert.equal(bench.mode(FRONT), mode);
    });
  }
});

describe('what opens takes effect soon or never', () => {
  it('hold-open is refused where its end has come before its record', async () => {
    const bench = await CommandBench.start();
    bench.store.holdCommits();
    const answered = bench.order('hold-open', { until: bench.in(milliseconds(1_000)) });
    await settle();
    bench.clock.advance(2_000);
    bench.store.releaseCommits();
    assert.equal((await answered).result, 'refused');
    await settle();
    assert.deepEqual([bench.releases, bench.recorded.at(-1)], [[], 'front hold-open refused']);
  });

  for (const action of ['unlock', 'hold-open'] as const) {
    it(`${action} is refused at the limit while the disk hangs, and does not happen when the disk is back`, async () => {
      const bench = await AdminBench.start();
      bench.store.holdCommits();
      const answered = command(bench, action);
      await settle();
      bench.clock.advance(OPENING_LIMIT);
      const answer = await answered;
      assert.deepEqual([answer.result, answer.mode, answer.sequence], ['refused', 'normal', null]);
      assert.match(answer.detail ?? '', /timed out/);
      bench.clock.advance(600_000);
      bench.store.releaseCommits();
      await settle();
      assert.equal(bench.io.strike(FRONT), 'locked');
      assert.equal(bench.doors.get(FRONT)?.mode, 'normal');
      assert.deepEqual(await commandsIn(bench), [`front ${action} done`, `front ${action} refused`]);
      const last = (await bench.store.entriesAfter(1, 1))[0]?.event.detail;
      assert.deepEqual(last, { action, operator: OPERATOR, result: 'refused', cause: 'timed-out' });
    });
  }

  it('a command whose record waited its turn for too long is refused, and the log corrected', async () => {
    const bench = await AdminBench.start();
    bench.store.holdCommits();
    const filled = bench.fillLog(1);
    await settle();
    const answered = command(bench, 'hold-open');
    bench.clock.advance(OPENING_LIMIT);
    bench.store.releaseCommits();
    await Promise.all([answered, filled]);
    await settle();
    assert.deepEqual(await commandsIn(bench), ['front hold-open done', 'front hold-open refused']);
    assert.equal(modeOf(bench.store.doorOrders(FRONT), false), 'normal');
    assert.equal(bench.doors.get(FRONT)?.mode, 'normal');
  });

  it('normal that came too late leaves the door blocked, over a restart as well', async () => {
    const bench = await AdminBench.start();
    await command(bench, 'block');
    bench.store.holdCommits();
    const answered = command(bench, 'normal');
    await settle();
    bench.clock.advance(OPENING_LIMIT);
    assert.equal((await answered).result, 'refused');
    bench.store.releaseCommits();
    await settle();
    assert.equal(bench.doors.get(FRONT)?.mode, 'blocked');
    assert.equal(modeOf(bench.store.doorOrders(FRONT), false), 'blocked');
  });

  it('a command that is recorded just in time opens', async () => {
    const bench = await AdminBench.start();
    bench.store.holdCommits();
    const answered = command(bench, 'unlock');
    await settle();
    bench.clock.advance(OPENING_LIMIT - 1);
    bench.store.releaseCommits();
    assert.equal((await answered).result, 'done');
    assert.equal(bench.io.strike(FRONT), 'unlocked');
  });
});

describe('what locks takes effect at once', () => {
  it('block does not wait for the disk', async () => {
    const bench = await AdminBench.start();
    await command(bench, 'hold-open');
    bench.store.holdCommits();
    const answered = command(bench, 'block');
    assert.equal(bench.io.strike(FRONT), 'locked');
    assert.equal(bench.doors.get(FRONT)?.mode, 'blocked');
    bench.store.releaseCommits();
    assert.equal((await answered).result, 'done');
  });

  it('block holds while the store fails, says so, and is recorded when the store works again', async () => {
    const bench = await AdminBench.start();
    bench.store.commitFailure = diskIsFull;
    const answer = await command(bench, 'block');
    assert.equal(answer.result, 'done');
    assert.equal(answer.sequence, null);
    assert.match(answer.detail ?? '', /no space left/);
    assert.doesNotMatch(answer.detail ?? '', /stays as it is/);
    assert.equal(bench.doors.get(FRONT)?.mode, 'blocked');
    assert.equal(bench.log.at('warn').filter(({ message }) => message === 'door command').length, 1);

    await bench.writer.idle();
    bench.store.commitFailure = undefined;
    bench.clock.advance(60_000);
    await bench.writer.idle();
    assert.deepEqual(await commandsIn(bench), ['front block done']);
  });

  it('normal locks a door that is held open while the store fails', async () => {
    const bench = await AdminBench.start();
    await command(bench, 'hold-open');
    bench.store.commitFailure = diskIsFull;
    const answer = await command(bench, 'normal');
    assert.equal(answer.result, 'done');
    assert.equal(bench.io.strike(FRONT), 'locked');
  });

  for (const action of ['unlock', 'hold-open'] as const) {
    it(`an ${action} that was still being recorded does not undo a later block`, async () => {
      const bench = await AdminBench.start();
      bench.store.holdCommits();
      const opening = command(bench, action);
      await settle();
      const blocking = command(bench, 'block');
      bench.store.releaseCommits();
      assert.equal((await opening).result, 'refused');
      assert.equal((await blocking).result, 'done');
      await bench.writer.idle();
      assert.equal(bench.io.strike(FRONT), 'locked');
      assert.equal(bench.doors.get(FRONT)?.mode, 'blocked');
      assert.equal(modeOf(bench.store.doorOrders(FRONT), false), 'blocked');
      assert.equal((await commandsIn(bench)).at(-1), `front ${action} refused`);
    });
  }

  it('a block of one door does not stand in the way of a command to another', async () => {
    const bench = await AdminBench.start();
    bench.store.holdCommits();
    const opening = command(bench, 'unlock', LAB);
    await settle();
    const blocking = command(bench, 'block', FRONT);
    bench.store.releaseCommits();
    assert.equal((await opening).result, 'done');
    assert.equal((await blocking).result, 'done');
    assert.equal(bench.io.strike(LAB), 'unlocked');
  });
});

describe('a strike that cannot be driven', () => {
  const isDead = new CardeaError('gpio-write-failed', 'the relay board is gone');

  for (const action of ['unlock', 'hold-open'] as const) {
    it(`makes ${action} fail in the answer and in the log of events`, async () => {
      const bench = await AdminBench.start();
      bench.io.writeFailure = isDead;
      const answer = await command(bench, action);
      assert.equal(answer.result, 'failed');
      await bench.writer.idle();
      assert.deepEqual((await commandsIn(bench)).at(-1), `front ${action} failed`);
    });
  }

  it('makes a block of an unlocked door fail: its mode is blocked, its strike may not be', async () => {
    const bench = await AdminBench.start();
    await command(bench, 'hold-open');
    bench.io.writeFailure = isDead;
    const answer = await command(bench, 'block');
    assert.equal(answer.result, 'failed');
    assert.equal(answer.mode, 'blocked');
    assert.match(answer.detail ?? '', /look at the door/);
  });
});
