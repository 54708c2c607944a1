import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEY_ID, parsePublicKey, thumbprint } from '../../src/domain/trusted-key.ts';

/** RFC 8037, A.2 and A.3. */
const X = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
const THUMBPRINT = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k';

test('a public key is 32 bytes in base64url, written in the one canonical way', () => {
  assert.equal(parsePublicKey(X), X);
  for (const text of ['', X.slice(1), `${X}=`, ` ${X}`, `${X}A`, X.replace('_', '/'), `${X.slice(0, -1)}p`]) {
    assert.equal(parsePublicKey(text), undefined, text);
  }
});

test('a key of small order, for which a signature fits any message, is no key', () => {
  // With R and S zero the equation holds whenever the hash of the message is a multiple of the order. Older OpenSSL accepts that.
  for (const [first, rest, last] of [
    [0x00, 0x00, 0x00],
    [0x01, 0x00, 0x00],
    [0xec, 0xff, 0x7f],
    [0xed, 0xff, 0x7f],
    [0xee, 0xff, 0x7f],
  ] as const) {
    for (const sign of [0x00, 0x80]) {
      const bytes = Buffer.alloc(32, rest);
      bytes[0] = first;
      bytes[31] = last | sign;
      assert.equal(parsePublicKey(bytes.toString('base64url')), undefined, bytes.toString('hex'));
    }
  }
});

test('the thumbprint is the one of RFC 7638', () => {
  const key = parsePublicKey(X);
  assert.ok(key !== undefined);
  assert.equal(thumbprint(key), THUMBPRINT);
  assert.match(thumbprint(key), KEY_ID);
});
