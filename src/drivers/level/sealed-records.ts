// Records as they lie in the database: finds each under the name that it has, opens and seals it.
//
// 1. What cannot be read is said to be unreadable; nothing is made up for it.
// 2. While records are sealed anew each is found under its new name or under its former one.

import { CardeaError, errorMessage } from '../../errors.ts';
import type { LogEntry } from '../../ports/event-log.ts';
import { sequenceIn } from './plain-keys.ts';
import { type RecordNames, recordNames } from './record-names.ts';
import type { RecordSeal } from './record-seal.ts';
import * as records from './records.ts';
import type { Handles, Sublevel } from './sublevels.ts';

/** What records are sealed with and called. */
export interface RecordKeys {
  readonly seal: RecordSeal;
  readonly names: RecordNames;
  /** What records that were not sealed anew yet are called. */
  readonly formerNames: readonly RecordNames[];
}

/** `former` are the keys whose records were not sealed anew yet. */
export const recordKeys = (seal: RecordSeal, former: readonly number[]): RecordKeys => ({
  seal,
  names: recordNames(seal),
  formerNames: former.map((id) => recordNames(seal, id)),
});

export class SealedRecords {
  readonly handles: Handles;
  readonly keys: RecordKeys;

  constructor(handles: Handles, keys: RecordKeys) {
    this.handles = handles;
    this.keys = keys;
  }

  /** Throws CardeaError `store-record-unreadable`, or as the database does. */
  find(sublevel: Sublevel, nameIn: (names: RecordNames) => string): string | undefined {
    const { names, formerNames } = this.keys;
    const found = this.#read(sublevel, nameIn(names));
    if (found !== undefined || formerNames.length === 0) return found;
    // A record may get its new name between two looks, and then has it for good.
    for (const other of [...formerNames, names]) {
      const text = this.#read(sublevel, nameIn(other));
      if (text !== undefined) return text;
    }
    return undefined;
  }

  #read(sublevel: Sublevel, key: string): string | undefined {
    const sealed = this.handles.db.getSync(sublevel.prefix + key);
    return sealed === undefined ? undefined : this.open(sublevel, key, sealed);
  }

  /** As find(), with a turn for others. */
  async meta(key: string): Promise<string | undefined> {
    const { meta } = this.handles;
    const sealed = await meta.get(key);
    return sealed === undefined ? undefined : this.open(meta, key, sealed);
  }

  event(key: string): LogEntry | undefined {
    const { db, event } = this.handles;
    const sealed = db.getSync(event.prefix + key);
    return sealed === undefined ? undefined : this.openEvent(key, sealed);
  }

  /** The whole key, and `text` sealed under it. */
  sealAs(sublevel: Sublevel, key: string, text: string): readonly [name: string, value: Buffer] {
    const name = sublevel.prefix + key;
    return [name, this.keys.seal.seal(name, text)];
  }

  open(sublevel: Sublevel, key: string, sealed: Uint8Array): string {
    return this.keys.seal.open(sublevel.prefix + key, sealed);
  }

  openOrNothing(sublevel: Sublevel, key: string, sealed: Uint8Array): string | undefined {
    try {
      return this.open(sublevel, key, sealed);
    } catch {
      return undefined;
    }
  }

  /** Whoever looks such a card up is told; a search goes past it. */
  openCardOrNothing(key: string, sealed: Uint8Array): records.StoredCard | undefined {
    try {
      return records.decodeCard(this.open(this.handles.card, key, sealed));
    } catch {
      return undefined;
    }
  }

  /** Throws CardeaError `store-record-unreadable`, with the number of the event in its context. */
  openEvent(key: string, sealed: Uint8Array): LogEntry {
    try {
      return records.decodeEntry(this.open(this.handles.event, key, sealed));
    } catch (cause) {
      const sequence = sequenceIn(key);
      const message = `record ${sequence} of the log cannot be read: ${errorMessage(cause)}`;
      throw new CardeaError('store-record-unreadable', message, { cause, context: { sequence } });
    }
  }
}
