// What HR wants changed: planned against the records, written with its audit event and its receipt in one synced batch that it
// shares with whatever else waits, and only then acknowledged.
//
// 1. Durable before acknowledged (DESIGN.md, invariant 1): apply() and reject() fulfil after the batch.
// 2. Old out, new in, at once (invariant 2): one change is one batch.
// 3. A damaged record denies, and never stands in the way of a revocation.
// 4. A message that can never be applied is answered by a receipt and acknowledged; it does not block those behind it.

import type { DenialReason } from '../domain/access-event.ts';
import type { CardholderRecord } from '../domain/credential.ts';
import type { CardholderId, DoorId, GatewayId } from '../domain/ids.ts';
import {
  type ChangeResult,
  MAX_CARDS_OF_CARDHOLDER,
  planChange,
  type RosterChange,
  rebuildCardholder,
} from '../domain/roster-change.ts';
import { isEverPermitted, unknownNames } from '../domain/schedule.ts';
import type { MonotonicTime } from '../domain/units.ts';
import { errorMessage } from '../errors.ts';
import { type Log, maskCard } from '../log.ts';
import type { Clock } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { HrMessage } from '../wire/change-messages.ts';
import type { Rejection } from '../wire/hr-messages.ts';
import { NOTHING_CHANGED, type Receipt } from '../wire/receipts.ts';
import type { AccessJudge } from './access-judge.ts';
import { appendReceipt } from './append-receipt.ts';
import type { SerialWriter } from './serial-writer.ts';
import { damagedCardholder, type StoreTransaction } from './store-transaction.ts';

/** Messages that cannot even be named are answered this often and no more (PROTOCOL.md, receipt). */
export const NAMELESS_RECEIPTS_PER_SECOND = 10;

interface Dependencies {
  readonly gateway: GatewayId;
  /** The doors of this gateway. */
  readonly doors: readonly DoorId[];
  readonly judge: Pick<AccessJudge, 'decide' | 'rules'>;
  readonly writer: SerialWriter;
  readonly store: Pick<CredentialStore, 'cardsOf'>;
  readonly clock: Clock;
  readonly log: Log;
}

export class ChangeHandler {
  readonly #deps: Dependencies;
  readonly #nameless: RateLimit;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#nameless = new RateLimit(deps.clock, NAMELESS_RECEIPTS_PER_SECOND);
  }

  /** Fulfils when the message's outcome is durable; rejects when it could not be stored and must be delivered again. */
  async apply(message: HrMessage): Promise<void> {
    const { log } = this.#deps;
    const receipt = await this.#write(message, new Map());
    const { messageId, revision } = message;
    const { result, code, card } = receipt;
    log.info(
      { messageId, revision, result, code, card, superseded: receipt.superseded.map(maskCard) },
      'change from HR',
    );
  }

  /** A person's record that cannot be read is made anew from their cards: damage must not keep a revocation from taking effect. */
  async #write(message: HrMessage, mended: ReadonlyMap<CardholderId, CardholderRecord>): Promise<Receipt> {
    const { writer, store, log } = this.#deps;
    try {
      return await writer.write((tx) => {
        for (const [id, record] of mended) tx.mendCardholder(id, record);
        return this.#plan(tx, message);
      });
    } catch (error) {
      const id = damagedCardholder(error);
      if (id === undefined || mended.has(id)) throw error;
      log.error({ messageId: message.messageId, err: errorMessage(error) }, 'damaged cardholder record is made anew');
      return this.#write(message, new Map([...mended, [id, rebuildCardholder(await store.cardsOf(id))]]));
    }
  }

  #plan(tx: StoreTransaction, message: HrMessage): Receipt {
    const { clock, judge } = this.#deps;
    const { change, messageId, revision } = message;
    const appliedAt = clock.now();
    const damagedBefore = tx.damagedCards.size;
    const plan = planChange(tx, change, { revision, messageId, appliedAt });
    const rejection = REJECTIONS[plan.result];
    const receipt: Receipt = {
      messageType: message.messageType,
      messageId,
      revision,
      result: resultOf(plan.result),
      card: 'card' in change ? change.card : null,
      cardholder: cardholderOf(change),
      superseded: plan.superseded,
      doors: [],
      code: rejection?.code ?? null,
      detail: rejection?.detail ?? null,
      path: rejection?.path ?? null,
      payloadSha256: null,
      warnings: change.kind === 'bind-card' ? unknownNames(change.access, judge.rules) : [],
    };
    if (plan.cards.size > 0 || plan.cardholders.size > 0 || plan.result === 'applied') {
      tx.putChange({ ...plan, revision });
    }
    const opened = rejection === undefined ? this.#doorsOpenedBy(tx, change) : { doors: [], objections: [] };
    const answered = {
      ...receipt,
      cardholder: receipt.cardholder ?? ('card' in change ? (tx.card(change.card)?.cardholder ?? null) : null),
      doors: opened.doors,
      warnings: [
        ...receipt.warnings,
        ...opened.objections,
        ...(tx.damagedCards.size > damagedBefore ? ['damaged-record'] : []),
      ],
    };
    appendReceipt(tx, answered, { gateway: this.#deps.gateway, clock, operator: message.operator, appliedAt });
    return answered;
  }

  /**
   * Doors here that the change's card opens as of now, in the hours of its schedules, and what keeps a window from being open. The
   * same decision as at a tap.
   */
  #doorsOpenedBy(tx: StoreTransaction, change: RosterChange): { doors: DoorId[]; objections: string[] } {
    const { doors, judge } = this.#deps;
    const record = 'card' in change ? tx.card(change.card) : undefined;
    if (record?.state !== 'live') return { doors: [], objections: [] };
    const opened: DoorId[] = [];
    const objections = new Set<string>();
    for (const door of doors) {
      const decision = judge.decide({ card: { kind: 'live', binding: record }, door, mode: 'normal' });
      const isOutsideHours = decision.kind === 'denied' && decision.reason === 'outside-schedule';
      const opensInItsHours = isOutsideHours && isEverPermitted(record.access, door, judge.rules);
      if (decision.kind === 'granted' || opensInItsHours) opened.push(door);
      if (opensInItsHours) objections.add('outside-schedule');
      else if (decision.kind === 'denied' && WINDOW_OBJECTIONS.includes(decision.reason))
        objections.add(decision.reason);
    }
    return { doors: opened, objections: [...objections] };
  }

  /** As apply(), for a message that can never be applied: its sender is told why, and those behind it are not held up. */
  async reject(rejection: Rejection): Promise<void> {
    const { gateway, writer, clock, log } = this.#deps;
    const { messageType, messageId, revision, code, path } = rejection;
    log.warn({ messageType, messageId, code, path }, 'message from HR rejected');
    if (rejection.messageId === null && !this.#nameless.take()) return;
    await writer.write((tx) => {
      const receipt: Receipt = {
        messageType,
        messageId,
        ...NOTHING_CHANGED,
        revision,
        result: 'rejected',
        code,
        detail: rejection.detail,
        path: path ?? null,
        payloadSha256: rejection.payloadSha256,
      };
      appendReceipt(tx, receipt, { gateway, clock, operator: rejection.operator, appliedAt: clock.now() });
    });
  }
}

/** Reasons that HR cannot see in the message: the card is bound and does not open anything yet, or any more. */
const WINDOW_OBJECTIONS: readonly DenialReason[] = ['not-yet-valid', 'expired', 'clock-untrusted', 'roster-stale'];

const resultOf = (result: ChangeResult): Receipt['result'] =>
  result === 'applied' || result === 'duplicate' || result === 'stale' ? result : 'rejected';

const REJECTIONS: Partial<Record<ChangeResult, Pick<Rejection, 'code' | 'detail' | 'path'>>> = {
  'card-in-use': {
    code: 'card-in-use',
    detail: 'the card is live for another cardholder; revoke it first or name that person in transferFrom',
  },
  'revision-conflict': { code: 'revision-conflict', detail: 'this revision was already used for another content' },
  'too-many-cards': {
    code: 'invalid-message',
    path: 'cardholder.id',
    detail: `a cardholder can have ${MAX_CARDS_OF_CARDHOLDER} live cards at most; revoke some, or let this one supersede them`,
  },
};

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
