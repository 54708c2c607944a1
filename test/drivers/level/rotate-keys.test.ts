// Replacing the keys of a store that is in use: nothing is lost, nothing comes back, whenever the process dies.

import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Level } from 'level';
import type { CardNumber } from '../../../src/domain/card-number.ts';
import type { CardRecord } from '../../../src/domain/credential.ts';
import { bucketOf } from '../../../src/domain/roster-digest.ts';
import type { LevelStore } from '../../../src/drivers/level/level-store.ts';
import { openSealedStore } from '../../../src/drivers/level/open-store.ts';
import { keyIdOf } from '../../../src/drivers/level/record-seal.ts';
import { KeyRotation, type RotationOptions } from '../../../src/drivers/level/rotate-keys.ts';
import { newDataKey, readHeader, unwrap, withSlots, writeHeader } from '../../../src/drivers/level/store-header.ts';
import { CREDENTIAL, newStoreKey, readStoreKey, writeStoreKey } from '../../../src/drivers/level/store-key.ts';
import { headerPathOf } from '../../../src/drivers/level/store-keys.ts';
import { CardeaError } from '../../../src/errors.ts';
import { createLog } from '../../../src/log.ts';
import { batchOf } from '../../contracts/store.contract.ts';
import { bindingOf, cardholderId, cardNumber, revision, tombstoneOf } from '../../domain/samples.ts';
import { seededRandom } from '../../fixtures/seeded-random.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import { openDataDir } from '../../fixtures/test-store.ts';
import { waitFor } from '../../fixtures/wait-for.ts';

const LOG = createLog('silent');

const rotationOf = (dataDir: string, store: LevelStore, more: Partial<RotationOptions> = {}): KeyRotation =>
  new KeyRotation({
    dataDir,
    store,
    key: { kind: 'file', file: join(dataDir, 'store.key') },
    hasRoom: () => true,
    log: LOG,
    onDone: () => {},
    ...more,
  });

const ended = (rotation: KeyRotation): Promise<void> =>
  waitFor(() => !rotation.view().isUnderWay, 'the rotation to end', 20_000);

const CARDS = Array.from({ length: 150 }, (_, i) => cardNumber(`AB${i.toString(16).padStart(6, '0')}`));
type Model = Map<CardNumber, CardRecord>;

const put = async (
  store: LevelStore,
  model: Model,
  [card, record]: readonly [CardNumber, CardRecord],
): Promise<void> => {
  const id = cardholderId(`E${card}`);
  await store.commit(batchOf({ cards: new Map([[card, record]]), cardholders: new Map([[id, { cards: [card] }]]) }));
  model.set(card, record);
};

const filled = async (dataDir: string): Promise<readonly [LevelStore, Model]> => {
  const store = await openDataDir(dataDir);
  const model: Model = new Map(CARDS.slice(0, 120).map((card) => [card, bindingOf()]));
  const cardholders = new Map([...model.keys()].map((card) => [cardholderId(`E${card}`), { cards: [card] }]));
  await store.commit(batchOf({ cards: model, cardholders }));
  return [store, model];
};

const assertCard = (store: LevelStore, model: Model, card: CardNumber): void => {
  const found = store.findCard(card);
  const record = model.get(card);
  if (record === undefined) assert.equal(found.kind, 'unknown', card);
  else if (record.state === 'live') assert.deepEqual(found, { kind: 'live', binding: record });
  else assert.deepEqual(found, { kind: 'retired', tombstone: record });
  const person = store.findCardholder(cardholderId(`E${card}`));
  assert.deepEqual(person, record && { cards: [card] });
};

const assertAll = async (store: LevelStore, model: Model): Promise<void> => {
  for (const card of CARDS) assertCard(store, model, card);
  for (const bucket of new Set(CARDS.map(bucketOf))) {
    const found: CardNumber[] = [];
    for await (const entry of store.cardsIn(bucket)) found.push(entry?.[0] ?? assert.fail('unreadable'));
    const expected = [...model.keys()].filter((card) => bucketOf(card) === bucket);
    assert.deepEqual(found.sort(), expected.sort());
  }
};

/** Ids of the keys that the records of a closed store are sealed with, and how many records of cards and people there are. */
const keysIn = async (dataDir: string): Promise<readonly [ids: readonly number[], rows: number]> => {
  const db = new Level<string, Buffer>(join(dataDir, 'store'), { valueEncoding: 'buffer' });
  const rows = await db.iterator().all();
  await db.close();
  const ids = new Set(rows.map(([, value]) => keyIdOf(value)).filter((id) => id !== undefined));
  return [[...ids], rows.filter(([key]) => key.startsWith('!card')).length];
};

test('without room nothing is begun, and what is under way waits for the order to go on', async (t) => {
  const dataDir = temporaryFolder(t);
  const [store, model] = await filled(dataDir);
  const key = readFileSync(join(dataDir, 'store.key'), 'utf8');
  let rest = 0;
  const asked: number[] = [];
  const hasRoom = (bytes: number): boolean => {
    asked.push(bytes);
    rest -= 1;
    return rest >= 0;
  };
  const rotation = rotationOf(dataDir, store, { hasRoom });
  await assert.rejects(rotation.begin(), { code: 'disk-full' });
  assert.ok((asked[0] ?? 0) > 10_000, `asked for ${asked[0]} bytes`);
  assert.equal(readFileSync(join(dataDir, 'store.key'), 'utf8'), key);
  rest = 3;
  await rotation.begin();
  await ended(rotation);
  assert.match(rotation.view().fault ?? '', /nearly full/);
  await assertAll(store, model);
  rest = Number.POSITIVE_INFINITY;
  assert.equal((await rotation.begin()).isResumed, true);
  await ended(rotation);
  assert.equal(rotation.view().fault, null);
  await assertAll(store, model);
  await store.close();
  assert.deepEqual((await keysIn(dataDir))[0], [2]);
});

test('after a rotation everything is there under new names, and only the new keys open it', async (t) => {
  const dataDir = temporaryFolder(t);
  const [store, model] = await filled(dataDir);
  const before = readFileSync(join(dataDir, 'store.key'), 'utf8');
  const done: object[] = [];
  const rotation = rotationOf(dataDir, store, { onDone: (what) => done.push(what) });
  assert.deepEqual(await rotation.begin(), { isResumed: false, isKeyFileReplaced: true });
  await ended(rotation);
  assert.equal(rotation.view().fault, null);
  assert.equal(done.length, 1);
  await assertAll(store, model);
  await store.close();
  assert.deepEqual(await keysIn(dataDir), [[2], 240]);
  assert.notEqual(readFileSync(join(dataDir, 'store.key'), 'utf8'), before);
  assert.equal(readHeader(headerPathOf(dataDir))?.slots.length, 1);
  const again = await openDataDir(dataDir);
  await assertAll(again, model);
  await again.close();
  await writeStoreKey(join(dataDir, 'store.key'), Buffer.from(before.trim(), 'base64url'));
  await assert.rejects(openDataDir(dataDir), { code: 'store-key-wrong' });
});

/** What a kill -9 leaves: all that was written so far, wherever that is. LevelDB's thread makes and removes files meanwhile. */
const leftByKill = (t: TestContext, dataDir: string): string => {
  const names = (): string => readdirSync(join(dataDir, 'store')).join();
  for (;;) {
    const left = temporaryFolder(t);
    const before = names();
    try {
      cpSync(dataDir, left, { recursive: true });
    } catch (error) {
      if (before === names()) throw error;
    }
    if (before === names()) return left;
  }
};

test('commits, look-ups and deaths in the midst of a rotation lose no card and bring none back', async (t) => {
  const random = seededRandom(20_260_105);
  let dataDir = temporaryFolder(t);
  const [first, model] = await filled(dataDir);
  let store = first;
  let rotation = rotationOf(dataDir, store);
  for (let life = 0; life < 4; life++) {
    await rotation.begin();
    const steps = random.below(30);
    for (let step = 0; step < steps && rotation.view().isUnderWay; step++) {
      const card = random.pick(CARDS);
      const at = revision(10 + life * 100 + step);
      const change = random.below(2) === 0 ? bindingOf({ revision: at }) : tombstoneOf({ revision: at });
      if (random.below(3) > 0) await put(store, model, [card, change]);
      else await new Promise((resolve) => setImmediate(resolve));
      assertCard(store, model, random.pick(CARDS));
      assertCard(store, model, card);
    }
    const left = leftByKill(t, dataDir);
    await rotation.stop();
    await store.close();
    dataDir = left;
    store = await openDataDir(dataDir);
    await assertAll(store, model);
    rotation = rotationOf(dataDir, store);
    rotation.resume();
  }
  await ended(rotation);
  await assertAll(store, model);
  await store.close();
  assert.equal((await keysIn(dataDir))[0].length, 1);
});

test('a rotation that died while it replaced the key file goes on at the next start', async (t) => {
  for (const isReplaced of [false, true]) {
    const dataDir = temporaryFolder(t);
    const [store, model] = await filled(dataDir);
    await store.close();
    const file = join(dataDir, 'store.key');
    const headerPath = headerPathOf(dataDir);
    const header = readHeader(headerPath);
    assert.ok(header);
    const [master, fresh] = [readStoreKey({ kind: 'file', file }), newStoreKey()];
    const ring = { current: newDataKey(2), former: [unwrap(header, master).current] };
    await writeHeader(headerPath, withSlots(header, ring, [master, fresh]));
    if (isReplaced) await writeStoreKey(file, fresh);
    const again = await openDataDir(dataDir);
    assert.equal(readHeader(headerPath)?.slots.length, 1);
    await assertAll(again, model);
    const rotation = rotationOf(dataDir, again);
    rotation.resume();
    await ended(rotation);
    await assertAll(again, model);
    await again.close();
    assert.deepEqual(await keysIn(dataDir), [[2], 240]);
    const third = await openDataDir(dataDir);
    await assertAll(third, model);
    await third.close();
  }
});

test('a key that the service manager gives stays, and only the data key is replaced', async (t) => {
  const [dataDir, directory] = [temporaryFolder(t), temporaryFolder(t)];
  await writeStoreKey(join(directory, CREDENTIAL), newStoreKey());
  const key = { kind: 'credential', directory } as const;
  const store = await openSealedStore({ dataDir, key });
  const model: Model = new Map();
  await put(store, model, [CARDS[0] ?? cardNumber('DEADBEEF'), bindingOf()]);
  const rotation = rotationOf(dataDir, store, { key });
  assert.deepEqual(await rotation.begin(), { isResumed: false, isKeyFileReplaced: false });
  await ended(rotation);
  await assertAll(store, model);
  await store.close();
  assert.deepEqual((await keysIn(dataDir))[0], [2]);
  await (await openSealedStore({ dataDir, key })).close();
});

test('a rotation that the disk interrupts says so, keeps the former key, and goes on when it is begun again', async (t) => {
  const dataDir = temporaryFolder(t);
  const [store, model] = await filled(dataDir);
  let failures = 1;
  const failing: RotationOptions['store'] = {
    useSeal: (seal, former) => store.useSeal(seal, former),
    sealAnew: async (after) => {
      if (after !== '' && failures-- > 0) throw new CardeaError('store-write-failed', 'no space left');
      return await store.sealAnew(after);
    },
    compact: () => store.compact(),
  };
  const rotation = rotationOf(dataDir, store, { store: failing });
  await rotation.begin();
  await ended(rotation);
  assert.match(rotation.view().fault ?? '', /no space left/);
  await assertAll(store, model);
  assert.deepEqual(await rotation.begin(), { isResumed: true, isKeyFileReplaced: false });
  await ended(rotation);
  assert.equal(rotation.view().fault, null);
  await assertAll(store, model);
  await store.close();
  assert.deepEqual((await keysIn(dataDir))[0], [2]);
});

test('while a record does not open the former key is kept', async (t) => {
  const dataDir = temporaryFolder(t);
  const [filledStore] = await filled(dataDir);
  await filledStore.close();
  const db = new Level<string, Buffer>(join(dataDir, 'store'), { valueEncoding: 'buffer' });
  const [first] = await db.iterator({ gt: '!card!', limit: 1 }).all();
  assert.ok(first);
  await db.put(first[0], Buffer.concat([first[1].subarray(0, -1), Buffer.of(0x55)]));
  await db.close();
  const store = await openDataDir(dataDir);
  const rotation = rotationOf(dataDir, store);
  await rotation.begin();
  await ended(rotation);
  assert.match(rotation.view().fault ?? '', /1 records do not open/);
  assert.equal(CARDS.filter((card) => store.findCard(card).kind === 'unreadable').length, 1);
  await store.close();
});
