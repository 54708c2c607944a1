// Tells when the wall clock becomes trusted, or starts without being so: cards with a validity window depend on it, and so does the
// meaning of every time in the log.

import { type Milliseconds, milliseconds } from '../domain/units.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { SerialWriter } from './serial-writer.ts';

const LOOK_EVERY: Milliseconds = milliseconds(5_000);

interface Dependencies {
  readonly clock: Clock;
  readonly writer: SerialWriter;
  readonly log: Log;
  /** Something that status shows has changed. */
  readonly onChange: () => void;
}

export class ClockWatch {
  readonly #deps: Dependencies;
  #wasSynchronized = true;
  #timer: Timer | undefined;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const { clock, writer, log, onChange } = this.#deps;
    const clockSynchronized = clock.isSynchronized();
    if (clockSynchronized !== this.#wasSynchronized) {
      this.#wasSynchronized = clockSynchronized;
      writer.record({
        event: clockSynchronized ? 'clock-trusted' : 'clock-untrusted',
        at: clock.now(),
        clockSynchronized,
      });
      if (clockSynchronized) log.info({}, 'the clock is set');
      else log.warn({}, 'the clock is not set: cards with a validity window are denied until it is');
      onChange();
    }
    this.#timer = clock.schedule(LOOK_EVERY, () => this.#look());
  }
}
