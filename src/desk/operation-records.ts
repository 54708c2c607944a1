// From a change that the roster has taken to the records that are kept of it: the operation, the card that is bound, those that stop.

import type { RevocationReason } from '../domain/credential.ts';
import { flagsOf } from '../domain/credential.ts';
import type { SiteId } from '../domain/ids.ts';
import { formatInstant, type Instant, instant, type Milliseconds } from '../domain/units.ts';
import type { DeskPut } from '../ports/desk-store.ts';
import { encodeChange } from '../wire/change-encoding.ts';
import type { HrMessage } from '../wire/change-messages.ts';
import type { DeskState } from './desk-state.ts';
import type { SigningRole } from './permissions.ts';
import { type DeskCard, type LiveCard, type Operation, type OperationKind, operationKey, toJson } from './records.ts';

export interface OperationHead {
  readonly id: string;
  readonly kind: OperationKind;
  readonly signedAs: SigningRole;
  readonly operator: string;
  readonly requestId?: string | undefined;
  readonly note?: string | undefined;
  readonly reason?: RevocationReason;
  readonly cardholder?: string;
  readonly batch?: { readonly id: string; readonly line: number };
}

interface Change {
  readonly site: SiteId;
  readonly message: HrMessage;
  readonly stopped: readonly string[];
  readonly at: Instant;
  readonly confirmWithin: Milliseconds;
}

export const operationOf = (
  { id, kind, signedAs, operator, requestId, note, reason, cardholder, batch }: OperationHead,
  { site, message, stopped, at, confirmWithin }: Change,
): Operation => ({
  id,
  kind,
  at: formatInstant(at),
  operator,
  signedAs,
  ...(requestId !== undefined && { requestId }),
  ...(reason !== undefined && { reason }),
  ...(note !== undefined && { note }),
  ...(cardholder !== undefined && { cardholder }),
  stoppedCards: [...stopped],
  ...cardFields(message),
  message: {
    type: message.messageType,
    messageId: message.messageId,
    revision: message.revision,
    json: encodeChange(site, message),
  },
  deadline: formatInstant(instant(at + confirmWithin)),
  ...(batch !== undefined && { batch }),
});

const cardFields = ({ change }: HrMessage) => {
  switch (change.kind) {
    case 'revoke-cardholder':
      return {};
    case 'revoke-card':
      return { revokedCard: change.card };
    case 'bind-card':
      return { newCard: change.card, ...rightsOf(change) };
  }
};

type Bound = Extract<HrMessage['change'], { kind: 'bind-card' }>;

const rightsOf = ({ access, activation, validFrom, validUntil }: Bound) => ({
  access: access.map((grant) =>
    'level' in grant ? grant : { doors: [...grant.doors], schedule: String(grant.schedule) },
  ),
  activation,
  ...(validFrom !== undefined && { validFrom: formatInstant(validFrom) }),
  ...(validUntil !== undefined && { validUntil: formatInstant(validUntil) }),
});

/** The card as it is held from now on; none where the message binds none. */
export const boundCard = ({ change, revision }: HrMessage, { id, at }: Operation): readonly LiveCard[] =>
  change.kind !== 'bind-card'
    ? []
    : [
        {
          state: 'live',
          card: change.card,
          cardholder: change.cardholder.id,
          revision,
          kind: change.cardKind,
          ...rightsOf(change),
          ...flagsOf(change),
          boundAt: at,
          boundBy: id,
        },
      ];

/** Those of the numbers that the desk knows, as they are from now on. */
export const stoppedCards = (
  numbers: readonly string[],
  {
    state,
    operation,
    reason,
  }: { readonly state: DeskState; readonly operation: Operation; readonly reason: RevocationReason },
): readonly DeskCard[] =>
  [...new Set(numbers)].flatMap((number) => {
    const card = state.cards.get(number);
    // What was stopped for a reason of its own keeps it; a suspension ends with the card.
    if (card === undefined || (card.state === 'stopped' && card.reason !== 'suspended')) return [];
    const { id, at, message } = operation;
    const stopped = { stoppedAt: at, stoppedBy: id, stoppedRevision: message.revision };
    return [{ ...card, ...stopped, state: 'stopped', reason: stopReasonOf(card, reason) }];
  });

const STILL_LOST: readonly RevocationReason[] = ['lost', 'stolen', 'suspended'];

/** A card that was reported lost is not at hand because its holder leaves, or gets another one for some other reason. */
export const stopReasonOf = ({ state }: Pick<DeskCard, 'state'>, reason: RevocationReason): RevocationReason =>
  state === 'live' || STILL_LOST.includes(reason) ? reason : 'lost';

/** The operation, and under whom and what it is found. */
export const operationPuts = (operation: Operation): readonly DeskPut[] => {
  const { cardholder, newCard, revokedCard, stoppedCards: stopped } = operation;
  const key = operationKey(operation.id);
  const cards = new Set([...stopped, newCard, revokedCard].filter((card) => card !== undefined));
  return [
    { kind: 'operation', key, value: toJson(operation) },
    { kind: 'open-operation', key, value: null },
    ...(cardholder === undefined
      ? []
      : [{ kind: 'person-operation' as const, key: `${cardholder}/${key}`, value: null }]),
    ...[...cards].map((card): DeskPut => ({ kind: 'card-operation', key: `${card}/${key}`, value: null })),
  ];
};
