// The desk's records on a disk whose process dies at a chosen write: it is done or not, and from then on nothing is.

import type { JsonValue } from '../../src/domain/canonical-json.ts';
import { CardeaError } from '../../src/errors.ts';
import type { DeskPut, DeskRecord, DeskRecordKind, DeskStore, KeyRange } from '../../src/ports/desk-store.ts';

export interface DeskDeath {
  /** So many writes are done before. */
  readonly writes: number;
  /** The last one reaches the disk, and nobody hears of it. */
  readonly isLastWritten: boolean;
}

export class MortalDeskStore implements DeskStore {
  readonly #disk: DeskStore;
  readonly #death: DeskDeath;
  #writes = 0;

  constructor(disk: DeskStore, death: DeskDeath) {
    this.#disk = disk;
    this.#death = death;
  }

  read(kind: DeskRecordKind, key: string): Promise<JsonValue | undefined> {
    return this.#disk.read(kind, key);
  }

  entries(kind: DeskRecordKind, range?: KeyRange): AsyncIterable<readonly [string, JsonValue]> {
    return this.#disk.entries(kind, range);
  }

  keys(kind: DeskRecordKind, range?: KeyRange): AsyncIterable<string> {
    return this.#disk.keys(kind, range);
  }

  records(): AsyncIterable<DeskRecord> {
    return this.#disk.records();
  }

  async write(puts: readonly DeskPut[]): Promise<void> {
    const { writes, isLastWritten } = this.#death;
    this.#writes += 1;
    if (this.#writes <= writes || (this.#writes === writes + 1 && isLastWritten)) await this.#disk.write(puts);
    if (this.#writes > writes) throw new CardeaError('store-write-failed', 'the process is gone');
  }

  async close(): Promise<void> {}
}
