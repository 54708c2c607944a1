import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Level } from 'level';
import { chainEvent, EMPTY_LOG } from '../../../src/domain/access-event.ts';
import { canonicalJson, sha256Hex } from '../../../src/domain/canonical-json.ts';
import type { CardNumber } from '../../../src/domain/card-number.ts';
import { bucketOf, emptyRoster } from '../../../src/domain/roster-digest.ts';
import { LevelStore } from '../../../src/drivers/level/level-store.ts';
import { CardeaError, type ErrorCode } from '../../../src/errors.ts';
import { batchOf, storeContract } from '../../contracts/store.contract.ts';
import { bindingOf, cardholderId, cardNumber, gatewayId, revision, time } from '../../domain/samples.ts';

type SublevelName = 'card' | 'cardholder' | 'event' | 'meta';

const scratch = (): string => mkdtempSync(join(tmpdir(), 'cardea-store-'));

/** Writes `text` under `key` as if it had been there, or takes the key away. */
const tamper = async (folder: string, sublevel: SublevelName, [key, text]: [string, string | undefined]) => {
  const db = new Level<string, string>(folder);
  const part = db.sublevel(sublevel);
  await (text === undefined ? part.del(key) : part.put(key, text));
  await db.close();
};

const valueIn = async (folder: string, sublevel: SublevelName, key: string): Promise<string | undefined> => {
  const db = new Level<string, string>(folder);
  const value = await db.sublevel(sublevel).get(key);
  await db.close();
  return value;
};

/** Two hex digits of the bucket, then the number. */
const keyOf = (card: CardNumber): string => bucketOf(card).toString(16).padStart(2, '0') + card;

const garbage = '{"v":1,"r":{"state":"live"}}';

storeContract('LevelStore', async () => {
  const folder = scratch();
  const path = join(folder, 'store');
  return {
    open: () => LevelStore.open(path),
    garbleCard: (card) => tamper(path, 'card', [keyOf(card), garbage]),
    garbleCardholder: (id) => tamper(path, 'cardholder', [id, garbage]),
    garbleEntry: (sequence) => tamper(path, 'event', [sequence.toString(16).padStart(14, '0'), garbage]),
    garbleCalendar: () => tamper(path, 'meta', ['calendar', garbage]),
    garbleOrders: (door) => tamper(path, 'meta', [`orders/${door}`, '{"v":1,"r":{"mode":{}}}']),
    // A database that was closed underneath refuses every batch.
    breakWrites: (store) => store.close(),
    dispose: async () => rmSync(folder, { recursive: true }),
  };
});

const CARD = cardNumber('04A2B3C4D5E680');

const storeFolder = (t: TestContext): string => {
  const folder = scratch();
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'store');
};

/** A closed store with one card. */
const filledStore = async (t: TestContext): Promise<string> => {
  const folder = storeFolder(t);
  const store = await LevelStore.open(folder);
  const event = chainEvent(gatewayId('lobby-1'), EMPTY_LOG, {
    event: 'gateway-started',
    at: time('2026-01-05T08:00:00Z'),
    clockSynchronized: true,
  });
  await store.commit(
    batchOf({
      cards: new Map([[CARD, bindingOf()]]),
      roster: { ...emptyRoster(), revision: revision(1), cards: 1 },
      doorOrders: new Map(),
      commands: undefined,
      entries: [{ event }],
    }),
  );
  await store.close();
  return folder;
};

const failsWith = (folder: string, code: ErrorCode, message: RegExp): Promise<void> =>
  assert.rejects(LevelStore.open(folder), (error) => {
    assert.ok(error instanceof CardeaError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });

test('the format is written into a new store, and a store of another format is refused and left as it was', async (t) => {
  const folder = await filledStore(t);
  assert.equal(await valueIn(folder, 'meta', 'format'), '3');
  await tamper(folder, 'meta', ['format', '9']);
  await failsWith(folder, 'store-format', /format 9, this version reads 3/);
  assert.equal(await valueIn(folder, 'meta', 'format'), '9');
  await tamper(folder, 'meta', ['format', '3']);
  const store = await LevelStore.open(folder);
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
    ['meta', 'buckets', 'AAAA', /digest/],
    ['meta', 'buckets', undefined, /digest/],
    ['meta', 'roster', undefined, /digest/],
    ['meta', 'roster', '{"v":2,"r":{"revision":1,"cards":1}}', /version is 2/],
    ['meta', 'sent', '-1', /cursor/],
    ['meta', 'sent', 'many', /cursor/],
    ['meta', 'sent', '1.5', /cursor/],
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
  const store = await LevelStore.open(folder);
  const good = store.findCard(CARD);
  await store.close();
  assert.equal(good.kind, 'live');
  const { r } = whole;
  const damaged = [
    '',
    'null',
    '[]',
    '"live"',
    '{"v":1',
    JSON.stringify({ v: 1 }),
    JSON.stringify({ v: 2, r }),
    JSON.stringify({ v: '1', r }),
    JSON.stringify({ r }),
    JSON.stringify({ v: 1, r: [r] }),
    ...Object.keys(r).map((key) => JSON.stringify({ v: 1, r: { ...r, [key]: undefined } })),
    ...Object.keys(r).map((key) => JSON.stringify({ v: 1, r: { ...r, [key]: { toString: 1 } } })),
    JSON.stringify({ v: 1, r: { ...r, revision: -1 } }),
    JSON.stringify({ v: 1, r: { ...r, revision: 1.5 } }),
    JSON.stringify({ v: 1, r: { ...r, revision: '1' } }),
    JSON.stringify({ v: 1, r: { ...r, validUntil: 'tomorrow' } }),
    JSON.stringify({ v: 1, r: { ...r, validUntil: null } }),
    JSON.stringify({ v: 1, r: { ...r, access: [{}] } }),
    JSON.stringify({ v: 1, r: { ...r, access: [{ doors: ['front'] }] } }),
    JSON.stringify({ v: 1, r: { ...r, access: [{ doors: [1], schedule: 'always' }] } }),
    JSON.stringify({ v: 1, r: { ...r, kind: 'eternal' } }),
    JSON.stringify({ v: 1, r: { ...r, activation: 'yes' } }),
    JSON.stringify({ v: 1, r: { ...r, state: 'retired' } }),
    JSON.stringify({ v: 1, r: { ...r, state: 'retired', reason: 'bored' } }),
  ];
  for (const text of damaged) {
    await tamper(folder, 'card', [keyOf(CARD), text]);
    const reopened = await LevelStore.open(folder);
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
  let store = await LevelStore.open(folder);
  await store.commit(batchOf({ cardholders: new Map(ids.map((id) => [id, { cards: [CARD] }])) }));
  await store.close();
  store = await LevelStore.open(folder);
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
    await (await LevelStore.open(path)).close();
    await tamper(path, 'meta', ['calendar', JSON.stringify({ v: 1, r: stored })]);
    const store = await LevelStore.open(path);
    assert.deepEqual(store.calendar(), isReadable ? stored : 'unreadable');
    await store.close();
  }
});
