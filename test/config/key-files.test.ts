// Keys on the disk: which files are taken, and what is said about the others.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readPrivateKey, readPrivateKeyIfThere, readPublicHalf, readPublicKey } from '../../src/config/key-files.ts';

const written = (t: TestContext, content: string | Buffer, mode = 0o600): string => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'key.pem');
  writeFileSync(path, content, { mode });
  return path;
};

const PKCS8 = { type: 'pkcs8', format: 'pem' } as const;
const SPKI = { type: 'spki', format: 'pem' } as const;
const PAIR = generateKeyPairSync('ed25519');
const X = PAIR.publicKey.export({ format: 'jwk' }).x;
const PRIVATE_PEM = PAIR.privateKey.export(PKCS8);
const PUBLIC_PEM = PAIR.publicKey.export(SPKI);
const PRIVATE_JWK = JSON.stringify(PAIR.privateKey.export({ format: 'jwk' }));
const PUBLIC_JWK = JSON.stringify({ ...PAIR.publicKey.export({ format: 'jwk' }), kid: 'hr', use: 'sig' });

describe('a key file', () => {
  it('may be PEM or JWK, of either half where only the public one is wanted', (t) => {
    for (const text of [PRIVATE_PEM, PUBLIC_PEM, PRIVATE_JWK, PUBLIC_JWK]) {
      assert.equal(readPublicHalf(written(t, text)), X);
    }
    for (const text of [PUBLIC_PEM, PUBLIC_JWK]) assert.equal(readPublicKey(written(t, text, 0o644)), X);
    for (const text of [PRIVATE_PEM, PRIVATE_JWK]) assert.equal(readPrivateKey(written(t, text)).type, 'private');
  });

  it('with a private key is refused where anybody but its owner may use it', (t) => {
    for (const mode of [0o640, 0o620, 0o604, 0o644, 0o601]) {
      const path = written(t, PRIVATE_PEM, 0o600);
      chmodSync(path, mode);
      assert.throws(() => readPrivateKey(path), { code: 'key-unusable', message: /others may read; run chmod 600/ });
    }
  });

  it('with a private key is refused where the public half belongs', (t) => {
    for (const text of [PRIVATE_PEM, PRIVATE_JWK]) {
      assert.throws(() => readPublicKey(written(t, text)), { code: 'key-unusable', message: /stays with its owner/ });
    }
  });

  it('with a public key is refused where everybody may put another one in', (t) => {
    const path = written(t, PUBLIC_PEM);
    chmodSync(path, 0o666);
    assert.throws(() => readPublicKey(path), { code: 'key-unusable', message: /written by everybody; run chmod o-w/ });
  });

  it('with a public key does not sign', (t) => {
    assert.throws(() => readPrivateKey(written(t, PUBLIC_PEM)), { code: 'key-unusable', message: /no private key/ });
  });

  it('with a key of another kind, with a passphrase or with no key at all is refused without repeating what it holds', (t) => {
    const texts = [
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(PKCS8),
      generateKeyPairSync('x25519').publicKey.export(SPKI),
      PAIR.privateKey.export({ ...PKCS8, cipher: 'aes-256-cbc', passphrase: 'hunter2' }),
      '{ "kty": "OKP", "crv": "X25519", "x": "hunter2" }',
      '{ hunter2',
      'hunter2',
      '',
    ];
    for (const text of texts) {
      assert.throws(
        () => readPublicHalf(written(t, text)),
        ({ code, message }) => {
          assert.equal(code, 'key-unusable');
          assert.match(message, /holds no Ed25519 key; allowed: PEM/);
          assert.doesNotMatch(message, /hunter2/);
          return true;
        },
      );
    }
  });

  it('with a key for which anybody can make signatures is refused', (t) => {
    const text = JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) });
    assert.throws(() => readPublicKey(written(t, text)), { code: 'key-unusable', message: /anybody can make/ });
  });

  it('that is not there is a fault where it is needed, and none where it is optional', (t) => {
    const path = join(written(t, ''), '..', 'none.pem');
    assert.throws(() => readPrivateKey(path), { code: 'key-unusable', message: /none\.pem is not there/ });
    assert.equal(readPrivateKeyIfThere(path), undefined);
    assert.throws(() => readPrivateKeyIfThere(join(path, '..')), { code: 'key-unusable', message: /directory/ });
  });
});
