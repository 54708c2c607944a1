// Whether the process has died while it looked through the store. LevelDB ends the process at some kinds of damage (assertions on
// what it reads from a table), before anybody can be told what is wrong. Power cuts look the same from here: probe-store.ts tells
// them apart.

import { existsSync, promises as fs } from 'node:fs';
import { join } from 'node:path';
import { writeFileDurably } from './durable-file.ts';

export class OpenAttempt {
  readonly #path: string;
  /** The last attempt has not come to an end. */
  readonly isAfterDeath: boolean;

  private constructor(path: string, isAfterDeath: boolean) {
    this.#path = path;
    this.isAfterDeath = isAfterDeath;
  }

  /** Leaves a mark, where the disk has room for that. */
  static async begin(dataDir: string): Promise<OpenAttempt> {
    const path = join(dataDir, 'store.opening');
    const isAfterDeath = existsSync(path);
    if (!isAfterDeath) await writeFileDurably(path, '').catch(() => {});
    return new OpenAttempt(path, isAfterDeath);
  }

  /** The process has lived to see the outcome, whatever that is. */
  async end(): Promise<void> {
    await fs.rm(this.#path, { force: true });
  }
}
