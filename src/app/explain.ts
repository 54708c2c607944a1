// Would this card open this door, why, from which message, and how fresh is what we know? The same decision as at the door.

import type { AccessDecision } from '../domain/access-decision.ts';
import { type CardNumber, type CardNumberFormat, parseCardNumber } from '../domain/card-number.ts';
import type { CardLookup, Origin } from '../domain/credential.ts';
import type { DoorMode } from '../domain/door-mode.ts';
import type { DoorId } from '../domain/ids.ts';
import type { Instant } from '../domain/units.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { AccessJudge } from './access-judge.ts';

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
  readonly judge: Pick<AccessJudge, 'decide'>;
}

/** A question about another time than now is judged as if the clock were right then. */
export const explainAccess = (
  deps: Dependencies,
  question: {
    readonly card: string;
    readonly door: DoorId;
    readonly mode: DoorMode;
    readonly at: Instant | undefined;
  },
): Explanation => {
  const { store, judge, cardNumberFormat } = deps;
  const { door, mode, at } = question;
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
    decision: judge.decide({ card, door, mode, at }),
    found: card.kind,
    origin: originOf(card),
    rosterRevision,
  };
};

const originOf = (card: CardLookup): Origin | null => {
  if (card.kind === 'live') return card.binding.origin;
  return card.kind === 'retired' ? card.tombstone.origin : null;
};
