// Removes events of the gateways that are older than the site wants to keep them: at the beginning of each gateway's log, some at a
// time, so that changes are written in between. What they said of a card stays (UsageBook).

import { formatInstant, instant, type Milliseconds, seconds } from '../domain/units.ts';
import { errorMessage } from '../errors.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { DeskStore } from '../ports/desk-store.ts';
import type { DeskWriter } from './desk-writer.ts';

const FIRST_AFTER = seconds(60);
const EVERY = seconds(6 * 3600);
/** Records that are removed together. */
const CHUNK = 500;
/** So many are looked at for one whose time is known. */
const MOST_LOOKED_AT = 20_000;

interface Dependencies {
  readonly store: DeskStore;
  readonly writer: DeskWriter;
  readonly clock: Clock;
  readonly maxAge: Milliseconds;
  readonly gateways: () => readonly string[];
  readonly onFault: (text: string) => void;
}

export class EventRetention {
  readonly #deps: Dependencies;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#lookIn(FIRST_AFTER);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Returns how many events are gone. */
  async sweep(): Promise<number> {
    let removed = 0;
    for (const gateway of this.#deps.gateways()) {
      for (let keys = await this.#oldOf(gateway); keys.length > 0 && !this.#isStopped; ) {
        await this.#deps.writer.write(keys.map((key) => ({ kind: 'event', key, value: undefined })));
        removed += keys.length;
        keys = keys.length < CHUNK ? [] : await this.#oldOf(gateway);
      }
    }
    return removed;
  }

  #lookIn(delay: Milliseconds): void {
    if (this.#isStopped) return;
    this.#timer = this.#deps.clock.schedule(delay, () => {
      this.sweep()
        .catch((error: unknown) => this.#deps.onFault(`old events could not be removed: ${errorMessage(error)}`))
        .finally(() => this.#lookIn(EVERY));
    });
  }

  /**
   * The first events of a gateway, up to the last one that is old. What a gateway has recorded while it did not know the time is as
   * old as what comes behind it.
   */
  async #oldOf(gateway: string): Promise<readonly string[]> {
    const { store, clock, maxAge } = this.#deps;
    const limit = formatInstant(instant(clock.now() - maxAge));
    const keys: string[] = [];
    let old = 0;
    for await (const [key, value] of store.entries('event', { from: `${gateway}/`, to: `${gateway}0` })) {
      const { time, clockSynchronized } = Object(value);
      if (clockSynchronized === true && !(Date.parse(time) < Date.parse(limit))) break;
      keys.push(key);
      if (clockSynchronized === true) old = keys.length;
      if (old >= CHUNK || keys.length >= MOST_LOOKED_AT) break;
    }
    return keys.slice(0, old);
  }
}
