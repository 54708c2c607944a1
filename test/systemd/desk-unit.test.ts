// The desk's unit: what it must say, always; and what systemd itself says about it, where systemd's tools are.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';

const FOLDER = fileURLToPath(new URL('../../systemd/', import.meta.url));
const UNIT = readFileSync(join(FOLDER, 'cardea-desk.service'), 'utf8');
const one = (key: string): string | undefined => {
  const [value, ...others] = [...UNIT.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, text]) => text);
  assert.deepEqual(others, [], key);
  return value;
};

test('the desk is ready when it says so, and begins anew whatever it ended with', () => {
  assert.deepEqual([one('Type'), one('Restart'), one('StartLimitIntervalSec')], ['notify', 'always', '0']);
  const command = '/usr/bin/node /opt/cardea/dist/main.js desk serve --config /etc/cardea/desk.yaml';
  assert.equal(one('ExecStart'), command);
  for (const key of ['After', 'Wants', 'Requires']) assert.equal(one(key), undefined, key);
});

test('the desk runs as an account of its own, whose records nobody else reads', () => {
  const account = readFileSync(join(FOLDER, 'cardea-desk.sysusers'), 'utf8');
  assert.match(account, /^u cardea-desk - ".*" \/var\/lib\/cardea-desk$/m);
  assert.deepEqual(
    ['User', 'Group', 'StateDirectory', 'StateDirectoryMode', 'UMask', 'CapabilityBoundingSet'].map(one),
    ['cardea-desk', 'cardea-desk', 'cardea-desk', '0700', '0077', ''],
  );
  const example = readFileSync(join(FOLDER, '../config/desk.yaml'), 'utf8');
  assert.match(example, /^dataDir: \/var\/lib\/cardea-desk /m);
});

if (spawnSync('systemd-analyze', ['--version']).status === 0) {
  test('the desk\u2019s unit is understood by systemd, and exposed by at most 1.5', (t) => {
    const path = join(temporaryFolder(t), 'cardea-desk.service');
    writeFileSync(path, UNIT.replace(/^(Exec\w+=)\S+/gm, '$1/bin/sh'));
    const verified = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
    assert.deepEqual([verified.status, verified.stderr], [0, '']);
    const args = ['security', '--offline=yes', '--threshold=15', path];
    const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    assert.equal(status, 0, stdout.trim().split('\n').at(-1));
  });
}
