// What records are called whose names tell nothing of a card or a person: events by number, and what is kept by door or bucket.

import type { DoorId } from '../../domain/ids.ts';

/** Hex digits of a sequence number in a key, so that keys sort as numbers do: 2^53 has 14. */
const SEQUENCE_DIGITS = 14;

export const eventKey = (sequence: number): string => sequence.toString(16).padStart(SEQUENCE_DIGITS, '0');

/** The number of the event with such a key. */
export const sequenceIn = (key: string): number => Number.parseInt(key, 16);

const BUCKET = 'bucket/';
export const ALL_BUCKETS = { gt: BUCKET, lt: 'bucket0' } as const;

export const bucketKey = (bucket: number): string => BUCKET + bucket.toString(16).padStart(2, '0');

/** Not a number for a key that bucketKey() has not made. */
export const bucketIn = (key: string): number => Number.parseInt(key.slice(BUCKET.length), 16);

const ORDERS = 'orders/';
export const ALL_ORDERS = { gt: ORDERS, lt: 'orders0' } as const;

export const ordersKey = (door: DoorId): string => ORDERS + door;

/** Keys of ALL_ORDERS are written by commit only, from door ids. */
export const doorIn = (key: string): DoorId => key.slice(ORDERS.length) as DoorId;
