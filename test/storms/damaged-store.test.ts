// What a broken SD card, a careless hand or an interrupted copy can do to a store: it is noticed when the store is opened, the store
// is set aside whole, and nothing that was wrong in it decides anything.

import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { deathOfReader } from '../../src/drivers/level/probe-store.ts';
import { ordersOf } from '../domain/samples.ts';
import {
  append,
  CARDS,
  CURRENT,
  copyOf,
  cutTo,
  EVENTS,
  FRONT,
  fileIn,
  garble,
  KEPT,
  LOG,
  LOST,
  MANIFEST,
  makeStore,
  open,
  openDamaged,
  remove,
  removeStore,
  TABLE,
  zero,
} from '../fixtures/damaged-store.ts';

before(makeStore);
after(removeStore);

type Damage = readonly [name: string, damage: (dataDir: string) => void];
const ofFile = (name: string, pattern: RegExp, damage: (path: string) => void): Damage => [
  name,
  (dataDir) => damage(fileIn(dataDir, pattern)),
];
const beside = (name: string, file: string, damage: (path: string) => void): Damage => [
  name,
  (dataDir) => damage(join(dataDir, file)),
];

const DAMAGES: readonly Damage[] = [
  ...[0.3, 0.999].map((part) => ofFile(`the log cut to ${part}`, LOG, cutTo(part))),
  ofFile('the log garbled', LOG, garble(0.4)),
  ofFile('the log zeroed', LOG, zero),
  ofFile('the log deleted', LOG, remove),
  ...[0.1, 0.6].map((part) => ofFile(`a table garbled at ${part}`, TABLE, garble(part))),
  ofFile('a table cut', TABLE, cutTo(0.5)),
  ofFile('a table zeroed', TABLE, zero),
  ofFile('a table deleted', TABLE, remove),
  ofFile('MANIFEST cut', MANIFEST, cutTo(0.5)),
  ofFile('MANIFEST garbled', MANIFEST, garble(0)),
  ofFile('MANIFEST deleted', MANIFEST, remove),
  ofFile('CURRENT cut', CURRENT, cutTo(0.5)),
  ofFile('CURRENT emptied', CURRENT, cutTo(0)),
  ofFile('CURRENT garbled', CURRENT, garble(0)),
  ofFile('CURRENT deleted', CURRENT, remove),
  beside('the header deleted', 'store-header.json', remove),
  beside('the header garbled', 'store-header.json', garble(0.5)),
  beside('the anchor deleted', 'store-anchor', remove),
  beside('the anchor zeroed', 'store-anchor', zero),
  beside('the store deleted', 'store', remove),
  [
    'a former copy put back',
    (dataDir) => {
      remove(join(dataDir, 'store'));
      cpSync(join(dataDir, '..', 'former'), join(dataDir, 'store'), { recursive: true });
    },
  ],
];

for (const [name, damage] of DAMAGES) {
  test(`${name}: it is found, kept, and nothing wrong opens a door`, async (t) => {
    const dataDir = copyOf(t);
    damage(dataDir);
    assert.ok(await openDamaged(t, dataDir), 'nobody noticed');
  });
}

test('a store that LevelDB dies of is told by another process, and set aside after the first start that it has ended', async (t) => {
  const dataDir = copyOf(t);
  const table = fileIn(dataDir, TABLE);
  writeFileSync(table, readFileSync(table).fill(0, 0, 1024));
  assert.equal(await deathOfReader(join(dataDir, 'store')), 'SIGABRT');
  writeFileSync(join(dataDir, 'store.opening'), '');
  const store = await open(dataDir);
  t.after(() => store.close());
  assert.match(store.damage()?.reason ?? '', /SIGABRT/);
  assert.ok(!readdirSync(dataDir).includes('store.opening'));
});

test('a store that nothing is wrong with is kept, however many power cuts its starts have met', async (t) => {
  const dataDir = copyOf(t);
  writeFileSync(join(dataDir, 'store.opening'), '');
  const store = await open(dataDir);
  t.after(() => store.close());
  assert.equal(store.damage(), undefined);
});

test('where cards are denied until HR has confirmed them, none is taken over', async (t) => {
  const dataDir = copyOf(t);
  remove(fileIn(dataDir, CURRENT));
  const store = await open(dataDir);
  t.after(() => store.close());
  assert.equal(store.roster().cards, 0);
  assert.equal(store.findCard(KEPT).kind, 'unknown');
});

test('of cards whose store is damaged those that are certain are taken over, where the site wants it', async (t) => {
  const dataDir = copyOf(t);
  remove(fileIn(dataDir, CURRENT));
  const store = await open(dataDir, { failurePolicy: 'allow-last-known' });
  t.after(() => store.close());
  assert.equal(store.roster().cards, CARDS.length - 1);
  assert.equal(store.findCard(KEPT).kind, 'live');
  assert.equal(store.findCard(LOST).kind, 'retired');
  assert.deepEqual(store.doorOrders(FRONT), ordersOf('blocked'), 'what was ordered is known');
  const entries = await store.entriesAfter(0, 1000);
  assert.equal(entries.length, EVENTS + 1);
  assert.equal(entries.at(-1)?.event.event, 'store-damaged');
});

test('a store that nothing happened to is opened as it is, and a power cut that cost the anchor its last writes is no damage', async (t) => {
  const dataDir = copyOf(t);
  const former = readFileSync(join(dataDir, 'store-anchor'));
  let store = await open(dataDir);
  assert.equal(store.damage(), undefined);
  await append(store, 3);
  await store.close();
  writeFileSync(join(dataDir, 'store-anchor'), former);
  store = await open(dataDir);
  assert.equal(store.damage(), undefined);
  assert.equal(store.tail().sequence, EVENTS + 3);
  await store.close();
});

test('a key that is wrong, a store that is in use and one of somebody else are errors, and nothing is set aside', async (t) => {
  const dataDir = copyOf(t);
  const store = await open(dataDir);
  await assert.rejects(open(dataDir), { code: 'store-locked' });
  await store.close();
  await assert.rejects(open(dataDir, { identity: 'site hq, gateway other' }), { code: 'store-format' });
  const key = join(dataDir, 'store.key');
  renameSync(key, `${key}.old`);
  await assert.rejects(open(dataDir), { code: 'store-key-unusable' });
  writeFileSync(key, `${Buffer.alloc(32, 1).toString('base64url')}\n`, { mode: 0o600 });
  await assert.rejects(open(dataDir), { code: 'store-key-wrong' });
  assert.deepEqual(
    readdirSync(dataDir).filter((name) => name.includes('damaged')),
    [],
  );
});
