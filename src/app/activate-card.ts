// A pending card becomes active at an activation reader, here and now, and opens from the next tap on; HR confirms later with a
// newer binding.
//
// 1. It is judged in its turn, as if it were active: a card that would not open this door even then stays as it is.

import type { DenialReason, NewEvent } from '../domain/access-event.ts';
import type { CardNumber } from '../domain/card-number.ts';
import type { CardLookup, CardRecord } from '../domain/credential.ts';
import type { DoorId } from '../domain/ids.ts';
import type { AccessJudge } from './access-judge.ts';
import type { DoorController } from './door-controller.ts';
import type { SerialWriter } from './serial-writer.ts';

interface Dependencies {
  readonly writer: SerialWriter;
  readonly judge: Pick<AccessJudge, 'decide'>;
}

interface Activation {
  readonly card: CardNumber;
  readonly door: DoorId;
  readonly controller: Pick<DoorController, 'mode'>;
  /** The event of the activation, for the card as it was found. */
  readonly eventOf: (found: CardLookup) => NewEvent;
}

/** Why a card was not activated. */
export interface ActivationDenial {
  readonly card: CardNumber;
  readonly reason: DenialReason;
  readonly detail?: string;
  readonly found: CardLookup;
}

/** Fulfils when it is durable, with what stood in the way if anything did. Rejects as SerialWriter.write does. */
export const activateCard = (
  { writer, judge }: Dependencies,
  { card, door, controller, eventOf }: Activation,
): Promise<ActivationDenial | undefined> =>
  writer.write((tx) => {
    const found = lookupOf(tx.card(card));
    const decision = judge.decide({ card: asActive(found), door, mode: controller.mode });
    if (decision.kind === 'denied') return { card, reason: decision.reason, found };
    if (found.kind !== 'live' || found.binding.activation !== 'pending') {
      return { card, reason: 'pending', detail: 'it was activated in the meantime: tap again', found };
    }
    tx.putChange({ cards: new Map([[card, decision.binding]]), cardholders: new Map(), revision: 0 });
    tx.append(eventOf(found));
    return undefined;
  });

const asActive = (found: CardLookup): CardLookup =>
  found.kind === 'live' ? { kind: 'live', binding: { ...found.binding, activation: 'active' } } : found;

const lookupOf = (record: CardRecord | undefined): CardLookup => {
  if (record === undefined) return { kind: 'unknown' };
  return record.state === 'live' ? { kind: 'live', binding: record } : { kind: 'retired', tombstone: record };
};
