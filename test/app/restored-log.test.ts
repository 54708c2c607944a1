// What becomes of the log when a backup is restored: which one goes on, what is sent to HR, and what an interruption leaves.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EventSelector } from '../../src/admin/event-selector.ts';
import { readRecords } from '../../src/admin/log-records.ts';
import { EventPublisher } from '../../src/app/publish-events.ts';
import { MOST_MOVED, MOST_UNSENT } from '../../src/app/restored-log.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { type AccessEvent, isIntact } from '../../src/domain/access-event.ts';
import { instant, milliseconds } from '../../src/domain/units.ts';
import { unsignedSeal } from '../../src/wire/message-envelope.ts';
import { topicsOf } from '../../src/wire/topics.ts';
import { gatewayId, siteId } from '../domain/samples.ts';
import { FakeHrLink } from '../fakes/fake-hr-link.ts';
import { MemoryDisk, MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { backupsOf } from '../fixtures/backups.ts';
import { RecordingLog } from '../fixtures/recording-log.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const GATEWAY = gatewayId('lobby-1');
const SITE = siteId('hq');
const HOUR = 3_600_000;

const logOf = (disk = new MemoryDisk()) => {
  const store = new MemoryStore(disk);
  const clock = new VirtualClock();
  const log = new RecordingLog();
  const writer = new SerialWriter({ store, gateway: GATEWAY, clock, log });
  const identity = { site: SITE, gateway: GATEWAY, cardNumberFormat: 'hex' } as const;
  const { records, restorer } = backupsOf({ identity, store, writer, clock, log });
  return {
    store,
    writer,
    clock,
    log,
    /** So many events, which say what they are. */
    live: async (count: number, what: string) => {
      for (let index = 1; index <= count; index++) {
        const news = { event: 'access-denied', at: clock.now(), clockSynchronized: true } as const;
        await writer.write((tx) => void tx.append({ ...news, detail: `${what} ${index}` }));
      }
    },
    backup: async () => {
      const all: object[] = [];
      for await (const record of records()) all.push(record);
      return all.slice(0, -1);
    },
    begin: ([header, ...rest]: readonly object[]) => {
      const [oldest] = rest.flatMap((record) => ('entry' in record ? [record] : [])).slice(-1);
      const event = JSON.parse(JSON.stringify(oldest ?? null))?.entry.event;
      return restorer.begin({ header, oldest: event ?? null, operator: 'ada', isDryRun: false });
    },
    page: restorer.page.bind(restorer),
    end: restorer.end.bind(restorer),
    told: () =>
      store.entries.map(({ event }) => `${event.sequence} ${event.detail === null ? event.event : textOf(event)}`),
  };
};

const textOf = ({ detail, event }: { readonly detail: unknown; readonly event: string }): string =>
  typeof detail === 'string' ? detail : event;

/** Records of events that are not chained: nothing is to look at that here. */
const copies = (event: AccessEvent, { from, to }: { readonly from: number; readonly to: number }) =>
  Array.from({ length: to - from + 1 }, (_, index) => {
    const sequence = from + index;
    const [hash, previousHash] = [sequence, sequence - 1].map((number) => `${number}`.padStart(64, '0'));
    return {
      kind: 'event',
      entry: { event: { ...event, sequence, hash: `${hash}`, previousHash: `${previousHash}` } },
    };
  });

const restoreAll = async (target: ReturnType<typeof logOf>, backup: readonly object[]) => {
  const { restore } = await target.begin(backup);
  for (const record of backup.slice(1)) await target.page(restore, [record]);
  return target.end(restore);
};

describe('the log after a restore', () => {
  it('is the one that tells more', async () => {
    const old = logOf();
    await old.live(3, 'old');
    const backup = await old.backup();
    const longer = logOf();
    await longer.live(4, 'new');
    assert.equal((await restoreAll(longer, backup)).log, 'kept-longer');
    assert.deepEqual(longer.told(), [
      '1 new 1',
      '2 new 2',
      '3 new 3',
      '4 new 4',
      '5 operator-action',
      '6 store-restored',
    ]);
    await old.live(1, 'since');
    assert.equal((await restoreAll(old, backup)).log, 'kept-same');
  });

  it('is not replaced by a part of its own past that went on in another way', async () => {
    const disk = new MemoryDisk();
    const old = logOf(disk);
    await old.live(2, 'old');
    await old.store.close();
    const copy = new MemoryDisk();
    copy.entries.push(...disk.entries);
    const went = logOf(disk);
    await went.live(5, 'went on');
    const cloned = logOf(copy);
    await cloned.live(1, 'cloned');
    assert.equal((await restoreAll(cloned, await went.backup())).log, 'kept-branched');
    assert.deepEqual(cloned.told(), ['1 old 1', '2 old 2', '3 cloned 1', '4 operator-action', '5 store-restored']);
  });

  it('gets what HR does not have out in order, whatever was sent before it was there', async () => {
    const old = logOf();
    await old.live(5, 'old');
    await old.store.saveAcknowledgedUpTo(3);
    const fresh = logOf();
    const link = new FakeHrLink();
    const topics = topicsOf(SITE, GATEWAY);
    const { store: eventLog, clock, log } = fresh;
    const publisher = new EventPublisher({
      eventLog,
      link,
      topics,
      seal: unsignedSeal,
      clock,
      log,
      resendAfter: undefined,
    });
    fresh.writer.onCommit = () => publisher.wake();
    link.start({ onMessage: async () => {}, onConnect: () => {}, onDisconnect: () => {} });
    link.connect();
    await fresh.live(4, 'new');
    await waitFor(() => eventLog.acknowledgedUpTo() === 4, 'what is new to be sent');
    await restoreAll(fresh, await old.backup());
    await waitFor(() => eventLog.acknowledgedUpTo() === eventLog.tail().sequence, 'all to be sent');
    const sent = link.published.filter(({ topic }) => topic === topics.event).map(({ payload }) => JSON.parse(payload));
    assert.deepEqual(
      sent.map(({ sequence }) => sequence),
      [1, 2, 3, 4, 5, 4, 5, 1_000_006, 1_000_007, 1_000_008, 1_000_009, 1_000_010, 1_000_011],
    );
    assert.equal(publisher.view().pending, 0);
  });

  it('is whole when the restore breaks off, and complete when it is done again', async () => {
    const old = logOf();
    await old.live(9, 'old');
    await old.store.saveAcknowledgedUpTo(9);
    const backup = await old.backup();
    const disk = new MemoryDisk();
    const fresh = logOf(disk);
    await fresh.live(2, 'new');
    const { restore } = await fresh.begin(backup);
    for (const record of backup.slice(1, 5)) await fresh.page(restore, [record]);
    assert.deepEqual(fresh.told(), [
      '6 old 6',
      '7 old 7',
      '8 old 8',
      '9 old 9',
      '1000010 store-restored',
      '1000011 new 1',
      '1000012 new 2',
      '1000013 operator-action',
    ]);
    assert.deepEqual([fresh.store.firstSequence(), fresh.store.acknowledgedUpTo()], [6, 1_000_009]);
    await fresh.store.close();

    const again = logOf(disk);
    const outcome = await restoreAll(again, backup);
    assert.deepEqual([outcome.log, outcome.events], ['continued', 5]);
    const { entries } = again.store;
    assert.equal(entries.length, 15);
    for (const [index, { event }] of entries.entries()) {
      assert.ok(isIntact(event));
      assert.equal(event.previousHash, entries[index - 1]?.event.hash ?? '0'.repeat(64));
    }
  });

  it('takes no number twice, though the same backup was restored before and what came after it is lost', async () => {
    const old = logOf();
    await old.live(3, 'old');
    const backup = await old.backup();
    const [first, second] = [logOf(), logOf()];
    first.clock.advance(milliseconds(HOUR));
    await restoreAll(first, backup);
    await first.live(50, 'lost');
    second.clock.advance(milliseconds(2 * HOUR));
    await restoreAll(second, backup);
    assert.ok((second.store.gap()?.to ?? 0) > first.store.tail().sequence);
  });

  it('keeps all of the few events of here, however many more there are by the time', async () => {
    const old = logOf();
    await old.live(5, 'old');
    const backup = await old.backup();
    const disk = new MemoryDisk();
    const fresh = logOf(disk);
    await fresh.live(1, 'new');
    const { restore } = await fresh.begin(backup);
    const [first] = disk.entries;
    assert.ok(first !== undefined);
    for (const { entry } of copies(first.event, { from: 2, to: MOST_MOVED + 200 })) disk.entries.push(entry);
    for (const record of backup.slice(1)) await fresh.page(restore, [record]);
    const { log } = await fresh.end(restore);
    assert.equal(log, 'replaced');
    assert.equal(fresh.store.entries.filter(({ event }) => event.detail === 'new 1').length, MOST_MOVED + 200);
  });

  it('is replaced once, though a restore is begun while another one is at it', async () => {
    const old = logOf();
    await old.live(3, 'old');
    await old.store.saveAcknowledgedUpTo(3);
    const backup = await old.backup();
    const fresh = logOf();
    await fresh.live(1, 'new');
    const first = await fresh.begin(backup);
    fresh.store.holdCommits();
    const page = fresh.page(first.restore, backup.slice(1));
    await waitFor(() => fresh.store.commits.length > 2, 'the log to be on its way');
    const begun = fresh.begin(backup);
    fresh.store.releaseCommits();
    await page.catch(() => {});
    const second = await begun;
    assert.equal(second.log, 'kept-same');
    await fresh.page(second.restore, backup.slice(1));
    await fresh.end(second.restore);
    await assert.rejects(fresh.page(first.restore, backup.slice(1)), /somebody began another/);
    const numbers = fresh.store.entries.map(({ event }) => event.sequence);
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].sort((a, b) => a - b),
    );
    assert.equal(numbers.filter((number) => number > 3).length, 5);
  });

  it("has no hole where old history is removed while the backup's is put in front", async () => {
    const old = logOf();
    await old.live(9, 'old');
    await old.store.saveAcknowledgedUpTo(9);
    const backup = await old.backup();
    const fresh = logOf();
    const { restore } = await fresh.begin(backup);
    for (const record of backup.slice(1, 5)) await fresh.page(restore, [record]);
    await fresh.store.trim(7);
    for (const record of backup.slice(5)) await fresh.page(restore, [record]);
    assert.deepEqual(fresh.told().slice(0, 2), ['8 old 8', '9 old 9']);
    assert.equal(fresh.store.firstSequence(), 8);
  });

  it('says which events of a long outage are not sent any more', async () => {
    const old = logOf();
    await old.live(1, 'old');
    const count = MOST_UNSENT + 300;
    const [header, sample] = await old.backup();
    const log = { sequence: count, hash: `${count}`.padStart(64, '0'), acknowledgedUpTo: 100 };
    const backup: object[] = [
      { ...header, log },
      ...copies(Object(sample).entry.event, { from: 1, to: count }).reverse(),
    ];
    const fresh = logOf();
    const { restore } = await fresh.begin(backup);
    for (let at = 1; at < backup.length; at += 5000) await fresh.page(restore, backup.slice(at, at + 5000));
    await fresh.end(restore);
    const dropped = fresh.store.entries.flatMap(({ event }) =>
      event.event === 'events-dropped' ? [event.detail] : [],
    );
    assert.deepEqual(dropped, [{ from: 101, to: 300, reason: 'restore' }]);
    assert.equal(fresh.store.acknowledgedUpTo(), 300);
  });

  it('is read at once past numbers that no event has, however many', async () => {
    const old = logOf();
    await old.live(3, 'old');
    const fresh = logOf();
    fresh.clock.advance(milliseconds(10_000 * 24 * HOUR));
    await restoreAll(fresh, await old.backup());
    const { store } = fresh;
    let pages = 0;
    const counted = Object.assign(Object.create(store), {
      ...Object.fromEntries(
        ['tail', 'gap', 'firstSequence'].map((name) => [name, Reflect.get(store, name).bind(store)]),
      ),
      entriesAfter: (after: number, limit: number) => {
        pages += 1;
        return store.entriesAfter(after, limit);
      },
    });
    const { signal } = new AbortController();
    const names = new Set(['access-denied', 'store-restored']);
    const range = { from: instant(Number.NEGATIVE_INFINITY), to: instant(Number.POSITIVE_INFINITY) };
    const told = [];
    for await (const line of readRecords(counted, { from: 1 }, signal)) told.push(line.type);
    for await (const line of new EventSelector(counted).read({ names, range }, signal)) told.push(line.type);
    assert.deepEqual(told.join(' '), 'event event event event event event event event missing event');
    assert.ok(pages < 10, `${pages} pages`);
  });
});
