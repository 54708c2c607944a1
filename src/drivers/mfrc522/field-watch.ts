// Turns reads of the field into observations that can be relied on.
// 1. A card is observed only when two reads in a row gave the same UID.
// 2. Nobody is observed only after two silences in a row, after a failed read three: the card it left awake is silent once.
//    With the two reads of 1, this also means that a second card cannot hide behind the first.
// 3. A collision is observed at once; no UID is taken from a read that followed one in the same look.

import type { CardObservation } from '../../ports/card-reader.ts';
import type { CardRead } from './card-select.ts';

export type FieldLook = CardObservation | { readonly kind: 'chip-fault' };
type AmbiguousCause = Extract<CardObservation, { kind: 'ambiguous' }>['cause'];

/** Reads in one look at most: a failure, its silence and one by bad luck, then two alike. */
const MAX_READS = 5;
const SILENCES_AFTER_CARD = 2;
const SILENCES_AFTER_FAILURE = 3;

export class FieldWatch {
  readonly #read: (likelySilent: boolean) => CardRead;
  #present: Uint8Array | undefined;
  /** Silences in a row that still have to be heard until nobody is there; stays at 1 while nobody is. */
  #silencesWanted = 1;

  constructor(read: (likelySilent: boolean) => CardRead) {
    this.#read = read;
  }

  /** The field was off: every card has to be read anew, and each will answer. */
  forget(): void {
    this.#present = undefined;
    this.#silencesWanted = 1;
  }

  look(): FieldLook {
    let candidate = this.#present;
    let doubt: AmbiguousCause | undefined;
    for (let reads = 0; reads < MAX_READS; reads += 1) {
      const read = this.#read(this.#silencesWanted === 1);
      if (read.kind === 'none') {
        if (this.#silencesWanted === 1) return this.#settleEmpty(doubt);
        this.#silencesWanted -= 1;
        candidate = undefined;
        continue;
      }
      if (read.kind === 'card') {
        this.#silencesWanted = SILENCES_AFTER_CARD;
        if (candidate !== undefined && isSameUid(candidate, read.uid)) {
          this.#present = read.uid;
          return read;
        }
        candidate = read.uid;
        doubt ??= 'short-read';
        continue;
      }
      this.#silencesWanted = SILENCES_AFTER_FAILURE;
      candidate = undefined;
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
