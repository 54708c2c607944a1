// spidev without a device: what can go wrong is said with the device's name. With one: test/board.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Spidev } from '../../../src/drivers/mfrc522/spidev.ts';

test('a device that is not there is named', () => {
  const bus = new Spidev({ device: '/dev/spidev-that-is-not-there', speedHz: 1_000_000 });
  assert.throws(() => bus.open(), {
    code: 'spi-unavailable',
    message: /cannot open \/dev\/spidev-that-is-not-there: ENOENT/,
  });
});

test('a device that is no SPI device is refused, each time anew', () => {
  const bus = new Spidev({ device: '/dev/null', speedHz: 1_000_000 });
  for (let times = 0; times < 2; times += 1) {
    assert.throws(() => bus.open(), {
      code: 'spi-unavailable',
      message: /\/dev\/null: mode 0 was refused: ENOTTY \(errno 25\)/,
    });
  }
});

test('a transfer on a closed device is refused', () => {
  const bus = new Spidev({ device: '/dev/null', speedHz: 1_000_000 });
  assert.throws(() => bus.exchange([Uint8Array.of(0xee, 0)]), { code: 'spi-transfer-failed', message: /not open/ });
  bus.close();
});
