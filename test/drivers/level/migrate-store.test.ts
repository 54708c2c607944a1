// A store that the version before has written is opened by this one, with everything in it, whatever happens meanwhile.

import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Level } from 'level';
import { openSealedStore, type SealedStoreOptions } from '../../../src/drivers/level/open-store.ts';
import { CardeaError } from '../../../src/errors.ts';
import type { CredentialStore } from '../../../src/ports/credential-store.ts';
import type { EventLog } from '../../../src/ports/event-log.ts';
import { cardholderId, cardNumber, doorId } from '../../domain/samples.ts';
import { FORMAT_3_IDENTITY, format3Rows, layFormat3 } from '../../fixtures/store-format-3.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const openIn = (dataDir: string, more: Partial<SealedStoreOptions> = {}) =>
  openSealedStore({
    dataDir,
    identity: FORMAT_3_IDENTITY,
    key: { kind: 'file', file: join(dataDir, 'store.key') },
    ...more,
  });

const refused = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof CardeaError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};

const ROWS = format3Rows();
const rowsOf = (sublevel: string): [string, string][] =>
  Object.entries(ROWS).filter(([key]) => key.startsWith(`!${sublevel}!`));
const recordIn = (key: string) => JSON.parse(ROWS[key] ?? '').r;

/** All that the older store held is found by the names under which it is asked for. */
const assertWhole = async (store: CredentialStore & EventLog): Promise<void> => {
  const cards = rowsOf('card');
  assert.equal(cards.length, 16);
  for (const [key] of cards) {
    const found = store.findCard(cardNumber(key.slice('!card!00'.length)));
    assert.deepEqual(found.kind === 'live' ? found.binding : 'tombstone' in found && found.tombstone, recordIn(key));
  }
  for (const [key] of rowsOf('cardholder')) {
    assert.deepEqual(store.findCardholder(cardholderId(key.slice('!cardholder!'.length))), recordIn(key));
  }
  const entries = await store.entriesAfter(0, 1_000);
  assert.deepEqual(
    entries,
    rowsOf('event').map(([key]) => recordIn(key)),
  );
  assert.equal(store.tail().hash, entries.at(-1)?.event.hash);
  const { buckets, ...roster } = store.roster();
  assert.deepEqual(roster, recordIn('!meta!roster'));
  assert.equal(Buffer.from(buckets).toString('base64'), ROWS['!meta!buckets']);
  assert.equal(store.sentUpTo(), 7);
  assert.equal(store.doorOrders(doorId('front')).mode?.mode, 'blocked');
  assert.deepEqual(store.calendar(), recordIn('!meta!calendar'));
  assert.deepEqual(store.commands(), recordIn('!meta!commands'));
  assert.equal(store.passageEra(), 2);
  for await (const { zone, cardholder } of store.passages()) assert.deepEqual([zone, cardholder], ['office', 'E1001']);
};

const plainTextIn = (dataDir: string): string[] =>
  readdirSync(dataDir, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .filter((entry) => /E1001|CAFEBABE|Lovelace/.test(readFileSync(join(entry.parentPath, entry.name), 'latin1')))
    .map(({ name }) => name);

test('a store of format 3 opens with everything in it, and nothing of it can be read in the files any more', async (t) => {
  const dataDir = temporaryFolder(t);
  await layFormat3(dataDir);
  assert.notDeepEqual(plainTextIn(dataDir), []);
  let told = 0;
  const store = await openIn(dataDir, {
    onProgress: () => {
      told += 1;
    },
  });
  await assertWhole(store);
  await store.close();
  assert.ok(told > 0);
  assert.deepEqual(readdirSync(dataDir).sort(), ['store', 'store-header.json', 'store.key']);
  assert.deepEqual(plainTextIn(dataDir), []);
  const again = await openIn(dataDir);
  t.after(() => again.close());
  await assertWhole(again);
});

test('what a crash leaves of a migration is gone on with at the next start', async (t) => {
  const plain = temporaryFolder(t);
  await layFormat3(plain);
  const sealed = temporaryFolder(t);
  cpSync(plain, sealed, { recursive: true });
  await (await openIn(sealed)).close();
  const keyIn = (dataDir: string): void => cpSync(join(sealed, 'store.key'), join(dataDir, 'store.key'));
  const notProvisioned = (dataDir: string): void => {
    keyIn(dataDir);
    cpSync(join(sealed, 'store-header.json'), join(dataDir, 'store-header.json'));
  };
  const STOPS: Readonly<Record<string, (dataDir: string) => void>> = {
    'after the key was made': keyIn,
    'after the header was written': notProvisioned,
    'with a part of the new store': (dataDir) => {
      notProvisioned(dataDir);
      mkdirSync(join(dataDir, 'store.migrating'));
      cpSync(join(sealed, 'store', 'CURRENT'), join(dataDir, 'store.migrating', 'CURRENT'));
    },
    'with the new store beside the older one': (dataDir) => {
      notProvisioned(dataDir);
      cpSync(join(sealed, 'store'), join(dataDir, 'store.migrating'), { recursive: true });
    },
    'with the older store out of the way': (dataDir) => {
      notProvisioned(dataDir);
      cpSync(join(sealed, 'store'), join(dataDir, 'store.migrating'), { recursive: true });
      renameSync(join(dataDir, 'store'), join(dataDir, 'store.former'));
    },
    'with the new store in its place': (dataDir) => {
      notProvisioned(dataDir);
      renameSync(join(dataDir, 'store'), join(dataDir, 'store.former'));
      cpSync(join(sealed, 'store'), join(dataDir, 'store'), { recursive: true });
    },
    'with half of the older store removed': (dataDir) => {
      notProvisioned(dataDir);
      renameSync(join(dataDir, 'store'), join(dataDir, 'store.former'));
      cpSync(join(sealed, 'store'), join(dataDir, 'store'), { recursive: true });
      rmSync(join(dataDir, 'store.former', 'CURRENT'));
    },
  };
  for (const [stop, leave] of Object.entries(STOPS)) {
    const dataDir = temporaryFolder(t);
    cpSync(plain, dataDir, { recursive: true });
    leave(dataDir);
    const store = await openIn(dataDir).catch((error) => assert.fail(`${stop}: ${error}`));
    await assertWhole(store);
    await store.close();
    assert.deepEqual(readdirSync(dataDir).sort(), ['store', 'store-header.json', 'store.key'], stop);
  }
});

test('records that did not decode stay unreadable, and are not taken for unknown', async (t) => {
  const dataDir = temporaryFolder(t);
  const card = rowsOf('card')[0]?.[0] ?? '';
  const tampered = { [card]: '{"v":1', '!meta!orders/front': 'garbage', '!meta!calendar': '{"v":1,"r":{}}' };
  await layFormat3(dataDir, tampered);
  const store = await openIn(dataDir);
  t.after(() => store.close());
  assert.equal(store.findCard(cardNumber(card.slice('!card!00'.length))).kind, 'unreadable');
  assert.equal(store.calendar(), 'unreadable');
  assert.notEqual(store.doorOrders(doorId('front')).mode, undefined);
});

test('a store of somebody else, of a format long gone or yet to come, is refused and left as it is', async (t) => {
  const REFUSED: readonly (readonly [Record<string, string | undefined>, string, RegExp])[] = [
    [{ '!meta!identity': 'site other' }, 'store-format', /filled for site other, the configuration says site hq/],
    [{ '!meta!format': '2' }, 'store-format', /format 2, this version reads 4: that is too old/],
    [{ '!meta!format': '5' }, 'store-format', /format 5, this version reads 4: use the version that wrote it/],
    [{ '!meta!buckets': 'AAAA' }, 'store-record-unreadable', /digest does not decode/],
    [{ '!meta!format': undefined }, 'store-damaged', /store-header\.json is gone/],
  ];
  for (const [changes, code, message] of REFUSED) {
    const dataDir = temporaryFolder(t);
    await layFormat3(dataDir, changes);
    await assert.rejects(openIn(dataDir), refused(code, message));
    const db = new Level<string, string>(join(dataDir, 'store'));
    const rows = Object.fromEntries(await db.iterator().all());
    await db.close();
    const { ...expected }: Record<string, string | undefined> = { ...ROWS, ...changes };
    for (const key of Object.keys(expected)) if (expected[key] === undefined) delete expected[key];
    assert.deepEqual(rows, expected);
    assert.equal(existsSync(join(dataDir, 'store.former')), false);
  }
});

test('a store that another process has open is not migrated', async (t) => {
  const dataDir = temporaryFolder(t);
  await layFormat3(dataDir);
  const db = new Level<string, string>(join(dataDir, 'store'));
  await db.open();
  t.after(() => db.close());
  await assert.rejects(openIn(dataDir), refused('store-locked', /another process/));
});
