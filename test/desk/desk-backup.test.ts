// A desk that is kept, lost and restored.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import type { DeskConfig } from '../../src/config/desk-config.ts';
import { auditRecords } from '../../src/desk/audit-reading.ts';
import { verifyAudit } from '../../src/desk/audit-trail.ts';
import { checkDeskBackup, deskBackupLines, type RestoreOptions, restoreDesk } from '../../src/desk/desk-backup.ts';
import { offlineDesk } from '../../src/desk-offline.ts';
import { sha256Hex } from '../../src/domain/canonical-json.ts';
import { instant } from '../../src/domain/units.ts';
import { backupFiles } from '../../src/drivers/backup/backup-file.ts';
import { LevelDeskStore } from '../../src/drivers/desk-store/level-desk-store.ts';
import type { DeskStore } from '../../src/ports/desk-store.ts';
import { run } from '../cli/cli-bench.ts';
import { MemoryDeskStore } from '../fakes/memory-desk-store.ts';
import { CLERK, type OpenDesk, openDesk, receiptFor, SECURITY, statusOf, taken } from '../fixtures/open-desk.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';

const OLD = '04A2B3C4D5E680';
const NEW = '04A2B3C4D5E681';
const STATUS = 'cardea/hq/gateways/lobby-1/status';
const RECEIPTS = 'cardea/hq/gateways/lobby-1/receipt';
const NOW = instant(Date.parse('2026-01-06T08:00:00Z'));

/** A person whose card was replaced, which the gateway has not confirmed. */
const fill = async ({ desk, link }: OpenDesk): Promise<void> => {
  link.connect();
  await link.deliver(STATUS, statusOf(desk, 'lobby-1', ['front']));
  await taken(desk.employees.add({ id: 'E1', name: '王小明' }, CLERK));
  const bound = await taken(desk.cards.bind({ cardholder: 'E1', card: OLD }, CLERK));
  await link.deliver(RECEIPTS, receiptFor(bound));
  await taken(desk.cards.replace({ cardholder: 'E1', newCard: NEW, reason: 'lost' }, CLERK));
};

const filled = async (t: TestContext, store: DeskStore = new MemoryDeskStore()): Promise<OpenDesk> => {
  const opened = await openDesk(t, { store });
  await fill(opened);
  return opened;
};

const linesOf = async (store: DeskStore): Promise<string[]> => {
  const lines: string[] = [];
  for await (const line of deskBackupLines(store, { program: '1.2.3', now: NOW })) lines.push(line);
  return lines;
};

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

const restored = async (
  lines: readonly string[],
  store: DeskStore,
  options: Partial<RestoreOptions> = {},
): Promise<DeskStore> => {
  const checked = await checkDeskBackup(each(lines), 'hq');
  await restoreDesk(each(lines), store, checked, { epoch: 'epoch-2', operator: 'ada', now: NOW, ...options });
  return store;
};

describe('a restored desk', () => {
  test('has what the backup has, in a new epoch and above every revision that was seen', async (t) => {
    const before = await filled(t);
    await taken(before.desk.cards.reportLoss({ card: NEW, reason: 'lost' }, SECURITY));
    const lines = await linesOf(before.store);
    // What comes after the backup is lost.
    await taken(before.desk.employees.add({ id: 'E2', name: 'Li' }, CLERK));
    const store = await restored(lines, new MemoryDeskStore(), { atLeast: 5_000_000 });
    const { desk } = await openDesk(t, { store });
    assert.deepEqual([desk.state.roster.epoch, desk.state.roster.revision], ['epoch-2', 5_000_000]);
    assert.deepEqual(desk.state.cards, before.desk.state.cards);
    assert.equal(desk.state.people.find('E1')?.name, '王小明');
    assert.equal(desk.state.people.find('E2'), undefined);
    const next = await taken(desk.cards.reinstate({ card: NEW }, CLERK));
    assert.deepEqual([next.id, next.message.revision], ['op-10004', 5_000_001]);
  });

  test('counts on far above the backup where nobody knows how far the lost one came', async (t) => {
    const before = await filled(t);
    const { link } = before;
    const told = statusOf(before.desk, 'lobby-1', ['front'], { revision: 3_000_000 });
    const lines = await linesOf(before.store);
    const { desk } = await openDesk(t, { store: await restored(lines, new MemoryDeskStore()) });
    assert.equal(desk.state.roster.revision, 1_000_002);
    await link.deliver(STATUS, told);
    const later = await openDesk(t, { store: await restored(await linesOf(before.store), new MemoryDeskStore()) });
    assert.equal(later.desk.state.roster.revision, 3_000_000);
  });

  test('sends nothing again that was under way, and has it confirmed by a roster that is equal', async (t) => {
    const before = await filled(t);
    before.link.disconnect();
    await taken(before.desk.cards.bind({ cardholder: 'E1', card: OLD.replace('80', '82') }, CLERK));
    const store = await restored(await linesOf(before.store), new MemoryDeskStore());
    const { desk, link, clock } = await openDesk(t, { store });
    link.connect();
    clock.advance(60_000);
    await link.deliver(STATUS, statusOf(desk, 'lobby-1', ['front']));
    assert.deepEqual(
      link.published.filter(({ topic }) => topic.endsWith('card-bound')),
      [],
    );
    assert.equal((await desk.operation('op-2'))?.proof.state, 'open');
    assert.equal(desk.unsent, 0);
    const digest = sha256Hex(desk.state.roster.digest().buckets);
    await link.deliver(STATUS, statusOf(desk, 'lobby-1', ['front'], { digest }));
    assert.equal((await desk.operation('op-2'))?.proof.state, 'confirmed');
  });

  test('goes on with its audit log, behind who restored it; tokens are gone, operators stay, batches are not gone on with', async (t) => {
    const before = await filled(t);
    const time = '2026-01-05T08:00:00.000Z';
    const token = {
      ...{ id: 't', secretHash: 'x', kind: 'token', name: 'x', roles: [] },
      createdAt: time,
      createdBy: 'a',
    };
    const operator = {
      ...{ name: 'ada', roles: ['admin'], password: 'p', addedAt: time },
      isDisabled: false,
      failures: 0,
    };
    const batch = {
      ...{ id: 'b', operator: 'li', roles: ['clerk'], at: time, fingerprint: 'f', mode: 'all' },
      total: 1,
      after: 2,
    };
    const row = { line: 1, cardholder: 'E1', newCard: OLD.replace('80', '83'), reason: 'damaged' };
    await before.store.write([
      { kind: 'token', key: 't', value: token },
      { kind: 'operator', key: 'ada', value: operator },
      { kind: 'batch', key: 'b', value: batch },
      { kind: 'batch', key: 'b!0000000000000001', value: { row } },
    ]);
    const store = await restored(await linesOf(before.store), new MemoryDeskStore());
    assert.equal(await store.read('token', 't'), undefined);
    assert.deepEqual(await store.read('operator', 'ada'), operator);
    const { desk } = await openDesk(t, { store });
    const view = await desk.batches.view('b');
    assert.deepEqual([view?.state, view?.done], ['broken', 0]);
    assert.equal(desk.state.cards.get(row.newCard), undefined);
    await taken(desk.employees.add({ id: 'E3', name: 'Wu' }, CLERK));
    const actions: string[] = [];
    for await (const { operator: name, action } of auditRecords(store)) actions.push(`${name} ${action}`);
    assert.deepEqual(actions.slice(-2), ['ada restore-backup', 'li add-employee']);
    assert.equal((await verifyAudit(auditRecords(store))).fault, undefined);
  });
});

describe('a backup is refused', () => {
  const refused = async (t: TestContext, change: (lines: string[]) => readonly string[], message: RegExp) => {
    const { store } = await filled(t);
    const lines = change(await linesOf(store));
    await assert.rejects(checkDeskBackup(each(lines), 'hq'), { code: 'backup-invalid', message });
  };
  const withHeader = (fields: object) => (lines: string[]) => [
    JSON.stringify({ ...JSON.parse(lines[0] ?? ''), ...fields }),
    ...lines.slice(1),
  ];
  const cases: readonly [string, (lines: string[]) => readonly string[], RegExp][] = [
    ['that is of another site', withHeader({ site: 'elsewhere' }), /of site elsewhere/],
    ['that a newer version has made', withHeader({ version: 2 }), /newer version/],
    ['whose records are of a newer version', withHeader({ format: 9 }), /newer version/],
    ['that has lost its end', (lines) => lines.slice(0, -1), /not whole/],
    ['that has lost a record', (lines) => lines.filter((_, index) => index !== 3), /not whole/],
    [
      'that holds what is no record',
      (lines) => [...lines.slice(0, 3), '{"kind":"wish","key":"1","value":1}'],
      /no record/,
    ],
    ['that is something else', () => ['{"cardea":"backup","version":1}'], /does not begin/],
  ];
  for (const [what, change, message] of cases) test(what, (t) => refused(t, change, message));

  test('where there are records already, and under an epoch that is its own', async (t) => {
    const { store } = await filled(t);
    const lines = await linesOf(store);
    await assert.rejects(restored(lines, store), { code: 'backup-invalid' });
    await assert.rejects(restored(lines, new MemoryDeskStore(), { epoch: 'epoch-1' }), { code: 'backup-invalid' });
  });
});

describe('on the disk, by the command line', () => {
  /** What the commands work with: a desk's folder, its configuration, and a key for backups. */
  const worldOf = async (t: TestContext) => {
    const folder = temporaryFolder(t);
    const identity = await generateX25519Identity();
    writeFileSync(join(folder, 'identity.txt'), `${identity}\n`);
    const recipient = await identityToRecipient(identity);
    const configOf = (home: string, site = 'hq'): string => {
      const file = join(folder, `${home}-${site}.yaml`);
      const mqtt = 'mqtt: { url: "mqtt://127.0.0.1:1883" }\ntrust: { messages: unsigned }';
      writeFileSync(file, `site: ${site}\ndataDir: ${join(folder, home)}\n${mqtt}\n`);
      return file;
    };
    const desk = async (...args: readonly string[]) => {
      const changes = { offlineDesk: async (config: DeskConfig) => offlineDesk(config) };
      return await run(['desk', ...args, '--json'], changes);
    };
    const file = join(folder, 'desk.backup');
    const restore = (config: string, ...options: readonly string[]) =>
      desk('restore', file, '--config', config, '--identity-file', join(folder, 'identity.txt'), ...options);
    return {
      folder,
      file,
      configOf,
      desk,
      restore,
      backUp: (config: string) => desk('backup', file, '--config', config, '--recipient', recipient),
    };
  };

  const storeIn = async (t: TestContext, folder: string): Promise<LevelDeskStore> => {
    const store = await LevelDeskStore.open(join(folder, 'store'));
    t.after(() => store.close());
    return store;
  };

  test('a backup is encrypted, and becomes a desk where there is none', async (t) => {
    const { folder, file, configOf, restore, backUp } = await worldOf(t);
    assert.match((await backUp(configOf('lost'))).errors, /there is no desk/);
    const store = await storeIn(t, join(folder, 'lost'));
    const before = await filled(t, store);
    assert.match((await backUp(configOf('lost'))).errors, /another desk works with/);
    await before.link.stop();
    await before.desk.close();
    await store.close();
    const made = await backUp(configOf('lost'));
    assert.equal(made.code, 0, made.errors);
    assert.ok(!readFileSync(file).includes('E1'));

    const dry = await restore(configOf('new'), '--dry-run');
    const { employees, cards, openOperations } = JSON.parse(dry.output);
    assert.deepEqual([employees, cards, openOperations, existsSync(join(folder, 'new'))], [1, 1, 1, false]);
    const done = await restore(configOf('new'), '--at-least', '7000000');
    assert.equal(done.code, 0, done.errors);
    assert.deepEqual(readdirSync(join(folder, 'new')), ['store']);
    const { desk } = await openDesk(t, { store: await storeIn(t, join(folder, 'new')) });
    const { epoch, revision } = JSON.parse(done.output);
    assert.deepEqual([desk.state.roster.epoch, desk.state.roster.revision, revision], [epoch, 7_000_000, 7_000_000]);
    assert.equal(desk.state.liveCardsOf('E1')[0]?.card, NEW);
    assert.match((await restore(configOf('new'))).errors, /there are records in .* already/);
  });

  test('nothing is left of a restore that fails', async (t) => {
    const { folder, file, configOf, restore } = await worldOf(t);
    const lines = await linesOf((await filled(t)).store);
    const recipients = [await identityToRecipient(readFileSync(join(folder, 'identity.txt'), 'utf8').trim())];
    const spoilt = lines.map((line) => line.replace('"boundBy":"op-1"', '"boundBy":1'));
    await backupFiles.write(file, each(spoilt), { lock: { kind: 'recipients', recipients }, mayReplace: false });
    const failed = await restore(configOf('new'));
    assert.match(failed.errors, /is not what one has to be/);
    // The cards contradict the roster, which nobody notices before all of it is there.
    const twisted = lines.map((line) => line.replace('"revision":2,"kind"', '"revision":9000000,"kind"'));
    await backupFiles.write(file, each(twisted), { lock: { kind: 'recipients', recipients }, mayReplace: true });
    assert.match((await restore(configOf('new'))).errors, /newer than the roster/);
    assert.match((await restore(configOf('new', 'other'))).errors, /of site hq, this is other/);
    assert.deepEqual(readdirSync(join(folder, 'new')), []);
  });
});
