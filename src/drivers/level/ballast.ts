// A file that only takes room, beside the database: what is given back when the disk is full, so that LevelDB can be closed, opened
// and written to again.
//
// 1. It is really there: written, with what no file system compresses, and synced.
// 2. It is given back in two parts. The first is for going on at run time; the last, RESERVE bytes, is for opening a database that
//    is not open: a gateway that cannot open its store opens no door.

import { randomFillSync } from 'node:crypto';
import { promises, statSync, truncateSync } from 'node:fs';

const MEBIBYTE = 1024 * 1024;

/**
 * Opening writes what is in LevelDB's logs into tables before it deletes the logs, and may begin with a compaction, which writes
 * anew what it takes in before it deletes that: eight tables of 4 MiB when no more can have come since the last one. Where a
 * compaction runs out of room its leavings stay until the next opening, which then finds no room at all (seen with 8 MiB).
 */
export const RESERVE = 32 * MEBIBYTE;

export interface BallastOptions {
  readonly file: string;
  /** How large it is meant to be; 0: there is none. */
  readonly bytes: number;
}

export class Ballast {
  readonly #options: BallastOptions;
  #isGrowing = false;

  constructor(options: BallastOptions) {
    this.#options = options;
  }

  /** Bytes that it has now. */
  size(): number {
    return statSync(this.#options.file, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Bytes that are missing. */
  missing(): number {
    return Math.max(0, this.#options.bytes - this.size());
  }

  /** Bytes of the part that is for opening the database which are missing. */
  missingReserve(): number {
    return Math.max(0, Math.min(RESERVE, this.#options.bytes) - this.size());
  }

  /** Gives back all but `kept` bytes; what cannot be given back stays. */
  shrinkTo(kept: number): void {
    if (this.size() <= kept) return;
    try {
      truncateSync(this.#options.file, kept);
    } catch {
      // A disk that takes no writes is found out by whoever wanted the room.
    }
  }

  /** Writes up to `bytes` more. Never rejects: where the disk is full it is as large as there was room. */
  async growBy(bytes: number): Promise<void> {
    if (this.#isGrowing || bytes <= 0) return;
    this.#isGrowing = true;
    try {
      await append(this.#options.file, bytes);
    } catch {
      // Whoever asks for the size is told.
    } finally {
      this.#isGrowing = false;
    }
  }
}

/** Piece by piece, each synced by itself: a batch that has to get to the disk meanwhile waits for one of them at most. */
const append = async (file: string, bytes: number): Promise<void> => {
  const handle = await promises.open(file, 'a', 0o600);
  try {
    const piece = randomFillSync(Buffer.alloc(Math.min(bytes, MEBIBYTE)));
    for (let left = bytes; left > 0; ) {
      const { bytesWritten } = await handle.write(piece, 0, Math.min(left, piece.length));
      await handle.datasync();
      left -= bytesWritten;
    }
  } finally {
    await handle.close();
  }
};
