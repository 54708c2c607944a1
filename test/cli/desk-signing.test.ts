// Which key signs a desk command, and what is believed of what comes back.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { deskSeal, gatewayOpener } from '../../src/cli/desk-signing.ts';
import { checkConfig } from '../../src/config/check.ts';
import type { Config } from '../../src/config/config.ts';
import { thumbprint } from '../../src/domain/trusted-key.ts';
import { isSigned, unsignedSeal } from '../../src/wire/message-envelope.ts';
import { sealWith, signedEnvelope } from '../../src/wire/signed-message.ts';
import { type SigningKey, signingKey } from '../fixtures/signing-keys.ts';
import { folderFor, run } from './cli-bench.ts';

const HR = signingKey('hr-2026', 'bind', 'revoke');
const GUARDS = signingKey('guards', 'revoke');
const STRANGER = signingKey('stranger', 'bind');

const TEXT = `
site: hq
gateway: demo
dataDir: .
mqtt: { embedded: {} }
gpio: { driver: simulated }
doors: { front: { strike: {} } }
trust:
  keys:
    hr-2026: { publicKey: ${HR.trusted.publicKey}, may: [bind, revoke] }
    guards: { publicKeyFile: guards.pem, may: [revoke] }
  gatewayKeyFile: gateway.pem
`;

const UNSIGNED = TEXT.replace(/trust:.*/s, 'trust: { messages: unsigned }');

const setUp = (t: TestContext, text = TEXT) => {
  const folder = folderFor(t);
  const path = join(folder, 'cardea.yaml');
  writeFileSync(path, text);
  writeFileSync(join(folder, 'guards.pem'), GUARDS.publicKey.export({ type: 'spki', format: 'pem' }));
  const { config } = checkConfig(text, path);
  assert.ok(config !== undefined);
  const keyFile = ({ privateKey }: SigningKey, name = 'key.pem'): string => {
    const file = join(folder, name);
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    return file;
  };
  return { path, config, keyFile };
};

const kindOf = async (config: Config, keyFile: string) => {
  const sealed = await deskSeal(config, 'card-revoked', keyFile)('{}');
  return (await signedEnvelope([HR.trusted, GUARDS.trusted])(Buffer.from(sealed), 'card-revoked')).kind;
};

describe('the seal of a desk command', () => {
  it('is made with the given key, under the name that the configuration has for it', async (t) => {
    const { config, keyFile } = setUp(t);
    for (const key of [HR, GUARDS]) assert.equal(await kindOf(config, keyFile(key)), 'opened');
  });

  it('is none where messages are unsigned, and a key would be too many there', (t) => {
    const { config, keyFile } = setUp(t, UNSIGNED);
    assert.equal(deskSeal(config, 'card-bound', undefined), unsignedSeal);
    assert.throws(() => deskSeal(config, 'card-bound', keyFile(HR)), {
      code: 'invalid-request',
      message: /leave --key out/,
    });
  });

  it('needs a key where messages are signed', (t) => {
    const { config } = setUp(t);
    assert.throws(() => deskSeal(config, 'card-bound', undefined), { code: 'invalid-request', message: /--key FILE/ });
  });

  it('is not made with a key that the gateway does not list, or not for this', (t) => {
    const { config, keyFile } = setUp(t);
    const stranger = keyFile(STRANGER);
    assert.throws(() => deskSeal(config, 'card-bound', stranger), {
      code: 'key-unusable',
      message: `the key in ${stranger} is none of trust.keys in the configuration; its publicKey is ${STRANGER.trusted.publicKey}`,
    });
    assert.throws(() => deskSeal(config, 'card-bound', keyFile(GUARDS)), {
      code: 'key-unusable',
      message: 'the key "guards" may not send card-bound: "bind" is not in trust.keys.guards.may',
    });
  });

  it('is asked for before anything is sent', async (t) => {
    const { path } = setUp(t);
    const { code, errors } = await run(['desk', 'bind', '04A2B3C4D5E680', '--cardholder', 'E1', '--config', path]);
    assert.equal(code, 2);
    assert.match(errors, /^cardea: the gateway takes signed messages only/);
  });
});

describe('what the gateway says', () => {
  const json = '{"type":"status"}';
  const textOf = async (config: Config, payload: string) => {
    const opened = await gatewayOpener(config)(Buffer.from(payload));
    return opened && Buffer.from(opened).toString();
  };

  it('is checked where the gateway’s key can be read', async (t) => {
    const { config, keyFile } = setUp(t);
    const gateway = signingKey('any');
    keyFile(gateway, 'gateway.pem');
    const kid = thumbprint(gateway.trusted.publicKey);
    assert.equal(await textOf(config, await sealWith(gateway.privateKey, kid)(json)), json);
    assert.equal(await textOf(config, await sealWith(STRANGER.privateKey, kid)(json)), undefined);
    assert.equal(await textOf(config, json), undefined);
  });

  it('is read unchecked where the key is on another machine', async (t) => {
    const { config } = setUp(t);
    const sealed = await STRANGER.seal(json);
    assert.ok(isSigned(Buffer.from(sealed)));
    assert.equal(await textOf(config, sealed), json);
    assert.equal(await textOf(config, json), json);
  });
});
