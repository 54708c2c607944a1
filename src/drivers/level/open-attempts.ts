// How often in a row the process has died while it looked through the store. LevelDB ends the process at some kinds of damage
// (assertions on what it reads from a table), before anybody can be told what is wrong. Power cuts
// look the same from here: probe-store.ts tells them apart.

import { promises as fs, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileDurably } from './durable-file.ts';

/** After so many deaths in a row events of a damaged store are still tried to be saved; that may be what the next start dies of. */
export const MAY_BE_READ_AGAIN = 1;

export class OpenAttempts {
  readonly #path: string;
  /** Earlier attempts that have not come to an end. */
  readonly before: number;

  private constructor(path: string, before: number) {
    this.#path = path;
    this.before = before;
  }

  /** Counts this attempt, where the disk has room for that. */
  static async begin(dataDir: string): Promise<OpenAttempts> {
    const path = join(dataDir, 'store.opening');
    const before = countIn(path);
    await writeFileDurably(path, `${before + 1}\n`).catch(() => {});
    return new OpenAttempts(path, before);
  }

  /** The process has lived to see the outcome, whatever that is. */
  async end(): Promise<void> {
    await fs.rm(this.#path, { force: true });
  }
}

const countIn = (path: string): number => {
  try {
    const count = Number(readFileSync(path, 'utf8'));
    return Number.isSafeInteger(count) && count > 0 ? count : 0;
  } catch {
    return 0;
  }
};
