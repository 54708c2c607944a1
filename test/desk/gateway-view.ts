// A gateway's records in memory, changed by HR's messages as a gateway changes them: decoded, planned, put. Without a store.

import assert from 'node:assert/strict';
import type { CardNumber } from '../../src/domain/card-number.ts';
import type { CardholderRecord, CardRecord } from '../../src/domain/credential.ts';
import type { CardholderId, SiteId } from '../../src/domain/ids.ts';
import { type ChangePlan, planChange, type RosterView } from '../../src/domain/roster-change.ts';
import { emptyRoster } from '../../src/domain/roster-digest.ts';
import { instant } from '../../src/domain/units.ts';
import { encodeChange } from '../../src/wire/change-encoding.ts';
import type { HrMessage } from '../../src/wire/change-messages.ts';
import { decodeHrMessage } from '../../src/wire/hr-messages.ts';
import { unsignedEnvelope } from '../../src/wire/message-envelope.ts';
import { topicsOf } from '../../src/wire/topics.ts';
import { gatewayId } from '../domain/samples.ts';

export class GatewayView implements RosterView {
  readonly #cards = new Map<CardNumber, CardRecord>();
  readonly #cardholders = new Map<CardholderId, CardholderRecord>();

  roster() {
    return emptyRoster();
  }

  card(number: CardNumber): CardRecord | undefined {
    return this.#cards.get(number);
  }

  cardholder(id: CardholderId): CardholderRecord | undefined {
    return this.#cardholders.get(id);
  }

  take(site: SiteId, message: HrMessage): ChangePlan {
    const { messageId, revision, change } = received(site, message);
    const plan = planChange(this, change, { revision, messageId, appliedAt: instant(0) });
    for (const [number, record] of plan.cards) this.#cards.set(number, record);
    for (const [id, record] of plan.cardholders) this.#cardholders.set(id, record);
    return plan;
  }

  /** `card -> [cardholder, revision]` of every live card. */
  allowList(): Map<string, readonly [string, number]> {
    const live = new Map<string, readonly [string, number]>();
    for (const [card, record] of this.#cards) {
      if (record.state === 'live') live.set(card, [record.cardholder, record.revision]);
    }
    return live;
  }
}

/** What a gateway makes of the message as it is published. */
export const received = (site: SiteId, message: HrMessage): HrMessage => {
  const gateway = gatewayId('lobby-1');
  const topics = topicsOf(site, gateway);
  const topic = message.messageType === 'card-bound' ? topics.cardBound : topics.cardRevoked;
  const decoded = decodeHrMessage(
    { topic, payload: Buffer.from(encodeChange(site, message)), retained: false },
    { site, gateway, topics, cardNumberFormat: 'hex', envelope: unsignedEnvelope },
  );
  assert.ok(!(decoded instanceof Promise) && decoded.kind === 'change', JSON.stringify(decoded));
  return decoded.message;
};
