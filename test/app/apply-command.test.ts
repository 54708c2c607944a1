import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OPENING_LIMIT } from '../../src/app/door-commands.ts';
import { MAX_BATCH } from '../../src/app/write-batch.ts';
import { modeOf } from '../../src/domain/door-mode.ts';
import { CardeaError } from '../../src/errors.ts';
import { receiptIn, wholeLog } from '../flows/change-flow.ts';
import { CommandBench, commandJson, FRONT, LAB } from './command-bench.ts';
import { settle } from './door-bench.ts';

const diskIsFull = new CardeaError('store-write-failed', 'no space left on device');

describe('a command that comes as a message', () => {
  it('unlock releases the door once, and its receipt names the door', async () => {
    const bench = await CommandBench.start();
    assert.deepEqual(await bench.answer(), {
      type: 'receipt',
      gateway: 'lobby-1',
      messageType: 'command',
      messageId: 'c-1',
      revision: null,
      result: 'applied',
      card: null,
      cardholder: null,
      superseded: [],
      doors: ['front'],
      code: null,
      detail: null,
      path: null,
      payloadSha256: null,
      warnings: [],
      appliedAt: '2026-01-05T08:00:00.000Z',
      clockSynchronized: true,
      sequence: 2,
      roster: { revision: 0, cards: 0, digest: 'e5a00aa9991ac8a5ee3109844d84a55583bd20572ad3ffcd42792f3c36b183ad' },
    });
    assert.equal(bench.io.strike(FRONT), 'unlocked');
    bench.clock.advance(5_000);
    assert.deepEqual([bench.io.strike(FRONT), bench.releases], ['locked', ['front']]);
  });

  it('is an event that names operator, messageId and reason, and the messageId is remembered in the same batch', async () => {
    const bench = await CommandBench.start();
    await bench.deliver();
    const [batch] = bench.store.commits;
    assert.deepEqual(
      batch?.entries.map(({ event }) => [event.event, event.door, event.detail]),
      [
        [
          'door-command',
          'front',
          { action: 'unlock', operator: 'guard.3', result: 'done', messageId: 'c-1', reason: 'parcel service' },
        ],
      ],
    );
    assert.deepEqual(
      batch?.commands?.map(({ messageId }) => messageId),
      ['c-1'],
    );
    await wholeLog(bench.store);
  });

  it('block, hold-open and normal set the mode of one door or of all', async () => {
    const bench = await CommandBench.start();
    const modes = (): unknown => [bench.doors.get(FRONT)?.mode, bench.doors.get(LAB)?.mode];
    assert.equal(await bench.outcome({ messageId: 'a', action: 'hold-open' }), 'applied front');
    assert.deepEqual(modes(), ['held-open', 'normal']);
    assert.equal(await bench.outcome({ messageId: 'b', action: 'block', door: '*' }), 'applied front,lab');
    assert.deepEqual(modes(), ['blocked', 'blocked']);
    assert.equal(await bench.outcome({ messageId: 'c', action: 'normal', door: 'lab' }), 'applied lab');
    assert.deepEqual(modes(), ['blocked', 'normal']);
    assert.deepEqual(
      [modeOf(bench.store.doorOrders(FRONT), false), modeOf(bench.store.doorOrders(LAB), false)],
      ['blocked', 'normal'],
    );
  });

  it('that is carried out has what else is to be known in its receipt', async () => {
    const bench = await CommandBench.start();
    await bench.deliver({ messageId: 'a', action: 'lockdown' });
    const { result, detail } = await bench.answer({ messageId: 'b', action: 'normal', door: '*' });
    assert.equal(result, 'applied');
    assert.match(detail ?? '', /not before the lockdown ends/);
  });

  it('that a blocked door refuses is rejected, and of all doors takes effect at the others', async () => {
    const bench = await CommandBench.start();
    await bench.deliver({ messageId: 'a', action: 'block' });
    const refused = await bench.answer({ messageId: 'b' });
    assert.deepEqual([refused.result, refused.code, refused.doors], ['rejected', 'not-carried-out', []]);
    assert.match(refused.detail ?? '', /blocked/);
    const partly = await bench.answer({ messageId: 'c', door: '*' });
    assert.deepEqual([partly.result, partly.doors, partly.warnings], ['applied', ['lab'], ['not-carried-out: front']]);
    assert.deepEqual(bench.releases, ['lab']);
    assert.match((await bench.answer({ messageId: 'b' })).detail ?? '', /refused before/);
  });

  it('that a strike does not follow is rejected, and the log corrected', async () => {
    const bench = await CommandBench.start();
    bench.io.writeFailure = new CardeaError('gpio-write-failed', 'the relay board is gone');
    assert.equal(await bench.outcome(), 'rejected: not-carried-out -');
    await bench.writer.idle();
    assert.equal(bench.recorded.at(-1), 'front unlock failed');
  });

  it('to a door that is elsewhere is rejected', async () => {
    const bench = await CommandBench.start();
    const receipt = await bench.answer({ door: 'attic' });
    assert.deepEqual(
      [receipt.code, receipt.path, receipt.detail],
      ['unknown-door', 'door', 'the doors here are front, lab'],
    );
  });
});

describe('invariant 6: a command from a backlog', () => {
  it('is refused from its expiry on', async () => {
    const bench = await CommandBench.start({ now: '2026-01-05T08:01:00Z' });
    for (const action of ['unlock', 'hold-open', 'normal', 'block']) {
      assert.equal(await bench.outcome({ action, messageId: action, door: '*' }), 'rejected: expired-command -');
    }
    assert.deepEqual([bench.releases, bench.recorded], [[], []]);
  });

  it('is refused while the clock is not set, and stays refused when it is', async () => {
    const bench = await CommandBench.start({ synchronized: false });
    const receipt = await bench.answer();
    assert.deepEqual([receipt.code, receipt.clockSynchronized], ['expired-command', false]);
    assert.match(receipt.detail ?? '', /does not know the time/);
    bench.clock.setSynchronized(true);
    assert.equal(await bench.outcome(), 'rejected: expired-command -');
    assert.deepEqual(bench.releases, []);
  });

  it('does not release a door as a retained copy, however fresh', async () => {
    const bench = await CommandBench.start();
    await bench.deliver({}, true);
    assert.equal(receiptIn(bench.store.entries.at(-1)).code, 'retained-not-allowed');
    assert.deepEqual([bench.releases, bench.recorded], [[], []]);
  });

  it('that expires while it is being recorded does not open the door', async () => {
    const bench = await CommandBench.start();
    bench.store.holdCommits();
    const answered = bench.outcome({ expiresAt: '2026-01-05T08:00:01Z' });
    await settle();
    bench.clock.advance(1_000);
    bench.store.releaseCommits();
    assert.equal(await answered, 'rejected: expired-command -');
    await bench.writer.idle();
    assert.deepEqual([bench.releases, bench.recorded.at(-1)], [[], 'front unlock refused']);
  });

  it('that is recorded too late is refused, whatever the disk does later', async () => {
    const bench = await CommandBench.start();
    bench.store.holdCommits();
    const answered = bench.outcome({ action: 'hold-open' });
    await settle();
    bench.clock.advance(OPENING_LIMIT);
    await settle();
    bench.store.releaseCommits();
    assert.equal(await answered, 'rejected: expired-command -');
    await bench.writer.idle();
    assert.deepEqual([bench.releases, modeOf(bench.store.doorOrders(FRONT), false)], [[], 'normal']);
  });
});

describe('a command that was seen before', () => {
  it('is a duplicate when it is delivered again, over restarts too, and does nothing', async () => {
    const bench = await CommandBench.start();
    assert.equal(await bench.outcome(), 'applied front');
    bench.clock.advance(10_000);
    assert.equal(await bench.outcome(), 'duplicate front');
    assert.deepEqual(bench.releases, ['front']);
    for (let i = 0; i < 3; i++) {
      await bench.restart();
      assert.equal(await bench.outcome(), 'duplicate front');
      assert.deepEqual(bench.releases, []);
    }
    assert.deepEqual(bench.recorded, ['front unlock done']);
  });

  it('is refused with another content, over a restart too', async () => {
    const bench = await CommandBench.start();
    await bench.deliver();
    assert.equal(await bench.outcome({ door: 'lab' }), 'rejected: invalid-message messageId');
    await bench.restart();
    assert.equal(await bench.outcome({ action: 'hold-open' }), 'rejected: invalid-message messageId');
    assert.equal(await bench.outcome(), 'duplicate front');
    assert.deepEqual(bench.releases, []);
  });

  it('is carried out once when two copies come together', async () => {
    const bench = await CommandBench.start();
    await Promise.all([bench.deliver(), bench.deliver(), bench.deliver()]);
    const results = bench.store.entries.flatMap(({ receipt }) =>
      receipt === undefined ? [] : [JSON.parse(receipt).result],
    );
    assert.deepEqual(results, ['applied', 'duplicate', 'duplicate']);
    assert.deepEqual([bench.releases, bench.recorded], [['front'], ['front unlock done']]);
  });

  it('does not undo what somebody else did since', async () => {
    const bench = await CommandBench.start();
    const hold = { messageId: 'a', action: 'hold-open' };
    await bench.deliver(hold);
    await bench.deliver({ messageId: 'b', action: 'block' });
    assert.equal(await bench.outcome(hold), 'duplicate front');
    assert.equal(bench.doors.get(FRONT)?.mode, 'blocked');
    assert.equal(bench.io.strike(FRONT), 'locked');
  });

  it('is forgotten after its expiry, when it is refused for that', async () => {
    const bench = await CommandBench.start();
    await bench.deliver();
    bench.clock.advance(61_000);
    assert.equal(await bench.outcome(bench.fresh('later')), 'applied front');
    assert.deepEqual(
      bench.store.commands().map(({ messageId, isForgotten }) => [messageId, isForgotten]),
      [
        ['c-1', true],
        ['later', undefined],
      ],
    );
    assert.equal(await bench.outcome(), 'rejected: expired-command -');
    assert.deepEqual(bench.releases.length, 2);
  });
});

describe('a command whose expiry comes twice', () => {
  it('does not open again when the clock is set back after it was forgotten', async () => {
    const bench = await CommandBench.start();
    await bench.deliver();
    bench.clock.setNow('2026-01-05T09:00:00Z');
    assert.equal(await bench.outcome(bench.fresh('later', { door: 'lab' })), 'applied lab');
    bench.clock.setNow('2026-01-05T08:00:30Z');
    assert.equal(await bench.outcome(), 'rejected: expired-command -');
    assert.deepEqual(bench.releases, ['front', 'lab']);
    await bench.restart();
    assert.equal(await bench.outcome(), 'rejected: expired-command -', 'after a restart too');
    assert.deepEqual(bench.releases, []);
    bench.clock.setNow('2026-01-05T08:01:30Z');
    assert.equal(await bench.outcome(bench.fresh('new')), 'applied front');
  });
});

describe('a command while the store fails', () => {
  it('opens nothing and is not acknowledged; delivered again it is carried out while it is good', async () => {
    const bench = await CommandBench.start();
    bench.store.commitFailure = diskIsFull;
    await assert.rejects(bench.deliver(), { code: 'store-write-failed' });
    await assert.rejects(bench.deliver({ messageId: 'c-2', door: 'lab' }), { code: 'store-write-failed' });
    assert.deepEqual(bench.releases, []);
    bench.store.commitFailure = undefined;
    bench.clock.advance(30_000);
    await settle();
    assert.equal(await bench.outcome(), 'applied front');
    bench.clock.advance(30_000);
    assert.equal(await bench.outcome({ messageId: 'c-2', door: 'lab' }), 'rejected: expired-command -');
    assert.deepEqual(bench.releases, ['front']);
  });

  it('for all doors, whose batch for some of them fails, opens none of them twice', async () => {
    const bench = await CommandBench.start();
    const filler = { event: 'clock-trusted', at: bench.clock.now(), clockSynchronized: true } as const;
    for (let i = 1; i < MAX_BATCH; i++) bench.writer.record(filler);
    const { store } = bench;
    const commit = store.commit;
    store.commit = () => {
      store.commit = commit;
      return Promise.reject(diskIsFull);
    };
    const refused = assert.rejects(bench.deliver({ door: '*' }), { code: 'store-write-failed' });
    const again = bench.outcome({ door: '*' });
    await settle();
    bench.clock.advance(2_000);
    await settle();
    await refused;
    assert.equal(await again, 'duplicate ');
    assert.deepEqual([bench.releases, bench.recorded], [['lab'], ['lab unlock done', 'front unlock refused']]);
  });

  it('locks at once, and is acknowledged when that is recorded', async () => {
    const bench = await CommandBench.start();
    await bench.deliver({ messageId: 'a', action: 'hold-open', door: '*' });
    bench.store.holdCommits();
    const answered = bench.outcome({ messageId: 'b', action: 'block', door: '*' });
    assert.deepEqual([bench.io.strike(FRONT), bench.io.strike(LAB)], ['locked', 'locked']);
    bench.store.releaseCommits();
    assert.equal(await answered, 'applied front,lab');
  });

  it('locks while the disk is full, and is answered when there is room again', async () => {
    const bench = await CommandBench.start();
    await bench.deliver({ messageId: 'a', action: 'hold-open' });
    bench.store.commitFailure = diskIsFull;
    const answered = bench.outcome({ messageId: 'b', action: 'block' });
    await settle();
    assert.deepEqual([bench.doors.get(FRONT)?.mode, bench.io.strike(FRONT)], ['blocked', 'locked']);
    bench.store.commitFailure = undefined;
    bench.clock.advance(30_000);
    assert.equal(await answered, 'applied front');
    assert.deepEqual(bench.recorded, ['front hold-open done', 'front block done']);
  });

  it('that dies before the receipt is written says so when the message comes again, and opens nothing more', async () => {
    const bench = await CommandBench.start();
    bench.store.holdCommits();
    void bench.deliver();
    await settle();
    bench.store.releaseCommits();
    bench.store.holdCommits();
    await settle();
    assert.deepEqual(bench.releases, ['front']);
    await bench.restart();
    const receipt = await bench.answer();
    assert.deepEqual([receipt.result, receipt.doors], ['duplicate', []]);
    assert.match(receipt.detail ?? '', /interrupted/);
    assert.deepEqual(bench.releases, []);
  });
});

describe('commands from a technician and from a message', () => {
  it('know of each other: an opening never undoes a later block', async () => {
    const bench = await CommandBench.start();
    bench.store.holdCommits();
    const opening = bench.outcome({ action: 'hold-open' });
    await settle();
    const controller = bench.doors.get(FRONT);
    assert.ok(controller);
    const blocking = bench.doorCommands.run({ door: FRONT, controller, action: 'block', operator: 'ada' });
    bench.store.releaseCommits();
    assert.equal(await opening, 'rejected: not-carried-out -');
    assert.equal((await blocking).result, 'done');
    assert.deepEqual(
      [controller.mode, modeOf(bench.store.doorOrders(FRONT), false), bench.releases],
      ['blocked', 'blocked', []],
    );
  });
});

describe('a command that is late, after the door was locked', () => {
  const blockBySomebody = (bench: CommandBench) => {
    const controller = bench.doors.get(FRONT);
    assert.ok(controller);
    return bench.doorCommands.run({ door: FRONT, controller, action: 'block', operator: 'ada' });
  };

  for (const action of ['normal', 'hold-open']) {
    it(`does not undo that with ${action}`, async () => {
      const bench = await CommandBench.start();
      const late = bench.fresh('late', { action });
      bench.clock.advance(10_000);
      await blockBySomebody(bench);
      bench.clock.advance(10_000);
      assert.equal(await bench.outcome(late), 'rejected: not-carried-out -');
      assert.deepEqual(
        [bench.doors.get(FRONT)?.mode, modeOf(bench.store.doorOrders(FRONT), false)],
        ['blocked', 'blocked'],
      );
      assert.equal(await bench.outcome(bench.fresh('new', { action })), 'applied front');
    });
  }

  it('does not undo it when it was in effect before and comes again because the disk was full', async () => {
    const bench = await CommandBench.start();
    await bench.deliver({ messageId: 'a', action: 'hold-open' });
    bench.store.commitFailure = diskIsFull;
    const locking = { messageId: 'b', action: 'normal' };
    const refused = assert.rejects(bench.deliver(locking), { code: 'store-write-failed' });
    await settle();
    bench.clock.advance(2_000);
    await refused;
    assert.equal(bench.doors.get(FRONT)?.mode, 'normal');
    await blockBySomebody(bench);
    bench.store.commitFailure = undefined;
    bench.clock.advance(30_000);
    await settle();
    assert.equal(await bench.outcome(locking), 'rejected: not-carried-out -');
    assert.equal(bench.doors.get(FRONT)?.mode, 'blocked');
  });

  it('is carried out where it was given after that, by a clock that is behind as well', async () => {
    const bench = await CommandBench.start();
    const block = bench.fresh('block', { action: 'block' });
    bench.clock.advance(5_000);
    const normal = bench.fresh('normal', { action: 'normal' });
    bench.clock.advance(30_000);
    assert.equal(await bench.outcome(block), 'applied front');
    assert.equal(await bench.outcome(normal), 'applied front');
  });
});

describe('a command that makes no sense', () => {
  for (const [title, fields, expected] of [
    ['with a life of more than five minutes', { expiresAt: '2026-01-05T08:05:00.001Z' }, 'invalid-message expiresAt'],
    ['without an expiry', { expiresAt: undefined }, 'invalid-message expiresAt'],
    ['with a revision', { revision: 7 }, 'invalid-message revision'],
    ['that only a later version knows', { action: 'open-sesame' }, 'invalid-message action'],
    ['that unlocks once, with an end', { until: '2026-01-05T09:00:00Z' }, 'invalid-message until'],
    ['whose end has passed', { action: 'block', until: '2026-01-05T08:00:00Z' }, 'invalid-message until'],
    ['that lasts more than 31 days', { action: 'block', until: '2026-02-05T08:00:01Z' }, 'invalid-message until'],
    ['that resets nobody', { action: 'reset-passback', door: '*' }, 'invalid-message cardholder'],
    ['that resets somebody at one door', { action: 'reset-passback', cardholder: 'E1001' }, 'invalid-message door'],
    ['that opens for a person', { cardholder: 'E1001' }, 'invalid-message cardholder'],
    [
      'from a clock that is ahead',
      { issuedAt: '2026-01-05T08:02:00Z', expiresAt: '2026-01-05T08:03:00Z' },
      'invalid-message issuedAt',
    ],
    ['for another site', { site: 'elsewhere' }, 'wrong-site site'],
    ['of another type', { type: 'card-bound' }, 'wrong-topic type'],
  ] as const) {
    it(`${title} is rejected`, async () => {
      const bench = await CommandBench.start();
      assert.equal(await bench.outcome(commandJson(fields)), `rejected: ${expected}`);
      assert.deepEqual([bench.releases, bench.recorded], [[], []]);
    });
  }
});
