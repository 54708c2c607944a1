// What a broken SD card, a careless hand or an interrupted copy can do to a store: it is noticed when the store is opened, the store
// is set aside whole, and nothing that was wrong in it decides anything.

import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { chainEvent } from '../../src/domain/access-event.ts';
import { modeOf } from '../../src/domain/door-mode.ts';
import { toggleCard } from '../../src/domain/roster-digest.ts';
import type { LevelStore } from '../../src/drivers/level/level-store.ts';
import { openTrustedStore, type TrustedStoreOptions } from '../../src/drivers/level/trusted-store.ts';
import { verifyRecords } from '../../src/drivers/level/verify-store.ts';
import { batchOf } from '../contracts/store.contract.ts';
import {
  bindingOf,
  cardholderId,
  cardNumber,
  doorId,
  gatewayId,
  ordersOf,
  revision,
  time,
  tombstoneOf,
} from '../domain/samples.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { RecordingLog } from '../fixtures/recording-log.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';

const GATEWAY = gatewayId('lobby-1');
const FRONT = doorId('front');
const CARDS = Array.from({ length: 30 }, (_, index) => cardNumber(`F00000${String(index).padStart(2, '0')}`));
const [LOST, KEPT] = [cardNumber('F0000000'), cardNumber('F0000001')];
const EVENTS = 60;

const open = (dataDir: string, more: Partial<TrustedStoreOptions> = {}): Promise<LevelStore> =>
  openTrustedStore({
    dataDir,
    key: { kind: 'file', file: join(dataDir, 'store.key') },
    identity: 'site hq, gateway lobby-1',
    gateway: GATEWAY,
    doors: [FRONT],
    failurePolicy: 'deny',
    clock: new VirtualClock(),
    log: new RecordingLog(),
    ...more,
  });

const append = async (store: LevelStore, count: number): Promise<void> => {
  for (let i = 0; i < count; i++) {
    const at = time('2026-01-05T08:00:00Z');
    const event = chainEvent(GATEWAY, store.tail(), { event: 'access-denied', at, clockSynchronized: true });
    await store.commit(batchOf({ entries: [{ event }] }));
  }
};

/** Cards and events in tables; the revocation of LOST, a blocked door and more events in the log. */
const fill = async (dataDir: string): Promise<void> => {
  let store = await open(dataDir);
  const buckets = Uint8Array.from(store.roster().buckets);
  for (const card of CARDS) toggleCard(buckets, card, bindingOf().revision);
  const people = CARDS.map((card, i) => [cardholderId(`E${i}`), { cards: [card] }] as const);
  await store.commit(
    batchOf({
      cards: new Map(CARDS.map((card, i) => [card, bindingOf({ cardholder: cardholderId(`E${i}`) })])),
      cardholders: new Map(people),
      roster: { ...store.roster(), buckets, revision: revision(1), cards: CARDS.length },
    }),
  );
  await append(store, EVENTS / 2);
  await store.close();
  cpSync(join(dataDir, 'store'), join(dataDir, '..', 'former'), { recursive: true });
  store = await open(dataDir);
  const without = Uint8Array.from(buckets);
  toggleCard(without, LOST, bindingOf().revision);
  await store.commit(
    batchOf({
      cards: new Map([[LOST, tombstoneOf()]]),
      cardholders: new Map([[cardholderId('E0'), { cards: [] }]]),
      roster: { ...store.roster(), buckets: without, revision: revision(2), cards: CARDS.length - 1 },
      doorOrders: new Map([[FRONT, ordersOf('blocked')]]),
    }),
  );
  await append(store, EVENTS / 2);
  for (const { event } of await store.entriesAfter(0, EVENTS)) hashes.set(event.sequence, event.hash);
  await store.close();
};

let template = '';
const hashes = new Map<number, string>();
before(async () => {
  template = join(mkdtempSync(join(tmpdir(), 'cardea-damage-')), 'data');
  await fill(template);
});
after(() => rmSync(join(template, '..'), { recursive: true }));

const fileIn = (dataDir: string, pattern: RegExp): string => {
  const store = join(dataDir, 'store');
  const name = readdirSync(store).find((entry) => pattern.test(entry));
  assert.ok(name, String(pattern));
  return join(store, name);
};
const [LOG, TABLE, MANIFEST, CURRENT] = [/\.log$/, /\.ldb$/, /^MANIFEST/, /^CURRENT$/];

const cutTo = (part: number) => (path: string) => truncateSync(path, Math.floor(statSync(path).size * part));
const garble = (part: number) => (path: string) => {
  const bytes = readFileSync(path);
  const at = Math.floor(bytes.length * part);
  for (let i = at; i < Math.min(at + 64, bytes.length); i++) bytes[i] = (bytes[i] ?? 0) ^ 0x5a;
  writeFileSync(path, bytes);
};
const zero = (path: string) => writeFileSync(path, Buffer.alloc(statSync(path).size));
const remove = (path: string) => rmSync(path, { recursive: true });

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

/** A data directory of its own, with what was there before the revocation beside it. */
const copyOf = (t: TestContext): string => {
  const folder = temporaryFolder(t);
  cpSync(join(template, '..'), folder, { recursive: true });
  return join(folder, 'data');
};

/** The log is what it was, or says what it is not; no number stands for two events. */
const assertLog = async (store: LevelStore): Promise<void> => {
  assert.equal(await verifyRecords(store), undefined);
  for (const { event } of await store.entriesAfter(0, 10_000)) {
    const before = hashes.get(event.sequence);
    assert.ok(before === undefined || before === event.hash, `event ${event.sequence} is another one`);
    assert.ok(before !== undefined || event.sequence > EVENTS, `event ${event.sequence} has a number that was used`);
  }
};

for (const [name, damage] of DAMAGES) {
  test(`${name}: it is found, kept, and nothing wrong opens a door`, async (t) => {
    const dataDir = copyOf(t);
    damage(dataDir);
    // What may open something is the harder case.
    const store = await open(dataDir, { failurePolicy: 'allow-last-known' });
    const found = store.damage();
    assert.ok(found, 'nobody noticed');
    assert.ok(existsSync(join(dataDir, found.setAside)));
    assert.notEqual(store.findCard(LOST).kind, 'live');
    assert.equal(modeOf(store.doorOrders(FRONT), true), 'blocked');
    await append(store, 1);
    await store.close();
    const again = await open(dataDir);
    t.after(() => again.close());
    assert.deepEqual(again.damage(), found, 'a restart finds nothing new');
    await assertLog(again);
  });
}

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
