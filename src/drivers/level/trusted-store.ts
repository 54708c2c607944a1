// Opens the store of a gateway and looks whether it can be trusted, before anything is decided by it. One that cannot is set aside,
// and a new one takes its place.
//
// 1. Damage is what reading proves. A missing or wrong key, a store that is locked, of another owner or a newer version, a disk that
//    is full or does not answer: all of that is an error, and the store stays where it is; until a disk has not answered often
//    enough (unread-starts.ts).

import { existsSync } from 'node:fs';
import type { DoorId, GatewayId } from '../../domain/ids.ts';
import { CardeaError, errorMessage } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Clock } from '../../ports/clock.ts';
import { anchorPathOf, readAnchor, StoreAnchor } from './anchor.ts';
import { makeRoomToOpen } from './disk-room.ts';
import { hasCause } from './has-cause.ts';
import type { LevelStore } from './level-store.ts';
import { OpenAttempt } from './open-attempt.ts';
import { openSealedStore, type SealedStoreOptions } from './open-store.ts';
import { deathOfReader } from './probe-store.ts';
import { rebuildStore } from './rebuild-store.ts';
import { RecordSeal } from './record-seal.ts';
import { Salvage } from './salvage.ts';
import {
  copyStore,
  exchangeStores,
  finishSettingAside,
  keepWhatIsBeside,
  nameForDamaged,
  storePathsIn,
} from './set-aside.ts';
import { readHeader } from './store-header.ts';
import { headerPathOf, loadStoreKeys, makeStoreKeys, type StoreKeys } from './store-keys.ts';
import { forgetUnread, unreadTooOften } from './unread-starts.ts';
import { compareWithAnchor, verifyAsStart } from './verify-store.ts';

/** Whoever waits for the start is told so often, in milliseconds, that it goes on; a repair alone may take minutes. */
const HEARTBEAT = 5_000;

export interface TrustedStoreOptions extends Omit<SealedStoreOptions, 'anchor'> {
  readonly gateway: GatewayId;
  /** Which are blocked when nobody knows any more what was ordered for them. */
  readonly doors: readonly DoorId[];
  readonly failurePolicy: 'deny' | 'allow-last-known';
  readonly clock: Pick<Clock, 'now' | 'isSynchronized'>;
  readonly log: Log;
}

/** Rejects as openSealedStore does, but for damage; then nothing was changed. */
export const openTrustedStore = async (options: TrustedStoreOptions): Promise<LevelStore> => {
  const { dataDir, onProgress = () => {} } = options;
  const heartbeat = setInterval(onProgress, HEARTBEAT);
  try {
    await finishSettingAside(dataDir);
    const attempt = await OpenAttempt.begin(dataDir);
    try {
      return await openOrReplace(options, attempt.isAfterDeath);
    } finally {
      await attempt.end();
    }
  } finally {
    clearInterval(heartbeat);
  }
};

const openOrReplace = async (options: TrustedStoreOptions, isAfterDeath: boolean): Promise<LevelStore> => {
  const { log } = options;
  try {
    // The last start did not come to an end: a power cut, or the store that it read.
    const death = isAfterDeath ? await deathOfReader(storePathsIn(options.dataDir).store) : undefined;
    if (death !== undefined) throw damaged(`who reads it dies of ${death}`);
    return await openVerified(options);
  } catch (error) {
    const reason = damageIn(error, options) ?? (await unreadTooOften(error, options.dataDir));
    if (reason === undefined) throw error;
    log.error({ reason }, 'the store is damaged: it is set aside, and a new one begins');
    const setAside = await replaceStore(reason, options, isAfterDeath).catch((cause: unknown) => {
      throw cause instanceof CardeaError ? cause : notReplaced(reason, cause);
    });
    const store = await openVerified(options);
    log.error({ setAside, lost: store.damage()?.lost }, 'a new store has begun');
    return store;
  }
};

const openVerified = async (options: TrustedStoreOptions): Promise<LevelStore> => {
  const { dataDir } = options;
  const known = readAnchor(anchorPathOf(dataDir));
  const header = readHeader(headerPathOf(dataDir));
  if (known === 'unreadable') throw damaged('its anchor is not readable');
  if (known === undefined && header?.isProvisioned === true) throw damaged('its anchor is gone');
  if (header === undefined && known !== undefined && known.generation > 0) throw damaged('its header is gone');
  const anchor = await StoreAnchor.open(anchorPathOf(dataDir));
  let store: LevelStore | undefined;
  try {
    store = await openSealedStore({ ...options, anchor });
    const fault = (known === undefined ? undefined : compareWithAnchor(store, known)) ?? (await verifyAsStart(store));
    if (fault !== undefined) throw damaged(fault);
    await forgetUnread(dataDir);
    return store;
  } catch (error) {
    // LevelDB refuses to open a path a second time, which the new store will have.
    await (store ?? anchor).close();
    throw error;
  }
};

const damaged = (detail: string): CardeaError => new CardeaError('store-damaged', `the store is damaged: ${detail}`);

const notReplaced = (reason: string, cause: unknown): CardeaError =>
  new CardeaError('store-open-failed', `${reason}; and no new one can be made: ${errorMessage(cause)}`, { cause });

/** What an error proves of the store, in words; undefined for one that proves nothing. */
const damageIn = (error: unknown, options: TrustedStoreOptions): string | undefined => {
  const message = errorMessage(error);
  if (!(error instanceof CardeaError)) return isCorruption(error) ? message : undefined;
  switch (error.code) {
    case 'store-damaged':
    case 'store-record-unreadable':
      return message;
    case 'store-open-failed':
      return isCorruption(error) ? message : undefined;
    case 'store-format':
      return isGarbledOwner(error, options) ? message : undefined;
    default:
      return undefined;
  }
};

/** LevelDB's own words: not a full disk, nor one that does not answer. */
const isCorruption = (error: unknown): boolean =>
  hasCause(
    error,
    (code, message) =>
      code === 'LEVEL_CORRUPTION' ||
      /create_if_missing is false/.test(message) ||
      (code === 'LEVEL_IO_ERROR' && /No such file|Is a directory|Not a directory|Invalid argument/.test(message)),
  );

/** A format that is none, or an owner who is not the one that the anchor knows. */
const isGarbledOwner = ({ context }: CardeaError, { dataDir, identity }: TrustedStoreOptions): boolean => {
  const { format } = context;
  if (typeof format === 'string') return !/^\d{1,4}$/.test(format);
  const anchor = readAnchor(anchorPathOf(dataDir));
  return typeof anchor === 'object' && anchor.identity !== null && anchor.identity === identity;
};

/** Fulfils with the name under which the damaged store is kept. */
const replaceStore = async (reason: string, options: TrustedStoreOptions, isAfterDeath: boolean): Promise<string> => {
  const { dataDir, clock, ballast } = options;
  const { store, unfinished } = storePathsIn(dataDir);
  const isGone = !existsSync(store);
  makeRoomToOpen(dataDir, ballast);
  await keepWhatIsBeside(dataDir);
  const known = readAnchor(anchorPathOf(dataDir));
  const anchor = typeof known === 'object' && known.generation > 0 ? known : undefined;
  const { keys, isOld } = await keysFor(options);
  const seal = new RecordSeal(keys.ring.current, keys.ring.former);
  const { salvage, obstacle } = isOld && !isGone ? await salvageFrom(dataDir, seal, isAfterDeath) : NO_SALVAGE;
  const setAside = nameForDamaged(dataDir, clock.now());
  let reserved: number;
  try {
    reserved = await rebuildStore({
      ...options,
      directory: unfinished,
      seal,
      keepsCards: options.failurePolicy === 'allow-last-known',
      reason,
      setAside,
      anchor,
      reserved: typeof known === 'object' ? known.reserved : 0,
      salvage,
      notSalvaged: obstacle,
    });
  } finally {
    await salvage?.close();
  }
  await exchangeStores(dataDir, setAside);
  await reserveNumbers(dataDir, reserved);
  return setAside;
};

const NO_SALVAGE = { salvage: undefined, obstacle: undefined } as const;

const salvageFrom = async (
  dataDir: string,
  seal: RecordSeal,
  isAfterDeath: boolean,
): Promise<{ readonly salvage: Salvage | undefined; readonly obstacle: string | undefined }> => {
  const { copy } = storePathsIn(dataDir);
  if (!(await copyStore(dataDir))) {
    return { salvage: undefined, obstacle: 'events that could be read, because there is no room for a copy of them' };
  }
  const death = isAfterDeath ? await deathOfReader(copy, 'repair') : undefined;
  if (death !== undefined) {
    return { salvage: undefined, obstacle: `events that could be read, because who reads them dies of ${death}` };
  }
  return { salvage: await Salvage.open(copy, seal), obstacle: undefined };
};

/** The keys of the damaged store, or new ones where its header is lost. Rejects as loadStoreKeys does for a key that is no good. */
const keysFor = async (
  options: TrustedStoreOptions,
): Promise<{ readonly keys: StoreKeys; readonly isOld: boolean }> => {
  try {
    const header = readHeader(headerPathOf(options.dataDir));
    if (header !== undefined) return { keys: await loadStoreKeys(header, options), isOld: true };
  } catch (error) {
    if (!(error instanceof CardeaError) || error.code !== 'store-damaged') throw error;
  }
  return { keys: await makeStoreKeys(options), isOld: false };
};

/**
 * Only when the new store is in its place: an anchor that was lost must not seem to be there beside the damaged one, which a start
 * after a crash would take for a store that nothing is wrong with.
 */
const reserveNumbers = async (dataDir: string, upTo: number): Promise<void> => {
  const anchor = await StoreAnchor.open(anchorPathOf(dataDir));
  await anchor.reserve(upTo);
  await anchor.close();
};
