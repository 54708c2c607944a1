import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CalendarPublisher, calendarMessage } from '../../src/desk/calendar-publisher.ts';
import { type CalendarDefinition, EMPTY_CALENDAR } from '../../src/domain/calendar.ts';
import { CardeaError } from '../../src/errors.ts';
import type { CalendarMessage } from '../../src/wire/calendar-message.ts';
import { deskTopicsOf } from '../../src/wire/desk-topics.ts';
import { type MessageSeal, unsignedSeal } from '../../src/wire/message-envelope.ts';
import { settle } from '../app/door-bench.ts';
import { FakeHrLink } from '../fakes/fake-hr-link.ts';
import { note, SETTINGS } from './desk-samples.ts';

const { site } = SETTINGS;
const DAY: CalendarDefinition = {
  ...EMPTY_CALENDAR,
  schedules: { day: [{ days: ['mon'], from: '08:00', to: '18:00' }] },
};

const messageOf = (revision: number, definition = DAY): CalendarMessage => {
  const message = calendarMessage(site, definition, { ...note(), revision });
  assert.ok(!('fault' in message), JSON.stringify(message));
  return message;
};

/** Not connected yet. */
const makeDesk = (seal: MessageSeal = unsignedSeal, current?: CalendarMessage) => {
  const link = new FakeHrLink();
  const faults: unknown[] = [];
  const publisher = new CalendarPublisher({ site, link, seal, onFault: (error) => faults.push(error) }, current);
  link.start(publisher);
  const revisions = (): readonly number[] => link.published.map(({ payload }) => JSON.parse(payload).revision);
  return { link, publisher, faults, revisions };
};

test('a calendar that gateways would refuse is refused here, with the same reason', () => {
  const wrong = { ...DAY, schedules: { day: [{ days: ['mon'], from: '08:00', to: '08:00' }] } } as const;
  assert.deepEqual(calendarMessage(site, wrong, { ...note(), revision: 1 }), {
    fault: {
      code: 'invalid-message',
      path: 'schedules.day[0].to',
      detail: 'is equal to from; the whole day is from 00:00 to 24:00',
    },
  });
  const long = Array(400).fill('2026-08-03..2026-08-21');
  const lists = Object.fromEntries([...Array(6).keys()].map((index) => [`list-${index}`, long]));
  const large = calendarMessage(site, { ...EMPTY_CALENDAR, holidays: lists }, { ...note(), revision: 1 });
  assert.ok('fault' in large && large.fault.code === 'too-large');
});

test('a calendar is published retained, and again at every connect, for a broker that has forgotten', async () => {
  const { link, publisher, revisions, faults } = makeDesk();
  link.connect();
  await publisher.publish(messageOf(1));
  assert.deepEqual(
    link.published.map(({ topic, retain }) => [topic, retain]),
    [[deskTopicsOf(site).calendar, true]],
  );
  link.disconnect();
  link.connect();
  await settle();
  assert.deepEqual([revisions(), faults], [[1, 1], []]);
});

test('the calendar that HR has stored is published at the first connect; without one there is nothing to publish', async () => {
  const stored = makeDesk(unsignedSeal, messageOf(7));
  const empty = makeDesk();
  for (const { link } of [stored, empty]) link.connect();
  await settle();
  assert.deepEqual([stored.revisions(), empty.revisions()], [[7], []]);
});

test('a calendar that cannot go out now goes out at the next connect', async () => {
  const { link, publisher, revisions, faults } = makeDesk();
  await assert.rejects(publisher.publish(messageOf(1)), { code: 'link-offline' });
  link.connect();
  await settle();
  assert.deepEqual([revisions(), faults], [[1], []]);
});

test('a refusal by the broker at a connect is told', async () => {
  const { link, revisions, faults } = makeDesk(unsignedSeal, messageOf(1));
  const refusal = new CardeaError('publish-refused', 'quota exceeded');
  link.failNextPublish(refusal);
  link.connect();
  await settle();
  assert.deepEqual([revisions(), faults], [[], [refusal]]);
});

test('the broker keeps the newest calendar, however long each takes to sign', async () => {
  const waiting: (() => void)[] = [];
  const slow: MessageSeal = (json) => new Promise((resolve) => waiting.push(() => resolve(json)));
  const { link, publisher, revisions } = makeDesk(slow);
  link.connect();
  const done = [publisher.publish(messageOf(1)), publisher.publish(messageOf(2))];
  waiting[1]?.();
  await settle();
  waiting[0]?.();
  await Promise.all(done);
  assert.deepEqual(revisions(), [2]);
});
