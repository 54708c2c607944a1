// Would this card open this door, why, from which message, and how fresh is what we know? The same decision as at the door.

import { type AccessDecision, type DoorMode, decideAccess } from '../domain/access-decision.ts';
import { type CardNumber, type CardNumberFormat, parseCardNumber } from '../domain/card-number.ts';
import type { CardLookup, Origin } from '../domain/credential.ts';
import type { DoorId } from '../domain/ids.ts';
import type { AccessRules } from '../domain/schedule.ts';
import type { Instant } from '../domain/units.ts';
import type { CredentialStore } from '../ports/credential-store.ts';

export interface Explanation {
  readonly card: CardNumber | null;
  readonly door: DoorId;
  readonly decision: AccessDecision;
  readonly found: CardLookup['kind'];
  /** The HR message behind the answer; null for a card that was never heard of. */
  readonly origin: Origin | null;
  /** The highest revision that this gateway has applied: nothing newer is known here. */
  readonly rosterRevision: number;
}

interface Dependencies {
  readonly store: CredentialStore;
  readonly cardNumberFormat: CardNumberFormat;
  readonly rules: AccessRules;
}

/** `at` is judged as if the clock were trusted when the question names a time of its own. */
export const explainAccess = (
  deps: Dependencies,
  question: {
    readonly card: string;
    readonly door: DoorId;
    readonly mode: DoorMode;
    readonly at: Instant;
    readonly isClockSynchronized: boolean;
    readonly isRosterStale: boolean;
  },
): Explanation => {
  const { store, rules, cardNumberFormat } = deps;
  const { door, mode, at: now, isClockSynchronized, isRosterStale } = question;
  const parsed = parseCardNumber(question.card, cardNumberFormat);
  const rosterRevision = store.roster().revision;
  if ('fault' in parsed) {
    const reason = parsed.fault.code === 'random-uid' ? 'random-uid' : 'unknown-card';
    return { card: null, door, decision: { kind: 'denied', reason }, found: 'unknown', origin: null, rosterRevision };
  }
  const card = store.findCard(parsed.number);
  return {
    card: parsed.number,
    door,
    decision: decideAccess({ card, door, mode, now, isClockSynchronized, isRosterStale, rules }),
    found: card.kind,
    origin: originOf(card),
    rosterRevision,
  };
};

const originOf = (card: CardLookup): Origin | null => {
  if (card.kind === 'live') return card.binding.origin;
  return card.kind === 'retired' ? card.tombstone.origin : null;
};
