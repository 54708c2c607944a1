import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { bucketOf, DIGEST_BYTES, digestOf, emptyRoster, toggleCard } from '../../src/domain/roster-digest.ts';
import { cardNumber, revision } from './samples.ts';

const CARD = fc
  .uint8Array({ minLength: 4, maxLength: 4 })
  .map((uid) => `F${Buffer.from(uid).toString('hex').slice(1)}`.toUpperCase());
const ROSTER = fc.uniqueArray(fc.tuple(CARD, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })), {
  selector: ([card]) => card,
  maxLength: 30,
});

/** As PROTOCOL.md words it, apart from the code under test. */
const bucketsOf = (roster: readonly (readonly [string, number])[]): Uint8Array => {
  const buckets = new Uint8Array(2048);
  for (const [card, at] of roster) {
    const bucket = createHash('sha256').update(card, 'ascii').digest()[0] ?? 0;
    const value = createHash('sha256').update(`${card}|${at}`, 'ascii').digest().subarray(0, 8);
    value.forEach((byte, i) => {
      buckets[8 * bucket + i] = (buckets[8 * bucket + i] ?? 0) ^ byte;
    });
  }
  return buckets;
};

const toggled = (roster: readonly (readonly [string, number])[]): Uint8Array => {
  const { buckets } = emptyRoster();
  for (const [card, at] of roster) toggleCard(buckets, cardNumber(card), revision(at));
  return buckets;
};

test('the bucket of a card is the first byte of the SHA-256 of its number', () => {
  // Recomputed with sha256sum.
  assert.equal(bucketOf(cardNumber('DEADBEEF')), 0xf2);
  assert.equal(bucketOf(cardNumber('04A2B3C4D5E680')), 0xe7);
  assert.ok([...Array(300).keys()].every((n) => bucketOf(cardNumber(`F${n.toString(16).padStart(7, '0')}`)) < 256));
});

test('the buckets are those of PROTOCOL.md, in whatever order the cards came', () => {
  fc.assert(
    fc.property(
      ROSTER.chain((roster) =>
        fc.tuple(
          fc.constant(roster),
          fc.shuffledSubarray(roster, { minLength: roster.length, maxLength: roster.length }),
        ),
      ),
      ([roster, shuffled]) => {
        assert.deepEqual(toggled(shuffled), bucketsOf(roster));
      },
    ),
    { numRuns: 500 },
  );
});

test('the value of a card is the first 8 bytes of the SHA-256 of number and revision', () => {
  const buckets = toggled([['DEADBEEF', 1042]]);
  const at = 8 * bucketOf(cardNumber('DEADBEEF'));
  // Recomputed with sha256sum.
  assert.equal(Buffer.from(buckets.subarray(at, at + 8)).toString('hex'), '060bc74bfc0e1c65');
});

test('a card taken out again leaves no trace', () => {
  fc.assert(
    fc.property(ROSTER, ROSTER, (stay, leave) => {
      assert.deepEqual(toggled([...stay, ...leave, ...leave]), bucketsOf(stay));
    }),
    { numRuns: 300 },
  );
});

test('another revision of the same card is another digest', () => {
  const digest = (at: number) => digestOf({ ...emptyRoster(), buckets: toggled([['DEADBEEF', at]]) });
  assert.notEqual(digest(1), digest(2));
  assert.match(digest(1), /^[0-9a-f]{64}$/);
});

test('the digest of an empty roster is that of 2,048 zero bytes', () => {
  assert.equal(emptyRoster().buckets.length, DIGEST_BYTES);
  assert.equal(digestOf(emptyRoster()), 'e5a00aa9991ac8a5ee3109844d84a55583bd20572ad3ffcd42792f3c36b183ad');
});
