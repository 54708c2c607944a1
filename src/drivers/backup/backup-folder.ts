// The folder in which scheduled backups lie. It is never made: where it is not there, its disk is not mounted.

import { promises, statSync } from 'node:fs';
import { join } from 'node:path';
import { CardeaError, errorMessage } from '../../errors.ts';
import type { BackupFolder } from '../../ports/backup-files.ts';

export const backupFolder = (directory: string): BackupFolder => ({
  names: async () => {
    try {
      return await promises.readdir(directory);
    } catch (cause) {
      const message = `the backup directory ${directory} cannot be read: ${errorMessage(cause)}; is its disk mounted?`;
      throw new CardeaError('backup-failed', message, { cause });
    }
  },
  sizeOf: async (name) => (await promises.stat(join(directory, name))).size,
  write: async (name, lines, lock) => {
    // Its libraries are needed once a day.
    const { backupFiles } = await import('./backup-file.ts');
    return backupFiles.write(join(directory, name), lines, { lock, mayReplace: false });
  },
  remove: (name) => promises.rm(join(directory, name), { force: true }),
});

/** Whether what is written to the one folder takes room from the other. Throws as the system does. */
export const areOnOneDisk = (one: string, other: string): boolean => statSync(one).dev === statSync(other).dev;
