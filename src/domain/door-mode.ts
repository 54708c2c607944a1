// What mode a door is in, from what operators have ordered and what its schedule says.
//
// 1. A lockdown beats every order and every schedule; an operator's order beats the schedule.
// 2. An order with an end is over from that moment on, by a clock that can be trusted; while it cannot, what locks stays.

import type { Instant } from './units.ts';

/**
 * normal: cards decide. unlocked: open to everybody by its schedule. held-open: the same, on an operator's word. blocked: no card
 * opens. lockdown: as blocked, but for the cards that override it.
 */
export const DOOR_MODES = ['normal', 'unlocked', 'held-open', 'blocked', 'lockdown'] as const;
export type DoorMode = (typeof DOOR_MODES)[number];

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

/** The mode that follows. `isUnlockedBySchedule`: the door's unlock schedule holds, and what it waits for has happened. */
export const modeOf = (orders: DoorOrders, isUnlockedBySchedule: boolean): DoorMode => {
  if (orders.lockdown !== undefined) return 'lockdown';
  if (orders.mode !== undefined) return orders.mode.mode;
  return isUnlockedBySchedule ? 'unlocked' : 'normal';
};
