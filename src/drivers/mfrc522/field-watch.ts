// Turns reads of the field into observations that can be relied on.
// 1. A card is observed only when two reads in a row gave the same UID.
// 2. Nobody is observed only after two silences in a row: a card left awake by a failed read is silent once. With the reads
//    of 1, this also means that a second card cannot hide behind the first for both of its reads.
// 3. A collision is observed at once; no UID is taken from a read that followed one in the same look.

import type { CardObservation } from '../../ports/card-reader.ts';
import type { CardRead } from './card-select.ts';

export type FieldLook = CardObservation | { readonly kind: 'chip-fault' };
type AmbiguousCause = Extract<CardObservation, { kind: 'ambiguous' }>['cause'];

/** Reads in one look at most: a silence, a failure, and two alike. */
const MAX_READS = 4;

export class FieldWatch {
  readonly #read: (likelySilent: boolean) => CardRead;
  #present: Uint8Array | undefined;
  #wasSilent = true;

  constructor(read: (likelySilent: boolean) => CardRead) {
    this.#read = read;
  }

  /** The field was off: every card has to be read anew, and each will answer. */
  forget(): void {
    this.#present = undefined;
    this.#wasSilent = true;
  }

  look(): FieldLook {
    let candidate = this.#present;
    let doubt: AmbiguousCause | undefined;
    for (let reads = 0; reads < MAX_READS; reads += 1) {
      const read = this.#read(this.#wasSilent);
      if (read.kind === 'none' && this.#wasSilent) return this.#settleEmpty(doubt);
      this.#wasSilent = read.kind === 'none';
      if (read.kind === 'card') {
        if (candidate !== undefined && isSameUid(candidate, read.uid)) {
          this.#present = read.uid;
          return read;
        }
        candidate = read.uid;
        doubt ??= 'short-read';
        continue;
      }
      candidate = undefined;
      if (read.kind === 'none') continue;
      if (read.kind === 'chip-fault') {
        this.#present = undefined;
        return read;
      }
      doubt = read.cause;
      if (doubt === 'collision') break;
    }
    this.#present = undefined;
    return { kind: 'ambiguous', cause: doubt ?? 'noise' };
  }

  /** Silence after a doubtful read: a known card that left in the middle of it is gone; a stranger was there and was not read. */
  #settleEmpty(doubt: AmbiguousCause | undefined): FieldLook {
    const known = this.#present !== undefined;
    this.#present = undefined;
    return doubt === undefined || known ? { kind: 'none' } : { kind: 'ambiguous', cause: doubt };
  }
}

const isSameUid = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, index) => byte === other[index]);
