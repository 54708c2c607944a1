// Where a damaged store goes: out of the way, whole, with its header and anchor in it, under a name that tells when. Nothing of it
// is ever deleted here.
//
// 1. The new store is complete before the damaged one makes way for it: a crash at any moment leaves the one or the other.

import { constants, existsSync, promises as fs } from 'node:fs';
import { basename, join } from 'node:path';
import { formatInstant, type Instant } from '../../domain/units.ts';
import { anchorPathOf } from './anchor.ts';
import { syncDirectory } from './durable-file.ts';
import { headerPathOf } from './store-keys.ts';
import { isReadError } from './unread-starts.ts';

const NAME = 'store.damaged-';
/** LevelDB never writes to a table again, so that a second name is as good as a copy. */
const TABLE = /\.(?:ldb|sst)$/;
const NO_COPY = ['LOCK', 'LOG', 'LOG.old'];
/** What is left free beside a copy. */
const SPARE_BYTES = 16 * 1024 * 1024;

export const storePathsIn = (dataDir: string) => ({
  store: join(dataDir, 'store'),
  /** A copy that may be repaired. */
  copy: join(dataDir, 'store.salvage'),
  /** The new store while it is being filled, and when it is complete. */
  unfinished: join(dataDir, 'store.rebuilding'),
  rebuilt: join(dataDir, 'store.rebuilt'),
});

/** Ends what a crash has interrupted. To be called before anything looks for the store. */
export const finishSettingAside = async (dataDir: string): Promise<void> => {
  const { store, copy, unfinished, rebuilt } = storePathsIn(dataDir);
  if (existsSync(rebuilt) && !existsSync(store)) await fs.rename(rebuilt, store);
  for (const path of [copy, unfinished, rebuilt]) await fs.rm(path, { recursive: true, force: true });
};

/** Puts copies of header and anchor into the damaged store, which is made where it is gone altogether. */
export const keepWhatIsBeside = async (dataDir: string): Promise<void> => {
  const { store } = storePathsIn(dataDir);
  await fs.mkdir(store, { recursive: true, mode: 0o750 });
  for (const path of [headerPathOf(dataDir), anchorPathOf(dataDir)]) {
    // The first ones are those of the damaged store: a crash may have come between.
    if (existsSync(path)) await fs.copyFile(path, join(store, basename(path)), constants.COPYFILE_EXCL).catch(ifThere);
  }
};

const ifThere = (error: unknown): void => {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
};

/** Copies the damaged store; false where there is no room for a copy and what is taken over from it. */
export const copyStore = async (dataDir: string): Promise<boolean> => {
  const { store, copy } = storePathsIn(dataDir);
  const names = (await fs.readdir(store)).filter((name) => !NO_COPY.includes(name));
  const sizes = await Promise.all(names.map(async (name) => (await fs.stat(join(store, name))).size));
  const needed = sizes.reduce((sum, size) => sum + size, SPARE_BYTES);
  const { bavail, bsize } = await fs.statfs(dataDir);
  if (bavail * bsize < needed) return false;
  await fs.mkdir(copy, { mode: 0o750 });
  for (const name of names) {
    const [from, to] = [join(store, name), join(copy, name)];
    await (TABLE.test(name) ? fs.link(from, to).catch(() => copyWhole(from, to)) : copyWhole(from, to));
  }
  return true;
};

/** Files of some MiB at most. One that cannot be read is missing in the copy, which the repair can do without. */
const copyWhole = async (from: string, to: string): Promise<void> => {
  const content = await fs.readFile(from).catch((error: unknown) => {
    if (isReadError(error)) return undefined;
    throw error;
  });
  if (content !== undefined) await fs.writeFile(to, content, { mode: 0o640 });
};

/** A name for the damaged store that is free. */
export const nameForDamaged = (dataDir: string, at: Instant): string => {
  const name = `${NAME}${formatInstant(at).replaceAll(/[-:]|\.\d+/g, '')}`;
  for (let count = 1; ; count++) {
    const free = count === 1 ? name : `${name}-${count}`;
    if (!existsSync(join(dataDir, free))) return free;
  }
};

/** The new store takes the place of the damaged one. */
export const exchangeStores = async (dataDir: string, setAside: string): Promise<void> => {
  const { store, copy, unfinished, rebuilt } = storePathsIn(dataDir);
  await fs.rename(unfinished, rebuilt);
  await syncDirectory(dataDir);
  await fs.rename(store, join(dataDir, setAside));
  await fs.rename(rebuilt, store);
  await syncDirectory(dataDir);
  await fs.rm(copy, { recursive: true, force: true });
};
