// What the gateway asks of a card reader: a stream of what is in the field, and whether the reader itself works.
// The contract is tested by test/contracts/card-reader.contract.ts on every implementation.

import type { MonotonicTime } from '../domain/units.ts';

/** One look at the reader's field. A reader reports at least every change and every card seen; repeating is allowed. */
export type CardObservation =
  /** A complete UID of 4, 7 or 10 bytes: check bytes, SAK and CRC right, read twice alike. Never a cascade tag, never a part. */
  | { readonly kind: 'card'; readonly uid: Uint8Array }
  /** Nothing answered, cleanly: a time-out without a protocol, parity, CRC or collision error. */
  | { readonly kind: 'none' }
  /** Something is there that could not be read for certain; no UID is guessed from it. */
  | { readonly kind: 'ambiguous'; readonly cause: 'collision' | 'short-read' | 'noise' };

export type ReaderCondition =
  | { readonly state: 'online'; readonly detail: string }
  /** `detail` says in words what is wrong and what a technician checks first. */
  | { readonly state: 'offline'; readonly detail: string };

export interface CardReaderListener {
  onObservation(observation: CardObservation): void;
  /** Only on change; the first report comes soon after start, whichever it is. */
  onCondition(condition: ReaderCondition): void;
}

export interface CardReader {
  /**
   * Begins to poll. Resolves when the polling loop runs, also while no chip answers: a dead reader is a condition, not a
   * failure to start. The listener is called on the main thread, never before start was called, never after stop resolved.
   */
  start(listener: CardReaderListener): Promise<void>;
  /** When the polling loop last completed a turn, by the gateway's monotonic clock; undefined before the first. */
  lastTurnAt(): MonotonicTime | undefined;
  /** Ends polling, switches the field off if it can. Idempotent. */
  stop(): Promise<void>;
}
