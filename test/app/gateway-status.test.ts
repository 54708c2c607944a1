import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeGateway, StatusPublisher } from '../../src/app/gateway-status.ts';
import { EventPublisher } from '../../src/app/publish-events.ts';
import { SiteRules } from '../../src/app/site-rules.ts';
import { EMPTY_CALENDAR } from '../../src/domain/calendar.ts';
import { calendarFingerprint } from '../../src/domain/calendar-order.ts';
import { type DoorOrders, NO_ORDERS } from '../../src/domain/door-mode.ts';
import { CardeaError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { type MessageSeal, unsignedSeal } from '../../src/wire/message-envelope.ts';
import type { StatusDocument } from '../../src/wire/status.ts';
import { bindingOf, messageId, readerId, revision, time, uidOf, zoneId } from '../domain/samples.ts';
import { FakeHrLink } from '../fakes/fake-hr-link.ts';
import { FRESH } from '../fixtures/access-judge.ts';
import { NO_RECONCILER } from '../fixtures/hr-inbox.ts';
import { digestFromScratch, GATEWAY, TOPICS } from '../flows/change-flow.ts';
import { FRONT, makeDoorBench, settle } from './door-bench.ts';

const makeStatus = async (seal: MessageSeal = unsignedSeal, orders: DoorOrders = NO_ORDERS) => {
  const bench = await makeDoorBench({ cards: { DEADBEEF: bindingOf() } });
  const { clock, store, writer, alarms, controller, handler } = bench;
  const link = new FakeHrLink();
  const publisher = new EventPublisher({
    eventLog: store,
    link,
    topics: TOPICS,
    seal: unsignedSeal,
    clock,
    log: createLog('silent'),
  });
  const diskAlarms: string[] = [];
  const rules = new SiteRules({ configured: EMPTY_CALENDAR, store, log: createLog('silent') });
  const describe = (): StatusDocument =>
    describeGateway({
      gateway: GATEWAY,
      version: '1.2.3',
      startedAt: clock.now(),
      lossyCardNumbers: false,
      store,
      writer,
      outbox: publisher,
      audit: { view: () => ({ first: 1, last: 8, checkpoint: CHECKPOINT }) },
      doors: new Map([[FRONT, controller]]),
      keeper: { orders: () => orders },
      readers: new Map([[readerId('front-in'), handler]]),
      passages: { view: () => ({ [zoneId('building')]: { antiPassback: 'soft', occupancy: 12 } }) },
      rules,
      freshness: FRESH,
      reconciler: NO_RECONCILER,
      cardAlarms: alarms,
      disk: { alarms: () => diskAlarms },
      backupAlarms: () => [],
      storeAlarms: () => [],
      linkFault: () => undefined,
      clock,
      untrustedPolicy: 'deny-windowed',
    });
  const status = new StatusPublisher({ link, topics: TOPICS, seal, clock, describe });
  link.start({ onMessage: async () => {}, onConnect: () => status.publishNow(), onDisconnect: () => {} });
  return { ...bench, link, publisher, rules, diskAlarms, describe, status };
};

const CHECKPOINT = { sequence: 7, hash: 'a'.repeat(64), time: '2026-01-05T08:00:00.000Z', kid: 'gateway-key' };

test('the status says everything that PROTOCOL.md names', async () => {
  const { describe } = await makeStatus();
  assert.deepEqual(describe(), {
    type: 'status',
    gateway: 'lobby-1',
    online: true,
    version: '1.2.3',
    startedAt: '2026-01-05T08:00:00.000Z',
    time: '2026-01-05T08:00:00.000Z',
    roster: { revision: 0, cards: 0, digest: digestFromScratch([]), epoch: null, reconciledAt: null },
    calendar: null,
    outbox: { pending: 0, oldest: null, acknowledged: 0 },
    log: { first: 1, last: 8, checkpoint: CHECKPOINT },
    doors: {
      front: { mode: 'normal', position: 'closed', strike: 'locked', orderedBy: null, reason: null, until: null },
    },
    readers: { 'front-in': { door: 'front', state: 'starting', detail: null } },
    zones: { building: { antiPassback: 'soft', occupancy: 12 } },
    clock: { synchronized: true },
    lossyCardNumbers: false,
    alarms: [],
  });
});

test('a door says who ordered its mode, why and until when; a lockdown before the order beneath it', async () => {
  const blocked = { mode: 'blocked', operator: 'ada', reason: null, at: time('2026-01-05T07:00:00Z') } as const;
  const lockdown = { operator: 'guard.3', reason: 'alarm', at: blocked.at, until: time('2026-01-05T09:00:00Z') };
  const ordered = async (orders: DoorOrders) => (await makeStatus(unsignedSeal, orders)).describe().doors[FRONT];
  const door = { mode: 'normal', position: 'closed', strike: 'locked' };
  assert.deepEqual(await ordered({ mode: blocked }), { ...door, orderedBy: 'ada', reason: null, until: null });
  assert.deepEqual(await ordered({ mode: blocked, lockdown }), {
    ...door,
    orderedBy: 'guard.3',
    reason: 'alarm',
    until: '2026-01-05T09:00:00.000Z',
  });
});

test('every trouble is an alarm in words: door, strike, reader, outbox, store', async () => {
  const { describe, handler, moveDoor, breakStrike, controller, store, link, publisher } = await makeStatus();
  handler.onCondition({ state: 'offline', detail: 'no chip answers' });
  moveDoor('open');
  await settle();
  breakStrike();
  controller.releaseByOperator();
  store.garbleEntry(1);
  link.connect();
  publisher.wake();
  store.commitFailure = new CardeaError('store-write-failed', 'disk full');
  handler.onObservation({ kind: 'card', uid: uidOf('DEADBEEF') });
  await settle();
  assert.deepEqual(describe().alarms, [
    'door front: forced-open',
    'door front: strike-failed',
    'reader front-in: offline: no chip answers',
    'outbox: records of the log that cannot be read and are not sent: 1',
    'store: writes fail, changes from HR are not taken',
  ]);
});

test('a clock that is not set is an alarm, which says what that means for cards', async () => {
  const { describe, clock } = await makeStatus();
  clock.setSynchronized(false);
  const { clock: shown, alarms } = describe();
  assert.deepEqual(shown, { synchronized: false });
  assert.deepEqual(alarms, ['clock: not set, validity windows and schedules other than always open nothing']);
});

test('the status names the calendar in force, and a stored one that cannot be used is an alarm', async () => {
  const { describe, store, writer, rules } = await makeStatus();
  const calendar = {
    revision: revision(7),
    messageId: messageId('cal-7'),
    appliedAt: time('2026-01-05T08:00:00Z'),
    fingerprint: calendarFingerprint(EMPTY_CALENDAR),
    definition: EMPTY_CALENDAR,
  };
  await writer.write((tx) => tx.putCalendar(calendar));
  rules.refresh();
  assert.deepEqual(describe().calendar, { revision: 7, messageId: 'cal-7' });
  store.garbleCalendar();
  rules.refresh();
  assert.equal(describe().calendar, null);
  assert.deepEqual(describe().alarms, [
    "calendar: the one from HR that is stored here cannot be used, and its names open nothing until HR's comes again",
  ]);
});

test('the status is published, retained, at every connect and once a minute', async () => {
  const { link, clock, status } = await makeStatus();
  link.connect();
  await settle();
  assert.deepEqual(
    link.published.map(({ topic, retain }) => [topic, retain]),
    [[TOPICS.status, true]],
  );
  clock.advance(60_000);
  await settle();
  assert.equal(link.published.length, 2);
  link.disconnect();
  clock.advance(60_000);
  await settle();
  assert.equal(link.published.length, 2);
  link.connect();
  await settle();
  assert.equal(link.published.length, 3);
  status.stop();
  clock.advance(600_000);
  await settle();
  assert.equal(link.published.length, 3);
});

test('changes that come together are published together, and a stream of changes does not put the status off', async () => {
  const { link, clock, status } = await makeStatus();
  link.connect();
  for (let i = 0; i < 10; i++) status.changed();
  clock.advance(200);
  await settle();
  assert.equal(link.published.length, 2);
  for (let i = 0; i < 100; i++) {
    status.changed();
    clock.advance(50);
  }
  await settle();
  assert.ok(link.published.length >= 20, `${link.published.length} in five seconds`);
  assert.ok(link.published.length <= 28, `${link.published.length} in five seconds`);
});

test('a change after the stop publishes nothing', async () => {
  const { link, clock, status } = await makeStatus();
  link.connect();
  await settle();
  status.stop();
  status.changed();
  status.publishNow();
  clock.advance(60_000);
  await settle();
  assert.equal(link.published.length, 1);
  assert.equal(clock.pendingTimers, 0);
});

test('a status that the broker refuses is replaced by the next one', async () => {
  const { link, clock } = await makeStatus();
  link.failNextPublish(new CardeaError('publish-refused', 'quota exceeded'));
  link.connect();
  await settle();
  clock.advance(60_000);
  await settle();
  assert.equal(link.published.length, 1);
});

test('statuses leave under the seal, in order, and none after the stop', async () => {
  const waiting: (() => void)[] = [];
  const slow: MessageSeal = (json) => new Promise((resolve) => waiting.push(() => resolve(`sealed ${json}`)));
  const { link, status, clock } = await makeStatus(slow);
  link.connect();
  clock.advance(60_000);
  await settle();
  assert.equal(waiting.length, 1, 'the second waits for the first');
  waiting.shift()?.();
  await settle();
  waiting.shift()?.();
  await settle();
  assert.deepEqual(
    link.published.map(({ payload }) => JSON.parse(payload.replace('sealed ', '')).time),
    ['2026-01-05T08:00:00.000Z', '2026-01-05T08:01:00.000Z'],
  );
  status.publishNow();
  await settle();
  status.stop();
  waiting.shift()?.();
  await settle();
  assert.equal(link.published.length, 2);
});

test('a status that cannot be sealed is not published, and the next one is', async () => {
  let isBroken = true;
  const { link, clock } = await makeStatus((json) =>
    isBroken ? Promise.reject(new Error('no key')) : `sealed ${json}`,
  );
  link.connect();
  await settle();
  assert.equal(link.published.length, 0);
  isBroken = false;
  clock.advance(60_000);
  await settle();
  assert.match(link.published[0]?.payload ?? '', /^sealed /);
});

test('a disk that is nearly full is an alarm', async () => {
  const { describe, diskAlarms } = await makeStatus();
  diskAlarms.push('nearly full, 12 MiB left: changes from HR are not taken');
  assert.deepEqual(describe().alarms, ['disk: nearly full, 12 MiB left: changes from HR are not taken']);
});
