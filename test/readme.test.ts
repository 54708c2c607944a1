// What README.md claims to be tested is tested: each row of the table against the standard names a file that exists and, where it
// quotes one, a test of that name.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');
const TITLE = '## Measured against IEC 60839-11-1';

const rows = (): readonly (readonly string[])[] => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const section = readme.slice(readme.indexOf(TITLE)).split('\n## ')[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => line.slice(2, -2).split(' | '));
};

test('each row of the table against the standard names its test', () => {
  const table = rows();
  assert.equal(table.length, 20);
  for (const [row = '', , tests = ''] of table) {
    if (tests.startsWith('none:')) continue;
    const named = [...tests.matchAll(/`([^`]+)`(?:: ([^`;]+))?/g)];
    assert.ok(named.length > 0, `${row} names no test`);
    for (const [, file = '', title] of named) {
      const path = join(ROOT, 'test', file);
      assert.ok(existsSync(path), `${row} names ${file}, which is not there`);
      if (title !== undefined)
        assert.ok(readFileSync(path, 'utf8').includes(title.trim()), `${file} has no test: ${title}`);
    }
  }
});
