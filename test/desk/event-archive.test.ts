import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventArchive } from '../../src/desk/event-archive.ts';
import { chainEvent, EMPTY_LOG, type NewEvent } from '../../src/domain/access-event.ts';
import type { EventJournal } from '../../src/ports/event-journal.ts';
import { unsignedSeal } from '../../src/wire/message-envelope.ts';
import { topicsOf } from '../../src/wire/topics.ts';
import { settle } from '../app/door-bench.ts';
import { gatewayId, siteId, time } from '../domain/samples.ts';
import { FakeHrLink } from '../fakes/fake-hr-link.ts';

const SITE = siteId('hq');
const LOBBY = gatewayId('lobby-1');
const TOPICS = topicsOf(SITE, LOBBY);

/** A journal that writes when it is told to. */
class HeldJournal implements EventJournal {
  readonly stored: string[] = [];
  writes = 0;
  failure: Error | undefined;
  hold: Promise<void> | undefined;

  async *lines(): AsyncGenerator<string> {
    yield* this.stored;
  }

  async append(lines: readonly string[]): Promise<void> {
    this.writes += 1;
    await this.hold;
    if (this.failure !== undefined) throw this.failure;
    this.stored.push(...lines);
  }

  async close(): Promise<void> {}
}

const eventOf = (sequence: number, news: Partial<NewEvent> = {}): string =>
  JSON.stringify(
    chainEvent(
      LOBBY,
      { ...EMPTY_LOG, sequence: sequence - 1 },
      {
        event: 'door-opened',
        at: time('2026-01-05T08:00:00Z'),
        clockSynchronized: true,
        ...news,
      },
    ),
  );

const makeArchive = async (journal = new HeldJournal()) => {
  const link = new FakeHrLink();
  const faults: string[] = [];
  const archive = new EventArchive({
    site: SITE,
    journal,
    link,
    seal: unsignedSeal,
    open: async (payload) => payload,
    onFault: (text) => faults.push(text),
  });
  await archive.load();
  link.start(archive);
  link.connect();
  const tell = (text: string, topic = TOPICS.event) => link.deliver(topic, text);
  return {
    journal,
    link,
    archive,
    faults,
    tell,
    tellAll: (...sequences: number[]) => Promise.all(sequences.map((sequence) => tell(eventOf(sequence)))),
    status: (acknowledged: number | undefined) =>
      tell(
        JSON.stringify({
          type: 'status',
          gateway: LOBBY,
          online: true,
          version: '1',
          startedAt: '2026-01-05T08:00:00Z',
          time: '2026-01-05T08:00:00Z',
          roster: { revision: 0, cards: 0, digest: '0'.repeat(64), epoch: null, reconciledAt: null },
          outbox: { pending: 0, oldest: null, ...(acknowledged !== undefined && { acknowledged }) },
          doors: {},
          readers: {},
          clock: { synchronized: true },
          lossyCardNumbers: false,
          alarms: [],
        }),
        TOPICS.status,
      ),
    /** What was acknowledged last. */
    acknowledged: (): number | undefined => {
      const last = link.published.filter(({ topic }) => topic === TOPICS.eventAck).at(-1);
      return last === undefined ? undefined : JSON.parse(last.payload).upTo;
    },
    view: () => archive.gateways()[0],
  };
};

test('an event is acknowledged, to the broker and to its gateway, when it is stored and not before', async () => {
  const { journal, tell, acknowledged } = await makeArchive();
  let store = (): void => {};
  journal.hold = new Promise((resolve) => {
    store = resolve;
  });
  const outcome = tell(eventOf(1));
  await settle();
  assert.deepEqual([journal.stored, acknowledged()], [[], undefined]);
  store();
  assert.equal(await outcome, 'acknowledged');
  await settle();
  assert.deepEqual([journal.stored, acknowledged()], [[eventOf(1)], 1]);
});

test('events that come together share a write', async () => {
  const { journal, tellAll, acknowledged } = await makeArchive();
  await tellAll(...Array.from({ length: 200 }, (_, index) => index + 1));
  await settle();
  assert.ok(journal.writes <= 3, `${journal.writes} writes`);
  assert.deepEqual([journal.stored.length, acknowledged()], [200, 200]);
});

test('an event of a kind that is not known here is stored like any other: its gateway waits for the answer', async () => {
  const { journal, tell, acknowledged, faults } = await makeArchive();
  const later = JSON.stringify({ ...JSON.parse(eventOf(1)), event: 'turnstile-jammed', direction: 'up', reason: 7 });
  await tell(later);
  await tell(eventOf(2));
  await settle();
  assert.deepEqual([journal.stored, acknowledged(), faults], [[later, eventOf(2)], 2, []]);
});

test('what comes twice is stored once, and acknowledged again', async () => {
  const { journal, link, tellAll, acknowledged, view } = await makeArchive();
  await tellAll(1, 2, 2, 1);
  await settle();
  link.published.splice(0);
  await tellAll(2);
  await settle();
  assert.deepEqual([journal.stored.length, acknowledged(), view()?.doubles], [2, 2, 3]);
});

test('a hole is named, and nothing behind it acknowledged before it is filled', async () => {
  const { tellAll, acknowledged, view } = await makeArchive();
  await tellAll(1, 2, 5, 6);
  await settle();
  assert.deepEqual([acknowledged(), view()?.missing], [2, [{ from: 3, to: 4 }]]);
  await tellAll(3, 4);
  await settle();
  assert.deepEqual([acknowledged(), view()?.missing], [6, []]);
});

test('what the gateway says is gone for good is waited for no longer', async () => {
  for (const news of [
    { event: 'events-dropped', detail: { from: 3, to: 4, reason: 'max-pending' } },
    { event: 'store-damaged', detail: { missing: { from: 3, to: 4 } } },
    { event: 'store-restored', detail: { missing: { from: 2, to: 4 } } },
  ] as const) {
    const { tell, tellAll, acknowledged, view } = await makeArchive();
    await tellAll(1, 2, 5);
    await tell(eventOf(6, news));
    await settle();
    assert.deepEqual([acknowledged(), view()?.missing], [6, []]);
  }
});

test('an archive that is begun late goes on from where the gateway is, as its status says', async () => {
  const { tellAll, status, acknowledged } = await makeArchive();
  await tellAll(501, 502);
  await settle();
  assert.equal(acknowledged(), 0, 'the gateway may still have the first 500');
  await status(undefined);
  await settle();
  assert.equal(acknowledged(), 0);
  await status(500);
  await settle();
  assert.equal(acknowledged(), 502);
});

test('a status that says nothing new is not answered: the answer would bring the next one', async () => {
  const { link, status } = await makeArchive();
  for (let i = 0; i < 3; i++) await status(7);
  await settle();
  assert.equal(link.published.length, 1);
});

test('what was stored before a restart is known after it', async () => {
  const first = await makeArchive();
  await first.tellAll(1, 2, 4);
  await first.archive.close();
  const second = await makeArchive(first.journal);
  await settle();
  assert.equal(second.acknowledged(), 2, 'a gateway that waits for an answer hears it at once');
  await second.tellAll(4, 3);
  await settle();
  assert.deepEqual([second.acknowledged(), second.journal.stored.length, second.view()?.doubles], [4, 4, 1]);
});

test('what the disk refuses is not acknowledged, and stored when it comes again', async () => {
  const { journal, link, tell, acknowledged, view } = await makeArchive();
  journal.failure = new Error('no space left on device');
  assert.equal(await tell(eventOf(1)), 'refused');
  assert.deepEqual([acknowledged(), view()?.stored, link.isConnected()], [undefined, 0, false]);
  journal.failure = undefined;
  link.connect();
  await settle();
  assert.deepEqual([journal.stored.length, acknowledged(), view()?.doubles], [1, 1, 0]);
});

test('what is no event of that gateway is a fault, and not delivered for ever', async () => {
  const { journal, faults, tell } = await makeArchive();
  assert.equal(await tell('garbage'), 'acknowledged');
  assert.equal(await tell(eventOf(1), topicsOf(SITE, gatewayId('lobby-2')).event), 'acknowledged');
  assert.deepEqual([journal.stored, faults.length], [[], 2]);
});
