// How fast pages may leave for a gateway: BURST at once, and beyond it at a pace that gateways keep, whatever number of requests they
// answer. Anybody whom the broker lets publish may ask, for any gateway: asking is cheap and must not make answering endless.

import type { GatewayId } from '../domain/ids.ts';
import { after, type Milliseconds, type MonotonicTime, milliseconds } from '../domain/units.ts';
import type { Clock } from '../ports/clock.ts';

/** Pages that fit into the broker's queue whatever the gateway does. */
export const BURST = 400;
/** Beyond the burst: 100 pages, or 20,000 cards, a second. */
export const PER_PAGE = milliseconds(10);

export class PagePace {
  readonly #clock: Clock;
  /** When a gateway may have a whole burst again; those that may have one now are left out. */
  readonly #wholeAt = new Map<GatewayId, MonotonicTime>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts `pages` more for the gateway, and tells how long they have to wait; zero or less for not at all. */
  take(gateway: GatewayId, pages: number): Milliseconds {
    const now = this.#clock.monotonic();
    for (const [other, wholeAt] of this.#wholeAt) if (wholeAt <= now) this.#wholeAt.delete(other);
    const wholeAt = after(this.#wholeAt.get(gateway) ?? now, milliseconds(pages * PER_PAGE));
    this.#wholeAt.set(gateway, wholeAt);
    return milliseconds(wholeAt - now - BURST * PER_PAGE);
  }
}
