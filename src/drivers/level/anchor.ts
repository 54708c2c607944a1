// A small file beside the database that knows how far it had got: whatever the database has lost since shows against it.
//
// 1. It is written after each durable batch, without waiting for the disk: after a power cut it may be older than the database,
//    and is never newer.
// 2. Numbers of events are reserved in it, and on the disk, before they are used: none of them is used again for another event
//    when the log is lost.
// 3. Two slots take turns, so that a torn write costs one of them.

import { createHash } from 'node:crypto';
import { promises as fs, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EMPTY_LOG, type LogTail } from '../../domain/access-event.ts';
import { DIGEST_BYTES } from '../../domain/roster-digest.ts';
import { CardeaError, errorMessage } from '../../errors.ts';
import { writeFileDurably } from './durable-file.ts';
import type { StateParts } from './records.ts';

/** Pages of the file system are of this size or a multiple of it. */
const SLOT_BYTES = 4096;
const SLOTS = 2;
const HASH_BYTES = 32;
const LENGTH_BYTES = 4;
const TEXT_AT = HASH_BYTES + LENGTH_BYTES;
const BUCKETS_AT = SLOT_BYTES - DIGEST_BYTES;
/** So many numbers of events are reserved at once: one synced write more for so many. */
const BLOCK = 1000;

export interface AnchorRecord {
  /** Whose store it is; null where nobody has said. */
  readonly identity: string | null;
  /** Batches that the store has taken; 0 as long as the anchor was told of none, and knows nothing of what is in the store. */
  readonly generation: number;
  readonly tail: LogTail;
  /** No event has a number above this one. */
  readonly reserved: number;
  /** What had left the outbox for good. */
  readonly acknowledged: number;
  readonly parts: StateParts;
  readonly buckets: Uint8Array;
}

/** No store was ever like this. */
const NOTHING: AnchorRecord = {
  identity: null,
  generation: 0,
  tail: EMPTY_LOG,
  reserved: 0,
  acknowledged: 0,
  parts: { roster: '?', epochs: '?', orders: '?', calendar: '?', commands: '?', passageEra: '?' },
  buckets: new Uint8Array(DIGEST_BYTES),
};

interface Slot extends AnchorRecord {
  /** Grows with each write. */
  readonly turn: number;
}

export const anchorPathOf = (dataDir: string): string => join(dataDir, 'store-anchor');

/** What the file says; undefined where there is none, `unreadable` where neither slot is whole. */
export const readAnchor = (path: string): AnchorRecord | 'unreadable' | undefined => latestIn(path);

const latestIn = (path: string): Slot | 'unreadable' | undefined => {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new CardeaError('store-open-failed', `${path} cannot be read: ${errorMessage(error)}`, { cause: error });
  }
  const slots = Array.from({ length: SLOTS }, (_, slot) => decodeSlot(bytes.subarray(slot * SLOT_BYTES)));
  const whole = slots.filter((slot) => slot !== undefined);
  return whole.toSorted((a, b) => b.turn - a.turn)[0] ?? 'unreadable';
};

export class StoreAnchor {
  readonly #file: fs.FileHandle;
  #latest: Slot;

  private constructor(file: fs.FileHandle, latest: Slot) {
    this.#file = file;
    this.#latest = latest;
  }

  /** Goes on with the file that is there; one that says nothing is begun anew. Rejects with CardeaError `store-open-failed`. */
  static async open(path: string): Promise<StoreAnchor> {
    try {
      const found = latestIn(path);
      const latest = typeof found === 'object' ? found : await begin(path);
      return new StoreAnchor(await fs.open(path, 'r+'), latest);
    } catch (cause) {
      if (cause instanceof CardeaError) throw cause;
      throw new CardeaError('store-open-failed', `${path} cannot be opened: ${errorMessage(cause)}`, { cause });
    }
  }

  get latest(): AnchorRecord {
    return this.#latest;
  }

  /** Fulfils when numbers up to `sequence` may be used. Rejects with the system's error. */
  async reserve(sequence: number): Promise<void> {
    if (sequence <= this.#latest.reserved) return;
    await this.#write({ reserved: (Math.floor(sequence / BLOCK) + 1) * BLOCK });
    await this.#file.datasync();
  }

  /** The store has taken a batch. Never rejects: an anchor that is older than the store does no harm. */
  async note(state: Omit<AnchorRecord, 'reserved'>): Promise<void> {
    // reserve() says so when the file cannot be written any more.
    await this.#write(state).catch(() => {});
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#file.datasync().catch(() => {});
    await this.#file.close();
  }

  async #write(change: Partial<AnchorRecord>): Promise<void> {
    const slot = { ...this.#latest, ...change, turn: this.#latest.turn + 1 };
    const bytes = encodeSlot(slot);
    await this.#file.write(bytes, 0, bytes.length, (slot.turn % SLOTS) * SLOT_BYTES);
    this.#latest = slot;
  }
}

/** It is there as a whole or not at all: an anchor that cannot be read would be taken for damage. */
const begin = async (path: string): Promise<Slot> => {
  const first = { ...NOTHING, turn: 0 };
  await writeFileDurably(path, Buffer.concat(Array.from({ length: SLOTS }, () => encodeSlot(first))));
  return first;
};

const encodeSlot = ({ buckets, ...rest }: Slot): Buffer => {
  const bytes = Buffer.alloc(SLOT_BYTES);
  const length = bytes.write(JSON.stringify(rest), TEXT_AT);
  bytes.writeUInt32BE(length, HASH_BYTES);
  bytes.set(buckets, BUCKETS_AT);
  hashOf(bytes).copy(bytes);
  return bytes;
};

const decodeSlot = (bytes: Uint8Array): Slot | undefined => {
  if (bytes.length < SLOT_BYTES) return undefined;
  const slot = Buffer.from(bytes.subarray(0, SLOT_BYTES));
  if (!hashOf(slot).equals(slot.subarray(0, HASH_BYTES))) return undefined;
  const text = slot.toString('utf8', TEXT_AT, TEXT_AT + slot.readUInt32BE(HASH_BYTES));
  // What has its hash was written by encodeSlot.
  const rest: Omit<Slot, 'buckets'> = JSON.parse(text);
  return { ...rest, buckets: Uint8Array.from(slot.subarray(BUCKETS_AT)) };
};

const hashOf = (slot: Buffer): Buffer => createHash('sha256').update(slot.subarray(HASH_BYTES)).digest();
