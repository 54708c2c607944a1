// A file that only takes room, beside the database: what is given back when the disk is full, so that LevelDB can be closed, opened
// and written to again.
//
// 1. It is really there: written, with what no file system compresses, and synced.
// 2. It is given back in two parts. The first is for going on at run time; the last, RESERVE bytes, is for opening a database that
//    is not open, because a gateway that cannot open its store opens no door.

import { randomFillSync } from 'node:crypto';
import { promises, statSync, truncateSync } from 'node:fs';

const MEBIBYTE = 1024 * 1024;

/**
 * Opening writes what is in LevelDB's logs (at most two write buffers of 4 MiB) into tables, before it deletes the logs.
 */
export const RESERVE = 8 * MEBIBYTE;

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

/** Piece by piece, so that nothing else waits for long. */
const append = async (file: string, bytes: number): Promise<void> => {
  const handle = await promises.open(file, 'a', 0o600);
  try {
    for (let left = bytes; left > 0; ) {
      const { bytesWritten } = await handle.write(randomFillSync(Buffer.alloc(Math.min(left, MEBIBYTE))));
      left -= bytesWritten;
    }
  } finally {
    await handle.sync();
    await handle.close();
  }
};
