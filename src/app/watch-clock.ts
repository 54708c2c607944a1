// Tells when the wall clock becomes trusted, or starts without being so: windows are judged by it, and so is the meaning of every
// time in the log. What was written before it was set stays as it is; the event says by how much to correct it.

import type { UntrustedPolicy } from '../domain/schedule.ts';
import { type Milliseconds, milliseconds } from '../domain/units.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { SerialWriter } from './serial-writer.ts';

const LOOK_EVERY: Milliseconds = milliseconds(5_000);

/** What the policy makes of windows while the clock is not set, for people. */
export const UNTRUSTED_CONSEQUENCE: Readonly<Record<UntrustedPolicy, string>> = {
  'deny-windowed': 'validity windows and schedules other than always open nothing',
  allow: 'validity windows and schedules are judged by it all the same',
};

interface Dependencies {
  readonly clock: Clock;
  readonly untrustedPolicy: UntrustedPolicy;
  readonly writer: SerialWriter;
  readonly log: Log;
  /** Something that status shows has changed. */
  readonly onChange: () => void;
}

export class ClockWatch {
  readonly #deps: Dependencies;
  #wasSynchronized = true;
  /** How far the wall clock was ahead of the monotonic one when it was last found not to be set. */
  #guessedLead: Milliseconds;
  #timer: Timer | undefined;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#guessedLead = this.#lead();
  }

  start(): void {
    this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const { clock, onChange } = this.#deps;
    const isSynchronized = clock.isSynchronized();
    if (isSynchronized !== this.#wasSynchronized) {
      this.#wasSynchronized = isSynchronized;
      if (isSynchronized) this.#isSet();
      else this.#isGuess();
      onChange();
    }
    this.#timer = clock.schedule(LOOK_EVERY, () => this.#look());
  }

  #isSet(): void {
    const { clock, writer, log } = this.#deps;
    const setByMilliseconds = Math.round(this.#lead() - this.#guessedLead);
    writer.record({ event: 'clock-trusted', at: clock.now(), clockSynchronized: true, detail: { setByMilliseconds } });
    log.info({ setByMilliseconds }, 'the clock is set');
  }

  #isGuess(): void {
    const { clock, writer, log, untrustedPolicy } = this.#deps;
    this.#guessedLead = this.#lead();
    writer.record({ event: 'clock-untrusted', at: clock.now(), clockSynchronized: false });
    log.warn({ untrustedPolicy }, 'the clock is not set: until it is, windows are judged as the policy says');
  }

  #lead(): Milliseconds {
    const { clock } = this.#deps;
    return milliseconds(clock.now() - clock.monotonic());
  }
}
