// HR's calendar: put in the place of the one before, in one synced batch with its audit event and its receipt, and in force as of then.
//
// 1. Durable before acknowledged (DESIGN.md, invariant 1): apply() fulfils after the batch, with the new rules in force.
// 2. The revision decides which calendar is in force, never the order of arrival.

import type { CalendarRecord } from '../domain/calendar.ts';
import { calendarFingerprint, orderCalendar } from '../domain/calendar-order.ts';
import type { GatewayId } from '../domain/ids.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports/clock.ts';
import type { CalendarMessage } from '../wire/calendar-message.ts';
import { NOTHING_CHANGED, type Receipt } from '../wire/receipts.ts';
import { appendReceipt } from './append-receipt.ts';
import type { SerialWriter } from './serial-writer.ts';
import type { SiteRules } from './site-rules.ts';
import type { StoreTransaction } from './store-transaction.ts';

interface Dependencies {
  readonly gateway: GatewayId;
  readonly rules: Pick<SiteRules, 'calendar' | 'refresh' | 'unknownWith'>;
  readonly writer: SerialWriter;
  readonly clock: Clock;
  readonly log: Log;
  /** The rules may have changed: doors that go by schedules are to look. */
  readonly onRules: () => void;
}

export class CalendarHandler {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /**
   * Fulfils when the outcome is durable and in force; rejects when it could not be stored and the message must be delivered again. The
   * broker's retained copy (not `isLive`) of what is in force comes at every connect, and is not worth a receipt.
   */
  async apply(message: CalendarMessage, { isLive }: { readonly isLive: boolean }): Promise<void> {
    const { rules, writer, log, onRules } = this.#deps;
    // Ahead of its turn: those that wait are planned in one go.
    const fingerprint = calendarFingerprint(message.definition);
    const { messageId, revision } = message;
    // Comes at every connect, also while the disk is full: to refuse it would end the connection again.
    if (!isLive && orderCalendar(rules.calendar, { revision, fingerprint }) === 'duplicate') return;
    const receipt = await writer.write((tx) => this.#plan(tx, { ...message, fingerprint }, isLive));
    // Also after a duplicate: the batch that was refused the first time may have been written all the same.
    rules.refresh();
    onRules();
    const { result, code, warnings } = receipt;
    log.info({ messageId, revision, result, code, warnings }, 'calendar from HR');
  }

  #plan(
    tx: StoreTransaction,
    message: CalendarMessage & Pick<CalendarRecord, 'fingerprint'>,
    isLive: boolean,
  ): Receipt {
    const { gateway, rules, clock } = this.#deps;
    const { messageId, revision, definition, fingerprint, operator } = message;
    const appliedAt = clock.now();
    const order = orderCalendar(tx.calendar(), { revision, fingerprint });
    const common = { messageType: 'calendar', messageId, ...NOTHING_CHANGED, revision } as const;
    const receipt: Receipt =
      order === 'revision-conflict'
        ? { ...common, result: 'rejected', code: order, detail: CONFLICT, path: 'revision' }
        : { ...common, result: order, warnings: order === 'stale' ? [] : rules.unknownWith(definition) };
    if (order === 'applied') tx.putCalendar({ revision, messageId, appliedAt, fingerprint, definition });
    if (isLive || order !== 'duplicate') appendReceipt(tx, receipt, { gateway, clock, operator, appliedAt });
    return receipt;
  }
}

const CONFLICT = 'this revision was already used for another calendar; give this one a higher one';
