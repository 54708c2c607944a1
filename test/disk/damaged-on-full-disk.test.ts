// A damaged store on a disk that is full: the ballast is what a new one is made with.

import assert from 'node:assert/strict';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Ballast } from '../../src/drivers/level/ballast.ts';
import { CURRENT, copyOf, EVENTS, fileIn, makeStore, open, remove, removeStore } from '../fixtures/damaged-store.ts';
import { SmallDisk } from '../fixtures/small-disk.ts';

before(makeStore);
after(removeStore);

test('a damaged store is replaced with the room that the ballast gives back, and is left as it is where there is none', async (t) => {
  const disk = new SmallDisk(t, 'size=64m');
  const dataDir = join(disk.folder, 'data');
  cpSync(copyOf(t), dataDir, { recursive: true });
  remove(fileIn(dataDir, CURRENT));
  const bytes = 40 * 1024 * 1024;
  const ballast = new Ballast({ file: join(dataDir, 'ballast'), bytes });
  await ballast.growBy(bytes);
  disk.fill();
  await assert.rejects(open(dataDir), {
    code: 'store-open-failed',
    message: /does not exist.*no new one can be made: ENOSPC/,
  });
  const store = await open(dataDir, { ballast });
  t.after(() => store.close());
  const setAside = store.damage()?.setAside ?? '';
  assert.ok(existsSync(join(dataDir, setAside, 'store-header.json')));
  assert.equal((await store.entriesAfter(0, 1000)).length, EVENTS + 1, 'events are saved');
});
