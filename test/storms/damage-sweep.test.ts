// Damage at every place of the files of a store: whatever it hits, after a few starts at most the store opens, and nothing that was
// revoked comes back. Each start is a process of its own: LevelDB ends it at some kinds of damage.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { CURRENT, copyOf, fileIn, LOG, MANIFEST, makeStore, removeStore, TABLE } from '../fixtures/damaged-store.ts';

const STEP = 3072;
/** As often as the service manager would start the gateway again. */
const MOST_STARTS = 3;

before(makeStore);
after(removeStore);

const startUntilOpen = (dataDir: string): void => {
  const starts: string[] = [];
  for (let start = 0; start < MOST_STARTS; start++) {
    const child = spawnSync(process.execPath, ['--import', 'tsx', 'test/fixtures/open-damaged.ts', dataDir]);
    if (child.status === 0) return;
    starts.push(`${child.signal ?? child.status}: ${child.stderr}`);
    assert.equal(child.signal, 'SIGABRT', starts.join('\n'));
  }
  assert.fail(starts.join('\n'));
};

for (const [name, pattern] of [
  ['the log', LOG],
  ['a table', TABLE],
  ['MANIFEST', MANIFEST],
  ['CURRENT', CURRENT],
] as const) {
  test(`${name} garbled, zeroed or cut at every place`, async (t) => {
    const { size } = statSync(fileIn(copyOf(t), pattern));
    for (let at = 0; at < size; at += STEP) {
      await t.test(`at ${at} of ${size}`, (place) => {
        for (const value of [0x5a, undefined]) {
          const dataDir = copyOf(place);
          const path = fileIn(dataDir, pattern);
          const bytes = readFileSync(path);
          for (let i = at; i < Math.min(at + STEP, size); i++)
            bytes[i] = value === undefined ? 0 : (bytes[i] ?? 0) ^ value;
          writeFileSync(path, bytes);
          startUntilOpen(dataDir);
        }
        const dataDir = copyOf(place);
        truncateSync(fileIn(dataDir, pattern), at);
        startUntilOpen(dataDir);
      });
    }
  });
}
