// Whether the cards of one bucket are those that were stored: each opens, and together they are what the bucket is to be. A bucket is
// looked at in milliseconds, and by itself, so that a door need not wait for all of them.
//
// 1. What a bucket is to be is known from the roster's digest, which was compared with the anchor before.

import { BUCKET_BYTES, DIGEST_BYTES, isSameBucket, toggleCard } from '../../domain/roster-digest.ts';
import { bucketKey } from './plain-keys.ts';
import type { SealedRecords } from './sealed-records.ts';

/** What is wrong with the bucket, in words; undefined when nothing is. Rejects when the database does not answer. */
export const faultInBucket = async (sealed: SealedRecords, bucket: number): Promise<string | undefined> => {
  const { db, meta, card } = sealed.handles;
  const { names, formerNames } = sealed.keys;
  const snapshot = db.snapshot();
  try {
    const stored = await meta.get(bucketKey(bucket), { snapshot });
    const text = stored === undefined ? '' : sealed.openOrNothing(meta, bucketKey(bucket), stored);
    const expected = expectedOf(bucket, text);
    if (expected === undefined) return `what bucket ${bucket} is to be cannot be read`;
    const found = new Uint8Array(DIGEST_BYTES);
    for (const prefix of [names, ...formerNames].map((each) => each.bucket(bucket))) {
      for await (const [key, value] of card.iterator({ gte: prefix, lt: `${prefix}~`, snapshot })) {
        const stored = sealed.openCardOrNothing(key, value);
        if (stored === undefined) return `a card in bucket ${bucket} does not open`;
        if (stored.record.state === 'live') toggleCard(found, stored.number, stored.record.revision);
      }
    }
    return isSameBucket(bucket, found, expected)
      ? undefined
      : `the cards in bucket ${bucket} do not add up to what it is to be`;
  } finally {
    await snapshot.close();
  }
};

/** A bucket that never had a card has no record. */
const expectedOf = (bucket: number, text: string | undefined): Uint8Array | undefined => {
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text, 'hex');
  if (text !== '' && bytes.length !== BUCKET_BYTES) return undefined;
  const expected = new Uint8Array(DIGEST_BYTES);
  expected.set(bytes, bucket * BUCKET_BYTES);
  return expected;
};
