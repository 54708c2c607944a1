// Receipts: what became of one HR message at this gateway (PROTOCOL.md, receipt).

import type { CardNumber } from '../domain/card-number.ts';
import type { CardholderId, DoorId, GatewayId, MessageId, Revision } from '../domain/ids.ts';
import { digestOf, type RosterSummary } from '../domain/roster-digest.ts';
import { formatInstant, type Instant } from '../domain/units.ts';
import type { HrMessageType } from './message-envelope.ts';
import type { RejectionCode } from './message-json.ts';

export type ReceiptResult = 'applied' | 'duplicate' | 'stale' | 'rejected';

export interface Receipt {
  readonly messageType: HrMessageType | null;
  readonly messageId: MessageId | null;
  readonly revision: Revision | null;
  readonly result: ReceiptResult;
  readonly card: CardNumber | null;
  readonly cardholder: CardholderId | null;
  readonly superseded: readonly CardNumber[];
  /** Doors of this gateway that the card opens from now on; of a command, those on which it took effect. */
  readonly doors: readonly DoorId[];
  readonly code: RejectionCode | null;
  readonly detail: string | null;
  readonly path: string | null;
  readonly payloadSha256: string | null;
  readonly warnings: readonly string[];
}

/** The members of a receipt that are so for most outcomes. */
export const NOTHING_CHANGED = {
  revision: null,
  card: null,
  cardholder: null,
  superseded: [],
  doors: [],
  code: null,
  detail: null,
  path: null,
  payloadSha256: null,
  warnings: [],
} as const satisfies Partial<Receipt>;

export interface ReceiptContext {
  readonly gateway: GatewayId;
  readonly appliedAt: Instant;
  readonly clockSynchronized: boolean;
  /** Of the audit record that holds the receipt. */
  readonly sequence: number;
  /** After the change. */
  readonly roster: RosterSummary;
}

export const encodeReceipt = (receipt: Receipt, context: ReceiptContext): string =>
  JSON.stringify({
    type: 'receipt',
    gateway: context.gateway,
    ...receipt,
    appliedAt: formatInstant(context.appliedAt),
    clockSynchronized: context.clockSynchronized,
    sequence: context.sequence,
    roster: { revision: context.roster.revision, cards: context.roster.cards, digest: digestOf(context.roster) },
  });
