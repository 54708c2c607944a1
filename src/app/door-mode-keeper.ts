// Which mode each door is in: from what is ordered for it, and from its unlock schedule. Looks once a second, and whenever an
// order is given or a card is granted.
//
// 1. A lockdown beats every order, an order beats the schedule (domain/door-mode.ts).
// 2. A schedule unlocks only while it holds by a clock that is set; with `afterFirstCard` only after a card was granted
//    since it began to hold, since the last lockdown and since the last restart.
// 3. An order that is over ends within a second. What opens ends in doubt, what locks only when it is certain.
// 4. What is in effect is in the store, or is tried again until it is.

import type { NewEvent } from '../domain/access-event.ts';
import {
  type DoorMode,
  type DoorOrders,
  isOver,
  isSameOrders,
  modeOf,
  ordersAfter,
  ordersAfterRestart,
  type StandingOrder,
  type UnlockSchedule,
} from '../domain/door-mode.ts';
import type { DoorId } from '../domain/ids.ts';
import { after, type MonotonicTime, milliseconds, seconds } from '../domain/units.ts';
import { errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { AccessJudge } from './access-judge.ts';
import type { DoorController } from './door-controller.ts';
import { endText, orderEvent } from './order-events.ts';
import type { SerialWriter } from './serial-writer.ts';

/** How often the clocks are looked at. */
export const LOOK_INTERVAL = seconds(1);

/** The operator of what the gateway does by itself. */
const ITSELF = 'cardea';

interface Dependencies {
  /** Filled before start(). */
  readonly doors: ReadonlyMap<DoorId, DoorController>;
  readonly unlockSchedules: ReadonlyMap<DoorId, UnlockSchedule>;
  readonly judge: Pick<AccessJudge, 'rules' | 'wallClock'>;
  readonly store: Pick<CredentialStore, 'doorOrders'>;
  readonly writer: SerialWriter;
  readonly clock: Clock;
  readonly log: Log;
}

type OrderPart = keyof DoorOrders;
const PARTS: readonly OrderPart[] = ['lockdown', 'mode'];

interface KeptDoor {
  orders: DoorOrders;
  /** When an order that was given to this process is over, whatever becomes of the clock on the wall. */
  deadlines: Readonly<Record<OrderPart, MonotonicTime | undefined>>;
  isScheduleHolding: boolean;
  hasFirstCard: boolean;
}

export class DoorModeKeeper {
  readonly #deps: Dependencies;
  readonly #kept = new Map<DoorId, KeptDoor>();
  /** Doors of which the store may hold other orders than are in effect. */
  readonly #unstored = new Set<DoorId>();
  #timer: Timer | undefined;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** The mode in which a door is to be put into service: as it was ordered before the restart. start() looks at schedules. */
  initialMode(door: DoorId): DoorMode {
    return modeOf(this.orders(door), false);
  }

  /** From here on the doors follow. */
  start(): void {
    for (const door of this.#deps.doors.keys()) {
      if (!isSameOrders(this.#deps.store.doorOrders(door), this.orders(door))) this.#unstored.add(door);
    }
    this.#tick();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** What is in effect. */
  orders(door: DoorId): DoorOrders {
    return this.#keptOf(door).orders;
  }

  /** Puts orders into effect at once. To store them is the caller's; see storeLater(). */
  order(door: DoorId, orders: DoorOrders): void {
    const kept = this.#keptOf(door);
    this.#put(kept, orders);
    this.#follow(door, kept);
  }

  #put(kept: KeptDoor, orders: DoorOrders): void {
    // By the object: an order that is given once more lasts from then on.
    const deadlineOf = (part: OrderPart): MonotonicTime | undefined =>
      orders[part] === kept.orders[part] ? kept.deadlines[part] : this.#deadlineOf(orders[part]);
    kept.deadlines = { lockdown: deadlineOf('lockdown'), mode: deadlineOf('mode') };
    kept.orders = orders;
  }

  /** The store could not be told of the orders, or was told of others: it is told within a second, and until it works. */
  storeLater(door: DoorId): void {
    this.#unstored.add(door);
  }

  /** A card was granted at a reader of the door. */
  onGranted(door: DoorId): void {
    const kept = this.#keptOf(door);
    this.#lookAtSchedule(door, kept);
    if (kept.orders.lockdown !== undefined || !kept.isScheduleHolding) return;
    kept.hasFirstCard = true;
    this.#follow(door, kept);
  }

  /** Looks at the clocks now: for whoever has changed schedules. */
  look(): void {
    for (const door of this.#deps.doors.keys()) {
      const kept = this.#keptOf(door);
      for (const part of PARTS) this.#endIfOver(door, kept, part);
      this.#lookAtSchedule(door, kept);
      this.#follow(door, kept);
    }
  }

  #tick(): void {
    this.#timer = this.#deps.clock.schedule(LOOK_INTERVAL, () => this.#tick());
    this.look();
    if (!this.#deps.writer.isFailing) for (const door of this.#unstored) void this.#store(door);
  }

  #keptOf(door: DoorId): KeptDoor {
    const known = this.#kept.get(door);
    if (known !== undefined) return known;
    const orders = ordersAfterRestart(this.#deps.store.doorOrders(door));
    const deadlines = { lockdown: undefined, mode: undefined };
    const kept = { orders, deadlines, isScheduleHolding: false, hasFirstCard: false };
    this.#kept.set(door, kept);
    return kept;
  }

  #deadlineOf(order: StandingOrder | undefined): MonotonicTime | undefined {
    const { clock } = this.#deps;
    if (order?.until === undefined) return undefined;
    return after(clock.monotonic(), milliseconds(order.until - clock.now()));
  }

  #endIfOver(door: DoorId, kept: KeptDoor, part: OrderPart): void {
    const { clock } = this.#deps;
    const order = kept.orders[part];
    if (order === undefined) return;
    const deadline = kept.deadlines[part];
    const isTimeUp = deadline !== undefined && clock.monotonic() >= deadline;
    if (!isOver(order, { now: clock.now(), isTrusted: clock.isSynchronized(), isTimeUp })) return;
    this.#put(kept, ordersAfter(kept.orders, part === 'lockdown' ? 'end-lockdown' : 'normal', order));
    void this.#recordEnd(door, order, part);
    this.#follow(door, kept);
  }

  async #recordEnd(door: DoorId, order: StandingOrder, part: OrderPart): Promise<void> {
    const { clock, log } = this.#deps;
    const { operator, reason } = order;
    const detail = { operator, reason, until: endText(order.until), cause: 'expired' };
    const event =
      part === 'lockdown'
        ? orderEvent('lockdown-ended', { door, detail, clock })
        : orderEvent('door-command', { door, detail: { ...detail, action: 'normal', result: 'done' }, clock });
    log.info({ door, part, ...detail }, 'order to a door is over');
    await this.#storeWith(door, event);
  }

  /** The event is not lost where the orders cannot be stored. */
  async #storeWith(door: DoorId, event: NewEvent): Promise<void> {
    const { writer } = this.#deps;
    try {
      await writer.write((tx) => {
        tx.putDoorOrders(door, this.orders(door));
        tx.append(event);
      });
    } catch {
      writer.record(event);
    }
    this.storeLater(door);
  }

  async #store(door: DoorId): Promise<void> {
    const { store, writer, log } = this.#deps;
    this.#unstored.delete(door);
    if (isSameOrders(store.doorOrders(door), this.orders(door))) return;
    try {
      await writer.write((tx) => tx.putDoorOrders(door, this.orders(door)));
    } catch (error) {
      log.error(
        { door, err: errorMessage(error) },
        'orders to a door could not be stored, and would be lost at a restart',
      );
    }
    // Another command may have been recorded meanwhile that was not in effect yet.
    this.storeLater(door);
  }

  #lookAtSchedule(door: DoorId, kept: KeptDoor): void {
    const { judge, unlockSchedules, clock } = this.#deps;
    const unlock = unlockSchedules.get(door);
    if (unlock === undefined) return;
    const { local } = judge.wallClock(door);
    // Whatever the policy for cards: a guess may let one card in too early, but must not open the door to everybody.
    kept.isScheduleHolding = clock.isSynchronized() && judge.rules.holds(unlock.schedule, local) === true;
    if (!kept.isScheduleHolding) kept.hasFirstCard = false;
  }

  /** Puts the door into the mode that follows from all that is known. */
  #follow(door: DoorId, kept: KeptDoor): void {
    const { doors, unlockSchedules } = this.#deps;
    if (kept.orders.lockdown !== undefined) kept.hasFirstCard = false;
    const unlock = unlockSchedules.get(door);
    const isUnlocked = kept.isScheduleHolding && (unlock?.afterFirstCard === false || kept.hasFirstCard);
    const mode = modeOf(kept.orders, isUnlocked);
    const controller = doors.get(door);
    if (controller === undefined || controller.mode === mode) return;
    const before = controller.mode;
    controller.setMode(mode);
    if (unlock === undefined || controller.mode !== mode) return;
    if (mode === 'unlocked') this.#tellOf('schedule-unlock', door, { unlock, controller });
    if (mode === 'normal' && before === 'unlocked') this.#tellOf('schedule-lock', door, { unlock, controller });
  }

  #tellOf(
    action: 'schedule-unlock' | 'schedule-lock',
    door: DoorId,
    { unlock, controller }: { readonly unlock: UnlockSchedule; readonly controller: DoorController },
  ): void {
    const { writer, clock, log } = this.#deps;
    const result = controller.hasStrikeFault ? 'failed' : 'done';
    const detail = { action, operator: ITSELF, result, schedule: unlock.schedule };
    writer.record(orderEvent('door-command', { door, detail, clock }));
    log.info({ door, ...detail }, 'unlock schedule');
  }
}
