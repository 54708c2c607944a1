// The stand-in for rpio: mfrc522-rpi loads with it, and cannot touch a pin through it.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import MFRC522 from 'mfrc522-rpi';

const require = createRequire(import.meta.url);
const rpio: Record<string, unknown> = require('rpio');

test('mfrc522-rpi loads, and its rpio is the stand-in', () => {
  assert.equal(typeof MFRC522, 'function');
  assert.match(createRequire(require.resolve('mfrc522-rpi')).resolve('rpio'), /rpio-package/);
});

test('every function of rpio refuses and says what to do instead', () => {
  const functions = Object.entries(rpio).filter(
    (entry): entry is [string, () => void] => typeof entry[1] === 'function',
  );
  assert.ok(functions.length > 20);
  for (const [name, call] of functions) {
    assert.throws(call, { code: 'hardware-call-unsupported', message: new RegExp(`rpio\\.${name}\\(\\).*resetLine`) });
  }
});

test('constants can be read', () => {
  assert.deepEqual([rpio['OUTPUT'], rpio['HIGH'], rpio['LOW']], [1, 1, 0]);
});

test("mfrc522-rpi's own reset pin is refused", () => {
  const library = new MFRC522({ open: () => {}, write: () => {}, transfer: (frame) => frame });
  assert.throws(() => library.setResetPin(22), { code: 'hardware-call-unsupported' });
});
