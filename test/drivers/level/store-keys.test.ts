// The key of a store, from the first start on: what a crash leaves, what is wrong with a key, and how it is replaced.

import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openSealedStore } from '../../../src/drivers/level/open-store.ts';
import { RecordSeal } from '../../../src/drivers/level/record-seal.ts';
import { newDataKey, newHeader, unwrap, withSlots } from '../../../src/drivers/level/store-header.ts';
import {
  CREDENTIAL,
  FORMER_CREDENTIAL,
  type KeySource,
  keySourceOf,
  newStoreKey,
  writeStoreKey,
} from '../../../src/drivers/level/store-key.ts';
import { CardeaError, type ErrorCode } from '../../../src/errors.ts';
import { batchOf } from '../../contracts/store.contract.ts';
import { bindingOf, cardNumber } from '../../domain/samples.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const CARD = cardNumber('04A2B3C4D5E680');
const fileIn = (dataDir: string): KeySource => ({ kind: 'file', file: join(dataDir, 'store.key') });

const open = (dataDir: string, key = fileIn(dataDir)) => openSealedStore({ dataDir, key });

const filled = async (t: TestContext, key?: KeySource): Promise<string> => {
  const dataDir = temporaryFolder(t);
  const store = await open(dataDir, key);
  await store.commit(batchOf({ cards: new Map([[CARD, bindingOf()]]) }));
  await store.close();
  return dataDir;
};

const assertHasCard = async (dataDir: string, key?: KeySource): Promise<void> => {
  const store = await open(dataDir, key);
  assert.equal(store.findCard(CARD).kind, 'live');
  await store.close();
};

const assertRefused = async (dataDir: string, code: ErrorCode, message: RegExp, key?: KeySource): Promise<void> => {
  const before = readdirSync(dataDir).sort();
  await assert.rejects(open(dataDir, key), (error) => {
    assert.ok(error instanceof CardeaError, String(error));
    assert.deepEqual([error.code, message.test(error.message)], [code, true], error.message);
    return true;
  });
  assert.deepEqual(readdirSync(dataDir).sort(), before);
};

test('the first start makes a key for its owner alone, and whatever a crash leaves of it can be gone on with', async (t) => {
  const whole = temporaryFolder(t);
  await (await open(whole)).close();
  assert.equal(statSync(join(whole, 'store.key')).mode & 0o777, 0o600);
  const header = JSON.parse(readFileSync(join(whole, 'store-header.json'), 'utf8'));
  assert.equal(header.isProvisioned, true);
  const early = JSON.stringify({ ...header, isProvisioned: false });
  const LEFT: readonly (readonly [string, (dataDir: string) => void])[] = [
    ['half a key', (dataDir) => writeFileSync(join(dataDir, 'store.key.new'), 'abc')],
    ['the key', (dataDir) => cpSync(join(whole, 'store.key'), join(dataDir, 'store.key'))],
    ['half a header', (dataDir) => writeFileSync(join(dataDir, 'store-header.json.new'), '{')],
    ['the header', (dataDir) => writeFileSync(join(dataDir, 'store-header.json'), early)],
    ['the database', (dataDir) => cpSync(join(whole, 'store'), join(dataDir, 'store'), { recursive: true })],
  ];
  for (const [count] of LEFT.entries()) {
    const dataDir = temporaryFolder(t);
    for (const [, leave] of LEFT.slice(0, count + 1)) leave(dataDir);
    const store = await open(dataDir).catch((error) => assert.fail(`${LEFT[count]?.[0]}: ${error}`));
    await store.commit(batchOf({ cards: new Map([[CARD, bindingOf()]]) }));
    await store.close();
    await assertHasCard(dataDir);
  }
});

test('a store whose key is missing, wrong or open to others is refused, and no key is made for it', async (t) => {
  const dataDir = await filled(t);
  const file = join(dataDir, 'store.key');
  renameSync(file, `${file}.away`);
  await assertRefused(dataDir, 'store-key-unusable', /not at .*store\.key.*opens with no other: put it back/);
  assert.equal(existsSync(file), false);
  await writeStoreKey(file, newStoreKey());
  await assertRefused(dataDir, 'store-key-wrong', /does not open this store.*Nothing was changed/);
  writeFileSync(file, 'swordfish');
  await assertRefused(dataDir, 'store-key-unusable', /does not hold a key/);
  renameSync(`${file}.away`, file);
  chmodSync(file, 0o640);
  await assertRefused(dataDir, 'store-key-unusable', /may be read by others; run chmod 600/);
  chmodSync(file, 0o600);
  await assertHasCard(dataDir);
});

test('a store whose header or database is gone, torn or of a newer version is refused, and nothing is made in its place', async (t) => {
  const header = (dataDir: string): string => join(dataDir, 'store-header.json');
  const rewritten = (dataDir: string, change: object): void =>
    writeFileSync(header(dataDir), JSON.stringify({ ...JSON.parse(readFileSync(header(dataDir), 'utf8')), ...change }));
  const DAMAGES: readonly (readonly [ErrorCode, RegExp, (dataDir: string) => void])[] = [
    ['store-damaged', /store-header\.json is gone/, (dataDir) => rmSync(header(dataDir))],
    ['store-damaged', /not the header/, (dataDir) => writeFileSync(header(dataDir), '{"version":1,"id":"x"')],
    ['store-damaged', /not the header/, (dataDir) => writeFileSync(header(dataDir), '')],
    ['store-damaged', /header of the store was changed/, (dataDir) => rewritten(dataDir, { id: 'another' })],
    [
      'store-format',
      /has version 2, this program reads 1/,
      (dataDir) => writeFileSync(header(dataDir), '{"version":2}'),
    ],
  ];
  for (const [code, message, damage] of DAMAGES) {
    const dataDir = await filled(t);
    damage(dataDir);
    await assertRefused(dataDir, code, message);
  }
});

test('the key comes from the service manager where it gives one, and moves there with the content of the file', async (t) => {
  const directory = temporaryFolder(t);
  const file = join(directory, 'elsewhere.key');
  assert.deepEqual(keySourceOf({}, file), { kind: 'file', file });
  assert.deepEqual(keySourceOf({ CREDENTIALS_DIRECTORY: directory }, file), { kind: 'file', file });
  const dataDir = await filled(t);
  renameSync(join(dataDir, 'store.key'), join(directory, CREDENTIAL));
  // The service manager gives modes of its own.
  chmodSync(join(directory, CREDENTIAL), 0o440);
  const source = keySourceOf({ CREDENTIALS_DIRECTORY: directory }, file);
  assert.deepEqual(source, { kind: 'credential', directory });
  await assertHasCard(dataDir, source);
  assert.equal(existsSync(join(dataDir, 'store.key')), false);
});

test('a credential is replaced by a new one with the former one beside it', async (t) => {
  const directory = temporaryFolder(t);
  const key: KeySource = { kind: 'credential', directory };
  const put = (name: string, content: string): void => writeFileSync(join(directory, name), content);
  const [old, fresh] = [Buffer.from(newStoreKey()), Buffer.from(newStoreKey())];
  put(CREDENTIAL, `${old.toString('base64')}\n`);
  const dataDir = await filled(t, key);
  put(CREDENTIAL, fresh.toString('hex'));
  await assertRefused(dataDir, 'store-key-wrong', /as the credential cardea-store-key-former/, key);
  put(FORMER_CREDENTIAL, newStoreKey().toString());
  await assertRefused(dataDir, 'store-key-unusable', /cardea-store-key-former does not hold a key/, key);
  put(FORMER_CREDENTIAL, Buffer.from(newStoreKey()).toString('base64'));
  await assertRefused(dataDir, 'store-key-wrong', /does not open this store/, key);
  put(FORMER_CREDENTIAL, old.toString('base64url'));
  await assertHasCard(dataDir, key);
  rmSync(join(directory, FORMER_CREDENTIAL));
  await assertHasCard(dataDir, key);
  put(CREDENTIAL, old.toString('base64'));
  await assertRefused(dataDir, 'store-key-wrong', /does not open this store/, key);
});

test('the keys in a header open with each of its keys, and with no other', () => {
  const [one, two, stranger] = [newStoreKey(), newStoreKey(), newStoreKey()];
  const { header } = newHeader(one);
  const ring = { current: newDataKey(2), former: [newDataKey(1)] };
  const both = withSlots(header, ring, [one, two]);
  for (const master of [one, two]) {
    const { current, former } = unwrap(both, master);
    assert.deepEqual([current.id, former.map(({ id }) => id)], [2, [1]]);
    assert.deepEqual(Buffer.from(current.secret), Buffer.from(ring.current.secret));
  }
  assert.throws(() => unwrap(both, stranger), { code: 'store-key-wrong' });
  assert.throws(() => unwrap({ ...newHeader(two).header, slots: both.slots }, one), { code: 'store-damaged' });
  assert.ok(!JSON.stringify(both).includes(Buffer.from(ring.current.secret).toString('base64url')));
});

test('a sealed value opens under its own name only, whole, and with a key of its store', () => {
  const [key, other] = [newDataKey(1), newDataKey(2)];
  const seal = new RecordSeal(key);
  const TEXTS = ['', 'x', '{"v":1}', '員工 😀', 'long '.repeat(5_000)];
  for (const text of TEXTS) {
    const sealed = seal.seal('!card!a', text);
    assert.equal(seal.open('!card!a', sealed), text);
    assert.equal(new RecordSeal(other, [key]).open('!card!a', sealed), text);
    const refused = { code: 'store-record-unreadable' } as const;
    assert.throws(() => seal.open('!card!b', sealed), refused);
    assert.throws(() => new RecordSeal({ ...other, id: 1 }).open('!card!a', sealed), refused);
    assert.throws(() => new RecordSeal(other).open('!card!a', sealed), refused);
    for (const at of [0, 1, 2, 13, sealed.length - 1, sealed.length - 17]) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.throws(() => seal.open('!card!a', changed), refused, String(at));
    }
    for (const length of [0, 1, 2, 29, sealed.length - 1]) {
      assert.throws(() => seal.open('!card!a', sealed.subarray(0, length)), refused, String(length));
    }
  }
});

test('no two values share a nonce, within a life of the process and across lives', () => {
  const key = newDataKey(1);
  const nonces = [new RecordSeal(key), new RecordSeal(key)].flatMap((seal) =>
    Array.from({ length: 1_000 }, () => seal.seal('n', 'same').toString('hex', 2, 14)),
  );
  assert.equal(new Set(nonces).size, nonces.length);
});

test('names are the same each time, differ by text and by key, and do not hold the text', () => {
  const seal = new RecordSeal(newDataKey(2), [newDataKey(1)]);
  assert.equal(seal.nameOf('E1001'), seal.nameOf('E1001'));
  assert.notEqual(seal.nameOf('E1001'), seal.nameOf('E1002'));
  assert.notEqual(seal.nameOf('E1001'), seal.nameOf('E1001', 1));
  assert.match(seal.nameOf('E1001'), /^[\w-]{22}$/);
  assert.throws(() => seal.nameOf('E1001', 3), { code: 'store-record-unreadable' });
});
