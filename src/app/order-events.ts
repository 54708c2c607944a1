// The events that tell of orders to doors: who gave them, why, until when, and what became of them.

import type { NewEvent } from '../domain/access-event.ts';
import type { JsonValue } from '../domain/canonical-json.ts';
import type { DoorId } from '../domain/ids.ts';
import { formatInstant, type Instant } from '../domain/units.ts';
import type { Clock } from '../ports/clock.ts';

export type OrderEvent = 'door-command' | 'lockdown-started' | 'lockdown-ended';

/** As the detail of an event has it: what is left out is not in it. */
export interface OrderDetail {
  readonly [key: string]: JsonValue | undefined;
  /** `cardea` for what the gateway does by a schedule. */
  readonly operator: string;
}

export const orderEvent = (
  event: OrderEvent,
  { door, detail, clock }: { readonly door: DoorId; readonly detail: OrderDetail; readonly clock: Clock },
): NewEvent => ({
  event,
  at: clock.now(),
  clockSynchronized: clock.isSynchronized(),
  door,
  detail: Object.fromEntries(Object.entries(detail).filter(([, value]) => value !== undefined)),
});

/** A moment in an event; null for an order without an end. */
export const endText = (until: Instant | undefined): string | null =>
  until === undefined ? null : formatInstant(until);
