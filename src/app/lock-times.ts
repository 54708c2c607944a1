// When doors were locked by commands, and how often: what came between a command that is under way and its door, and which of two
// that come in the wrong order was given first.

import type { DoorOrders } from '../domain/door-mode.ts';
import type { DoorId } from '../domain/ids.ts';
import { type MonotonicTime, milliseconds, monotonicTime } from '../domain/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { DoorModeKeeper } from './door-mode-keeper.ts';

/** The times in messages may be whole seconds: what was given so close together counts as given in the order of arrival. */
const SAME_TIME = milliseconds(1000);

/** A lockdown, or an order that stands beside it. */
export type OrderPart = keyof DoorOrders;

interface Dependencies {
  readonly keeper: Pick<DoorModeKeeper, 'orders'>;
  readonly clock: Clock;
}

export class LockTimes {
  readonly #deps: Dependencies;
  readonly #counts = new Map<DoorId, number>();
  /** When the latest was given, by commands of this process. */
  readonly #latest: Readonly<Record<OrderPart, Map<DoorId, MonotonicTime>>> = { lockdown: new Map(), mode: new Map() };

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** A command that was given at `givenAt` locks the door; to be called before its order is in effect. */
  note(door: DoorId, part: OrderPart, givenAt: MonotonicTime): void {
    this.#counts.set(door, this.count(door) + 1);
    this.#latest[part].set(door, monotonicTime(Math.max(givenAt, this.#at(door, part) ?? givenAt)));
  }

  /** How often the door was locked. */
  count(door: DoorId): number {
    return this.#counts.get(door) ?? 0;
  }

  /** Whether the door was locked by a command that was given after `givenAt`; by any, or by one of that part. */
  isOvertaken(door: DoorId, givenAt: MonotonicTime, part?: OrderPart): boolean {
    const parts: readonly OrderPart[] = part === undefined ? ['lockdown', 'mode'] : [part];
    return parts.some((one) => (this.#at(door, one) ?? givenAt) - givenAt > SAME_TIME);
  }

  /** By a command of this process, or by one that was given before a restart and still stands. */
  #at(door: DoorId, part: OrderPart): MonotonicTime | undefined {
    const { keeper, clock } = this.#deps;
    const known = this.#latest[part].get(door);
    if (known !== undefined) return known;
    const { lockdown, mode } = keeper.orders(door);
    const standing = part === 'lockdown' ? lockdown : mode?.mode === 'blocked' ? mode : undefined;
    if (standing === undefined) return undefined;
    return monotonicTime(clock.monotonic() - Math.max(0, clock.now() - standing.at));
  }
}
