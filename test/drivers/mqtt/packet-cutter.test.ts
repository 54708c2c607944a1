import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { generate, type IPublishPacket, type Packet, parser } from 'mqtt-packet';
import { PacketCutter } from '../../../src/drivers/mqtt/packet-cutter.ts';

const LIMIT = 128 * 1024;

const publish = (messageId: number, payloadBytes: number): Buffer =>
  generate({
    cmd: 'publish',
    topic: 'a/b',
    qos: 1,
    dup: false,
    retain: false,
    messageId,
    payload: Buffer.alloc(payloadBytes, 1),
  });

const split = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const at = [0, ...[...new Set(cuts.map((cut) => cut % bytes.length))].sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
};

const run = (chunks: readonly Buffer[]): { bytes: Buffer; cut: number[] } => {
  const cut: number[] = [];
  const cutter = new PacketCutter({ limit: LIMIT, onCut: (size) => cut.push(size) });
  return { bytes: Buffer.concat(chunks.flatMap((chunk) => cutter.pass(chunk))), cut };
};

const parse = (bytes: Buffer): Packet[] => {
  const packets: Packet[] = [];
  const stream = parser();
  stream.on('packet', (packet: Packet) => packets.push(packet));
  stream.parse(bytes);
  return packets;
};

test('a chunk of ordinary packets goes on as the very same bytes', () => {
  const chunk = Buffer.concat([generate({ cmd: 'pingresp' }), publish(1, 0), publish(2, 200), publish(3, 20_000)]);
  const cutter = new PacketCutter({ limit: LIMIT, onCut: () => assert.fail() });
  const [only, ...more] = cutter.pass(chunk);
  assert.equal(more.length, 0);
  assert.equal(only?.buffer, chunk.buffer);
  assert.deepEqual(only, chunk);
});

test('a giant packet goes on shortened, with its topic and id, and the packets around it are whole', () => {
  const giant = publish(2, 5 * LIMIT);
  const { bytes, cut } = run(
    split(Buffer.concat([publish(1, 10), giant, publish(3, 10)]), [LIMIT, 2 * LIMIT, 3 * LIMIT]),
  );
  const packets = parse(bytes).filter((packet): packet is IPublishPacket => packet.cmd === 'publish');
  assert.deepEqual(
    packets.map(({ messageId, topic }) => [messageId, topic]),
    [
      [1, 'a/b'],
      [2, 'a/b'],
      [3, 'a/b'],
    ],
  );
  assert.deepEqual(cut, [giant.length]);
  assert.ok(Buffer.byteLength(packets[1]?.payload ?? '') < LIMIT);
  assert.ok(Buffer.byteLength(packets[1]?.payload ?? '') > LIMIT - 100);
});

test('wherever the stream is split, what comes out is the same', () => {
  const stream = Buffer.concat([
    publish(1, 10),
    publish(2, LIMIT - 20),
    publish(3, LIMIT + 1),
    publish(4, 130),
    publish(5, 3 * LIMIT),
  ]);
  const expected = run([stream]);
  assert.equal(expected.cut.length, 2);
  const nearHeaders = [
    0,
    1,
    2,
    3,
    4,
    5,
    18,
    19,
    20,
    21,
    22,
    LIMIT + 10,
    LIMIT + 20,
    LIMIT + 25,
    2 * LIMIT + 30,
    2 * LIMIT + 40,
  ];
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat(stream.length - 1), fc.constantFrom(...nearHeaders)), { maxLength: 30 }),
      (cuts) => {
        const actual = run(split(stream, cuts));
        assert.ok(actual.bytes.equals(expected.bytes));
        assert.deepEqual(actual.cut, expected.cut);
      },
    ),
  );
  const everyByte = stream.subarray(0, 4_000);
  const oneByOne = run(split(everyByte, [...everyByte.keys()]));
  assert.ok(oneByOne.bytes.equals(run([everyByte]).bytes));
});
