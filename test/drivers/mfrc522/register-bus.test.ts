// Writes wait for the next read and share its message; nothing is lost, reordered or made too long.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegisterBus } from '../../../src/drivers/mfrc522/register-bus.ts';

const makeBus = () => {
  const messages: number[][][] = [];
  const bus = new RegisterBus({
    open: () => {},
    close: () => {},
    exchange: (frames) => {
      messages.push(frames.map((frame) => [...frame]));
      return frames.map((frame) => frame.map((byte) => byte ^ 0xff));
    },
  });
  return { bus, messages };
};

test('writes wait for a read and go out before it, in order', () => {
  const { bus, messages } = makeBus();
  bus.write(Uint8Array.of(0x02, 1));
  bus.write(Uint8Array.of(0x04, 2));
  assert.deepEqual(messages, []);
  assert.deepEqual(bus.transfer(Uint8Array.of(0x88, 0)), Uint8Array.of(0x77, 0xff));
  assert.deepEqual(messages, [
    [
      [0x02, 1],
      [0x04, 2],
      [0x88, 0],
    ],
  ]);
});

test('flush sends what waits, and nothing when nothing waits', () => {
  const { bus, messages } = makeBus();
  bus.flush();
  bus.write(Uint8Array.of(0x02, 1));
  bus.flush();
  bus.flush();
  assert.deepEqual(messages, [[[0x02, 1]]]);
});

test('bytes for the FIFO share a frame of at most 64 bytes; two writes to another register stay two', () => {
  const { bus, messages } = makeBus();
  for (let byte = 0; byte < 70; byte += 1) bus.write(Uint8Array.of(0x12, byte));
  bus.write(Uint8Array.of(0x02, 1));
  bus.write(Uint8Array.of(0x02, 2));
  bus.flush();
  assert.deepEqual(
    messages.flat().map((frame) => frame.length),
    [64, 8, 2, 2],
  );
  assert.deepEqual(
    messages
      .flat()
      .slice(0, 2)
      .flatMap((frame) => frame.slice(1)),
    Array.from({ length: 70 }, (_, byte) => byte),
  );
});

test('no message has more than 16 frames', () => {
  const { bus, messages } = makeBus();
  for (let value = 0; value < 40; value += 1) bus.write(Uint8Array.of(0x02, value));
  bus.read([0x37], [0x04]);
  assert.ok(messages.every((frames) => frames.length <= 16));
  assert.deepEqual(
    messages.flat().map(([, value]) => value),
    [...Array.from({ length: 40 }, (_, value) => value), 0, 0],
  );
});

test('a read of several registers is one frame that names each, and a zero', () => {
  const { bus, messages } = makeBus();
  const [values] = bus.read([0x04, 0x06, 0x09]);
  assert.deepEqual(messages, [[[0x88, 0x8c, 0x92, 0]]]);
  assert.deepEqual(values, Uint8Array.of(0x73, 0x6d, 0xff));
});

test('messages, frames and bytes are counted', () => {
  const { bus } = makeBus();
  bus.write(Uint8Array.of(0x02, 1));
  bus.read([0x37]);
  bus.read([0x37, 0x37]);
  assert.deepEqual(bus.counters, { messages: 2, frames: 3, bytes: 7 });
});

test('what waited is dropped when the bus is opened anew', () => {
  const { bus, messages } = makeBus();
  bus.write(Uint8Array.of(0x02, 1));
  bus.open();
  bus.flush();
  assert.deepEqual(messages, []);
});
