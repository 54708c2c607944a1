// A reader without hardware: cards are held to it and taken away by a technician's command or a test. Keeps the contract of
// ports/card-reader.ts; nothing polls, so each change is reported before the call that makes it returns.

import type { MonotonicTime } from '../../domain/units.ts';
import { CardeaError } from '../../errors.ts';
import type { CardObservation, CardReader, CardReaderListener } from '../../ports/card-reader.ts';
import type { Clock } from '../../ports/clock.ts';

/** Single, double and triple size (ISO/IEC 14443-3, 6.5.4). */
const UID_LENGTHS: readonly number[] = [4, 7, 10];
/** As many looks as a polling reader would report of what lasts: an ambiguous or empty field counts only when seen repeatedly. */
const LOOKS = 3;

export class SimulatedCardReader implements CardReader {
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** By their UIDs in hex. */
  readonly #field = new Map<string, Uint8Array>();
  #listener: CardReaderListener | undefined;
  #stoppedAt: MonotonicTime | undefined;

  constructor({ clock }: { readonly clock: Pick<Clock, 'monotonic'> }) {
    this.#clock = clock;
  }

  async start(listener: CardReaderListener): Promise<void> {
    this.#listener = listener;
    listener.onCondition({ state: 'online', detail: 'simulated' });
    if (this.#field.size > 0) this.#look();
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

  /** Holds a card to the reader, beside those that are there. Throws CardeaError `reader-failed` when no card has such a UID. */
  present(uid: Uint8Array): void {
    if (!UID_LENGTHS.includes(uid.length)) {
      throw new CardeaError('reader-failed', `a UID has 4, 7 or 10 bytes, this one has ${uid.length}`);
    }
    this.#field.set(Buffer.from(uid).toString('hex'), Uint8Array.from(uid));
    this.#look();
  }

  /** Takes all cards away. */
  remove(): void {
    this.#field.clear();
    this.#look();
  }

  #look(): void {
    const observation = this.#observation();
    for (let look = 0; look < LOOKS; look++) this.#listener?.onObservation(observation);
  }

  #observation(): CardObservation {
    const [uid] = this.#field.values();
    if (uid === undefined) return { kind: 'none' };
    return this.#field.size === 1
      ? { kind: 'card', uid: Uint8Array.from(uid) }
      : { kind: 'ambiguous', cause: 'collision' };
  }
}
