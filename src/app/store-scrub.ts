// Reads the whole store now and then, slowly, beside everything else: damage is found before somebody needs what is damaged. What is
// found is an event once and an alarm from then on. Where a start would set the store aside for it the gateway ends, so that one does:
// for cards and the newest events. What else is damaged is unreadable and opens nothing.

import { milliseconds } from '../domain/units.ts';
import { errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports/clock.ts';
import { LaterWork } from './later-work.ts';
import type { SerialWriter } from './serial-writer.ts';

/** The start has enough to do. */
const FIRST_AFTER = milliseconds(60_000);
export const SCRUB_INTERVAL = milliseconds(24 * 3_600_000);

interface Dependencies {
  /** What is wrong with the records, in words; undefined when all is well. Rejects when the store does not answer. */
  readonly verify: () => Promise<string | undefined>;
  /** As verify(), of what a start looks at. */
  readonly verifyAsStart: () => Promise<string | undefined>;
  /** A start would set the store aside. */
  readonly onSetAside: (reason: string) => void;
  readonly writer: Pick<SerialWriter, 'record'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Something that status shows has changed. */
  readonly onChange: () => void;
}

export class StoreScrub {
  readonly #deps: Dependencies;
  readonly #later: LaterWork;
  #found: string | undefined;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#later = new LaterWork(deps.clock);
  }

  start(): void {
    this.#later.schedule(FIRST_AFTER, () => this.#look());
  }

  /** Fulfils when the store is not read any more. */
  stop(): Promise<void> {
    return this.#later.stop();
  }

  /** Whether a look that is under way is to end. */
  get isStopped(): boolean {
    return this.#later.isStopped;
  }

  alarms(): readonly string[] {
    return this.#found === undefined ? [] : [`is damaged: ${this.#found}`];
  }

  async #look(): Promise<void> {
    const { verify, verifyAsStart, onSetAside, log } = this.#deps;
    try {
      const found = await verify();
      if (found !== undefined && !this.isStopped) {
        this.#tell(found);
        const reason = await verifyAsStart();
        if (reason !== undefined && !this.isStopped) onSetAside(reason);
      }
    } catch (error) {
      if (!this.isStopped) log.warn({ err: errorMessage(error) }, 'the store could not be read through');
    }
    this.#later.schedule(SCRUB_INTERVAL, () => this.#look());
  }

  #tell(reason: string): void {
    const { writer, clock, log, onChange } = this.#deps;
    if (this.#found !== undefined) return;
    this.#found = reason;
    log.error({ reason }, 'the store is damaged');
    const detail = { reason, setAside: null, missing: null };
    writer.record({ event: 'store-damaged', at: clock.now(), clockSynchronized: clock.isSynchronized(), detail });
    onChange();
  }
}
