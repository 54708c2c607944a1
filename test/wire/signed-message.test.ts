// What opens and what does not: the rules one by one. Forgeries in bulk stand in forged-messages.test.ts.

import assert from 'node:assert/strict';
import { createHmac, sign } from 'node:crypto';
import { describe, it } from 'node:test';
import { HR_MESSAGE_TYPES, unsignedEnvelope } from '../../src/wire/message-envelope.ts';
import { NEEDED_PERMISSION, sealWith, signedEnvelope } from '../../src/wire/signed-message.ts';
import { signingKey } from '../fixtures/signing-keys.ts';
import { SHORT_BOUND } from './messages.ts';

const HR = signingKey('hr-2026', 'bind', 'revoke', 'roster', 'command', 'calendar', 'events');
const GUARDS = signingKey('guards', 'revoke', 'command');
const STRANGER = signingKey('hr-2026', 'bind', 'revoke', 'roster');
const open = signedEnvelope([HR.trusted, GUARDS.trusted]);

const JSON_TEXT = JSON.stringify({ ...SHORT_BOUND, cardholder: { id: 'E1001', name: 'Zoë 王' } });
const encode = (text: string): string => Buffer.from(text).toString('base64url');
const code = async (jws: string, type: (typeof HR_MESSAGE_TYPES)[number] = 'card-bound') => {
  const opened = await open(Buffer.from(jws, 'latin1'), type);
  return opened.kind === 'opened' ? 'opened' : opened.code;
};
const detail = async (jws: string, type: (typeof HR_MESSAGE_TYPES)[number] = 'card-bound') => {
  const opened = await open(Buffer.from(jws, 'latin1'), type);
  return opened.kind === 'opened' ? 'opened' : opened.detail;
};
/** With HR's own signature under any header. */
const withHeader = (header: string, { privateKey } = HR): string => {
  const content = `${encode(header)}.${encode(JSON_TEXT)}`;
  return `${content}.${sign(null, Buffer.from(content), privateKey).toString('base64url')}`;
};

describe('a signed message', () => {
  it('opens to exactly the bytes that were signed', async () => {
    const opened = await open(Buffer.from(await HR.seal(JSON_TEXT)), 'card-bound');
    assert.ok(opened.kind === 'opened');
    assert.equal(Buffer.from(opened.json).toString(), JSON_TEXT);
  });

  it('opens when another implementation has made it, with or without typ and cty', async () => {
    assert.equal(await code(withHeader('{"alg":"EdDSA","kid":"hr-2026"}')), 'opened');
    assert.equal(await code(withHeader('{ "typ": "JWT", "cty": "json", "kid": "hr-2026", "alg": "EdDSA" }')), 'opened');
  });

  it('opens as a slice of a larger buffer', async () => {
    const jws = Buffer.from(await HR.seal(JSON_TEXT));
    const larger = Buffer.concat([Buffer.from('{"x":'), jws, Buffer.from('}')]);
    const opened = await open(larger.subarray(5, 5 + jws.length), 'card-bound');
    assert.equal(opened.kind, 'opened');
  });

  it('of two keys in overlap opens with either, and with neither once it is gone from the list', async () => {
    const next = signingKey('hr-2027', 'bind');
    const [old, young] = [await HR.seal(JSON_TEXT), await next.seal(JSON_TEXT)];
    const kindsWith = (keys: Parameters<typeof signedEnvelope>[0]) =>
      Promise.all([old, young].map(async (jws) => (await signedEnvelope(keys)(Buffer.from(jws), 'card-bound')).kind));
    assert.deepEqual(await kindsWith([HR.trusted]), ['opened', 'refused']);
    assert.deepEqual(await kindsWith([HR.trusted, next.trusted]), ['opened', 'opened']);
    assert.deepEqual(await kindsWith([next.trusted]), ['refused', 'opened']);
  });

  it('needs the permission for its type, which is said after the signature was checked', async () => {
    assert.deepEqual(
      HR_MESSAGE_TYPES.map((type) => NEEDED_PERMISSION[type]),
      ['bind', 'revoke', 'calendar', 'roster', 'roster', 'events', 'command'],
    );
    const sealed = await GUARDS.seal(JSON_TEXT);
    assert.equal(await code(sealed, 'card-revoked'), 'opened');
    assert.equal(await code(sealed), 'not-permitted');
    assert.equal(await detail(sealed), 'key "guards" lacks the permission "bind" here');
    for (const type of HR_MESSAGE_TYPES) assert.equal(await code(await HR.seal(JSON_TEXT), type), 'opened');
    const forged = await sealWith(STRANGER.privateKey, 'guards')(JSON_TEXT);
    assert.equal(await code(forged), 'bad-signature');
  });
});

describe('a message that is not signed', () => {
  it('is refused, with what to do', async () => {
    for (const text of [JSON_TEXT, ` \n${JSON_TEXT}`, '', ' ', '[1]', '"text"'])
      assert.equal(await code(text), 'not-signed');
    assert.match(await detail(JSON_TEXT), /not signed; expected is its JSON as JWS compact, alg EdDSA/);
  });

  it('is refused in the JSON forms of a JWS, too', async () => {
    const [header, payload, signature] = (await HR.seal(JSON_TEXT)).split('.');
    assert.equal(await code(JSON.stringify({ protected: header, payload, signature })), 'not-signed');
    assert.equal(await code(JSON.stringify({ payload, signatures: [{ protected: header, signature }] })), 'not-signed');
  });
});

describe('an unsigned envelope', () => {
  it('says to the sender of a signed message that this gateway is set up for unsigned ones', async () => {
    const opened = await unsignedEnvelope(Buffer.from(await HR.seal(JSON_TEXT)), 'card-bound');
    assert.ok(opened.kind === 'refused');
    assert.equal(opened.code, 'invalid-message');
    assert.match(opened.detail, /trust\.messages: unsigned/);
  });

  it('leaves everything else to the decoder', async () => {
    for (const text of [JSON_TEXT, '', 'nonsense', '1.2.3', 'e']) {
      const opened = await unsignedEnvelope(Buffer.from(text), 'card-bound');
      assert.ok(opened.kind === 'opened');
      assert.equal(Buffer.from(opened.json).toString(), text);
    }
  });
});

describe('a key that is not trusted', () => {
  it('is named, and is unknown without a name', async () => {
    assert.equal(await detail(withHeader('{"alg":"EdDSA","kid":"hr-2019"}')), 'no key "hr-2019" is trusted here');
    assert.equal(await code(withHeader('{"alg":"EdDSA","kid":"hr-2019"}')), 'unknown-key');
    assert.equal(await code(withHeader('{"alg":"EdDSA"}')), 'unknown-key');
    for (const kid of ['', 'HR-2026', 'hr-2026 ', '__proto__', 'constructor']) {
      assert.equal(await code(withHeader(JSON.stringify({ alg: 'EdDSA', kid }))), 'unknown-key', kid);
    }
  });

  it('does not become a trusted one by its name', async () => {
    assert.equal(await code(await STRANGER.seal(JSON_TEXT)), 'bad-signature');
  });
});

describe('the header', () => {
  it('has no algorithm but the one', async () => {
    const old = (await HR.seal(JSON_TEXT)).split('.')[2];
    for (const alg of ['none', 'None', 'HS256', 'RS256', 'ES256', 'Ed25519', 'Ed448', 'eddsa', '', null, ['EdDSA']]) {
      const header = JSON.stringify({ alg, kid: 'hr-2026' });
      assert.equal(await code(withHeader(header)), 'bad-signature', String(alg));
      assert.equal(await code(`${encode(header)}.${encode(JSON_TEXT)}.${old}`), 'bad-signature');
      assert.equal(await code(`${encode(header)}.${encode(JSON_TEXT)}.`), 'bad-signature');
    }
    assert.equal(await code(withHeader('{"kid":"hr-2026"}')), 'bad-signature');
  });

  it('does not turn the public key into a shared secret', async () => {
    const content = `${encode('{"alg":"HS256","kid":"hr-2026"}')}.${encode(JSON_TEXT)}`;
    const secrets = [
      HR.trusted.publicKey,
      Buffer.from(HR.trusted.publicKey, 'base64url'),
      HR.publicKey.export({ type: 'spki', format: 'pem' }),
      HR.publicKey.export({ type: 'spki', format: 'der' }),
    ];
    for (const secret of secrets) {
      for (const hash of ['sha256', 'sha512']) {
        const mac = createHmac(hash, secret).update(content).digest('base64url');
        assert.equal(await code(`${content}.${mac}`), 'bad-signature');
      }
    }
  });

  it('brings no key, no certificate and no extension along', async () => {
    const jwk = STRANGER.publicKey.export({ format: 'jwk' });
    const extras = {
      jwk,
      jku: 'https://evil.example/keys',
      x5c: ['MIIB'],
      x5u: 'https://evil.example/cert',
      x5t: 'AAAA',
      b64: false,
      crit: ['b64'],
      enc: 'A128GCM',
      zip: 'DEF',
      'x-note': 1,
      ['__proto__']: 1,
    };
    for (const [name, value] of Object.entries(extras)) {
      const header = JSON.stringify({ alg: 'EdDSA', kid: 'hr-2026', [name]: value });
      for (const key of [HR, STRANGER]) assert.equal(await code(withHeader(header, key)), 'bad-signature', name);
    }
    assert.match(
      await detail(withHeader('{"alg":"EdDSA","kid":"hr-2026","crit":["b64"],"b64":false}')),
      /the header: crit/,
    );
    const own = '{"alg":"EdDSA","kid":"hr-2026","__proto__":{}}';
    assert.equal(await code(withHeader(own)), 'bad-signature');
  });

  it('is one JSON object in UTF-8 with each name once', async () => {
    const headers = [
      '{"alg":"EdDSA","alg":"EdDSA","kid":"hr-2026"}',
      '{"alg":"none","\\u0061lg":"EdDSA","kid":"hr-2026"}',
      '{"alg":"EdDSA","kid":"hr-2026","kid":"guards"}',
      '["EdDSA"]',
      '"EdDSA"',
      'null',
      '{"alg":"EdDSA","kid":"hr-2026"} ,',
      '\ufeff{"alg":"EdDSA","kid":"hr-2026"}',
      '{"alg":"EdDSA","kid":2026}',
    ];
    for (const header of headers) assert.equal(await code(withHeader(header)), 'bad-signature', header);
    const latin = `${Buffer.from('{"alg":"EdDSA","kid":"hr-2026","typ":"\xff"}', 'latin1').toString('base64url')}`;
    const [, payload, signature] = (await HR.seal(JSON_TEXT)).split('.');
    assert.equal(await code(`${latin}.${payload}.${signature}`), 'bad-signature');
  });

  it('is short', async () => {
    const long = JSON.stringify({ alg: 'EdDSA', kid: 'hr-2026', typ: 'x'.repeat(400) });
    assert.equal(await code(withHeader(long)), 'bad-signature');
    assert.match(await detail(withHeader(long)), /more than 512 characters/);
  });
});

describe('the spelling of a message', () => {
  it('has three parts, and nothing around or between them', async () => {
    const jws = await HR.seal(JSON_TEXT);
    const [header = '', payload = '', signature = ''] = jws.split('.');
    const spellings = [
      `${header}.${payload}`,
      `${header}.${payload}.${signature}.`,
      `.${payload}.${signature}`,
      `${header}..${signature}`,
      `${header}.${payload}.`,
      `${jws}=`,
      `${jws}==`,
      `${jws}\n`,
      `${jws}\0`,
      `\ufeff${jws}`,
      `${header}=.${payload}.${signature}`,
      `${header}. ${payload}.${signature}`,
      `${header}.${payload.slice(0, 8)}\n${payload.slice(8)}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -1)}`,
      `${header}.${payload}.${signature}A`,
      `${header}.${payload}.${signature.replaceAll('-', '+').replaceAll('_', '/')}+`,
    ];
    for (const text of spellings) assert.equal(await code(text), 'bad-signature', text);
    assert.equal(await code(` ${jws}`), 'bad-signature');
  });

  it('has no second one in bits that decode to nothing', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (const padding of ['', ' ', '  ']) {
      const parts = (await HR.seal(JSON_TEXT + padding)).split('.');
      for (const [index, part] of parts.entries()) {
        const idle = [0, 0, 15, 3][part.length % 4] ?? 0;
        const last = alphabet.indexOf(part.slice(-1));
        for (let bits = 1; bits <= idle; bits++) {
          const twin = part.slice(0, -1) + alphabet[last | bits];
          assert.ok(Buffer.from(twin, 'base64url').equals(Buffer.from(part, 'base64url')), 'decodes alike');
          assert.equal(await code(parts.with(index, twin).join('.')), 'bad-signature');
        }
      }
    }
  });

  it('has no second one in a signature moved by the order of the group', async () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const [header, payload, signature = ''] = (await HR.seal(JSON_TEXT)).split('.');
    const bytes = Buffer.from(signature, 'base64url');
    let scalar = order + BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`);
    for (let i = 32; i < 64; i++, scalar >>= 8n) bytes[i] = Number(scalar & 0xffn);
    assert.equal(await code(`${header}.${payload}.${bytes.toString('base64url')}`), 'bad-signature');
  });
});
