// The ballast under a real store on a real small disk: what it gives back, when, and what of it is kept for a start.

import assert from 'node:assert/strict';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { StoreTransaction } from '../../src/app/store-transaction.ts';
import { Ballast, RESERVE } from '../../src/drivers/level/ballast.ts';
import { StoreDisk } from '../../src/drivers/level/disk-room.ts';
import type { LevelStore } from '../../src/drivers/level/level-store.ts';
import { gatewayId, time } from '../domain/samples.ts';
import { FailingDisk, SmallDisk } from '../fixtures/small-disk.ts';
import { openTestStore } from '../fixtures/test-store.ts';

const MEBIBYTE = 1024 * 1024;

const setUp = async (t: TestContext, { ballastMiB = 64, options = 'size=200m' } = {}) => {
  const disk = new SmallDisk(t, options);
  const ballast = new Ballast({ file: join(disk.folder, 'ballast'), bytes: ballastMiB * MEBIBYTE });
  const space = new StoreDisk({ directory: disk.folder, ballast });
  const open = (): Promise<LevelStore> => openTestStore(join(disk.folder, 'store'), { ballast });
  await space.restoreBallast(0);
  return { disk, ballast, space, open };
};

const commit = async (store: LevelStore, count = 20): Promise<void> => {
  const tx = new StoreTransaction({ store, gateway: gatewayId('lobby-1') });
  for (let n = 0; n < count; n++) {
    tx.append({ event: 'access-granted', at: time('2026-01-05T08:00:00Z'), clockSynchronized: true });
  }
  await store.commit(tx.batch());
};

/** So many batches went before one was refused. */
const commitUntilRefused = async (store: LevelStore): Promise<number> => {
  for (let batches = 0; batches < 10_000; batches++) {
    try {
      await commit(store);
    } catch {
      return batches;
    }
  }
  throw new TypeError('the disk never got full');
};

test('the ballast is really there, and grows no further than the minimum allows', async (t) => {
  const { disk, ballast, space } = await setUp(t);
  const { blocks } = statSync(join(disk.folder, 'ballast'));
  assert.equal(blocks * 512, 64 * MEBIBYTE);
  ballast.shrinkTo(RESERVE);
  await space.restoreBallast(140 * MEBIBYTE);
  assert.equal(ballast.size(), RESERVE);
  await space.restoreBallast(100 * MEBIBYTE);
  assert.equal(ballast.size(), 64 * MEBIBYTE);
});

test('a full disk at run time: the store is closed, opened and written to again with a part of the ballast', async (t) => {
  const { disk, ballast, open } = await setUp(t);
  const store = await open();
  for (let n = 0; n < 100; n++) await commit(store);
  disk.fill();
  await commitUntilRefused(store);
  const { sequence } = store.tail();
  await store.recover();
  assert.equal(ballast.size(), RESERVE);
  assert.equal(store.tail().sequence, sequence);
  assert.ok((await commitUntilRefused(store)) > 100, 'there is room for some time');
  const last = store.tail().sequence;
  await assert.rejects(store.recover(), { code: 'store-write-failed', message: /the disk is full/ });
  assert.equal(store.entryAt(last)?.event.sequence, last, 'what is there can still be read');
  assert.equal(ballast.size(), RESERVE, 'the rest is for the next start');
  await store.close();
});

test('a store opens on a full disk again and again, and the reserve is made whole each time', async (t) => {
  const { disk, ballast, space, open } = await setUp(t);
  const first = await open();
  for (let n = 0; n < 200; n++) await commit(first);
  disk.fill();
  await commitUntilRefused(first);
  await first.recover();
  await commitUntilRefused(first);
  const { sequence, hash } = first.tail();
  await first.close();
  for (let start = 1; start <= 5; start++) {
    disk.fill();
    const store = await open();
    assert.equal(ballast.size(), 0);
    assert.deepEqual(store.tail(), { sequence, hash }, `start ${start}`);
    // What LevelDB tidies up after opening comes back little by little.
    for (let look = 0; look < 100 && ballast.size() < RESERVE / 2; look++) {
      await space.restoreBallast(0);
      await pause(50);
    }
    assert.ok(ballast.size() >= RESERVE / 2, `${ballast.size()} bytes are kept for start ${start + 1}`);
    await store.close();
  }
});

test('a card that fails: writes are refused, the store is not closed, and what is there can be read', async (t) => {
  const card = new FailingDisk(t);
  const store = await openTestStore(join(card.folder, 'store'));
  t.after(() => store.close());
  await commit(store);
  card.fail();
  assert.ok((await commitUntilRefused(store)) < 1_000);
  const { sequence } = store.tail();
  await assert.rejects(store.recover(), {
    code: 'store-write-failed',
    message: /the disk takes no writes: (EIO|EROFS)/,
  });
  assert.equal(store.entryAt(sequence)?.event.sequence, sequence);
});

test('a disk without files left: what is there can be read, and it goes on when there are some', async (t) => {
  const { disk, open } = await setUp(t, { options: 'size=200m,nr_inodes=40' });
  const store = await open();
  await commit(store);
  const names = Array.from({ length: 40 }, (_, n) => join(disk.folder, `other-${n}`));
  for (const name of names) {
    try {
      writeFileSync(name, '');
    } catch {
      break;
    }
  }
  await commitUntilRefused(store);
  const { sequence } = store.tail();
  await assert.rejects(store.recover(), { code: 'store-write-failed', message: /the disk is full/ });
  assert.equal(store.entryAt(sequence)?.event.sequence, sequence);
  for (const name of names.slice(0, 20)) rmSync(name, { force: true });
  await store.recover();
  await commit(store);
  await store.close();
});
