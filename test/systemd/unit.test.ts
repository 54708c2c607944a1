// The shipped unit: what it must say, always; and what systemd itself says about it, where systemd's tools are.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { accessSync, constants, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../systemd/', import.meta.url));
const UNIT = readFileSync(join(FOLDER, 'cardea.service'), 'utf8');

/** Setting -> its values in order, comments left out. */
const settings = (text: string): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, key, value] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) found.set(key, [...(found.get(key) ?? []), value]);
  }
  return found;
};

const unit = settings(UNIT);
const one = (key: string): string | undefined => {
  const values = unit.get(key) ?? [];
  assert.ok(values.length <= 1, `${key} is set ${values.length} times`);
  return values[0];
};

/** systemd 252 is the first to judge a file without a running manager at a threshold. */
const hasSystemdAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;

/** The unit with its programs replaced by one that is there: verify looks for them. */
const verifiable = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-unit-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'cardea.service');
  writeFileSync(path, UNIT.replace(/^(Exec\w+=)\S+/gm, '$1/bin/sh'));
  return path;
};

const exposure = (path: string): { readonly status: number | null; readonly text: string } => {
  const { status, stdout, stderr } = spawnSync(
    'systemd-analyze',
    ['security', '--offline=yes', '--threshold=15', path],
    {
      encoding: 'utf8',
    },
  );
  return { status, text: `${stdout}${stderr}`.trim().split('\n').at(-1) ?? '' };
};

describe('cardea.service', () => {
  it('is ready when the gateway itself says so, and watched from then on', () => {
    assert.equal(one('Type'), 'notify');
    assert.equal(one('NotifyAccess'), 'main');
    assert.match(one('WatchdogSec') ?? '', /^\d+$/);
    assert.match(one('TimeoutStopSec') ?? '', /^\d+$/);
  });

  it('is restarted for ever, whatever it ended with', () => {
    assert.equal(one('Restart'), 'always');
    assert.equal(one('StartLimitIntervalSec'), '0');
    // Not known to systemd 252, which Raspberry Pi OS 12 has.
    assert.equal(one('RestartSteps'), undefined);
  });

  it('takes the strikes off power after every end, with the helper that is shipped and may be run', () => {
    assert.equal(one('ExecStopPost'), '/opt/cardea/systemd/safe-state');
    accessSync(join(FOLDER, 'safe-state'), constants.X_OK);
  });

  it('starts the bundle with the documented configuration', () => {
    assert.equal(one('ExecStart'), '/usr/bin/node /opt/cardea/dist/main.js gateway --config /etc/cardea/cardea.yaml');
  });

  it('does not wait for the network, nor for the time', () => {
    for (const key of ['After', 'Wants', 'Requires', 'BindsTo', 'Requisite']) assert.equal(one(key), undefined, key);
  });

  it('runs as its own account with nothing but GPIO and SPI', () => {
    assert.equal(one('User'), 'cardea');
    assert.equal(one('SupplementaryGroups'), 'gpio spi');
    assert.equal(one('CapabilityBoundingSet'), '');
    assert.equal(one('NoNewPrivileges'), 'yes');
    assert.equal(one('DevicePolicy'), 'closed');
    assert.deepEqual(unit.get('DeviceAllow'), ['char-gpiochip rw', 'char-spi rw']);
    assert.match(readFileSync(join(FOLDER, 'cardea.sysusers'), 'utf8'), /^u cardea - ".*" \/var\/lib\/cardea$/m);
  });

  it('has its directories, and lets only the group cardea reach the admin socket', () => {
    assert.equal(one('StateDirectory'), 'cardea');
    assert.equal(one('RuntimeDirectory'), 'cardea');
    assert.equal(one('ConfigurationDirectory'), 'cardea');
    assert.equal(one('RuntimeDirectoryMode'), '0750');
    assert.equal(one('StateDirectoryMode'), '0700');
  });

  it('lets V8 compile', () => {
    assert.equal(one('MemoryDenyWriteExecute'), undefined);
  });

  it('holds no setting twice by mistake', () => {
    const repeatable = ['DeviceAllow', 'SystemCallFilter'];
    for (const [key, values] of unit) assert.ok(values.length === 1 || repeatable.includes(key), key);
  });

  // Only what systemd itself must say: everything above is checked on every machine.
  if (hasSystemdAnalyze) {
    it('is understood by systemd', (t) => {
      const { status, stderr } = spawnSync('systemd-analyze', ['verify', verifiable(t)], { encoding: 'utf8' });
      assert.equal(stderr, '');
      assert.equal(status, 0);
    });

    it('is understood with the key of the store as a credential, plain and sealed', (t) => {
      for (const setting of ['LoadCredential', 'LoadCredentialEncrypted']) {
        const path = verifiable(t);
        const text = readFileSync(path, 'utf8');
        const line = new RegExp(`^#(?=${setting}=cardea-store-key:)`, 'm');
        assert.match(text, line);
        writeFileSync(path, text.replace(line, ''));
        const { status, stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
        assert.deepEqual([status, stderr], [0, ''], setting);
      }
    });

    it('is exposed by at most 1.5', (t) => {
      const { status, text } = exposure(verifiable(t));
      assert.match(text, /exposure level/);
      assert.equal(status, 0, text);
    });

    it('is understood with each drop-in too', (t) => {
      for (const name of ['cardea-rpi-gpio.conf', 'cardea-time-daemon.conf']) {
        const path = verifiable(t);
        mkdirSync(`${path}.d`);
        cpSync(join(FOLDER, name), join(`${path}.d`, name));
        const { status, stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
        assert.equal(stderr, '', name);
        assert.equal(status, 0, name);
      }
    });
  }
});
