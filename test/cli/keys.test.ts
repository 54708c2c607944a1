// `cardea keys`: what it writes, what it prints, and what it never does.

import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { checkConfig } from '../../src/config/check.ts';
import { loadTrust } from '../../src/gateway-trust.ts';
import { signatureOpener } from '../../src/wire/signed-message.ts';
import { folderFor, run } from './cli-bench.ts';

/** RFC 8037, A.1 to A.3. */
const RFC_KEY = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
};
const RFC_KID = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k';

const setUp = (t: TestContext) => {
  const folder = folderFor(t);
  const path = join(folder, 'cardea.yaml');
  const text = `
site: hq
gateway: demo
dataDir: ${join(folder, 'data')}
mqtt: { embedded: {} }
gpio: { driver: simulated }
doors: { front: { strike: {} } }
trust: { messages: unsigned }
`;
  writeFileSync(path, text);
  const { config } = checkConfig(text, path);
  assert.ok(config !== undefined);
  return { folder, path, config, own: join(folder, 'data', 'gateway-key.pem') };
};

describe('cardea keys generate', () => {
  it('writes a private key for its owner alone, and prints the public half', async (t) => {
    const file = join(folderFor(t), 'hr.pem');
    const { code, output, errors } = await run(['keys', 'generate', file]);
    assert.deepEqual([code, errors], [EXIT.ok, '']);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const pem = readFileSync(file, 'utf8');
    assert.match(pem, /^-----BEGIN PRIVATE KEY-----\n/);
    const { x } = createPublicKey(createPrivateKey(pem)).export({ format: 'jwk' });
    assert.match(output, new RegExp(`^file: ${file}\nkid: [\\w-]{43}\npublicKey: ${x}\n$`));
  });

  it('makes the gateway’s own key where the gateway looks for it, before the first start as well', async (t) => {
    const { path, own, config } = setUp(t);
    const { code, output } = await run(['keys', 'generate', '--config', path, '--json']);
    assert.equal(code, EXIT.ok);
    const { kid, x } = JSON.parse(output);
    const trust = await loadTrust(config);
    assert.equal(trust.keyId, kid);
    const sealed = Buffer.from(await trust.seal('{"a":1}'));
    const opened = await signatureOpener([{ kid, publicKey: x, may: [] }])(sealed);
    assert.ok(opened.kind === 'opened');
    assert.equal(Buffer.from(opened.json).toString(), '{"a":1}');
    assert.equal(statSync(own).mode & 0o777, 0o600);
  });

  it('does not lose a key that is there, unless it is told to', async (t) => {
    const folder = folderFor(t);
    const file = join(folder, 'hr.pem');
    await run(['keys', 'generate', file]);
    const first = readFileSync(file, 'utf8');
    const refused = await run(['keys', 'generate', file]);
    assert.equal(refused.code, EXIT.no);
    assert.match(refused.errors, /hr\.pem is there already; give --force/);
    assert.equal(readFileSync(file, 'utf8'), first);
    assert.equal((await run(['keys', 'generate', file, '--force'])).code, EXIT.ok);
    assert.notEqual(readFileSync(file, 'utf8'), first);
    assert.deepEqual(readdirSync(folder), ['hr.pem']);
  });

  it('leaves nothing behind where it cannot write', async (t) => {
    const folder = folderFor(t);
    mkdirSync(join(folder, 'taken'));
    for (const file of [join(folder, 'none', 'hr.pem'), join(folder, 'taken')]) {
      const { code, errors, output } = await run(['keys', 'generate', file, '--force']);
      assert.deepEqual([code, output], [EXIT.no, '']);
      assert.match(errors, /^cardea: the key cannot be written: /);
    }
    assert.deepEqual(readdirSync(folder), ['taken']);
  });

  it('gives what root makes to the owner of the directory, who has to read it', async (t) => {
    const folder = folderFor(t);
    const owner = process.getuid?.() === 0 ? 12_345 : statSync(folder).uid;
    chownSync(folder, owner, statSync(folder).gid);
    await run(['keys', 'generate', join(folder, 'hr.pem')]);
    assert.equal(statSync(join(folder, 'hr.pem')).uid, owner);
  });
});

describe('cardea keys show', () => {
  it('prints the thumbprint and the line for the configuration, of a private and of a public key', async (t) => {
    const folder = folderFor(t);
    const { d, ...half } = RFC_KEY;
    const pem = createPrivateKey({ key: RFC_KEY, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' });
    for (const [name, text] of Object.entries({ pem, jwk: JSON.stringify(half), private: JSON.stringify(RFC_KEY) })) {
      writeFileSync(join(folder, name), text);
      const { code, output } = await run(['keys', 'show', join(folder, name)]);
      assert.deepEqual([code, output], [EXIT.ok, `kid: ${RFC_KID}\npublicKey: ${RFC_KEY.x}\n`], name);
      const json = await run(['keys', 'show', join(folder, name), '--json']);
      assert.deepEqual(JSON.parse(json.output), { ...half, kid: RFC_KID, alg: 'EdDSA', use: 'sig' });
      assert.ok(!`${output}${json.output}`.includes(d));
    }
  });

  it('prints what the configuration takes', async (t) => {
    const file = join(folderFor(t), 'hr.pem');
    await run(['keys', 'generate', file]);
    const { output } = await run(['keys', 'show', file]);
    const [, line] = output.split('\n');
    const text = readFileSync('config/raspberry-pi.yaml', 'utf8').replace(/publicKey: .*/, line ?? '');
    assert.deepEqual(checkConfig(text, 'f').faults ?? [], []);
  });

  it('shows the gateway’s own key, and how to make one where there is none', async (t) => {
    const { path, own } = setUp(t);
    const missing = await run(['keys', 'show', '--config', path]);
    assert.equal(missing.code, EXIT.no);
    assert.match(missing.errors, new RegExp(`no key of its own at ${own}; cardea keys generate makes one`));
    const made = await run(['keys', 'generate', '--config', path]);
    const shown = await run(['keys', 'show', '--config', path]);
    assert.equal(made.output, `file: ${own}\n${shown.output}`);
  });

  it('says what is wrong with a file that holds no key', async (t) => {
    const file = join(folderFor(t), 'hr.pem');
    assert.match((await run(['keys', 'show', file])).errors, /the key cannot be read: .*hr\.pem is not there/);
    writeFileSync(file, 'hunter2');
    const { code, errors } = await run(['keys', 'show', file]);
    assert.equal(code, EXIT.no);
    assert.match(errors, /holds no Ed25519 key/);
    assert.doesNotMatch(errors, /hunter2/);
  });
});
