// What is no damage though it looks like it, and what is done with a store that is damaged when something else goes wrong meanwhile.

import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Level } from 'level';
import { EMPTY_CALENDAR } from '../../../src/domain/calendar.ts';
import { calendarFingerprint } from '../../../src/domain/calendar-order.ts';
import { DIGEST_BYTES, emptyRoster, toggleCard } from '../../../src/domain/roster-digest.ts';
import { anchorPathOf, readAnchor, StoreAnchor } from '../../../src/drivers/level/anchor.ts';
import type { LevelStore } from '../../../src/drivers/level/level-store.ts';
import { openSealedStore } from '../../../src/drivers/level/open-store.ts';
import { MOST_UNREAD_STARTS } from '../../../src/drivers/level/unread-starts.ts';
import { verifyRecords } from '../../../src/drivers/level/verify-store.ts';
import { batchOf } from '../../contracts/store.contract.ts';
import { bindingOf, messageId, revision, time, tombstoneOf } from '../../domain/samples.ts';
import { VirtualClock } from '../../fakes/virtual-clock.ts';
import { append, CARDS, copyOf, EVENTS, LOST, makeStore, open, removeStore } from '../../fixtures/damaged-store.ts';
import { FORMAT_3_IDENTITY, layFormat3 } from '../../fixtures/store-format-3.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { openTestStore } from '../../fixtures/test-store.ts';

before(makeStore);
after(removeStore);

const identity = FORMAT_3_IDENTITY;

test('a store of an older format is taken over whole, also when the gateway ends before it has written anything', async (t) => {
  const dataDir = temporaryFolder(t);
  await layFormat3(dataDir);
  // What a start leaves that was killed before the store was brought to the present format.
  await (await StoreAnchor.open(anchorPathOf(dataDir))).close();
  for (let start = 0; start < 2; start++) {
    const store = await open(dataDir, { identity });
    assert.equal(store.damage(), undefined);
    assert.equal(store.roster().cards, 14);
    await store.close();
  }
});

test('an anchor is there as a whole or not at all, at whatever moment its first start is killed', async (t) => {
  const path = anchorPathOf(temporaryFolder(t));
  let isMade = false;
  const made = StoreAnchor.open(path).finally(() => {
    isMade = true;
  });
  while (!isMade) {
    assert.notEqual(readAnchor(path), 'unreadable');
    await setImmediate();
  }
  await (await made).close();
});

test('a new store begins at once where the anchor is older than the store, and its event is not what it was', async (t) => {
  const dataDir = copyOf(t);
  const former = readFileSync(anchorPathOf(dataDir));
  const filled = await open(dataDir);
  await append(filled, 1);
  await filled.close();
  writeFileSync(anchorPathOf(dataDir), former);
  const database = new Level<string, string>(join(dataDir, 'store'));
  await database.put(`!event!${EVENTS.toString(16).padStart(14, '0')}`, 'garbled');
  await database.close();
  const store = await open(dataDir);
  t.after(() => store.close());
  assert.match(store.damage()?.reason ?? '', /cannot be read/);
});

test('a calendar that is lost is unreadable in the new store, which is no damage again', async (t) => {
  const dataDir = copyOf(t);
  const filled = await open(dataDir);
  const calendar = {
    revision: revision(4),
    messageId: messageId('cal-4'),
    appliedAt: time('2026-01-05T08:00:00Z'),
    fingerprint: calendarFingerprint(EMPTY_CALENDAR),
    definition: EMPTY_CALENDAR,
  };
  await filled.commit(batchOf({ calendar }));
  await filled.close();
  rmSync(join(dataDir, 'store-header.json'));
  for (let start = 0; start < 2; start++) {
    const store = await open(dataDir);
    assert.match(store.damage()?.reason ?? '', /header is gone/);
    assert.equal(store.calendar(), 'unreadable');
    await store.close();
  }
});

test('where the anchor is lost no number is used again, and those that are left out do not count as waiting', async (t) => {
  const dataDir = copyOf(t);
  rmSync(anchorPathOf(dataDir));
  const clock = new VirtualClock();
  const store = await open(dataDir, { clock });
  t.after(() => store.close());
  const own = store.tail().sequence;
  assert.ok(own > clock.now() / 1000, `${own}`);
  assert.deepEqual(store.gap(), { from: EVENTS + 1, to: own - 1 });
  const anchor = readAnchor(anchorPathOf(dataDir));
  assert.ok(typeof anchor === 'object' && anchor.reserved >= own, 'its own number is reserved too');
});

test('an anchor that is lost is missed again by the start after one that was killed while it made a new store', async (t) => {
  const dataDir = copyOf(t);
  rmSync(anchorPathOf(dataDir));
  const now = (): ReturnType<typeof time> => {
    // Keeps the new store from taking the place of the damaged one.
    mkdirSync(join(dataDir, 'store.rebuilt', 'in the way'), { recursive: true });
    return time('2026-01-05T08:00:00Z');
  };
  await assert.rejects(open(dataDir, { clock: { now, isSynchronized: () => true } }), {
    code: 'store-open-failed',
    message: /its anchor is gone; and no new one can be made/,
  });
  assert.ok(!existsSync(anchorPathOf(dataDir)));
  const store = await open(dataDir);
  t.after(() => store.close());
  assert.match(store.damage()?.reason ?? '', /anchor is gone/);
});

test('a first start that was killed before it had made anything leaves nothing that is taken for a damaged store', async (t) => {
  const dataDir = temporaryFolder(t);
  writeFileSync(join(dataDir, 'store.opening'), '');
  const store = await open(dataDir);
  t.after(() => store.close());
  assert.equal(store.damage(), undefined);
});

test('events are saved from a damaged store although the start before was killed', async (t) => {
  const dataDir = copyOf(t);
  rmSync(join(dataDir, 'store', 'CURRENT'));
  writeFileSync(join(dataDir, 'store.opening'), '');
  const store = await open(dataDir);
  t.after(() => store.close());
  assert.equal((await store.entriesAfter(0, 1000)).length, EVENTS + 1);
  assert.ok(!existsSync(join(dataDir, 'store.opening')));
});

test('whoever waits for a start is told that it goes on, as long as it takes to look through a store or to make a new one', async (t) => {
  const dataDir = copyOf(t);
  rmSync(anchorPathOf(dataDir));
  t.mock.timers.enable({ apis: ['setInterval'] });
  let told = 0;
  const now = (): ReturnType<typeof time> => {
    t.mock.timers.tick(60_000);
    return time('2026-01-05T08:00:00Z');
  };
  const onProgress = (): void => {
    told += 1;
  };
  const store = await open(dataDir, { onProgress, clock: { now, isSynchronized: () => true } });
  t.after(() => store.close());
  const during = told;
  assert.ok(during >= 12, `${during}`);
  t.mock.timers.tick(60_000);
  assert.equal(told, during);
});

/** A store that runs, whose last write has failed, and whose files are gone. */
const failing = async (t: TestContext): Promise<{ readonly dataDir: string; readonly store: LevelStore }> => {
  const dataDir = copyOf(t);
  const anchor = await StoreAnchor.open(anchorPathOf(dataDir));
  const store = await openSealedStore({ dataDir, key: { kind: 'file', file: join(dataDir, 'store.key') }, anchor });
  t.after(() => store.close());
  const reserve = anchor.reserve.bind(anchor);
  anchor.reserve = () => Promise.reject(new Error('input/output error'));
  await assert.rejects(append(store, 1), { code: 'store-write-failed' });
  anchor.reserve = reserve;
  rmSync(join(dataDir, 'store'), { recursive: true });
  return { dataDir, store };
};

test('a database that is gone when it is opened again at run time is not made anew', async (t) => {
  const { store } = await failing(t);
  await assert.rejects(store.recover(), { code: 'store-write-failed' });
  await assert.rejects(append(store, 1), { code: 'store-write-failed' });
  assert.equal(store.tail().sequence, EVENTS);
});

test('a database that has lost what it had when it is opened again at run time takes no writes', async (t) => {
  const { dataDir, store } = await failing(t);
  cpSync(join(dataDir, '..', 'former'), join(dataDir, 'store'), { recursive: true });
  for (let attempt = 0; attempt < 2; attempt++) await assert.rejects(store.recover(), /older than it was/);
  await assert.rejects(append(store, 1), { code: 'store-write-failed' });
  assert.equal(store.tail().sequence, EVENTS);
});

test('a disk that cannot read the store is asked again at the next starts, and in the end the store is set aside', async (t) => {
  const dataDir = copyOf(t);
  const current = join(dataDir, 'store', 'CURRENT');
  const content = readFileSync(current);
  // Reading where no memory is answers as a bad block does.
  const spoil = (): void => {
    rmSync(current);
    symlinkSync('/proc/self/mem', current);
  };
  spoil();
  for (let start = 1; start < MOST_UNREAD_STARTS; start++) {
    await assert.rejects(open(dataDir), { code: 'store-open-failed', message: /Input\/output error/ });
  }
  assert.equal(existsSync(join(dataDir, 'store', 'CURRENT')), true);
  // Once it could be read all is forgotten.
  rmSync(current);
  writeFileSync(current, content);
  await (await open(dataDir)).close();
  spoil();
  for (let start = 1; start < MOST_UNREAD_STARTS; start++) {
    await assert.rejects(open(dataDir), { code: 'store-open-failed' });
  }
  const store = await open(dataDir);
  t.after(() => store.close());
  const { reason = '', lost } = store.damage() ?? {};
  assert.match(reason, /^it could not be read at 10 starts in a row: .*Input\/output error/);
  assert.ok(store.tail().sequence > EVENTS, lost);
  assert.equal(readdirSync(dataDir).filter((name) => name.startsWith('store.damaged-')).length, 1);
  assert.equal(existsSync(join(dataDir, 'store.unread')), false);
});

/** Of a table: where the bits of its filter lie. Layout: LevelDB, doc/table_format.md; all records here share one filter. */
const filterIn = (table: Buffer): { readonly from: number; readonly to: number } => {
  const NAME = 'filter.leveldb.BuiltinBloomFilter2';
  let at = table.length - FOOTER_BYTES;
  const varint = (): number => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = table.readUInt8(at++);
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
  };
  const [metaindex, size] = [varint(), varint()];
  at = table.indexOf(NAME, metaindex) + NAME.length;
  assert.ok(at < metaindex + size);
  const [filter, length] = [varint(), varint()];
  const offsets = filter + table.readUInt32LE(filter + length - 5);
  // The last byte of a filter says how many bits each key has.
  return { from: filter + table.readUInt32LE(offsets), to: filter + table.readUInt32LE(offsets + 4) - 1 };
};
const FOOTER_BYTES = 48;

/** Whether a card is another one when it is looked up than when all are read. */
const isCardHidden = async (directory: string): Promise<boolean> => {
  const database = new Level<string, Buffer>(directory, { valueEncoding: 'buffer' });
  await database.open();
  let isHidden = false;
  for await (const [key, value] of database.iterator({ gt: '!card!', lt: '!card~' })) {
    isHidden ||= database.getSync(key)?.equals(value) !== true;
  }
  await database.close();
  return isHidden;
};

test('one bit of a filter that hides a revocation from look-ups is damage, though every record is there', async (t) => {
  const directory = join(temporaryFolder(t), 'store');
  const cards = new Map(CARDS.map((card) => [card, bindingOf()]));
  const buckets = new Uint8Array(DIGEST_BYTES);
  for (const card of CARDS) toggleCard(buckets, card, bindingOf().revision);
  const filled = await openTestStore(directory);
  await filled.commit(batchOf({ cards, roster: { ...emptyRoster(), cards: CARDS.length, buckets } }));
  await filled.compact();
  const former = new Set(readdirSync(directory));
  const without = Uint8Array.from(buckets);
  toggleCard(without, LOST, bindingOf().revision);
  const roster = { ...emptyRoster(), cards: CARDS.length - 1, buckets: without };
  await filled.commit(batchOf({ cards: new Map([[LOST, tombstoneOf()]]), roster }));
  await filled.close();
  // What stands in the log is put into a table of its own.
  await (await openTestStore(directory)).close();
  const name = readdirSync(directory).find((entry) => entry.endsWith('.ldb') && !former.has(entry));
  assert.ok(name);
  const table = join(directory, name);
  const whole = readFileSync(table);
  const { from, to } = filterIn(whole);
  const faults: string[] = [];
  for (let bit = 8 * from; bit < 8 * to; bit++) {
    const [at, mask] = [Math.floor(bit / 8), 1 << (bit % 8)];
    if ((whole.readUInt8(at) & mask) === 0) continue;
    const bytes = Buffer.from(whole);
    bytes.writeUInt8(whole.readUInt8(at) & ~mask, at);
    writeFileSync(table, bytes);
    if (!(await isCardHidden(directory))) continue;
    // A bit that hides the roster as well is found when the store is opened.
    const store = await openTestStore(directory).catch(() => undefined);
    if (store === undefined) continue;
    assert.equal(store.findCard(LOST).kind, 'live', 'there is nothing to find');
    faults.push((await verifyRecords(store)) ?? 'nothing');
    await store.close();
  }
  // Some bits hide another record, too, by which it is found before.
  assert.ok(!faults.includes('nothing'), String(faults));
  assert.ok(faults.some((fault) => fault.endsWith('is not found')));
});
