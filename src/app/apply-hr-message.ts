// The change flow: a message from HR is decoded, planned against the records, written with its audit event and its receipt in one
// synced batch, and only then acknowledged.
//
// 1. Durable before acknowledged (DESIGN.md, invariant 1): handle() fulfils after the batch.
// 2. Old out, new in, at once (invariant 2): one change is one batch.
// 3. A message that can never be applied is answered by a receipt and acknowledged; it does not block those behind it.

import type { CardNumberFormat } from '../domain/card-number.ts';
import type { DoorId, GatewayId, SiteId } from '../domain/ids.ts';
import { planChange, type RosterChange } from '../domain/roster-change.ts';
import { type AccessRules, permissionAt, unknownNames } from '../domain/schedule.ts';
import type { Instant, MonotonicTime } from '../domain/units.ts';
import { CardeaError } from '../errors.ts';
import { type Log, maskCard } from '../log.ts';
import type { Clock } from '../ports/clock.ts';
import type { InboundMessage } from '../ports/hr-link.ts';
import { decodeHrMessage, type HrMessage, type Rejection } from '../wire/hr-messages.ts';
import type { MessageEnvelope } from '../wire/message-envelope.ts';
import { encodeReceipt, type Receipt } from '../wire/receipts.ts';
import type { Topics } from '../wire/topics.ts';
import type { SerialWriter } from './serial-writer.ts';
import type { StoreTransaction } from './store-transaction.ts';

/** Messages that cannot even be named are answered this often and no more (PROTOCOL.md, receipt). */
export const NAMELESS_RECEIPTS_PER_SECOND = 10;

interface Dependencies {
  readonly site: SiteId;
  readonly gateway: GatewayId;
  /** The doors of this gateway. */
  readonly doors: readonly DoorId[];
  readonly topics: Topics;
  readonly cardNumberFormat: CardNumberFormat;
  readonly envelope: MessageEnvelope;
  readonly rules: AccessRules;
  readonly writer: SerialWriter;
  readonly clock: Clock;
  readonly log: Log;
}

export class HrMessageHandler {
  readonly #deps: Dependencies;
  readonly #nameless: RateLimit;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#nameless = new RateLimit(deps.clock, NAMELESS_RECEIPTS_PER_SECOND);
  }

  /** Fulfils when the message's outcome is durable; rejects when it could not be stored and must be delivered again. */
  async handle(inbound: InboundMessage): Promise<void> {
    const decoded = decodeHrMessage(inbound, this.#deps);
    if ('message' in decoded) await this.#apply(decoded.message);
    else await this.#reject(decoded.rejection, inbound.payload.length);
  }

  async #apply(message: HrMessage): Promise<void> {
    const { writer, log } = this.#deps;
    try {
      const receipt = await writer.write((tx) => this.#plan(tx, message));
      log.info(
        {
          messageId: message.messageId,
          revision: message.revision,
          result: receipt.result,
          code: receipt.code,
          card: receipt.card,
          superseded: receipt.superseded.map(maskCard),
        },
        'change from HR',
      );
    } catch (error) {
      // A damaged record cannot be weighed against the message, now or later: say so, and let the next message pass.
      if (!(error instanceof CardeaError) || error.code !== 'store-record-unreadable') throw error;
      log.error({ messageId: message.messageId, err: error.message }, 'change from HR meets a damaged record');
      await this.#reject({ ...message, code: 'store-unavailable', detail: error.message, payloadSha256: null }, 0);
    }
  }

  #plan(tx: StoreTransaction, message: HrMessage): Receipt {
    const { clock, rules } = this.#deps;
    const { change, messageId, revision } = message;
    const appliedAt = clock.now();
    const plan = planChange(tx, change, { revision, messageId, appliedAt });
    const isRejected = plan.result === 'card-in-use' || plan.result === 'revision-conflict';
    const receipt: Receipt = {
      messageType: message.messageType,
      messageId,
      revision,
      result: isRejected ? 'rejected' : plan.result,
      card: 'card' in change ? change.card : null,
      cardholder: cardholderOf(change),
      superseded: plan.superseded,
      doors: [],
      code: isRejected ? plan.result : null,
      detail: isRejected ? REJECTION_DETAILS[plan.result] : null,
      path: null,
      payloadSha256: null,
      warnings: change.kind === 'bind-card' ? unknownNames(change.access, rules) : [],
    };
    if (plan.cards.size > 0 || plan.cardholders.size > 0 || plan.result === 'applied') {
      tx.putChange({ ...plan, revision });
    }
    const answered = {
      ...receipt,
      cardholder: receipt.cardholder ?? ('card' in change ? (tx.card(change.card)?.cardholder ?? null) : null),
      doors: this.#doorsOpenedBy(tx, change, appliedAt),
    };
    this.#append(tx, answered, { operator: message.operator, appliedAt });
    return answered;
  }

  /** Doors here that the change's card opens from now on, whatever the result of this message was. */
  #doorsOpenedBy(tx: StoreTransaction, change: RosterChange, now: Instant): DoorId[] {
    if (!('card' in change)) return [];
    const record = tx.card(change.card);
    if (record?.state !== 'live' || record.activation === 'pending') return [];
    if (record.validUntil !== undefined && record.validUntil <= now) return [];
    const { doors, rules } = this.#deps;
    return doors.filter((door) => permissionAt(record.access, door, rules) === 'permitted');
  }

  async #reject(rejection: Rejection, bytes: number): Promise<void> {
    const { writer, clock, log } = this.#deps;
    log.warn(
      { messageId: rejection.messageId, code: rejection.code, path: rejection.path, bytes },
      'message from HR rejected',
    );
    if (rejection.messageId === null && !this.#nameless.take()) return;
    await writer.write((tx) => {
      const receipt: Receipt = {
        messageType: rejection.messageType,
        messageId: rejection.messageId,
        revision: rejection.revision,
        result: 'rejected',
        card: null,
        cardholder: null,
        superseded: [],
        doors: [],
        code: rejection.code,
        detail: rejection.detail,
        path: rejection.path ?? null,
        payloadSha256: rejection.payloadSha256,
        warnings: [],
      };
      this.#append(tx, receipt, { operator: rejection.operator, appliedAt: clock.now() });
    });
  }

  #append(
    tx: StoreTransaction,
    receipt: Receipt,
    { operator, appliedAt }: { readonly operator: string | null; readonly appliedAt: Instant },
  ): void {
    const { gateway, clock } = this.#deps;
    const clockSynchronized = clock.isSynchronized();
    const { messageType, messageId, revision, result, code, superseded } = receipt;
    tx.append(
      {
        event: 'card-change',
        at: appliedAt,
        clockSynchronized,
        card: receipt.card ?? undefined,
        cardholder: receipt.cardholder ?? undefined,
        bindingRevision: revision ?? undefined,
        reason: code ?? undefined,
        detail: { messageType, messageId, result, operator, superseded },
      },
      (sequence) => encodeReceipt(receipt, { gateway, appliedAt, clockSynchronized, sequence, roster: tx.roster() }),
    );
  }
}

const REJECTION_DETAILS = {
  'card-in-use': 'the card is live for another cardholder; revoke it first or name that person in transferFrom',
  'revision-conflict': 'this revision was already used for another content',
} as const;

const cardholderOf = (change: RosterChange): Receipt['cardholder'] => {
  switch (change.kind) {
    case 'bind-card':
      return change.cardholder.id;
    case 'revoke-cardholder':
      return change.cardholder;
    case 'revoke-card':
      return null;
  }
};

/** A bucket of `limit` tokens that fills once a second. */
class RateLimit {
  readonly #clock: Clock;
  readonly #limit: number;
  #second: MonotonicTime | undefined;
  #taken = 0;

  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  take(): boolean {
    const now = this.#clock.monotonic();
    if (this.#second === undefined || now - this.#second >= 1000) {
      this.#second = now;
      this.#taken = 0;
    }
    this.#taken += 1;
    return this.#taken <= this.#limit;
  }
}
