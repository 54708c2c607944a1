// From the bytes of an HR message to what it says, or to a rejection that tells the sender what to change.
//
// 1. Nothing that is not understood completely has any effect.

import { sha256Hex } from '../domain/canonical-json.ts';
import type { CardNumberFormat } from '../domain/card-number.ts';
import type { RemoteCommand } from '../domain/door-command.ts';
import {
  type GatewayId,
  type MessageId,
  parseMessageId,
  parseRevision,
  type Revision,
  type SiteId,
} from '../domain/ids.ts';
import { type CalendarMessage, decodeCalendar } from './calendar-message.ts';
import { decodeCardBound, decodeCardRevoked, type HrMessage } from './change-messages.ts';
import { decodeCommand } from './command-messages.ts';
import { decodeEventAck, type EventAck } from './event-ack.ts';
import type { HrMessageType, MessageEnvelope, OpenedMessage } from './message-envelope.ts';
import { type Fault, fieldOf, parseJsonObject, type RejectionCode } from './message-json.ts';
import { decodeRosterDigest, decodeRosterPage, type RosterDigest, type RosterPage } from './roster-messages.ts';
import type { Topics } from './topics.ts';

/** Larger messages are refused unread. */
export const MAX_MESSAGE_BYTES = 64 * 1024;
/** The same for a page of the roster. */
export const MAX_PAGE_BYTES = 512 * 1024;
/** Characters of `detail` and `path` in a receipt. */
export const MAX_DETAIL = 300;

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

export type DecodedMessage =
  | { readonly kind: 'change'; readonly message: HrMessage }
  | { readonly kind: 'calendar'; readonly calendar: CalendarMessage }
  | { readonly kind: 'digest'; readonly digest: RosterDigest }
  | { readonly kind: 'page'; readonly page: RosterPage }
  | { readonly kind: 'event-ack'; readonly ack: EventAck }
  | { readonly kind: 'command'; readonly command: RemoteCommand }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

export interface DecodeSettings {
  readonly site: SiteId;
  readonly gateway: GatewayId;
  readonly topics: Topics;
  readonly cardNumberFormat: CardNumberFormat;
  readonly envelope: MessageEnvelope;
}

interface RawMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retained: boolean;
}

/** Never throws or rejects; a promise where the envelope gives one. */
export const decodeHrMessage = (
  raw: RawMessage,
  settings: DecodeSettings,
): DecodedMessage | Promise<DecodedMessage> => {
  const messageType = messageTypeOf(raw.topic, settings.topics);
  const limit = messageType === 'roster-page' ? MAX_PAGE_BYTES : MAX_MESSAGE_BYTES;
  const fault =
    raw.payload.length > limit
      ? tooLarge(raw.payload.length, limit)
      : ({ code: 'wrong-topic', detail: 'no message is expected on this topic' } as const);
  if (messageType === null || raw.payload.length > limit) return rejected(fault, { messageType, raw });
  const opened = settings.envelope(raw.payload, messageType);
  return opened instanceof Promise
    ? opened.then((message) => decodeOpened(message, { raw, messageType, settings }))
    : decodeOpened(opened, { raw, messageType, settings });
};

const tooLarge = (bytes: number, limit: number): Fault => ({
  code: 'too-large',
  detail: `the message has ${bytes} bytes, the limit is ${limit}`,
});

const NEVER_RETAINED: readonly HrMessageType[] = ['card-bound', 'card-revoked', 'command'];

const RETAINED: Fault = {
  code: 'retained-not-allowed',
  detail: 'publish without the retain flag: a retained copy would be replayed at every connect',
};

interface Context {
  readonly raw: RawMessage;
  readonly messageType: HrMessageType;
  readonly settings: DecodeSettings;
}

const decodeOpened = (opened: OpenedMessage, { raw, messageType, settings }: Context): DecodedMessage => {
  if (opened.kind === 'refused') return rejected(opened, { messageType, raw });
  const parsed = parseJsonObject(opened.json);
  if ('fault' in parsed) return rejected(parsed.fault, { messageType, raw });
  const { content } = parsed;
  const isReplayed = raw.retained && NEVER_RETAINED.includes(messageType);
  const decoded = isReplayed ? { fault: RETAINED } : decodeContent(content, { raw, messageType, settings });
  return 'fault' in decoded ? rejected(decoded.fault, { messageType, raw, content }) : decoded;
};

const messageTypeOf = (topic: string, topics: Topics): HrMessageType | null => {
  switch (topic) {
    case topics.cardBound:
      return 'card-bound';
    case topics.cardRevoked:
      return 'card-revoked';
    case topics.calendar:
      return 'calendar';
    case topics.rosterDigest:
      return 'roster-digest';
    case topics.rosterPage:
      return 'roster-page';
    case topics.eventAck:
      return 'event-ack';
    case topics.command:
    case topics.siteCommand:
      return 'command';
    default:
      return null;
  }
};

const decodeContent = (
  content: unknown,
  { raw, messageType: type, settings }: Context,
): DecodedMessage | { readonly fault: Fault } => {
  const { site, gateway, topics, cardNumberFormat } = settings;
  const claimed = fieldOf(content, 'type');
  if (typeof claimed === 'string' && claimed !== type) {
    return { fault: { code: 'wrong-topic', path: 'type', detail: `the topic is for "${type}" messages` } };
  }
  const claimedSite = fieldOf(content, 'site');
  if (typeof claimedSite === 'string' && claimedSite !== site) {
    return { fault: { code: 'wrong-site', path: 'site', detail: `this topic belongs to site "${site}"` } };
  }
  switch (type) {
    case 'card-bound':
      return asChange(decodeCardBound(content, cardNumberFormat));
    case 'card-revoked':
      return asChange(decodeCardRevoked(content, cardNumberFormat));
    case 'calendar': {
      const calendar = decodeCalendar(content);
      return 'fault' in calendar ? calendar : { kind: 'calendar', calendar };
    }
    case 'roster-digest': {
      const digest = decodeRosterDigest(content);
      return 'fault' in digest ? digest : { kind: 'digest', digest };
    }
    case 'roster-page': {
      const page = decodeRosterPage(content, cardNumberFormat);
      return 'fault' in page ? page : { kind: 'page', page };
    }
    case 'event-ack': {
      const ack = decodeEventAck(content, gateway);
      return 'fault' in ack ? ack : { kind: 'event-ack', ack };
    }
    case 'command': {
      const command = decodeCommand(content, { gateway, isSiteWide: raw.topic === topics.siteCommand });
      return 'fault' in command ? command : { kind: 'command', command };
    }
  }
};

const asChange = (decoded: HrMessage | { readonly fault: Fault }): DecodedMessage | { readonly fault: Fault } =>
  'fault' in decoded ? decoded : { kind: 'change', message: decoded };

const rejected = (
  fault: Fault,
  from: { readonly messageType: HrMessageType | null; readonly raw: RawMessage; readonly content?: unknown },
): DecodedMessage => {
  const messageId = textField(from.content, 'messageId', parseMessageId) ?? null;
  const revision = fieldOf(from.content, 'revision');
  const rejection: Rejection = {
    code: fault.code,
    detail: fault.detail.slice(0, MAX_DETAIL),
    path: fault.path?.slice(0, MAX_DETAIL),
    messageType: from.messageType,
    messageId,
    revision: (typeof revision === 'number' ? parseRevision(revision) : undefined) ?? null,
    operator: textField(from.content, 'operator', parseMessageId) ?? null,
    payloadSha256: messageId === null ? sha256Hex(from.raw.payload) : null,
  };
  return { kind: 'rejected', rejection };
};

const textField = <T>(content: unknown, key: string, parse: (text: string) => T | undefined): T | undefined => {
  const value = fieldOf(content, key);
  return typeof value === 'string' ? parse(value) : undefined;
};
