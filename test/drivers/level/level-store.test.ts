import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Level } from 'level';
import { chainEvent, EMPTY_LOG } from '../../../src/domain/access-event.ts';
import { canonicalJson, sha256Hex } from '../../../src/domain/canonical-json.ts';
import type { CardNumber } from '../../../src/domain/card-number.ts';
import { bucketOf, DIGEST_BYTES, emptyRoster, toggleCard } from '../../../src/domain/roster-digest.ts';
import { CardeaError, type ErrorCode } from '../../../src/errors.ts';
import { eventLogContract } from '../../contracts/event-log.contract.ts';
import { snapshotContract } from '../../contracts/snapshot.contract.ts';
import { batchOf, type StoreHarness, storeContract } from '../../contracts/store.contract.ts';
import { bindingOf, cardholderId, cardNumber, gatewayId, revision, time, tombstoneOf } from '../../domain/samples.ts';
import { openTestStore, testSeal } from '../../fixtures/test-store.ts';

type SublevelName = 'card' | 'cardholder' | 'event' | 'meta';

const scratch = (): string => mkdtempSync(join(tmpdir(), 'cardea-store-'));

/** Writes `text` under `key` as if it had been there, or takes the key away. */
const tamper = async (folder: string, sublevel: SublevelName, [key, text]: [string, string | undefined]) => {
  const db = new Level<string, Buffer>(folder, { valueEncoding: 'buffer' });
  const part = db.sublevel<string, Buffer>(sublevel, { valueEncoding: 'buffer' });
  const isClear = key === 'format' || key === 'identity';
  const sealed = (clear: string): Buffer => (isClear ? Buffer.from(clear) : SEAL.seal(part.prefix + key, clear));
  await (text === undefined ? part.del(key) : part.put(key, sealed(text)));
  await db.close();
};

const valueIn = async (folder: string, sublevel: SublevelName, key: string): Promise<string | undefined> => {
  const db = new Level<string, Buffer>(folder, { valueEncoding: 'buffer' });
  const part = db.sublevel<string, Buffer>(sublevel, { valueEncoding: 'buffer' });
  const value = await part.get(key);
  await db.close();
  if (value === undefined || key === 'format' || key === 'identity') return value?.toString();
  return SEAL.open(part.prefix + key, value);
};

const SEAL = testSeal();

/** The name of the bucket, then that of the number. */
const keyOf = (card: CardNumber): string => SEAL.nameOf(`bucket ${bucketOf(card)}`).slice(0, 8) + SEAL.nameOf(card);

const garbage = '{"v":1,"r":{"state":"live"}}';

const makeHarness = async (): Promise<StoreHarness> => {
  const folder = scratch();
  const path = join(folder, 'store');
  return {
    open: () => openTestStore(path),
    garbleCard: (card) => tamper(path, 'card', [keyOf(card), garbage]),
    garbleCardholder: (id) => tamper(path, 'cardholder', [SEAL.nameOf(id), garbage]),
    garbleEntry: (sequence) => tamper(path, 'event', [sequence.toString(16).padStart(14, '0'), garbage]),
    garbleCalendar: () => tamper(path, 'meta', ['calendar', garbage]),
    garbleOrders: (door) => tamper(path, 'meta', [`orders/${door}`, '{"v":1,"r":{"mode":{}}}']),
    // A database that was closed underneath refuses every batch.
    breakWrites: (store) => store.close(),
    dispose: async () => rmSync(folder, { recursive: true }),
  };
};

storeContract('LevelStore', makeHarness);
eventLogContract('LevelStore', makeHarness);
snapshotContract('LevelStore', makeHarness);

const CARD = cardNumber('04A2B3C4D5E680');
const CARD_BUCKET = bucketOf(CARD).toString(16).padStart(2, '0');

const storeFolder = (t: TestContext): string => {
  const folder = scratch();
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'store');
};

/** A closed store with one card. */
const filledStore = async (t: TestContext): Promise<string> => {
  const folder = storeFolder(t);
  const store = await openTestStore(folder);
  const buckets = new Uint8Array(DIGEST_BYTES);
  toggleCard(buckets, CARD, bindingOf().revision);
  const event = chainEvent(gatewayId('lobby-1'), EMPTY_LOG, {
    event: 'gateway-started',
    at: time('2026-01-05T08:00:00Z'),
    clockSynchronized: true,
  });
  await store.commit(
    batchOf({
      cards: new Map([[CARD, bindingOf()]]),
      roster: { ...emptyRoster(), buckets, revision: revision(1), cards: 1 },
      doorOrders: new Map(),
      commands: undefined,
      entries: [{ event }],
    }),
  );
  await store.close();
  return folder;
};

const failsWith = (folder: string, code: ErrorCode, message: RegExp): Promise<void> =>
  assert.rejects(openTestStore(folder), (error) => {
    assert.ok(error instanceof CardeaError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });

test('the format is written into a new store, and a store of another format is refused and left as it was', async (t) => {
  const folder = await filledStore(t);
  assert.equal(await valueIn(folder, 'meta', 'format'), '4');
  await tamper(folder, 'meta', ['format', '9']);
  await failsWith(folder, 'store-format', /format 9, this version reads 4/);
  assert.equal(await valueIn(folder, 'meta', 'format'), '9');
  await tamper(folder, 'meta', ['format', '4']);
  const store = await openTestStore(folder);
  t.after(() => store.close());
  assert.equal(store.findCard(CARD).kind, 'live');
});

test('a store that is refused is let go, so that it can be opened by who understands it', async (t) => {
  const folder = await filledStore(t);
  await tamper(folder, 'meta', ['roster', 'garbage']);
  await failsWith(folder, 'store-record-unreadable', /roster/);
  await failsWith(folder, 'store-record-unreadable', /roster/);
});

test('a damaged digest, cursor, era or last event is refused at start, not guessed at', async (t) => {
  const damages: readonly [SublevelName, string, string | undefined, RegExp][] = [
    ['meta', `bucket/${CARD_BUCKET}`, 'AAAA', /digest/],
    ['meta', `bucket/${CARD_BUCKET}`, undefined, /digest/],
    ['meta', `bucket/${CARD_BUCKET}`, '0000000000000000', /digest/],
    ['meta', 'roster', undefined, /digest/],
    ['meta', 'roster', '{"v":2,"r":{"revision":1,"cards":1}}', /version is 2/],
    ['meta', 'sent', '-1', /cursor/],
    ['meta', 'sent', 'many', /cursor/],
    ['meta', 'sent', '1.5', /cursor/],
    ['meta', 'sent', '5 ', /cursor/],
    ['meta', 'trimmed', '{"v":1,"r":{"sequence":-1,"hash":""}}', /beginning of the log/],
    ['meta', 'passage-era', '-1', /era/],
    ['event', '00000000000001', '{"v":1,"r":{}}', /event record/],
  ];
  for (const [sublevel, key, text, message] of damages) {
    const folder = await filledStore(t);
    await tamper(folder, sublevel, [key, text]);
    await failsWith(folder, 'store-record-unreadable', message);
  }
});

test('every kind of damage to a card record makes the card unreadable', async (t) => {
  const folder = await filledStore(t);
  const whole = JSON.parse((await valueIn(folder, 'card', keyOf(CARD))) ?? '');
  const store = await openTestStore(folder);
  const good = store.findCard(CARD);
  await store.close();
  assert.equal(good.kind, 'live');
  const { number, record: r } = whole.r;
  const asCard = (record: unknown): string => JSON.stringify({ v: 1, r: { number, record } });
  const damaged = [
    '',
    'null',
    '[]',
    '"live"',
    '{"v":1',
    JSON.stringify({ v: 1 }),
    JSON.stringify({ v: 2, r: whole.r }),
    JSON.stringify({ v: '1', r: whole.r }),
    JSON.stringify({ r: whole.r }),
    JSON.stringify({ v: 1, r: [whole.r] }),
    JSON.stringify({ v: 1, r: { record: r } }),
    ...Object.keys(r).map((key) => asCard({ ...r, [key]: undefined })),
    ...Object.keys(r).map((key) => asCard({ ...r, [key]: { toString: 1 } })),
    asCard({ ...r, revision: -1 }),
    asCard({ ...r, revision: 1.5 }),
    asCard({ ...r, revision: '1' }),
    asCard({ ...r, validUntil: 'tomorrow' }),
    asCard({ ...r, validUntil: null }),
    asCard({ ...r, access: [{}] }),
    asCard({ ...r, access: [{ doors: ['front'] }] }),
    asCard({ ...r, access: [{ doors: [1], schedule: 'always' }] }),
    asCard({ ...r, kind: 'eternal' }),
    asCard({ ...r, activation: 'yes' }),
    asCard({ ...r, state: 'retired' }),
    asCard({ ...r, state: 'retired', reason: 'bored' }),
  ];
  for (const text of damaged) {
    await tamper(folder, 'card', [keyOf(CARD), text]);
    const reopened = await openTestStore(folder);
    const found = reopened.findCard(CARD);
    await reopened.close();
    assert.equal(found.kind, 'unreadable', text);
  }
});

test('a place where no store can be is refused with store-open-failed, in words', async (t) => {
  const folder = storeFolder(t);
  writeFileSync(folder, 'a file, not a folder');
  await failsWith(folder, 'store-open-failed', /does not open/);
  await failsWith(join(folder, 'below', 'a-file'), 'store-open-failed', /does not open/);
});

test('a store whose files are not LevelDB is refused with store-open-failed', async (t) => {
  const folder = storeFolder(t);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'CURRENT'), 'not a manifest\n');
  await failsWith(folder, 'store-open-failed', /does not open/);
});

test('ids with characters that LevelDB keys treat apart stay within their sublevel', async (t) => {
  const folder = storeFolder(t);
  const names = ['!', '!card!', 'holder!', '~', '"', '/', 'x'.repeat(64), '__proto__', 'constructor', '員工', '😀'];
  const ids = names.map(cardholderId);
  let store = await openTestStore(folder);
  await store.commit(batchOf({ cardholders: new Map(ids.map((id) => [id, { cards: [CARD] }])) }));
  await store.close();
  store = await openTestStore(folder);
  t.after(() => store.close());
  for (const id of ids) assert.deepEqual(store.findCardholder(id), { cards: [CARD] }, id);
  assert.equal(store.findCardholder(cardholderId('nobody')), undefined);
  assert.equal(store.tail().sequence, 0);
});

test('a calendar that is not what was stored is unreadable, however well it reads', async (t) => {
  const path = storeFolder(t);
  const schedules = { day: [{ days: ['mon'], from: '08:00', to: '18:00' }] };
  const definition = { schedules, holidays: {}, levels: {} } as const;
  const record = { revision: 4, messageId: 'cal-4', appliedAt: 1_700_000_000_000, definition };
  const fingerprint = sha256Hex(canonicalJson(definition));
  const wider = { ...definition, schedules: { day: [{ days: ['mon', 'sun'], from: '00:00', to: '24:00' }] } };
  const forbidden = { ...definition, schedules: { always: schedules.day } };
  const STORED: readonly (readonly [object, boolean])[] = [
    [{ ...record, fingerprint }, true],
    [{ ...record, fingerprint, definition: wider }, false],
    [{ ...record, fingerprint: sha256Hex(canonicalJson(forbidden)), definition: forbidden }, false],
  ];
  for (const [stored, isReadable] of STORED) {
    await (await openTestStore(path)).close();
    await tamper(path, 'meta', ['calendar', JSON.stringify({ v: 1, r: stored })]);
    const store = await openTestStore(path);
    assert.deepEqual(store.calendar(), isReadable ? stored : 'unreadable');
    await store.close();
  }
});

test('a database that has gone back when it is opened anew answers nothing, so that no revoked card is live', async (t) => {
  const folder = scratch();
  t.after(() => rmSync(folder, { recursive: true }));
  const [path, former] = [join(folder, 'store'), join(folder, 'former')];
  const card = cardNumber('AB000001');
  const first = await openTestStore(path);
  await first.commit(batchOf({ cards: new Map([[card, bindingOf()]]) }));
  await first.close();
  cpSync(path, former, { recursive: true });
  const store = await openTestStore(path);
  await store.commit(batchOf({ cards: new Map([[card, tombstoneOf()]]) }));
  const unwritable = new Map([[card, bindingOf()]]);
  unwritable.entries = () => {
    throw new RangeError('input/output error');
  };
  unwritable[Symbol.iterator] = unwritable.entries;
  await assert.rejects(store.commit(batchOf({ cards: unwritable })), { code: 'store-write-failed' });
  rmSync(path, { recursive: true });
  cpSync(former, path, { recursive: true });
  await assert.rejects(store.recover(), /older than it was/);
  assert.equal(store.findCard(card).kind, 'unreadable');
  assert.throws(() => store.probe());
  await store.close();
});
