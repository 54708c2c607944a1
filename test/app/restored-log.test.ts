// What becomes of the log when a backup is restored: which one goes on, what is sent to HR, and what an interruption leaves.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EventPublisher } from '../../src/app/publish-events.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { isIntact } from '../../src/domain/access-event.ts';
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
    assert.deepEqual(longer.told(), ['1 new 1', '2 new 2', '3 new 3', '4 new 4', '5 store-restored']);
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
    assert.deepEqual(cloned.told(), ['1 old 1', '2 old 2', '3 cloned 1', '4 store-restored']);
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
      [1, 2, 3, 4, 4, 5, 1_000_001, 1_000_002, 1_000_003, 1_000_004, 1_000_005],
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
      '1000001 store-restored',
      '1000002 new 1',
      '1000003 new 2',
    ]);
    assert.deepEqual([fresh.store.firstSequence(), fresh.store.acknowledgedUpTo()], [6, 1_000_000]);
    await fresh.store.close();

    const again = logOf(disk);
    const outcome = await restoreAll(again, backup);
    assert.deepEqual([outcome.log, outcome.events], ['continued', 5]);
    const { entries } = again.store;
    assert.equal(entries.length, 13);
    for (const [index, { event }] of entries.entries()) {
      assert.ok(isIntact(event));
      assert.equal(event.previousHash, entries[index - 1]?.event.hash ?? '0'.repeat(64));
    }
  });
});
