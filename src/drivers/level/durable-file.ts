// Small files beside the database that must be whole after a power cut: the old content or the new one. Nobody waits for the disk
// but who asked: doors go on meanwhile.

import { promises as fs } from 'node:fs';
import { dirname } from 'node:path';

/** Readable for the owner only. Rejects with the system's error; then what was there is still there. */
export const writeFileDurably = async (path: string, content: string | Uint8Array): Promise<void> => {
  await fs.mkdir(dirname(path), { recursive: true, mode: 0o750 });
  const fresh = `${path}.new`;
  await fs.rm(fresh, { force: true });
  const file = await fs.open(fresh, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await fs.rename(fresh, path);
  await syncDirectory(dirname(path));
};

/** Makes names that were given or taken in the directory outlast a power cut. */
export const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await fs.open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
