// Reading one card through the chip: 4, 7 and 10 bytes, and everything that must not become a UID.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readCard } from '../../../src/drivers/mfrc522/card-select.ts';
import { crcA } from '../../../src/drivers/mfrc522/crc-a.ts';
import { makeFakeMfrc522Bench } from '../../fakes/fake-mfrc522-bench.ts';
import { FakeCard, toBits } from '../../fakes/fake-mfrc522-card.ts';

const hex = (uid: Uint8Array): string => Buffer.from(uid).toString('hex');

const makeBench = (options: Parameters<typeof makeFakeMfrc522Bench>[0] = {}) => {
  const bench = makeFakeMfrc522Bench(options);
  bench.chip.reset();
  const read = (): string => {
    const result = readCard(bench.chip, false);
    return result.kind === 'card' ? hex(result.uid) : result.kind === 'ambiguous' ? result.cause : result.kind;
  };
  /** Lets a card that has just come gain power. */
  const settle = (): void => {
    bench.chip.check();
    bench.sleep(10);
    bench.chip.check();
  };
  return { ...bench, read, settle };
};

test('the CRC of a HLTA frame is the one of ISO/IEC 14443-3, annex B', () => {
  assert.deepEqual(crcA([0x00, 0x00]), [0xa0, 0x1e]);
  assert.deepEqual(crcA([0x12, 0x34]), [0x26, 0xcf]);
});

test('nobody in the field is a clean silence', () => {
  assert.equal(makeBench().read(), 'none');
});

for (const uid of ['deadbeef', '00000000', 'ffffffff', '04a2b3c4d5e680', '04112233445566778899', '08123456']) {
  test(`a card with UID ${uid} is read to the last byte, again and again`, () => {
    const bench = makeBench();
    const card = bench.present(uid);
    bench.settle();
    for (let times = 0; times < 5; times += 1) {
      assert.equal(bench.read(), uid);
      assert.equal(card.state, 'halt');
    }
  });
}

test('a 4-byte UID that begins with the cascade tag 88 is read as 4 bytes, because the SAK says complete', () => {
  const bench = makeBench();
  bench.present('88aabbcc');
  bench.settle();
  assert.equal(bench.read(), '88aabbcc');
});

test('a cascade bit without the cascade tag is refused', () => {
  const bench = makeBench();
  bench.present('11223344');
  bench.settle();
  bench.fake.air = (reply) => (reply.bits.length === 24 ? { ...reply, bits: toBits([0x04, ...crcA([0x04])]) } : reply);
  assert.equal(bench.read(), 'noise');
});

test('a fourth cascade level is refused', () => {
  const bench = makeBench();
  bench.present('04112233445588667788');
  bench.settle();
  bench.fake.air = (reply) => (reply.bits.length === 24 ? { ...reply, bits: toBits([0x04, ...crcA([0x04])]) } : reply);
  assert.equal(bench.read(), 'noise');
});

test('a wrong check byte, a wrong SAK checksum and any error bit but a collision are noise', () => {
  for (const length of [16, 40, 24]) {
    for (const error of [0x01, 0x02, 0x04, 0x10]) {
      const bench = makeBench();
      bench.present('11223344');
      bench.settle();
      bench.fake.air = (reply) => (reply.bits.length === length ? { ...reply, error } : reply);
      assert.equal(bench.read(), 'noise');
    }
  }
  for (const length of [40, 24]) {
    for (let flipped = 0; flipped < length; flipped += 1) {
      const bench = makeBench();
      bench.present('11223344');
      bench.settle();
      bench.fake.air = (reply) =>
        reply.bits.length === length
          ? { ...reply, bits: reply.bits.map((bit, at) => (at === flipped ? bit ^ 1 : bit)) }
          : reply;
      assert.equal(bench.read(), 'noise');
    }
  }
});

test('a reply cut short anywhere is a short read', () => {
  for (const length of [16, 40, 24]) {
    for (let kept = 5; kept < length; kept += 1) {
      const bench = makeBench();
      bench.present('11223344');
      bench.settle();
      bench.fake.air = (reply) =>
        reply.bits.length === length ? { ...reply, bits: reply.bits.slice(0, kept) } : reply;
      assert.equal(bench.read(), 'short-read', `${kept} of ${length} bits`);
    }
  }
});

test('a card that leaves in the middle is a short read', () => {
  for (const length of [40, 24]) {
    const bench = makeBench();
    bench.present('11223344');
    bench.settle();
    bench.fake.air = (reply) => (reply.bits.length === length ? { ...reply, bits: [] } : reply);
    assert.equal(bench.read(), 'short-read');
  }
});

test('two cards that differ in any way are a collision', () => {
  const pairs = [
    ['11223344', '11223345'], // UID
    ['11223344', '04a2b3c4d5e680'], // ATQA
    ['04a2b3c4d5e680', '04a2b3c4d5e681'], // second cascade level
    ['04a2b3c4d5e6f7080910', '04a2b3c4d5e6f7080911'], // third
    ['88aabbcc', 'aabbcc11223344'], // SAK
    ['aabbcc11223344', 'aabbcc11223344556677'],
  ] as const;
  for (const [one, other] of pairs) {
    const bench = makeBench();
    bench.present(one);
    bench.present(other);
    bench.settle();
    assert.equal(bench.read(), 'collision', `${one} and ${other}`);
  }
});

test('a card left awake by a failed read is silent once and answers then', () => {
  const bench = makeBench();
  bench.present('11223344');
  bench.settle();
  bench.fake.air = (reply) => (reply.bits.length === 40 ? { ...reply, error: 0x02 } : reply);
  assert.equal(bench.read(), 'noise');
  bench.fake.air = (reply) => reply;
  assert.equal(bench.read(), 'none');
  assert.equal(bench.read(), '11223344');
});

const anyUid = fc.constantFrom(4, 7, 10).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));

test('property: any one card is read exactly', () => {
  fc.assert(
    fc.property(anyUid, (uid) => {
      const bench = makeBench();
      bench.fake.cards.push(new FakeCard(uid));
      bench.settle();
      assert.equal(bench.read(), hex(uid));
    }),
    { numRuns: 200 },
  );
});
