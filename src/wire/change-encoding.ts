// A change of the roster as HR publishes it: the other direction of change-messages.ts. What is encoded here decodes to the same.

import { flagsOf } from '../domain/credential.ts';
import type { SiteId } from '../domain/ids.ts';
import type { BindCard, RosterChange } from '../domain/roster-change.ts';
import { formatInstant } from '../domain/units.ts';
import type { HrMessage } from './change-messages.ts';

/**
 * The JSON of a `card-bound` or `card-revoked` message, before it is sealed. Defaults are spelled out, but for flags that are not
 * set: gateways from before there were any refuse them.
 */
export const encodeChange = (site: SiteId, { messageType, change, ...common }: HrMessage): string =>
  JSON.stringify({ type: messageType, site, ...common, ...fieldsOf(change) });

const fieldsOf = (change: RosterChange) => {
  switch (change.kind) {
    case 'bind-card':
      return boundFields(change);
    case 'revoke-card':
      return { card: change.card, reason: change.reason };
    case 'revoke-cardholder':
      return { cardholder: change.cardholder, reason: change.reason };
  }
};

const boundFields = (change: BindCard) => {
  const { card, cardholder, access, cardKind, activation, validFrom, validUntil, supersedes, transferFrom } = change;
  return {
    card,
    cardholder,
    access,
    kind: cardKind,
    state: activation,
    ...(validFrom !== undefined && { validFrom: formatInstant(validFrom) }),
    ...(validUntil !== undefined && { validUntil: formatInstant(validUntil) }),
    ...flagsOf(change),
    supersedes: supersedes.kind === 'cards' ? supersedes.cards : supersedes.kind,
    ...(transferFrom !== undefined && { transferFrom }),
  };
};
