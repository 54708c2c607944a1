// Sizes and offsets as a C compiler lays out linux/gpio.h; the fake kernel and the virtual board check the meaning.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  decodeLineEvents,
  decodeValues,
  encodeInputRequest,
  encodeOutputRequest,
  encodeValue,
  GPIO_IOCTL,
  newChipInfo,
  newLineInfo,
  newValues,
} from '../../../src/drivers/gpio/gpio-uapi.ts';

describe('GPIO uAPI v2', () => {
  it('passes structs of the size that each ioctl number says', () => {
    const sizes = [
      [GPIO_IOCTL.getChipInfo, newChipInfo()],
      [GPIO_IOCTL.getLineInfo, newLineInfo(3)],
      [GPIO_IOCTL.getLine, encodeOutputRequest([{ line: 1, level: 0, pull: 'up' }], 'cardea')],
      [GPIO_IOCTL.getValues, newValues(2)],
      [GPIO_IOCTL.setValues, encodeValue(0, 1)],
    ] as const;
    for (const [request, argument] of sizes) assert.equal((request >>> 16) & 0x3fff, argument.length);
  });

  it('keeps the consumer within its field', () => {
    const request = encodeOutputRequest([{ line: 1, level: 0, pull: 'up' }], 'x'.repeat(100));
    assert.equal(request[256 + 30], 'x'.charCodeAt(0));
    assert.equal(request[256 + 31], 0);
  });

  it('leaves out attributes that apply to no line, and a debounce of nothing', () => {
    const options = { debounce: 0, eventBufferSize: 32 };
    const request = encodeInputRequest([{ line: 4, pull: 'up' }], 'cardea', options);
    assert.equal(request.readUInt32LE(296), 1);
    assert.equal(request.readUInt32LE(564), 32);
  });

  it('addresses values by their place in the request, up to the 64th', () => {
    const value = encodeValue(63, 1);
    assert.equal(value.readBigUInt64LE(0), 1n << 63n);
    assert.equal(value.readBigUInt64LE(8), 1n << 63n);
    const values = newValues(64);
    assert.equal(values.readBigUInt64LE(8), (1n << 64n) - 1n);
    values.writeBigUInt64LE(1n << 63n, 0);
    assert.equal(decodeValues(values, 64)[63], 1);
    assert.equal(decodeValues(values, 64)[62], 0);
  });

  it('takes only whole events from what was read', () => {
    assert.deepEqual(decodeLineEvents(Buffer.alloc(96), 60).length, 1);
    assert.deepEqual(decodeLineEvents(Buffer.alloc(96), 0), []);
  });
});
