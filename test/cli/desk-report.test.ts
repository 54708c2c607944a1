// Reports of the desk from the command line: for reading, and for spreadsheets.

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { REPORTS } from '../../src/cli/desk-choices.ts';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { OLD, siteBench } from './desk-bench.ts';

describe('cardea desk report', () => {
  it('prints a table, CSV or JSON of each report', async (t) => {
    const { as } = await siteBench(t);
    for (const name of REPORTS) {
      const table = await as('auditor', 'report', name, '--from', '2026-01-01', '--to', '2026-01-31');
      assert.equal(table.code, EXIT.ok, table.errors);
      assert.match(table.output, new RegExp(`^${name}, \\S+: \\d+ rows?$`, 'm'));
      const { report } = JSON.parse((await as('auditor', 'report', name, '--format', 'json')).output);
      assert.equal(report, name);
    }
  });

  it('is about the period that is named, in the time zone that is named', async (t) => {
    const { as } = await siteBench(t);
    const changes = async (...args: string[]): Promise<string> =>
      (await as('auditor', 'report', 'changes', '--format', 'csv', '--timezone', 'Asia/Taipei', ...args)).output;
    assert.match(await changes('--to', '2026-01-05'), new RegExp(`2026-01-05T16:00:00\\+08:00.*${OLD}`));
    assert.doesNotMatch(await changes('--from', '2026-01-06'), new RegExp(OLD));
    const wrong = await as('auditor', 'report', 'changes', '--from', 'yesterday');
    assert.equal(wrong.code, EXIT.usage);
    assert.match(wrong.errors, /--from "yesterday" is no time/);
  });

  it('writes a new file that only its owner can read', async (t) => {
    const { as, folder } = await siteBench(t);
    const file = join(folder, 'changes.csv');
    const args = ['report', 'changes', '--format', 'csv', '--output', file];
    assert.equal((await as('auditor', ...args)).code, EXIT.ok);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.match(readFileSync(file, 'utf8'), new RegExp(OLD));
    assert.match((await as('auditor', ...args)).errors, /it is there already/);
  });
});
