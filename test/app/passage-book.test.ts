import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type PassageBook, WRITE_AGAIN } from '../../src/app/passage-book.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import type { Direction } from '../../src/domain/access-event.ts';
import type { AntiPassback } from '../../src/domain/anti-passback.ts';
import type { Passage } from '../../src/domain/passage.ts';
import { milliseconds } from '../../src/domain/units.ts';
import { CardeaError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { cardholderId, doorId, gatewayId, zoneId } from '../domain/samples.ts';
import { MemoryDisk, MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { BUILDING, passageBookOf } from '../fixtures/passage-book.ts';
import { settle } from './door-bench.ts';

const ADA = cardholderId('E1001');
const BOB = cardholderId('E1002');
const FRONT = doorId('front');
const MINUTE = 60_000;
const NOW = new VirtualClock().now();
const TIMED: AntiPassback = { mode: 'timed', within: milliseconds(30 * MINUTE) };

const passing = (direction: Direction, cardholder = ADA) => ({ door: FRONT, direction, cardholder });

interface Options {
  readonly disk?: MemoryDisk;
  readonly clock?: VirtualClock;
  readonly rule?: AntiPassback;
}

const live = async ({ disk = new MemoryDisk(), clock = new VirtualClock(), rule = { mode: 'hard' } }: Options = {}) => {
  const store = new MemoryStore(disk);
  const log = createLog('silent');
  const writer = new SerialWriter({ store, gateway: gatewayId('lobby-1'), clock, log });
  let changes = 0;
  const onChange = (): void => {
    changes += 1;
  };
  const book = passageBookOf({ store, writer, clock, zones: new Map([[BUILDING, rule]]), onChange });
  await book.load();
  /** Stops, and starts again on the same disk. */
  const restart = async (next: Partial<Options> = {}) => {
    await settle();
    book.stop();
    await store.close();
    return live({ disk, clock, rule, ...next });
  };
  return { book, store, writer, clock, disk, restart, changes: () => changes };
};

const insideOf = (book: PassageBook): string[] => book.occupants(BUILDING).map(({ cardholder }) => cardholder);

describe('the book of passages', () => {
  it('knows nobody at first, and lets everybody go both ways', async () => {
    const { book } = await live();
    assert.equal(book.judge(passing('in')), 'clear');
    assert.equal(book.judge(passing('out')), 'clear');
    assert.deepEqual(book.view(), { building: { antiPassback: 'hard', occupancy: 0 } });
  });

  it('holds somebody to be inside from the moment of entering, and outside from that of leaving', async () => {
    const { book, clock, changes } = await live();
    book.record(passing('in'));
    assert.equal(book.judge(passing('in')), 'denied');
    assert.equal(book.judge(passing('out')), 'clear');
    assert.deepEqual(book.occupants(BUILDING), [{ cardholder: ADA, since: clock.now(), isSinceGuessed: false }]);
    book.record(passing('out'));
    assert.equal(book.judge(passing('in')), 'clear');
    assert.equal(book.judge(passing('out')), 'denied');
    assert.deepEqual(insideOf(book), []);
    assert.equal(changes(), 2);
  });

  it('judges each person and each zone alone, and doors of no zone not at all', async () => {
    const lab = zoneId('lab');
    const { store, writer, clock } = await live();
    const book = passageBookOf({
      store,
      writer,
      clock,
      zones: new Map([
        [BUILDING, { mode: 'hard' }],
        [lab, { mode: 'hard' }],
      ]),
      zoneOfDoor: new Map([
        [FRONT, BUILDING],
        [doorId('lab'), lab],
      ]),
    });
    book.record(passing('in'));
    book.record({ door: doorId('shed'), direction: 'in', cardholder: BOB });
    assert.equal(book.judge(passing('in', BOB)), 'clear');
    assert.equal(book.judge({ door: doorId('lab'), direction: 'in', cardholder: ADA }), 'clear');
    assert.equal(book.judge({ door: doorId('shed'), direction: 'in', cardholder: ADA }), 'clear');
    assert.deepEqual(
      Object.values(book.view()).map(({ occupancy }) => occupancy),
      [1, 0],
    );
  });

  it('lists people by how long they have been inside', async () => {
    const { book, clock } = await live();
    book.record(passing('in', BOB));
    clock.advance(MINUTE);
    book.record(passing('in', ADA));
    assert.deepEqual(insideOf(book), [BOB, ADA]);
  });

  it('survives a restart', async () => {
    const first = await live();
    first.book.record(passing('in'));
    first.book.record(passing('out', BOB));
    const { book } = await first.restart();
    assert.deepEqual(insideOf(book), [ADA]);
    assert.equal(book.judge(passing('in')), 'denied');
    assert.equal(book.judge(passing('out', BOB)), 'denied');
  });

  it('counts earlier passages of an earlier era, and holds them against nobody', async () => {
    const { book, writer, restart } = await live();
    book.record(passing('in'));
    await writer.write((tx) => {
      tx.putPassageEra(1);
      tx.append({ event: 'roster-reconciled', at: NOW, clockSynchronized: true });
    });
    assert.equal(book.judge(passing('in')), 'clear');
    assert.deepEqual(insideOf(book), [ADA]);
    book.record(passing('in'));
    assert.equal(book.judge(passing('in')), 'denied');
    assert.equal((await restart()).book.judge(passing('in')), 'denied');
  });
});

describe('timed anti-passback', () => {
  it('forgives after its minutes by the monotonic clock, wherever the wall clock jumps', async () => {
    const { book, clock } = await live({ rule: TIMED });
    book.record(passing('in'));
    clock.setNow('2036-01-01T00:00:00Z');
    assert.equal(book.judge(passing('in')), 'denied');
    clock.setNow('1970-01-01T00:00:00Z');
    clock.advance(30 * MINUTE - 1);
    assert.equal(book.judge(passing('in')), 'denied');
    clock.advance(1);
    assert.equal(book.judge(passing('in')), 'clear');
  });

  it('counts over a restart by the wall clock, where that can be trusted', async () => {
    const first = await live({ rule: TIMED });
    first.book.record(passing('in'));
    first.clock.advance(20 * MINUTE);
    const { book, clock } = await first.restart();
    clock.advance(10 * MINUTE - 1);
    assert.equal(book.judge(passing('in')), 'denied');
    clock.advance(1);
    assert.equal(book.judge(passing('in')), 'clear');
  });

  it('counts from the start of the gateway where the wall clock cannot be trusted, now or then, or was set back', async () => {
    const trustedNow = async (then: boolean, now: boolean, nowText?: string): Promise<void> => {
      const first = await live({ rule: TIMED, clock: new VirtualClock({ synchronized: then }) });
      first.book.record(passing('in'));
      first.clock.advance(60 * MINUTE);
      first.clock.setSynchronized(now);
      if (nowText !== undefined) first.clock.setNow(nowText);
      const { book, clock } = await first.restart();
      assert.equal(book.judge(passing('in')), 'denied');
      clock.advance(30 * MINUTE);
      assert.equal(book.judge(passing('in')), 'clear');
    };
    await trustedNow(false, true);
    await trustedNow(true, false);
    await trustedNow(true, true, '2001-01-01T00:00:00Z');
  });

  it('says of a time in the roll call that it is a guess, over a restart too', async () => {
    const first = await live({ clock: new VirtualClock({ synchronized: false }) });
    first.book.record(passing('in'));
    first.clock.setSynchronized(true);
    const { book } = await first.restart();
    assert.equal(book.occupants(BUILDING)[0]?.isSinceGuessed, true);
  });
});

describe('a store that takes no passages', () => {
  const failure = new CardeaError('store-write-failed', 'disk full');

  it('keeps nobody waiting, and gets them when it works again', async () => {
    const { book, store, clock, disk } = await live();
    store.commitFailure = failure;
    book.record(passing('in'));
    book.record(passing('in', BOB));
    assert.deepEqual(insideOf(book), [ADA, BOB]);
    await settle();
    assert.equal(disk.passages.size, 0);
    store.commitFailure = undefined;
    clock.advance(WRITE_AGAIN);
    await settle();
    assert.deepEqual([...disk.passages.values()].map(({ cardholder }) => cardholder).sort(), [ADA, BOB]);
    const writes = store.commits.length;
    clock.advance(10 * WRITE_AGAIN);
    await settle();
    assert.equal(store.commits.length, writes, 'once');
  });

  it('gets the last passage of each person, however many there were', async () => {
    const { book, store, clock, disk } = await live();
    store.commitFailure = failure;
    for (let n = 0; n < 1000; n++) book.record(passing(n % 2 === 0 ? 'in' : 'out'));
    await settle();
    const refused = store.commits.length;
    store.commitFailure = undefined;
    clock.advance(WRITE_AGAIN);
    await settle();
    const written = store.commits.slice(refused).flatMap(({ passages = [] }) => passages);
    assert.deepEqual(
      written.map(({ passage }) => passage?.place),
      ['outside'],
    );
    assert.equal(disk.passages.size, 1);
  });

  it('gets a thousand people in pieces', async () => {
    const { book, store, clock, disk } = await live();
    store.commitFailure = failure;
    for (let n = 0; n < 1000; n++) book.record(passing('in', cardholderId(`E${n}`)));
    await settle();
    store.commitFailure = undefined;
    clock.advance(WRITE_AGAIN);
    for (let turn = 0; turn < 20; turn++) await settle();
    assert.equal(disk.passages.size, 1000);
    assert.ok(store.commits.every(({ passages = [] }) => passages.length <= 128));
  });

  it('is left alone once the book is stopped', async () => {
    const { book, store, clock } = await live();
    store.commitFailure = failure;
    book.record(passing('in'));
    await settle();
    book.stop();
    store.commitFailure = undefined;
    const writes = store.commits.length;
    clock.advance(WRITE_AGAIN);
    await settle();
    assert.ok(store.commits.slice(writes).every(({ passages = [] }) => passages.length === 0));
  });
});

describe('a reset', () => {
  const placeOnDisk = (disk: MemoryDisk): Passage['place'] | undefined =>
    [...disk.passages.values()].find(({ cardholder }) => cardholder === ADA)?.passage?.place;

  it('forgets one person in all zones, together with its record', async () => {
    const { book, store, restart } = await live();
    book.record(passing('in'));
    book.record(passing('in', BOB));
    assert.deepEqual(book.zonesOf(ADA), [BUILDING]);
    const event = { event: 'operator-action', at: NOW, clockSynchronized: true } as const;
    assert.equal(await book.resetPerson(ADA, (tx) => tx.append(event).sequence), 1);
    assert.deepEqual(book.zonesOf(ADA), []);
    assert.equal(book.judge(passing('in')), 'clear');
    assert.equal(book.judge(passing('out')), 'clear');
    assert.equal(book.judge(passing('in', BOB)), 'denied');
    const batch = store.commits.find(({ entries }) => entries.length > 0);
    assert.deepEqual(batch?.passages?.at(-1), { zone: BUILDING, cardholder: ADA, passage: undefined });
    const { book: later } = await restart();
    assert.deepEqual(insideOf(later), [BOB]);
  });

  it('of somebody nobody knows is recorded all the same', async () => {
    const { book, store } = await live();
    await book.resetPerson(ADA, (tx) => tx.append({ event: 'operator-action', at: NOW, clockSynchronized: true }));
    assert.equal(store.entries.length, 1);
  });

  it('counts once it is durable, not before', async () => {
    const { book, store } = await live();
    book.record(passing('in'));
    await settle();
    store.holdCommits();
    const reset = book.resetPerson(ADA, () => {});
    await settle();
    assert.equal(book.judge(passing('in')), 'denied');
    store.releaseCommits();
    await reset;
    assert.equal(book.judge(passing('in')), 'clear');
  });

  it('that is refused leaves the person where they were, on the disk too', async () => {
    const { book, store, clock, disk, restart } = await live();
    book.record(passing('in'));
    await settle();
    store.refuseButKeepNextCommit();
    await assert.rejects(book.resetPerson(ADA, () => {}));
    assert.equal(book.judge(passing('in')), 'denied');
    clock.advance(WRITE_AGAIN);
    await settle();
    assert.equal(placeOnDisk(disk), 'inside');
    assert.equal((await restart()).book.judge(passing('in')), 'denied');
  });

  it('is not undone by what was on its way to the disk before it', async () => {
    const { book, store, disk } = await live();
    store.holdCommits();
    book.record(passing('in', BOB));
    await settle();
    book.record(passing('in'));
    const reset = book.resetPerson(ADA, () => {});
    store.releaseCommits();
    await reset;
    await settle();
    assert.equal(placeOnDisk(disk), undefined);
    assert.deepEqual(insideOf(book), [BOB]);
  });

  it('does not touch a passage that comes after it', async () => {
    const { book, store, disk } = await live();
    book.record(passing('in'));
    await settle();
    store.holdCommits();
    const reset = book.resetPerson(ADA, () => {});
    book.record(passing('out'));
    store.releaseCommits();
    await reset;
    await settle();
    assert.equal(book.judge(passing('out')), 'denied');
    assert.equal(placeOnDisk(disk), 'outside');
  });
});
