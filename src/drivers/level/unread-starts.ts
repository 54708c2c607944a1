// A disk that answers with an error of its own may answer rightly the next time, and what it could not read is no damage yet. Only
// when that goes on the store is given up: else the doors would stay closed for as long as nobody comes.

import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '../../errors.ts';
import { writeFileDurably } from './durable-file.ts';
import { hasCause } from './has-cause.ts';

/** Starts in a row that could not read the store. systemd tries once in a second or two. */
export const MOST_UNREAD_STARTS = 10;

const pathIn = (dataDir: string): string => join(dataDir, 'store.unread');

/** What `error` proves together with those of the starts before, in words; undefined while it proves nothing. */
export const unreadTooOften = async (error: unknown, dataDir: string): Promise<string | undefined> => {
  if (!isReadError(error)) return undefined;
  const starts = (await countIn(dataDir)) + 1;
  // Who cannot count goes on trying.
  await writeFileDurably(pathIn(dataDir), String(starts)).catch(() => {});
  return starts < MOST_UNREAD_STARTS
    ? undefined
    : `it could not be read at ${starts} starts in a row: ${errorMessage(error)}`;
};

/** The store was read, or another one is in its place. What cannot be forgotten on such a disk keeps no store from opening. */
export const forgetUnread = (dataDir: string): Promise<void> => fs.rm(pathIn(dataDir), { force: true }).catch(() => {});

const countIn = async (dataDir: string): Promise<number> => {
  const text = await fs.readFile(pathIn(dataDir), 'utf8').catch(() => '0');
  return /^\d{1,4}$/.test(text) ? Number(text) : 0;
};

/** The kernel's own word for a block that cannot be read, from LevelDB or from a file system call. */
export const isReadError = (error: unknown): boolean =>
  hasCause(
    error,
    (code, message) => code === 'EIO' || (code === 'LEVEL_IO_ERROR' && /Input\/output error/.test(message)),
  );
