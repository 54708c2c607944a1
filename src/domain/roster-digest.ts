// The fingerprint of all live cards, kept up to date card by card, so that HR and gateway can compare a roster of a million
// cards in 2,048 bytes (PROTOCOL.md, Roster digest).

import { sha256Hex } from './canonical-json.ts';
import type { CardNumber } from './card-number.ts';
import type { Revision } from './ids.ts';
import type { Instant } from './units.ts';

export const BUCKETS = 256;
/** Of one bucket's value. */
export const BUCKET_BYTES = 8;
export const DIGEST_BYTES = BUCKETS * BUCKET_BYTES;

/** What a gateway can say about its roster at one revision. */
export interface RosterSummary {
  /** The highest revision that was applied; 0 before the first. */
  readonly revision: Revision | 0;
  /** Live cards. */
  readonly cards: number;
  /** 256 buckets of 8 bytes, bucket 0 first. */
  readonly buckets: Uint8Array;
  /** HR's name for the history that its revisions count in; undefined until a digest has told it. */
  readonly epoch?: string;
  /** Epochs that came before it here, oldest first: none of them ever comes back. */
  readonly pastEpochs: readonly string[];
  /**
   * The revision up to which no message says anything new: the buckets were equal to HR's as of it, or a new epoch was entered
   * with it; 0 before the first time.
   */
  readonly reconciled: Revision | 0;
  /** When the buckets were last found equal to HR's. */
  readonly reconciledAt?: Instant;
  /**
   * A backup was restored, and the buckets have not been found equal to HR's since. Era and revision say up to where they were before
   * it: what the backup says of that time is no news.
   */
  readonly restored?: { readonly era: number; readonly revision: Revision | 0 };
}

export const emptyRoster = (): RosterSummary => ({
  revision: 0,
  cards: 0,
  buckets: new Uint8Array(DIGEST_BYTES),
  pastEpochs: [],
  reconciled: 0,
});

/** The buckets in which two rosters differ, in order. */
export const differingBuckets = (one: Uint8Array, other: Uint8Array): number[] => {
  const differing: number[] = [];
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    if (!isSameBucket(bucket, one, other)) differing.push(bucket);
  }
  return differing;
};

export const isSameBucket = (bucket: number, one: Uint8Array, other: Uint8Array): boolean => {
  const at = bucket * BUCKET_BYTES;
  for (let i = at; i < at + BUCKET_BYTES; i++) if (one[i] !== other[i]) return false;
  return true;
};

/** First byte of SHA-256 of the card number. */
export const bucketOf = (card: CardNumber): number => byteAt(sha256Hex(card), 0);

const byteAt = (hex: string, index: number): number => Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16);

/** Adds a live card to the buckets, or takes it out: the operation is its own inverse. Changes `buckets`. */
export const toggleCard = (buckets: Uint8Array, card: CardNumber, revision: Revision): void => {
  const hash = sha256Hex(`${card}|${revision}`);
  const at = bucketOf(card) * BUCKET_BYTES;
  for (let i = 0; i < BUCKET_BYTES; i++) buckets[at + i] = (buckets[at + i] ?? 0) ^ byteAt(hash, i);
};

/** Lower-case hex SHA-256 of all buckets, as in receipts and status. */
export const digestOf = (roster: RosterSummary): string => sha256Hex(roster.buckets);
