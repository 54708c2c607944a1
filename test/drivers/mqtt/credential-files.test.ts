import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CredentialFiles, type CredentialPaths } from '../../../src/drivers/mqtt/credential-files.ts';
import { RecordingLog } from '../../fixtures/recording-log.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';
import {
  AUTHORITY,
  CLIENT,
  CLIENT_EXPIRED,
  CLIENT_KEY,
  RENEWED_CLIENT,
  RENEWED_CLIENT_KEY,
  STRANGER,
} from '../../fixtures/tls-identities.ts';

const GOOD = { ca: AUTHORITY, cert: CLIENT, key: CLIENT_KEY, password: 'secret\n' };
type Contents = { readonly [Name in keyof CredentialPaths]?: string };

/** Files with `contents`, which the test may write again. */
const setUp = (t: TestContext, contents: Contents = GOOD) => {
  const folder = temporaryFolder(t);
  const place = (name: string): string => join(folder, name);
  const write = (changes: Contents): void => {
    for (const [name, text] of Object.entries(changes)) writeFileSync(place(name), text);
  };
  write(contents);
  const log = new RecordingLog();
  const paths = Object.fromEntries(Object.keys(contents).map((name) => [name, place(name)]));
  return { files: new CredentialFiles(paths, log), write, place, folder, log };
};

test('the files are read, and the line end after the password is not part of it', (t) => {
  const { files, log } = setUp(t);
  assert.equal(files.refresh(), true);
  assert.equal(files.usable?.password, 'secret');
  assert.equal(files.usable?.cert, CLIENT.trimEnd());
  assert.equal(files.fault, undefined);
  assert.deepEqual(log.records, []);
});

test('without any files there is nothing to present, and that is usable', () => {
  const files = new CredentialFiles({}, new RecordingLog());
  assert.equal(files.refresh(), true);
  assert.deepEqual(files.usable, {});
  assert.equal(files.refresh(), false);
});

test('a change of any file is a new set, once; writing the same again is none', (t) => {
  const { files, write } = setUp(t);
  files.refresh();
  write(GOOD);
  assert.equal(files.refresh(), false);
  for (const change of [
    { password: 'other' },
    { ca: `${AUTHORITY}${STRANGER}` },
    { cert: RENEWED_CLIENT, key: RENEWED_CLIENT_KEY },
  ]) {
    write(change);
    assert.equal(files.refresh(), true);
    assert.equal(files.refresh(), false);
  }
});

test('a file renamed over the old one and a swapped symbolic link are seen', (t) => {
  const { folder, place } = setUp(t, {});
  for (const [name, text] of [
    ['first', 'one'],
    ['second', 'two'],
  ] as const) {
    mkdirSync(place(name));
    writeFileSync(join(folder, name, 'password'), text);
  }
  symlinkSync('first', place('current'));
  const files = new CredentialFiles({ password: join(folder, 'current', 'password') }, new RecordingLog());
  files.refresh();
  symlinkSync('second', place('next'));
  renameSync(place('next'), place('current'));
  assert.equal(files.refresh(), true);
  assert.equal(files.usable?.password, 'two');
  writeFileSync(place('written'), 'three');
  renameSync(place('written'), join(folder, 'second', 'password'));
  assert.equal(files.refresh(), true);
  assert.equal(files.usable?.password, 'three');
});

for (const [what, change, expected] of [
  [
    'a key of another certificate',
    { key: RENEWED_CLIENT_KEY },
    /the key in .*key does not belong to the certificate in .*cert$/,
  ],
  ['a key that does not parse', { key: 'garbage' }, /key holds no private key without a passphrase that can be read/],
  ['a file without a certificate', { cert: 'garbage' }, /cert holds no certificate in PEM form$/],
  [
    'a garbled certificate',
    { ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' },
    /ca holds no certificate that can be read/,
  ],
  ['an empty file', { password: '\n' }, /password is empty$/],
] as const) {
  test(`${what} leaves the set before it in use, is said once, and a later good change heals`, (t) => {
    const { files, write, log } = setUp(t);
    files.refresh();
    write(change);
    for (let look = 0; look < 3; look += 1) assert.equal(files.refresh(), false);
    assert.match(files.fault ?? '', expected);
    assert.equal(files.usable?.cert, CLIENT.trimEnd());
    assert.deepEqual(
      log.records.map(({ level, fields }) => [level, fields['reason']]),
      [['error', files.fault]],
    );
    write({ ...GOOD, password: 'new' });
    assert.equal(files.refresh(), true);
    assert.equal(files.fault, undefined);
    assert.equal(log.at('info').length, 1);
    assert.doesNotMatch(JSON.stringify(log.records), /secret|PRIVATE/);
  });
}

test('files that are as they were again are no new set', (t) => {
  const { files, write, place } = setUp(t);
  files.refresh();
  rmSync(place('cert'));
  assert.equal(files.refresh(), false);
  assert.match(files.fault ?? '', /ENOENT/);
  write(GOOD);
  assert.equal(files.refresh(), false);
  assert.equal(files.fault, undefined);
});

test('while there never was a usable set there is none, and the fault says why', (t) => {
  const { files, log } = setUp(t, { ...GOOD, key: RENEWED_CLIENT_KEY });
  assert.equal(files.refresh(), false);
  assert.equal(files.usable, undefined);
  assert.match(files.fault ?? '', /does not belong/);
  assert.equal(log.at('error').length, 0, 'the attempt to connect says it');
});

test('an expired certificate is used, with a warning', (t) => {
  const { files, log } = setUp(t, { ...GOOD, cert: CLIENT_EXPIRED });
  assert.equal(files.refresh(), true);
  assert.equal(files.usable?.cert, CLIENT_EXPIRED.trimEnd());
  assert.equal(files.fault, undefined);
  assert.deepEqual(
    log.records.map(({ level, message }) => [level, message]),
    [['warn', 'a certificate has expired']],
  );
});
