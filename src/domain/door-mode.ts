// What mode a door is in, from what operators have ordered and what its schedule says.
//
// 1. A lockdown beats every order and every schedule; an operator's order beats the schedule.
// 2. An order with an end is over from that moment on, by a clock that can be trusted; while it cannot, what locks stays.

import type { ScheduleId } from './ids.ts';
import { type Instant, instant } from './units.ts';

/**
 * normal: cards decide. unlocked: open to everybody by its schedule. held-open: the same, on an operator's word. blocked: no card
 * opens. lockdown: as blocked, but for the cards that override it.
 */
export const DOOR_MODES = ['normal', 'unlocked', 'held-open', 'blocked', 'lockdown'] as const;
export type DoorMode = (typeof DOOR_MODES)[number];

/** Whether everybody may pass, with a card or without. */
export const isOpenMode = (mode: DoorMode): boolean => mode === 'held-open' || mode === 'unlocked';

/** What an operator has ordered until further notice, or until a moment. */
export interface StandingOrder {
  readonly operator: string;
  /** In the operator's words; null where none were asked for. */
  readonly reason: string | null;
  readonly at: Instant;
  /** From then on the order is over. */
  readonly until?: Instant;
}

/** All that is ordered for one door; empty for a door that is left to cards and its schedule. */
export interface DoorOrders {
  readonly mode?: StandingOrder & { readonly mode: 'blocked' | 'held-open' };
  readonly lockdown?: StandingOrder;
}

export const NO_ORDERS: DoorOrders = {};

/** For a door of which nobody can read any more what was ordered: no card opens it until somebody orders anew. */
export const UNREADABLE_ORDERS: DoorOrders = {
  mode: {
    mode: 'blocked',
    operator: 'cardea',
    reason: 'what was ordered for this door cannot be read any more; order what is to be',
    at: instant(0),
  },
};

/** The mode that follows. `isUnlockedBySchedule`: the door's unlock schedule holds, and what it waits for has happened. */
export const modeOf = (orders: DoorOrders, isUnlockedBySchedule: boolean): DoorMode => {
  if (orders.lockdown !== undefined) return 'lockdown';
  if (orders.mode !== undefined) return orders.mode.mode;
  return isUnlockedBySchedule ? 'unlocked' : 'normal';
};

/** A schedule by which a door unlocks itself. */
export interface UnlockSchedule {
  readonly schedule: ScheduleId;
  /** Only once a card was granted at the door since the schedule began to hold. */
  readonly afterFirstCard: boolean;
}

/** The order that decides; undefined where cards and the schedule do. */
export const orderInEffect = ({ lockdown, mode }: DoorOrders): StandingOrder | undefined => lockdown ?? mode;

export type OrderAction = 'block' | 'hold-open' | 'normal' | 'lockdown' | 'end-lockdown';

/** What stands after one more order. A lockdown ends a hold-open for good, and leaves a block as it is. */
export const ordersAfter = (orders: DoorOrders, action: OrderAction, order: StandingOrder): DoorOrders => {
  const { lockdown, mode } = orders;
  switch (action) {
    case 'block':
      return { ...orders, mode: { ...order, mode: 'blocked' } };
    case 'hold-open':
      return { ...orders, mode: { ...order, mode: 'held-open' } };
    case 'normal':
      return lockdown === undefined ? NO_ORDERS : { lockdown };
    case 'lockdown':
      return { ...(mode?.mode === 'blocked' && { mode }), lockdown: order };
    case 'end-lockdown':
      return mode === undefined ? NO_ORDERS : { mode };
  }
};

/** What of the orders outlives a restart: what locks. Nothing is held open by a gateway that nobody has looked at since. */
export const ordersAfterRestart = (orders: DoorOrders): DoorOrders =>
  orders.mode?.mode === 'held-open' ? ordersAfter(orders, 'normal', orders.mode) : orders;

export interface OrderTime {
  readonly now: Instant;
  /** Whether `now` may be judged by. */
  readonly isTrusted: boolean;
  /** The order was given to this process, and has lasted as long as it was to last by the clock that nobody can set. */
  readonly isTimeUp: boolean;
}

/** Whether the order is over. What opens ends in doubt, what locks only when it is certain. */
export const isOver = (
  order: StandingOrder & { readonly mode?: 'blocked' | 'held-open' },
  { now, isTrusted, isTimeUp }: OrderTime,
): boolean => {
  if (order.until === undefined) return false;
  return isTimeUp || ((isTrusted || order.mode === 'held-open') && now >= order.until);
};

export const isSameOrders = (a: DoorOrders, b: DoorOrders): boolean =>
  isSameOrder(a.lockdown, b.lockdown) && a.mode?.mode === b.mode?.mode && isSameOrder(a.mode, b.mode);

const isSameOrder = (a: StandingOrder | undefined, b: StandingOrder | undefined): boolean =>
  a?.operator === b?.operator && a?.reason === b?.reason && a?.at === b?.at && a?.until === b?.until;
