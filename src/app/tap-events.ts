// What the event of a tap says beside where and when it was.

import type { AccessDecision } from '../domain/access-decision.ts';
import type { NewEvent } from '../domain/access-event.ts';
import type { CardLookup } from '../domain/credential.ts';
import type { Companion } from './door-controller.ts';

/** Whose card it is or was, so that attendance can join a person's history. */
export const whose = (found: CardLookup | undefined): Partial<NewEvent> => {
  if (found?.kind === 'live') return { cardholder: found.binding.cardholder, bindingRevision: found.binding.revision };
  if (found?.kind === 'retired') {
    const { tombstone } = found;
    return { cardholder: tombstone.cardholder, bindingRevision: tombstone.revision };
  }
  return {};
};

const PASSBACK = { passback: true } as const;

/** What is to be known of a grant beside whom it was given to; undefined where nothing is. */
export const grantDetail = (
  { isPassback }: Extract<AccessDecision, { kind: 'granted' }>,
  companion: Companion | undefined,
): NewEvent['detail'] => {
  if (companion === undefined) return isPassback && PASSBACK;
  const { card, cardholder } = companion;
  return { ...(isPassback && PASSBACK), with: { card, cardholder, ...(companion.isPassback && PASSBACK) } };
};
