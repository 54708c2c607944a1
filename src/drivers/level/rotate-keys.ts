// Replaces the keys of the store while taps and changes go on.
//
// 1. First the new keys are in the header, then records are sealed with them. A crash leaves a store that opens with the key that
//    is in its place, and the next start goes on.
// 2. A key file is replaced while the header opens with the old and with the new one.
// 3. Nothing is begun, and what was begun does not go on, without the room that it takes: all records are there twice for a while.
// 4. The former data key is forgotten when no record needs it any more and the files have been rewritten.

import { CardeaError, errorMessage } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { RotationBegun, RotationView, StoreKeyRotation } from '../../ports/store-key-rotation.ts';
import { sizeOfDatabase } from './disk-room.ts';
import type { LevelStore } from './level-store.ts';
import { RecordSeal } from './record-seal.ts';
import { storePathsIn } from './set-aside.ts';
import {
  type KeyRing,
  newDataKey,
  readHeader,
  type StoreHeader,
  unwrap,
  withSlots,
  writeHeader,
} from './store-header.ts';
import { type KeySource, newStoreKey, readStoreKey, writeStoreKey } from './store-key.ts';
import { headerPathOf } from './store-keys.ts';

/** Data keys are numbered with one byte. */
const LAST_KEY_ID = 255;

export interface RotationOptions {
  readonly dataDir: string;
  readonly key: KeySource;
  readonly store: Pick<LevelStore, 'useSeal' | 'sealAnew' | 'compact'>;
  /** Whether so many bytes may be written besides what is always written. */
  readonly hasRoom: (bytes: number) => boolean;
  readonly log: Log;
  /** The former key has been forgotten. */
  readonly onDone: (done: { readonly keyId: number; readonly records: number }) => void;
}

export class KeyRotation implements StoreKeyRotation {
  readonly #options: RotationOptions;
  readonly #ended = new AbortController();
  #work: Promise<void> | undefined;
  #sealedAnew = 0;
  #fault: string | null = null;

  constructor(options: RotationOptions) {
    this.#options = options;
  }

  view(): RotationView {
    return { isUnderWay: this.#work !== undefined, sealedAnew: this.#sealedAnew, fault: this.#fault };
  }

  /** Goes on with what was interrupted, if anything was. Never throws: the view tells what is wrong. */
  resume(): void {
    try {
      const { ring } = this.#keys();
      if (ring.former.length > 0) this.#run(ring);
    } catch (error) {
      this.#failed(error);
    }
  }

  async begin(): Promise<RotationBegun> {
    if (this.#work !== undefined) return { isResumed: true, isKeyFileReplaced: false };
    const { key, dataDir, hasRoom } = this.#options;
    const { header, ring, master } = this.#keys();
    if (ring.former.length > 0) {
      this.#run(ring);
      return { isResumed: true, isKeyFileReplaced: false };
    }
    if (!hasRoom(sizeOfDatabase(storePathsIn(dataDir).store))) throw noRoom();
    const fresh = { current: newDataKey((ring.current.id % LAST_KEY_ID) + 1), former: [ring.current] };
    // Nobody else begins meanwhile.
    this.#work = this.#replaceKeys(header, fresh, master);
    try {
      await this.#work;
    } catch (error) {
      this.#work = undefined;
      throw error instanceof CardeaError ? error : writeFailure(error);
    }
    this.#run(fresh);
    return { isResumed: false, isKeyFileReplaced: key.kind === 'file' };
  }

  /** Fulfils when nothing is under way any more. What is left is done after the next start. */
  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#work?.catch(() => {});
  }

  #keys(): { readonly header: StoreHeader; readonly ring: KeyRing; readonly master: Uint8Array } {
    const { dataDir, key } = this.#options;
    const header = readHeader(headerPathOf(dataDir));
    if (header === undefined) throw new CardeaError('store-damaged', `${headerPathOf(dataDir)} is gone`);
    const master = readStoreKey(key);
    return { header, ring: unwrap(header, master), master };
  }

  async #replaceKeys(header: StoreHeader, ring: KeyRing, master: Uint8Array): Promise<void> {
    const { key, dataDir } = this.#options;
    const write = (masters: readonly Uint8Array[]): Promise<void> =>
      writeHeader(headerPathOf(dataDir), withSlots(header, ring, masters));
    if (key.kind === 'credential') return write([master]);
    const fresh = newStoreKey();
    await write([master, fresh]);
    await writeStoreKey(key.file, fresh);
    await write([fresh]);
  }

  #failed(error: unknown): void {
    this.#fault = errorMessage(error);
    this.#options.log.error({ err: this.#fault }, 'records could not be sealed anew');
  }

  #run(ring: KeyRing): void {
    this.#fault = null;
    this.#sealedAnew = 0;
    this.#work = this.#sealAll(ring)
      .catch((error) => this.#failed(error))
      .finally(() => {
        this.#work = undefined;
      });
  }

  async #sealAll({ current, former }: KeyRing): Promise<void> {
    const { store, log, dataDir, onDone } = this.#options;
    log.info({ key: current.id }, 'records are sealed anew');
    await store.useSeal(
      new RecordSeal(current, former),
      former.map(({ id }) => id),
    );
    // Once more than there is something to do: only then nothing needs the former key.
    while ((await this.#pass()) > 0) if (this.#ended.signal.aborted) return;
    if (this.#ended.signal.aborted) return;
    await store.compact();
    const { header, master } = this.#keys();
    await writeHeader(headerPathOf(dataDir), withSlots(header, { current, former: [] }, [master]));
    // Whoever reads what was there a moment ago still needs the former keys.
    await store.useSeal(new RecordSeal(current, former), []);
    log.info(
      { key: current.id, records: this.#sealedAnew },
      'all records are sealed anew, the former key is forgotten',
    );
    onDone({ keyId: current.id, records: this.#sealedAnew });
  }

  /** Goes through the whole store; fulfils with how many records were sealed anew. */
  async #pass(): Promise<number> {
    const { store, hasRoom } = this.#options;
    const before = this.#sealedAnew;
    let unreadable = 0;
    for (let after: string | undefined = ''; after !== undefined && !this.#ended.signal.aborted; ) {
      if (!hasRoom(0)) throw noRoom();
      const slice = await store.sealAnew(after);
      this.#sealedAnew += slice.sealedAnew;
      unreadable += slice.unreadable;
      after = slice.last;
    }
    if (unreadable > 0) {
      throw new CardeaError(
        'store-record-unreadable',
        `${unreadable} records do not open, so that the former key is kept; at the next start the store is looked through`,
      );
    }
    return this.#sealedAnew - before;
  }
}

const noRoom = (): CardeaError =>
  new CardeaError('disk-full', 'the disk is nearly full: make room, then run `cardea keys rotate-store` again');

const writeFailure = (cause: unknown): CardeaError =>
  new CardeaError('store-write-failed', `the keys could not be replaced: ${errorMessage(cause)}`, { cause });
