// The keys of a gateway on the disk, and what is made of them.

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { TrustConfig } from '../src/config/config.ts';
import { thumbprint } from '../src/domain/trusted-key.ts';
import { loadTrust } from '../src/gateway-trust.ts';
import { unsignedEnvelope, unsignedSeal } from '../src/wire/message-envelope.ts';
import { signatureOpener } from '../src/wire/signed-message.ts';
import { type SigningKey, signingKey } from './fixtures/signing-keys.ts';

const HR = signingKey('hr-2026', 'bind');
const NEXT = signingKey('hr-2027', 'bind');
const OWN = signingKey('own');

const setUp = (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-trust-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const write = (name: string, { publicKey, privateKey }: SigningKey): void => {
    const pem = name.endsWith('pub')
      ? publicKey.export({ type: 'spki', format: 'pem' })
      : privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(join(folder, name), pem, { mode: 0o600 });
  };
  const trust: TrustConfig = {
    messages: 'signed',
    keys: [{ kid: 'hr-2026', may: ['bind'], publicKeyFile: join(folder, 'hr.pub') }],
    gatewayKey: { file: join(folder, 'own.pem'), isRequired: false },
  };
  return { folder, write, trust };
};

const opens = async ({ seal }: SigningKey, envelope: Awaited<ReturnType<typeof loadTrust>>['envelope']) =>
  (await envelope(Buffer.from(await seal('{}')), 'card-bound')).kind === 'opened';

describe('the trust of a gateway', () => {
  it('opens what a listed key has signed, from its file or from the configuration', async (t) => {
    const { write, trust } = setUp(t);
    write('hr.pub', HR);
    const { kid, publicKey, may } = NEXT.trusted;
    const { envelope } = await loadTrust({ trust: { ...trust, keys: [...trust.keys, { kid, publicKey, may }] } });
    assert.deepEqual(
      [await opens(HR, envelope), await opens(NEXT, envelope), await opens(OWN, envelope)],
      [true, true, false],
    );
  });

  it('asks for no signature where messages are unsigned', async (t) => {
    const { trust } = setUp(t);
    const { envelope } = await loadTrust({ trust: { ...trust, messages: 'unsigned' } });
    assert.equal(envelope, unsignedEnvelope);
  });

  it('seals nothing without a key of its own', async (t) => {
    const { write, trust } = setUp(t);
    write('hr.pub', HR);
    const { seal, keyId } = await loadTrust({ trust });
    assert.deepEqual([seal, keyId], [unsignedSeal, undefined]);
  });

  it('seals with its own key, under the thumbprint, also where HR signs nothing', async (t) => {
    const { write, trust } = setUp(t);
    write('own.pem', OWN);
    const { seal, keyId } = await loadTrust({ trust: { ...trust, messages: 'unsigned' } });
    const { publicKey } = OWN.trusted;
    assert.equal(keyId, thumbprint(publicKey));
    const opened = await signatureOpener([{ kid: thumbprint(publicKey), publicKey, may: [] }])(
      Buffer.from(await seal('{}')),
    );
    assert.equal(opened.kind, 'opened');
  });

  it('sees other keys when it is loaded again', async (t) => {
    const { write, trust } = setUp(t);
    write('hr.pub', HR);
    const before = await loadTrust({ trust });
    write('hr.pub', signingKey('hr-2026', 'bind'));
    const after = await loadTrust({ trust });
    assert.deepEqual([await opens(HR, before.envelope), await opens(HR, after.envelope)], [true, false]);
  });

  it('is refused with the file and the remedy where a key cannot be used', async (t) => {
    const { write, trust, folder } = setUp(t);
    await assert.rejects(loadTrust({ trust }), { code: 'key-unusable', message: /hr\.pub is not there/ });
    write('hr.pub', HR);
    write('own.pem', OWN);
    chmodSync(join(folder, 'own.pem'), 0o640);
    await assert.rejects(loadTrust({ trust }), { code: 'key-unusable', message: /own\.pem .* run chmod 600 on it/ });
    const gatewayKey = { file: join(folder, 'none.pem'), isRequired: true };
    await assert.rejects(loadTrust({ trust: { ...trust, gatewayKey } }), {
      code: 'key-unusable',
      message: /none\.pem is not there/,
    });
  });
});
