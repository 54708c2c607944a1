// HR's calendar in the store and in force: which of two counts, what is answered, and what a crash or damage leaves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CardeaError } from '../../src/errors.ts';
import { scheduleId } from '../domain/samples.ts';
import { MemoryDisk, MemoryStore } from '../fakes/memory-store.ts';
import { type ChangeFlow, makeChangeFlow, type ReadReceipt, receiptIn, SITE, TOPICS } from '../flows/change-flow.ts';
import { settle } from './door-bench.ts';

const NIGHT = scheduleId('night');
const DAY = scheduleId('day');
/** Whenever it is asked for on that Monday. */
const MONDAY_NOON = { year: 2026, month: 1, day: 5, minute: 12 * 60 };

const WINDOW = { days: ['mon'], from: '08:00', to: '18:00' };
const DAYTIME = { schedules: { day: [WINDOW] } };
const NIGHTTIME = { schedules: { night: [{ ...WINDOW, from: '18:00', to: '08:00' }] } };

const calendar = (revision: number, content: object = DAYTIME, changes: object = {}): string =>
  JSON.stringify({
    type: 'calendar',
    site: SITE,
    messageId: `cal-${revision}`,
    revision,
    issuedAt: '2026-01-05T09:00:00+08:00',
    operator: 'hr.desk-2',
    ...content,
    ...changes,
  });

const bound = (revision: number, schedule: string): string =>
  JSON.stringify({
    type: 'card-bound',
    site: SITE,
    messageId: `bind-${revision}`,
    revision,
    issuedAt: '2026-01-05T09:00:00+08:00',
    operator: 'hr.desk-2',
    card: 'DEADBEEF',
    cardholder: { id: 'E1001' },
    access: [{ doors: ['front'], schedule }],
  });

type Flow = ChangeFlow & { readonly store: MemoryStore };

const makeFlow = (disk = new MemoryDisk()): Flow => {
  const store = new MemoryStore(disk);
  return { ...makeChangeFlow(store), store };
};

/** Delivers and reads the receipt, of which there must be one. */
const answer = async ({ store, deliver }: Flow, payload: string): Promise<ReadReceipt> => {
  const before = store.entries.length;
  await deliver(TOPICS.calendar, payload);
  assert.equal(store.entries.length, before + 1);
  return receiptIn(store.entries.at(-1));
};

const inForce = ({ rules }: Flow): readonly [number | undefined, boolean, boolean] => [
  rules.calendar?.revision,
  rules.isKnownSchedule(DAY),
  rules.isKnownSchedule(NIGHT),
];

test('a calendar is in force when its message may be acknowledged, and not before it is durable', async () => {
  const flow = makeFlow();
  flow.store.holdCommits();
  const delivered = flow.deliver(TOPICS.calendar, calendar(4));
  await settle();
  assert.deepEqual(inForce(flow), [undefined, false, false]);
  flow.store.releaseCommits();
  await delivered;
  assert.deepEqual(inForce(flow), [4, true, false]);
  assert.equal(flow.rules.holds(DAY, MONDAY_NOON), true);
  assert.equal(flow.rules.holds(DAY, { ...MONDAY_NOON, minute: 18 * 60 }), false);
});

test('the receipt and its event are those of any message from HR, in the order of calendars', async () => {
  const flow = makeFlow();
  const receipt = await answer(flow, calendar(4));
  assert.deepEqual(
    [receipt.messageType, receipt.messageId, receipt.revision, receipt.result, receipt.code, receipt.doors],
    ['calendar', 'cal-4', 4, 'applied', null, []],
  );
  assert.equal(receipt.roster.revision, 0, 'the roster has not changed');
  const event = flow.store.entries.at(-1)?.event;
  assert.deepEqual([event?.event, event?.bindingRevision], ['card-change', null]);
  assert.deepEqual(event?.detail, {
    messageType: 'calendar',
    messageId: 'cal-4',
    revision: 4,
    result: 'applied',
    operator: 'hr.desk-2',
    superseded: [],
  });
});

test('a newer calendar takes the place of all that the one before has said', async () => {
  const flow = makeFlow();
  await answer(flow, calendar(4));
  assert.equal((await answer(flow, calendar(5, NIGHTTIME))).result, 'applied');
  assert.deepEqual(inForce(flow), [5, false, true]);
  assert.equal((await answer(flow, calendar(9, {}))).result, 'applied');
  assert.deepEqual(inForce(flow), [9, false, false]);
});

const SECOND: readonly (readonly [what: string, payload: string, result: string, code: string | null])[] = [
  ['the same again', calendar(4), 'duplicate', null],
  [
    'the same content under another name, by somebody else, in another order',
    calendar(4, {}, { messageId: 'again', operator: 'hr.night', levels: {}, holidays: {}, ...DAYTIME }),
    'duplicate',
    null,
  ],
  ['other content with the same revision', calendar(4, NIGHTTIME), 'rejected', 'revision-conflict'],
  ['an older one', calendar(3, NIGHTTIME), 'stale', null],
  ['an older one with the same content', calendar(3), 'stale', null],
  ['nonsense', calendar(5, { schedules: 7 }), 'rejected', 'invalid-message'],
];

for (const [what, payload, result, code] of SECOND) {
  test(`${what} is ${code ?? result}, and what was in force stays`, async () => {
    const flow = makeFlow();
    await answer(flow, calendar(4));
    const receipt = await answer(flow, payload);
    assert.deepEqual([receipt.messageType, receipt.result, receipt.code], ['calendar', result, code]);
    assert.deepEqual(inForce(flow), [4, true, false]);
  });
}

test('the broker’s retained copy is applied where it is new, and gets no receipt where it is not', async () => {
  const flow = makeFlow();
  await flow.deliver(TOPICS.calendar, calendar(4), true);
  assert.deepEqual(inForce(flow), [4, true, false]);
  assert.equal(receiptIn(flow.store.entries.at(-1)).result, 'applied');
  for (let connects = 0; connects < 3; connects++) await flow.deliver(TOPICS.calendar, calendar(4), true);
  assert.equal(flow.store.entries.length, 1);
  await flow.deliver(TOPICS.calendar, calendar(3, NIGHTTIME), true);
  assert.equal(receiptIn(flow.store.entries.at(-1)).result, 'stale');
});

test('the retained copy of what is in force asks nothing of the disk: one that hangs or is full ends no connection', async () => {
  const flow = makeFlow();
  await answer(flow, calendar(4));
  flow.store.holdCommits();
  const waiting = flow.deliver(TOPICS.cardBound, bound(1, 'day'));
  await settle();
  let isAcknowledged = false;
  const copy = flow.deliver(TOPICS.calendar, calendar(4), true).then(() => {
    isAcknowledged = true;
  });
  await settle();
  assert.equal(isAcknowledged, true);
  flow.store.releaseCommits();
  await Promise.all([waiting, copy]);
});

test('calendars that come together are judged one after the other', async () => {
  const flow = makeFlow();
  await Promise.all(
    [calendar(4), calendar(6, NIGHTTIME), calendar(5), calendar(6, NIGHTTIME)].map((payload) =>
      flow.deliver(TOPICS.calendar, payload),
    ),
  );
  assert.deepEqual(
    flow.store.entries.map((entry) => receiptIn(entry).result),
    ['applied', 'applied', 'stale', 'duplicate'],
  );
  assert.deepEqual(inForce(flow), [6, false, true]);
});

test('a card that is bound right behind the calendar is judged with it', async () => {
  const flow = makeFlow();
  await Promise.all([flow.deliver(TOPICS.calendar, calendar(4)), flow.deliver(TOPICS.cardBound, bound(1, 'day'))]);
  const { doors, warnings } = receiptIn(flow.store.entries.at(-1));
  assert.deepEqual([doors, warnings], [['front'], []]);
});

test('a calendar that is refused or cannot be stored does not keep cards from being bound', async () => {
  const flow = makeFlow();
  const refused = flow.deliver(TOPICS.calendar, calendar(4, { schedules: 7 }));
  await Promise.all([refused, flow.deliver(TOPICS.cardBound, bound(1, 'day'))]);
  flow.store.commitFailure = new CardeaError('store-write-failed', 'disk full');
  await assert.rejects(flow.deliver(TOPICS.calendar, calendar(4)), { code: 'store-write-failed' });
  flow.store.commitFailure = undefined;
  await flow.deliver(TOPICS.cardBound, bound(2, 'day'));
  const last = flow.store.entries.findLast(({ receipt }) => receipt !== undefined);
  assert.deepEqual(receiptIn(last).warnings, ['unknown-schedule: day']);
});

test('a level may name a schedule that nobody defines: the receipt says so, and the grant opens nothing', async () => {
  const flow = makeFlow();
  const levels = {
    staff: [
      { doors: ['front'], schedule: 'day' },
      { doors: ['lab'], schedule: 'late' },
    ],
  };
  const receipt = await answer(flow, calendar(4, { ...DAYTIME, levels }));
  assert.deepEqual([receipt.result, receipt.warnings], ['applied', ['unknown-schedule: late']]);
  assert.deepEqual((await answer(flow, calendar(4, { ...DAYTIME, levels }))).warnings, ['unknown-schedule: late']);
  assert.equal(flow.rules.isKnownSchedule(scheduleId('late')), false);
});

test('after a crash the store’s calendar is in force, and the redelivery of the message is a duplicate', async () => {
  const disk = new MemoryDisk();
  const before = makeFlow(disk);
  await answer(before, calendar(4));
  await before.store.close();
  const after = makeFlow(disk);
  assert.deepEqual(inForce(after), [4, true, false]);
  assert.equal((await answer(after, calendar(4))).result, 'duplicate');
});

test('a calendar whose batch was refused is not in force; delivered again, it is', async () => {
  const flow = makeFlow();
  flow.store.commitFailure = new CardeaError('store-write-failed', 'disk full');
  await assert.rejects(flow.deliver(TOPICS.calendar, calendar(4)), { code: 'store-write-failed' });
  assert.deepEqual(inForce(flow), [undefined, false, false]);
  flow.store.commitFailure = undefined;
  assert.equal((await answer(flow, calendar(4))).result, 'applied');
  assert.deepEqual(inForce(flow), [4, true, false]);
});

test('a calendar that got to the disk although its batch was refused is in force with the next delivery', async () => {
  const flow = makeFlow();
  flow.store.refuseButKeepNextCommit();
  await assert.rejects(flow.deliver(TOPICS.calendar, calendar(4)), { code: 'store-write-failed' });
  await flow.deliver(TOPICS.calendar, calendar(4), true);
  assert.deepEqual(inForce(flow), [4, true, false]);
  assert.equal(flow.store.entries.length, 1, 'the receipt of the first delivery is the only one');
});

test('a damaged calendar opens nothing and raises an alarm, until the retained message brings it back', async () => {
  const disk = new MemoryDisk();
  const before = makeFlow(disk);
  await answer(before, calendar(4));
  before.store.garbleCalendar();
  await before.store.close();
  const flow = makeFlow(disk);
  assert.deepEqual(inForce(flow), [undefined, false, false]);
  assert.equal(flow.rules.alarms().length, 1);
  await flow.deliver(TOPICS.calendar, calendar(4), true);
  assert.deepEqual(inForce(flow), [4, true, false]);
  assert.deepEqual(flow.rules.alarms(), []);
  assert.equal(receiptIn(flow.store.entries.at(-1)).result, 'applied');
});
