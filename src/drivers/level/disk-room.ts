// Whether the disk under the store has room and takes writes.

import {
  closeSync,
  fsyncSync,
  openSync,
  promises,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '../../errors.ts';
import type { DiskRoom, DiskSpace } from '../../ports/disk-space.ts';
import { type Ballast, RESERVE } from './ballast.ts';

/** What is in the logs, at most two write buffers of 4 MiB: with less, opening fails for certain. */
const ROOM_TO_OPEN = 8 * 1024 * 1024;
/** LevelDB makes a log, a manifest and a pointer to it, and some tables. */
const FILES_TO_OPEN = 8;

export class StoreDisk implements DiskSpace {
  readonly #directory: string;
  readonly #ballast: Ballast;

  /** `directory` is where the database and the ballast lie. */
  constructor({ directory, ballast }: { readonly directory: string; readonly ballast: Ballast }) {
    this.#directory = directory;
    this.#ballast = ballast;
  }

  async look(): Promise<DiskRoom> {
    const { freeBytes, freeFiles } = roomOf(await promises.statfs(this.#directory));
    return { freeBytes: Math.max(0, freeBytes - this.#ballast.missing()), freeFiles };
  }

  async restoreBallast(keepFree: number): Promise<void> {
    const ballast = this.#ballast;
    try {
      if (ballast.missing() === 0) return;
      await ballast.growBy(ballast.missingReserve());
      if ((await this.look()).freeBytes >= keepFree) await ballast.growBy(ballast.missing());
    } catch {
      // A disk that does not even tell sizes: whoever looks for room is told.
    }
  }
}

interface FileSystem {
  readonly bsize: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

/** Some file systems, such as btrfs, make files as they are needed and say that they have none. */
const roomOf = ({ bsize, bavail, files, ffree }: FileSystem): DiskRoom => ({
  freeBytes: bsize * bavail,
  freeFiles: files === 0 ? undefined : ffree,
});

/** Bytes of the files of a database, some of which may go meanwhile. Throws as the system does. */
export const sizeOfDatabase = (directory: string): number =>
  readdirSync(directory)
    .map((name) => statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0);

const isEnough = ({ freeBytes, freeFiles }: DiskRoom): boolean =>
  freeBytes >= ROOM_TO_OPEN && (freeFiles === undefined || freeFiles >= FILES_TO_OPEN);

/** Gives all of the ballast back where a database in `directory` that is not open might not be opened for want of room. */
export const makeRoomToOpen = (directory: string, ballast: Ballast | undefined): void => {
  if (roomOf(statfsSync(directory)).freeBytes < RESERVE) ballast?.shrinkTo(0);
};

/**
 * Why a database that is open had better not be closed and opened anew, which could fail and leave nothing to read from; undefined
 * where nothing speaks against it. Takes of the ballast what is not kept for a start.
 */
export const reopenFault = (directory: string, ballast: Ballast | undefined): string | undefined => {
  if (!isEnough(roomOf(statfsSync(directory)))) ballast?.shrinkTo(RESERVE);
  if (!isEnough(roomOf(statfsSync(directory)))) return 'the disk is full';
  try {
    tryWriting(join(directory, 'write-probe'));
    return undefined;
  } catch (error) {
    return `the disk takes no writes: ${errorMessage(error)}`;
  }
};

const tryWriting = (file: string): void => {
  const descriptor = openSync(file, 'w', 0o600);
  try {
    writeSync(descriptor, Buffer.alloc(4096));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
    rmSync(file, { force: true });
  }
};
