// What records of cards and persons are called in the store: names that tell nothing without the key. While records are sealed
// anew each of them has its name under the present key or under the former one, never both.

import type { CardNumber } from '../../domain/card-number.ts';
import type { CardholderId } from '../../domain/ids.ts';
import { BUCKETS, bucketOf } from '../../domain/roster-digest.ts';
import type { RecordSeal } from './record-seal.ts';

/** Of the name of a bucket; two that begin alike would only be read together. */
const PREFIX_CHARACTERS = 8;

/** Within their sublevel, under one key. */
export interface RecordNames {
  /** Cards lie by bucket of the roster digest, so that a bucket can be read by itself; neither tells anything of the other. */
  card(number: CardNumber): string;
  bucket(bucket: number): string;
  cardholder(id: CardholderId): string;
  /** `place` is `<zone>/<cardholder>`. */
  passage(place: string): string;
}

export const recordNames = (seal: RecordSeal, keyId: number = seal.currentId): RecordNames => {
  const prefixes = Array.from({ length: BUCKETS }, (_, bucket) =>
    seal.nameOf(`bucket ${bucket}`, keyId).slice(0, PREFIX_CHARACTERS),
  );
  const bucket = (number: number): string => prefixes[number] ?? '';
  return {
    card: (number) => bucket(bucketOf(number)) + seal.nameOf(number, keyId),
    bucket,
    cardholder: (id) => seal.nameOf(id, keyId),
    passage: (place) => seal.nameOf(place, keyId),
  };
};
