// A store whose process dies at a chosen moment: before a batch is on disk, after it and before anybody is told, or as the cursor moves.

import type { StoreBatch } from '../../src/ports/credential-store.ts';
import { type MemoryDisk, MemoryStore } from './memory-store.ts';

export type Death = 'before commit' | 'after commit' | 'before cursor' | 'never';

/** Dies at its n-th step of a kind: from then on nothing it was asked for comes back. */
export class MortalStore extends MemoryStore {
  #left: number;
  readonly #death: Death;
  isDead = false;

  constructor(disk: MemoryDisk, death: Death, after: number) {
    super(disk);
    this.#death = death;
    this.#left = after;
  }

  override async commit(batch: StoreBatch): Promise<void> {
    if (this.isDead) return gone();
    if (this.#dies('before commit')) return gone();
    await super.commit(batch);
    if (this.#dies('after commit')) return gone();
  }

  override async saveSentUpTo(sequence: number): Promise<void> {
    if (this.isDead || this.#dies('before cursor')) return gone();
    await super.saveSentUpTo(sequence);
  }

  override async saveAcknowledgedUpTo(sequence: number): Promise<void> {
    if (this.isDead || this.#dies('before cursor')) return gone();
    await super.saveAcknowledgedUpTo(sequence);
  }

  #dies(here: Death): boolean {
    if (here !== this.#death) return false;
    this.#left -= 1;
    this.isDead = this.#left < 0;
    return this.isDead;
  }
}

const gone = (): Promise<never> => new Promise(() => {});
