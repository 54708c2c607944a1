// The audit record of one HR message: an event that names message, result and operator, and carries the receipt that answers it.

import type { GatewayId } from '../domain/ids.ts';
import type { Instant } from '../domain/units.ts';
import type { Clock } from '../ports/clock.ts';
import { encodeReceipt, type Receipt } from '../wire/receipts.ts';
import type { StoreTransaction } from './store-transaction.ts';
import { IN_DOUBT } from './store-trust.ts';

export interface ReceiptCircumstances {
  readonly gateway: GatewayId;
  readonly clock: Clock;
  /** Who sent the message; null where that could not be made out. */
  readonly operator: string | null;
  readonly appliedAt: Instant;
}

export const appendReceipt = (
  tx: StoreTransaction,
  given: Receipt,
  { gateway, clock, operator, appliedAt }: ReceiptCircumstances,
): void => {
  const clockSynchronized = clock.isSynchronized();
  const receipt = tx.isInDoubt() ? { ...given, warnings: [...given.warnings, IN_DOUBT] } : given;
  const { messageType, messageId, revision, result, code, superseded } = receipt;
  const isCalendar = messageType === 'calendar';
  tx.append(
    {
      event: 'card-change',
      at: appliedAt,
      clockSynchronized,
      card: receipt.card ?? undefined,
      cardholder: receipt.cardholder ?? undefined,
      bindingRevision: isCalendar ? undefined : (revision ?? undefined),
      reason: code ?? undefined,
      detail: { messageType, messageId, result, operator, superseded, ...(isCalendar && { revision }) },
    },
    (sequence) => encodeReceipt(receipt, { gateway, appliedAt, clockSynchronized, sequence, roster: tx.roster() }),
  );
};
