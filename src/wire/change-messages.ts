// `card-bound` and `card-revoked`: from the fields of the message to a change of the roster (PROTOCOL.md, HR messages).
//
// 1. Nothing that is not understood completely has any effect.

import type { CardNumberFormat } from '../domain/card-number.ts';
import { type DoorGrant, flagsOf, type Grant } from '../domain/credential.ts';
import {
  type CardholderId,
  type MessageId,
  parseCardholderId,
  parseMessageId,
  parseRevision,
  parseScheduleId,
  type Revision,
} from '../domain/ids.ts';
import type { RosterChange, Supersedes } from '../domain/roster-change.ts';
import { instant } from '../domain/units.ts';
import { CardNumbers } from './card-numbers.ts';
import {
  type CardBoundFields,
  type CardRevokedFields,
  cardBoundSchema,
  cardRevokedSchema,
} from './hr-message-schema.ts';
import { type Fault, schemaFault, UNREADABLE } from './message-json.ts';

/** A change of the roster, as HR sent it. */
export interface HrMessage {
  readonly messageType: 'card-bound' | 'card-revoked';
  readonly messageId: MessageId;
  readonly revision: Revision;
  readonly issuedAt: string;
  readonly operator: string;
  readonly change: RosterChange;
}

export const decodeCardBound = (content: unknown, format: CardNumberFormat): HrMessage | { fault: Fault } => {
  const parsed = cardBoundSchema.safeParse(content);
  if (!parsed.success) return { fault: schemaFault(parsed.error) };
  const fields = parsed.data;
  const windowFault = windowFaultOf(fields);
  if (windowFault !== undefined) return { fault: windowFault };
  const numbers = new CardNumbers(format);
  const card = numbers.parse(fields.card, 'card');
  const supersedes = supersedesOf(fields.supersedes, numbers);
  if (numbers.fault !== undefined || card === undefined) return { fault: numbers.fault ?? UNREADABLE };
  if (supersedes.kind === 'cards' && supersedes.cards.includes(card)) {
    return { fault: { code: 'invalid-message', path: 'supersedes', detail: 'a card cannot supersede itself' } };
  }
  const cardholder = parseCardholderId(fields.cardholder.id);
  const transferFrom = fields.transferFrom === undefined ? undefined : parseCardholderId(fields.transferFrom);
  if (cardholder === undefined) return { fault: UNREADABLE };
  const { name, department } = fields.cardholder;
  return withCommonFields(fields, {
    kind: 'bind-card',
    card,
    cardholder: {
      id: cardholder,
      ...(name !== undefined && { name }),
      ...(department !== undefined && { department }),
    },
    access: grantsOf(fields.access),
    cardKind: fields.kind,
    activation: fields.state,
    ...(fields.validFrom !== undefined && { validFrom: instant(Date.parse(fields.validFrom)) }),
    ...(fields.validUntil !== undefined && { validUntil: instant(Date.parse(fields.validUntil)) }),
    ...flagsOf(fields),
    supersedes,
    ...(transferFrom !== undefined && { transferFrom }),
  });
};

export const decodeCardRevoked = (content: unknown, format: CardNumberFormat): HrMessage | { fault: Fault } => {
  const parsed = cardRevokedSchema.safeParse(content);
  if (!parsed.success) return { fault: schemaFault(parsed.error) };
  const fields = parsed.data;
  if ((fields.card === undefined) === (fields.cardholder === undefined)) {
    const detail = 'a revocation names either a card or a cardholder';
    return { fault: { code: 'invalid-message', path: fields.card === undefined ? 'card' : 'cardholder', detail } };
  }
  const { reason } = fields;
  if (fields.card !== undefined) {
    const numbers = new CardNumbers(format);
    const card = numbers.parse(fields.card, 'card');
    if (card === undefined) return { fault: numbers.fault ?? UNREADABLE };
    return withCommonFields(fields, { kind: 'revoke-card', card, reason });
  }
  const cardholder: CardholderId | undefined = parseCardholderId(fields.cardholder ?? '');
  if (cardholder === undefined) return { fault: UNREADABLE };
  return withCommonFields(fields, { kind: 'revoke-cardholder', cardholder, reason });
};

const withCommonFields = (
  fields: CardBoundFields | CardRevokedFields,
  change: RosterChange,
): HrMessage | { fault: Fault } => {
  const messageId = parseMessageId(fields.messageId);
  const revision = parseRevision(fields.revision);
  if (messageId === undefined || revision === undefined) return { fault: UNREADABLE };
  return {
    messageType: fields.type,
    messageId,
    revision,
    issuedAt: fields.issuedAt,
    operator: fields.operator,
    change,
  };
};

/** When a card opens doors, in a message or on a page of the roster, where null is as good as nothing. */
type WindowFields = Pick<CardBoundFields, 'kind'> & {
  readonly validFrom?: string | null | undefined;
  readonly validUntil?: string | null | undefined;
};

export const windowFaultOf = ({ kind, validFrom, validUntil }: WindowFields): Fault | undefined => {
  if (kind === 'temporary' && typeof validUntil !== 'string') {
    return { code: 'invalid-window', path: 'validUntil', detail: 'a temporary card needs validUntil' };
  }
  if (typeof validFrom !== 'string' || typeof validUntil !== 'string') return undefined;
  if (Date.parse(validFrom) >= Date.parse(validUntil)) {
    return { code: 'invalid-window', path: 'validUntil', detail: 'validUntil must be later than validFrom' };
  }
  return undefined;
};

/** Validated grants in domain types. */
export const grantsOf = (access: CardBoundFields['access']): readonly Grant[] => access.map(grantOf);

const grantOf = (grant: CardBoundFields['access'][number]): Grant => ('level' in grant ? grant : doorGrantOf(grant));

/** A validated grant of doors in domain types. */
export const doorGrantOf = (grant: { readonly doors: readonly string[]; readonly schedule: string }): DoorGrant => {
  const schedule = parseScheduleId(grant.schedule);
  // The schema's patterns are those of the brands; validated text may take the brand.
  return { doors: grant.doors as DoorGrant['doors'], schedule: schedule as NonNullable<typeof schedule> };
};

const supersedesOf = (value: CardBoundFields['supersedes'], numbers: CardNumbers): Supersedes => {
  if (value === 'all' || value === 'none') return { kind: value };
  const cards = value.map((text, index) => numbers.parse(text, `supersedes[${index}]`));
  return { kind: 'cards', cards: [...new Set(cards.filter((card) => card !== undefined))] };
};
