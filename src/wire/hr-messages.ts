// From the bytes of an HR message to a change of the roster, or to a rejection that tells the sender what to change.
//
// 1. Nothing that is not understood completely has any effect.

import type { z } from 'zod';
import { sha256Hex } from '../domain/canonical-json.ts';
import { type CardNumber, type CardNumberFormat, parseCardNumber } from '../domain/card-number.ts';
import type { Grant } from '../domain/credential.ts';
import {
  type CardholderId,
  type MessageId,
  parseCardholderId,
  parseMessageId,
  parseRevision,
  parseScheduleId,
  type Revision,
  type SiteId,
} from '../domain/ids.ts';
import type { RosterChange, Supersedes } from '../domain/roster-change.ts';
import { instant } from '../domain/units.ts';
import {
  type CardBoundFields,
  type CardRevokedFields,
  cardBoundSchema,
  cardRevokedSchema,
} from './hr-message-schema.ts';
import type { HrMessageType, MessageEnvelope } from './message-envelope.ts';
import type { Topics } from './topics.ts';
import { repeatedKey } from './unique-keys.ts';

/** Larger messages are refused unread. */
export const MAX_MESSAGE_BYTES = 64 * 1024;
const MAX_DETAIL = 300;

export interface HrMessage {
  readonly messageType: HrMessageType;
  readonly messageId: MessageId;
  readonly revision: Revision;
  readonly issuedAt: string;
  readonly operator: string;
  readonly change: RosterChange;
}

export type RejectionCode =
  | 'invalid-message'
  | 'too-large'
  | 'wrong-site'
  | 'wrong-topic'
  | 'retained-not-allowed'
  | 'invalid-card-number'
  | 'random-uid'
  | 'card-in-use'
  | 'revision-conflict'
  | 'invalid-window'
  | 'not-signed'
  | 'bad-signature'
  | 'unknown-key'
  | 'not-permitted'
  | 'store-unavailable';

/** A refused message, with as much of it as could be made out. */
export interface Rejection {
  readonly code: RejectionCode;
  readonly detail: string;
  /** Where in the message, such as `access[0].doors[1]`. */
  readonly path?: string | undefined;
  readonly messageType: HrMessageType | null;
  readonly messageId: MessageId | null;
  readonly revision: Revision | null;
  readonly operator: string | null;
  /** Of the payload as it came, where there is no messageId to name it by. */
  readonly payloadSha256: string | null;
}

export type DecodedMessage = { readonly message: HrMessage } | { readonly rejection: Rejection };

export interface DecodeSettings {
  readonly site: SiteId;
  readonly topics: Topics;
  readonly cardNumberFormat: CardNumberFormat;
  readonly envelope: MessageEnvelope;
}

interface RawMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retained: boolean;
}

interface Fault {
  readonly code: RejectionCode;
  readonly detail: string;
  readonly path?: string;
}

/** Never throws. */
export const decodeHrMessage = (raw: RawMessage, settings: DecodeSettings): DecodedMessage => {
  const messageType = messageTypeOf(raw.topic, settings.topics);
  const reject = (fault: Fault, content?: unknown): DecodedMessage => ({
    rejection: rejectionOf(fault, { messageType, content, payload: raw.payload }),
  });
  if (raw.payload.length > MAX_MESSAGE_BYTES) {
    return reject({
      code: 'too-large',
      detail: `the message has ${raw.payload.length} bytes, the limit is ${MAX_MESSAGE_BYTES}`,
    });
  }
  if (messageType === null) return reject({ code: 'wrong-topic', detail: 'no message is expected on this topic' });
  const opened = settings.envelope(raw.payload, messageType);
  if (opened.kind === 'refused') return reject(opened);
  const parsed = parseJson(opened.json);
  if ('fault' in parsed) return reject(parsed.fault);
  const { content } = parsed;
  const decoded = raw.retained ? { fault: RETAINED } : decodeContent(content, messageType, settings);
  return 'fault' in decoded ? reject(decoded.fault, content) : { message: decoded };
};

const RETAINED: Fault = {
  code: 'retained-not-allowed',
  detail: 'publish without the retain flag: a retained copy would be replayed at every connect',
};

const messageTypeOf = (topic: string, topics: Topics): HrMessageType | null => {
  if (topic === topics.cardBound) return 'card-bound';
  return topic === topics.cardRevoked ? 'card-revoked' : null;
};

const parseJson = (bytes: Uint8Array): { readonly content: unknown } | { readonly fault: Fault } => {
  try {
    const json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const content: unknown = JSON.parse(json);
    if (typeof content !== 'object' || content === null || Array.isArray(content)) {
      return { fault: { code: 'invalid-message', detail: 'the message is not a JSON object' } };
    }
    const repeated = repeatedKey(json);
    if (repeated === undefined) return { content };
    return { fault: { code: 'invalid-message', path: pathText(repeated), detail: 'the same name occurs twice' } };
  } catch {
    return { fault: { code: 'invalid-message', detail: 'the message is not JSON in UTF-8' } };
  }
};

const decodeContent = (
  content: unknown,
  type: HrMessageType,
  settings: DecodeSettings,
): HrMessage | { fault: Fault } => {
  const claimed = fieldOf(content, 'type');
  if (typeof claimed === 'string' && claimed !== type) {
    return { fault: { code: 'wrong-topic', path: 'type', detail: `the topic is for "${type}" messages` } };
  }
  const site = fieldOf(content, 'site');
  if (typeof site === 'string' && site !== settings.site) {
    return { fault: { code: 'wrong-site', path: 'site', detail: `this topic belongs to site "${settings.site}"` } };
  }
  return type === 'card-bound' ? decodeCardBound(content, settings) : decodeCardRevoked(content, settings);
};

const decodeCardBound = (content: unknown, settings: DecodeSettings): HrMessage | { fault: Fault } => {
  const parsed = cardBoundSchema.safeParse(content);
  if (!parsed.success) return { fault: schemaFault(parsed.error) };
  const fields = parsed.data;
  const windowFault = windowFaultOf(fields);
  if (windowFault !== undefined) return { fault: windowFault };
  const numbers = new CardNumbers(settings.cardNumberFormat);
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
    access: fields.access.map(grantOf),
    cardKind: fields.kind,
    activation: fields.state,
    ...(fields.validFrom !== undefined && { validFrom: instant(Date.parse(fields.validFrom)) }),
    ...(fields.validUntil !== undefined && { validUntil: instant(Date.parse(fields.validUntil)) }),
    supersedes,
    ...(transferFrom !== undefined && { transferFrom }),
  });
};

const decodeCardRevoked = (content: unknown, settings: DecodeSettings): HrMessage | { fault: Fault } => {
  const parsed = cardRevokedSchema.safeParse(content);
  if (!parsed.success) return { fault: schemaFault(parsed.error) };
  const fields = parsed.data;
  if ((fields.card === undefined) === (fields.cardholder === undefined)) {
    const detail = 'a revocation names either a card or a cardholder';
    return { fault: { code: 'invalid-message', path: fields.card === undefined ? 'card' : 'cardholder', detail } };
  }
  const { reason } = fields;
  if (fields.card !== undefined) {
    const numbers = new CardNumbers(settings.cardNumberFormat);
    const card = numbers.parse(fields.card, 'card');
    if (card === undefined) return { fault: numbers.fault ?? UNREADABLE };
    return withCommonFields(fields, { kind: 'revoke-card', card, reason });
  }
  const cardholder: CardholderId | undefined = parseCardholderId(fields.cardholder ?? '');
  if (cardholder === undefined) return { fault: UNREADABLE };
  return withCommonFields(fields, { kind: 'revoke-cardholder', cardholder, reason });
};

/** For what the schema has let through and a domain parser still refuses: the message is refused as well. */
const UNREADABLE: Fault = { code: 'invalid-message', detail: 'an identifier does not parse' };

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

const windowFaultOf = ({ kind, validFrom, validUntil }: CardBoundFields): Fault | undefined => {
  if (kind === 'temporary' && validUntil === undefined) {
    return { code: 'invalid-window', path: 'validUntil', detail: 'a temporary card needs validUntil' };
  }
  if (validFrom !== undefined && validUntil !== undefined && Date.parse(validFrom) >= Date.parse(validUntil)) {
    return { code: 'invalid-window', path: 'validUntil', detail: 'validUntil must be later than validFrom' };
  }
  return undefined;
};

const grantOf = (grant: CardBoundFields['access'][number]): Grant => {
  if ('level' in grant) return grant;
  const schedule = parseScheduleId(grant.schedule);
  // The schema's patterns are those of the brands; validated text may take the brand.
  return {
    doors: grant.doors as Extract<Grant, { doors: unknown }>['doors'],
    schedule: schedule as NonNullable<typeof schedule>,
  };
};

const supersedesOf = (value: CardBoundFields['supersedes'], numbers: CardNumbers): Supersedes => {
  if (value === 'all' || value === 'none') return { kind: value };
  const cards = value.map((text, index) => numbers.parse(text, `supersedes[${index}]`));
  return { kind: 'cards', cards: [...new Set(cards.filter((card) => card !== undefined))] };
};

/** Parses card numbers and keeps the first fault. */
class CardNumbers {
  readonly #format: CardNumberFormat;
  fault: Fault | undefined;

  constructor(format: CardNumberFormat) {
    this.#format = format;
  }

  parse(text: string, path: string): CardNumber | undefined {
    const result = parseCardNumber(text, this.#format);
    if ('number' in result) return result.number;
    this.fault ??= { ...result.fault, path };
    return undefined;
  }
}

const schemaFault = (error: z.ZodError): Fault => {
  const issue = error.issues[0];
  if (issue === undefined) return UNREADABLE;
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = [...issue.path, ...(unknownKey === undefined ? [] : [unknownKey])];
  return { code: 'invalid-message', path: pathText(path), detail: issue.message };
};

const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}${text === '' ? '' : '.'}${String(key)}`),
    '',
  );

const fieldOf = (content: unknown, key: string): unknown =>
  typeof content === 'object' && content !== null ? Object.getOwnPropertyDescriptor(content, key)?.value : undefined;

const rejectionOf = (
  fault: Fault,
  from: { readonly messageType: HrMessageType | null; readonly content?: unknown; readonly payload: Uint8Array },
): Rejection => {
  const messageId = textField(from.content, 'messageId', parseMessageId) ?? null;
  const revision = fieldOf(from.content, 'revision');
  return {
    code: fault.code,
    detail: fault.detail.slice(0, MAX_DETAIL),
    path: fault.path?.slice(0, MAX_DETAIL),
    messageType: from.messageType,
    messageId,
    revision: (typeof revision === 'number' ? parseRevision(revision) : undefined) ?? null,
    operator: textField(from.content, 'operator', parseMessageId) ?? null,
    payloadSha256: messageId === null ? sha256Hex(from.payload) : null,
  };
};

const textField = <T>(content: unknown, key: string, parse: (text: string) => T | undefined): T | undefined => {
  const value = fieldOf(content, key);
  return typeof value === 'string' ? parse(value) : undefined;
};
