// Format 3 of the store: the same records in the clear, named by card number, cardholder id and zone, and the roster's buckets in
// one record. A record that does not decode is taken along as it is, so that it stays unreadable rather than unknown.

import { createHash } from 'node:crypto';
import type { CardNumber } from '../../domain/card-number.ts';
import type { CardholderId } from '../../domain/ids.ts';
import { BUCKET_BYTES, BUCKETS, DIGEST_BYTES } from '../../domain/roster-digest.ts';
import { CardeaError } from '../../errors.ts';
import type { FormatStep, Row } from './format-step.ts';
import { recordNames } from './record-names.ts';

/** In front of a card's number stood its bucket, in hex. */
const BUCKET_DIGITS = 2;
const BUCKETS_KEY = '!meta!buckets';

export const FROM_FORMAT_3: FormatStep = {
  from: '3',
  to: '4',
  converter: ({ seal, get }) => {
    const names = recordNames(seal);
    const put = (key: string, text: string): Row => [key, seal.seal(key, text)];
    return async ([key, value]) => {
      const text = value.toString();
      const [, sublevel = '', name = ''] = /^!([a-z]+)!(.*)$/s.exec(key) ?? [];
      switch (sublevel) {
        case 'card': {
          // Format 3 had names from card numbers only, as it had those of cardholders from their ids.
          const number = name.slice(BUCKET_DIGITS) as CardNumber;
          return [
            put(
              `!card!${names.card(number)}`,
              rewritten(text, (record) => ({ number, record })),
            ),
          ];
        }
        case 'cardholder': {
          const id = name as CardholderId;
          return [
            put(
              `!cardholder!${names.cardholder(id)}`,
              rewritten(text, (record) => ({ id, record })),
            ),
          ];
        }
        case 'passage':
          return [put(`!passage!${names.passage(name)}`, text)];
      }
      switch (key) {
        case '!meta!identity':
          return [[key, value]];
        case BUCKETS_KEY:
          return bucketTexts(bytesOf(value)).map(([bucket, hex]) => put(`!meta!bucket/${bucket}`, hex));
        case '!meta!roster': {
          const digest = createHash('sha256')
            .update(bytesOf(await get(BUCKETS_KEY)))
            .digest('hex');
          return [
            put(
              key,
              rewritten(text, (roster) => ({ ...roster, digest })),
            ),
          ];
        }
        default:
          return [put(key, text)];
      }
    };
  },
};

/** With another record in its envelope; what has no envelope stays as it is. */
const rewritten = (text: string, change: (record: object) => object): string => {
  try {
    const { v, r }: { v?: unknown; r?: unknown } = JSON.parse(text);
    if (typeof r === 'object' && r !== null) return JSON.stringify({ v, r: change(r) });
  } catch {
    // It did not decode before either.
  }
  return text;
};

const bytesOf = (value: Buffer | undefined): Buffer => {
  const bytes = Buffer.from(value?.toString() ?? '', 'base64');
  if (bytes.length === DIGEST_BYTES) return bytes;
  throw new CardeaError('store-record-unreadable', "the store's roster digest does not decode");
};

/** Those of empty buckets are not stored. */
const bucketTexts = (bytes: Buffer): readonly (readonly [bucket: string, hex: string])[] =>
  Array.from({ length: BUCKETS }, (_, bucket) => {
    const hex = bytes.toString('hex', bucket * BUCKET_BYTES, (bucket + 1) * BUCKET_BYTES);
    return [bucket.toString(16).padStart(2, '0'), hex] as const;
  }).filter(([, hex]) => !/^0+$/.test(hex));
