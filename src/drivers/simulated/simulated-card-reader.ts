// A reader without hardware: cards are held to it and taken away by a technician's command or a test. Keeps the contract of
// ports/card-reader.ts; nothing polls, so each call is reported before it returns.

import type { MonotonicTime } from '../../domain/units.ts';
import { CardeaError } from '../../errors.ts';
import type { CardReader, CardReaderListener } from '../../ports/card-reader.ts';
import type { Clock } from '../../ports/clock.ts';

/** Single, double and triple size (ISO/IEC 14443-3, 6.5.4). */
const UID_LENGTHS: readonly number[] = [4, 7, 10];

export class SimulatedCardReader implements CardReader {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #listener: CardReaderListener | undefined;
  #stoppedAt: MonotonicTime | undefined;

  constructor({ clock }: { readonly clock: Pick<Clock, 'monotonic'> }) {
    this.#clock = clock;
  }

  async start(listener: CardReaderListener): Promise<void> {
    this.#listener = listener;
    listener.onCondition({ state: 'online', detail: 'simulated' });
  }

  /** There is no loop that could hang: while started, the last turn is now. */
  lastTurnAt(): MonotonicTime | undefined {
    return this.#listener === undefined ? this.#stoppedAt : this.#clock.monotonic();
  }

  async stop(): Promise<void> {
    if (this.#listener === undefined) return;
    this.#stoppedAt = this.#clock.monotonic();
    this.#listener = undefined;
  }

  /** Holds a card to the reader. Throws CardeaError `reader-failed` while stopped or when no card has such a UID. */
  present(uid: Uint8Array): void {
    if (!UID_LENGTHS.includes(uid.length)) {
      throw new CardeaError('reader-failed', `a UID has 4, 7 or 10 bytes, this one has ${uid.length}`);
    }
    this.#running().onObservation({ kind: 'card', uid: Uint8Array.from(uid) });
  }

  /** Takes the card away: looks at the empty field until nobody can take it for a card that was badly read. */
  remove(): void {
    const listener = this.#running();
    listener.onObservation({ kind: 'none' });
    listener.onObservation({ kind: 'none' });
  }

  #running(): CardReaderListener {
    if (this.#listener !== undefined) return this.#listener;
    throw new CardeaError('reader-failed', 'the simulated reader is not running');
  }
}
