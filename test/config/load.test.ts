// The configuration on the disk: unreadable files, files that it names, the report for `cardea config check`.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { formatFault } from '../../src/config/faults.ts';
import { checkConfigFile, loadConfig } from '../../src/config/load.ts';
import { CardeaError } from '../../src/errors.ts';
import { textWith } from './config-text.ts';

const folder = (t: TestContext): string => {
  const path = mkdtempSync(join(tmpdir(), 'cardea-config-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
};

const written = (t: TestContext, content: string | Uint8Array): string => {
  const path = join(folder(t), 'cardea.yaml');
  writeFileSync(path, content);
  return path;
};

const failureOf = (path: string): CardeaError => {
  try {
    loadConfig(path);
  } catch (error) {
    if (error instanceof CardeaError) return error;
    throw error;
  }
  return assert.fail('the file was loaded');
};

const WITH_FILES = textWith({
  5: ['  url: mqtts://hr', '  username: lobby', '  passwordFile: password', '  ca: ca.pem'].join('\n'),
});

describe('loading the configuration', () => {
  it('returns it with its warnings', (t) => {
    const { config, warnings } = loadConfig(written(t, textWith({ 9: '', 10: '', 11: '' })));
    assert.equal(config.site, 'hq');
    assert.deepEqual(
      warnings.map(({ path }) => path),
      ['readers', 'doors.front'],
    );
  });

  it('tells every fault on a line of its own', (t) => {
    const path = written(t, textWith({ 1: 'site: HQ', 2: 'gatway: x' }));
    const { code, message } = failureOf(path);
    assert.equal(code, 'config-invalid');
    const [head, ...lines] = message.split('\n');
    assert.equal(head, 'the configuration has 3 faults:');
    assert.deepEqual(
      lines.map((line) => line.replace(/: (is|"HQ"|unknown) .*/, '')),
      [`${path}:1:1 gateway`, `${path}:1:7 site`, `${path}:2:1 gatway`],
    );
  });

  it('says that the file is not there, and how to name another', (t) => {
    const path = join(folder(t), 'none.yaml');
    const { code, message } = failureOf(path);
    assert.equal(code, 'config-unreadable');
    assert.equal(message, `cannot read the configuration: ${path} is not there; name another file with --config`);
  });

  it('says that the file is a directory', (t) => {
    assert.match(failureOf(folder(t)).message, /is a directory; name another file/);
  });

  it('reads no more of an endless file than a configuration may have', () => {
    const { code, message } = failureOf('/dev/zero');
    assert.equal(code, 'config-invalid');
    assert.match(message, /\/dev\/zero:1:1: the file is larger than 128 KiB$/);
  });

  it('refuses what is not UTF-8', (t) => {
    assert.match(
      failureOf(written(t, Uint8Array.of(0x73, 0xff, 0xfe, 0x0a))).message,
      /:1:1: the file is not UTF-8 text$/,
    );
  });

  it('skips a byte order mark', (t) => {
    assert.equal(loadConfig(written(t, `\ufeff${textWith()}`)).config.site, 'hq');
  });
});

describe('files that the configuration names', () => {
  it('have to be there, beside the configuration unless their path says otherwise', (t) => {
    const path = written(t, WITH_FILES);
    assert.deepEqual(checkConfigFile(path).faults.map(formatFault), [
      `${path}:7:17 mqtt.passwordFile: cannot be read: ${join(path, '..', 'password')} is not there`,
      `${path}:8:7 mqtt.ca: cannot be read: ${join(path, '..', 'ca.pem')} is not there`,
    ]);
  });

  it('are looked for whatever else is wrong', (t) => {
    const path = written(t, `${WITH_FILES}\nwombat: 1`);
    assert.deepEqual(
      checkConfigFile(path).faults.map(({ path: key }) => key),
      ['mqtt.passwordFile', 'mqtt.ca', 'wombat'],
    );
  });

  it('have to be files', (t) => {
    const path = written(t, textWith({ 5: '  url: mqtts://hr\n  ca: authorities' }));
    mkdirSync(join(path, '..', 'authorities'));
    assert.match(
      checkConfigFile(path).faults.map(formatFault).join(),
      /mqtt\.ca: .*authorities is a directory; allowed: a file$/,
    );
  });

  it('do not keep the doors from working when they are missing: the gateway starts, and warns', (t) => {
    const path = written(t, WITH_FILES);
    assert.deepEqual(
      loadConfig(path).warnings.map(({ path: key }) => key),
      ['mqtt.passwordFile', 'mqtt.ca'],
    );
  });

  it('are warned of when they are secret and everybody can read them', (t) => {
    const path = written(t, WITH_FILES);
    const [password, ca] = [join(path, '..', 'password'), join(path, '..', 'ca.pem')];
    for (const file of [password, ca]) writeFileSync(file, 'x');
    for (const file of [password, ca]) chmodSync(file, 0o644);
    assert.deepEqual(loadConfig(path).warnings.map(formatFault), [
      `${path}:7:17 mqtt.passwordFile: everybody on this machine can read ${password}; run chmod o-rwx on it`,
    ]);
    chmodSync(password, 0o640);
    assert.deepEqual(loadConfig(path).warnings, []);
  });
});

describe('key files that the configuration names', () => {
  const WITH_KEYS = textWith({
    3: 'trust:\n  keys: { hr: { publicKeyFile: hr.pem, may: [bind] } }\n  gatewayKeyFile: own.pem',
  });
  const pem = { type: 'spki', format: 'pem' } as const;
  const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;

  it('have to be there: the gateway starts not without them', (t) => {
    const path = written(t, WITH_KEYS);
    assert.deepEqual(checkConfigFile(path).faults.map(formatFault), [
      `${path}:4:32 trust.keys.hr.publicKeyFile: the key cannot be read: ${join(path, '..', 'hr.pem')} is not there`,
      `${path}:5:19 trust.gatewayKeyFile: the key cannot be read: ${join(path, '..', 'own.pem')} is not there`,
    ]);
  });

  it('have to hold a key of the right half, the private one for its owner alone', (t) => {
    const path = written(t, WITH_KEYS);
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const [hr, own] = [join(path, '..', 'hr.pem'), join(path, '..', 'own.pem')];
    writeFileSync(hr, privateKey.export(pkcs8));
    writeFileSync(own, privateKey.export(pkcs8), { mode: 0o644 });
    assert.deepEqual(
      checkConfigFile(path).faults.map(({ message }) => message),
      [
        `the key file ${hr} holds a private key, which stays with its owner; put the line of cardea keys show FILE here`,
        `the key file ${own} holds a private key that others may read; run chmod 600 on it`,
      ],
    );
    writeFileSync(hr, publicKey.export(pem));
    chmodSync(own, 0o600);
    assert.deepEqual(checkConfigFile(path).faults, []);
  });
});

describe('the report', () => {
  it('of a sound file counts doors and readers, and tells whose messages are believed', (t) => {
    const path = written(t, textWith());
    const summary = `${path}: ok, 1 door, 1 reader, unsigned messages are believed`;
    assert.deepEqual(checkConfigFile(path), { faults: [], warnings: [], summary });
    const key = '{ publicKey: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo, may: [bind] }';
    const signed = written(t, textWith({ 3: `trust: { keys: { hr: ${key} } }` }));
    assert.equal(checkConfigFile(signed).summary, `${signed}: ok, 1 door, 1 reader, messages signed with 1 key`);
  });

  it('of a faulty file counts faults', (t) => {
    const path = written(t, textWith({ 1: 'site: HQ', 2: 'gateway: L' }));
    assert.equal(checkConfigFile(path).summary, `${path}: 2 faults`);
  });

  it('is not to be had of a file that is not there', (t) => {
    const path = join(folder(t), 'none.yaml');
    assert.throws(() => checkConfigFile(path), { code: 'config-unreadable' });
  });
});
