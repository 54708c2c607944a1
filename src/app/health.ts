// Health is earned (DESIGN.md, invariant 9): the supervisor hears that the gateway is alive only while a reader's loop turns, the
// store answers and this very event loop runs. Being offline, or a reader whose chip is dead, is not unhealthy: a restart would
// not mend it. Nor is one reader that hangs beside others that read: a restart would take the doors of those away.

import type { ReaderId } from '../domain/ids.ts';
import { type Milliseconds, milliseconds } from '../domain/units.ts';
import { errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { CardReader } from '../ports/card-reader.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { ServiceNotifier } from '../ports/service-notifier.ts';
import type { SerialWriter } from './serial-writer.ts';

/** A reader's loop that has not turned for so long hangs; an SPI time-out of a dead bus is far shorter. */
export const READER_LOOP_LIMIT: Milliseconds = milliseconds(10_000);
/** A batch that the disk has not taken for so long: it hangs, and only a restart can tell whether for good. */
export const COMMIT_LIMIT: Milliseconds = milliseconds(60_000);
const DEFAULT_INTERVAL = milliseconds(30_000);

interface Dependencies {
  readonly readers: ReadonlyMap<ReaderId, Pick<CardReader, 'lastTurnAt'>>;
  readonly store: Pick<CredentialStore, 'probe'>;
  readonly writer: Pick<SerialWriter, 'busyFor'>;
  readonly notifier: ServiceNotifier;
  readonly clock: Clock;
  readonly log: Log;
}

export class HealthMonitor {
  readonly #deps: Dependencies;
  readonly #startedAt;
  #timer: Timer | undefined;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#startedAt = deps.clock.monotonic();
  }

  /** What is wrong, in words; empty when healthy. */
  faults(): string[] {
    const { readers, store, writer, clock } = this.#deps;
    const now = clock.monotonic();
    const hanging = [...readers].filter(
      ([, reader]) => now - (reader.lastTurnAt() ?? this.#startedAt) > READER_LOOP_LIMIT,
    );
    const isBlind = hanging.length === readers.size;
    const faults = isBlind ? hanging.map(([reader]) => `the loop of reader ${reader} does not turn`) : [];
    if (writer.busyFor > COMMIT_LIMIT) {
      faults.push(`the store has been busy with one write for ${Math.round(writer.busyFor / 1000)} s`);
    }
    try {
      store.probe();
    } catch (error) {
      faults.push(`the store does not answer: ${errorMessage(error)}`);
    }
    return faults;
  }

  /** Feeds the watchdog at a third of its interval for as long as there is nothing wrong. */
  start(): void {
    const { notifier, clock, log } = this.#deps;
    const interval = milliseconds((notifier.watchdogInterval ?? DEFAULT_INTERVAL) / 3);
    const beat = (): void => {
      const faults = this.faults();
      if (faults.length === 0) notifier.alive();
      else log.error({ faults }, 'unhealthy: the watchdog is not fed');
      this.#timer = clock.schedule(interval, beat);
    };
    beat();
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
