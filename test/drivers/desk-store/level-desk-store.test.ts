// LevelDB beyond the contract: one desk for a folder, and what a process that was killed has left.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Level } from 'level';
import { LevelDeskStore } from '../../../src/drivers/desk-store/level-desk-store.ts';
import { deskStoreContract } from '../../contracts/desk-store.contract.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

deskStoreContract('LevelDeskStore', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-desk-store-'));
  return {
    open: () => LevelDeskStore.open(join(folder, 'store')),
    breakWrites: (store) => store.close(),
    garble: async (kind, key) => {
      const db = new Level<string, string>(join(folder, 'store'));
      await db.put(`${kind}!${key}`, '{"card"');
      await db.close();
    },
    dispose: async () => rmSync(folder, { recursive: true }),
  };
});

test('a folder is the desk\u2019s of one process: who comes second is told so, and the first goes on', async (t) => {
  const folder = join(temporaryFolder(t), 'deep', 'store');
  const first = await LevelDeskStore.open(folder);
  t.after(() => first.close());
  assert.equal(statSync(folder).mode & 0o077, 0, 'others may not read it');
  await assert.rejects(LevelDeskStore.open(folder), { code: 'store-locked', message: /another desk works with/ });
  await first.write([{ kind: 'card', key: 'a', value: 1 }]);
  assert.equal(await first.read('card', 'a'), 1);
});

test('a folder that is none, or holds something else, is a store that cannot be opened', async (t) => {
  const file = join(temporaryFolder(t), 'file');
  writeFileSync(file, 'text');
  await assert.rejects(LevelDeskStore.open(file), { code: 'store-open-failed' });
  const folder = join(temporaryFolder(t), 'store');
  mkdirSync(folder);
  writeFileSync(join(folder, 'CURRENT'), 'garbage\n');
  await assert.rejects(LevelDeskStore.open(folder), { code: 'store-open-failed' });
});

const WRITER = `
import { LevelDeskStore } from ${JSON.stringify(new URL('../../../src/drivers/desk-store/level-desk-store.ts', import.meta.url).href)};
const store = await LevelDeskStore.open(process.argv[1]);
for (let batch = 0; ; batch++) {
  const puts = Array.from({ length: 40 }, (_, index) => ({ kind: 'card', key: String(index), value: { batch, text: 'x'.repeat(500) } }));
  await store.write(puts);
  process.stdout.write(batch + '\\n');
}`;

test('of a process that was killed each batch is there whole or not at all, and every one that it has told of', async (t) => {
  const folder = join(temporaryFolder(t), 'store');
  for (const batches of [3]) {
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', WRITER, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let told = '';
    for await (const text of child.stdout) {
      told += text;
      if (told.split('\n').length > batches) break;
    }
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    const store = await LevelDeskStore.open(folder);
    const found = new Set<number>();
    for await (const [, value] of store.entries('card')) found.add(Object(value).batch);
    await store.close();
    const [batch = -1, ...others] = found;
    assert.deepEqual(others, [], 'cards of several batches');
    assert.ok(batch >= Number(told.trimEnd().split('\n').at(-1)), `${batch} after ${told}`);
  }
});
