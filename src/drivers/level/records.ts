// The formats of the store's records: JSON with a version, checked member by member when read back. A record that does not fit is
// refused, never guessed at. What lies on the disk is sealed (record-seal.ts).

import type { AccessEvent, LogTail } from '../../domain/access-event.ts';
import type { CalendarRecord } from '../../domain/calendar.ts';
import { isUsable } from '../../domain/calendar-order.ts';
import type { CardNumber } from '../../domain/card-number.ts';
import { type CardholderRecord, type CardRecord, REVOCATION_REASONS, type Watermark } from '../../domain/credential.ts';
import type { CommandRecord } from '../../domain/door-command.ts';
import type { DoorOrders } from '../../domain/door-mode.ts';
import type { CardholderId } from '../../domain/ids.ts';
import type { SequenceRange } from '../../domain/log-chain.ts';
import type { PassageEntry } from '../../domain/passage.ts';
import type { RosterSummary } from '../../domain/roster-digest.ts';
import { CardeaError } from '../../errors.ts';
import type { StoreDamage } from '../../ports/credential-store.ts';
import type { LogEntry } from '../../ports/event-log.ts';

export const RECORD_VERSION = 1;

type Fields = { readonly [key: string]: unknown };

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isTime = (value: unknown): boolean => value === undefined || Number.isSafeInteger(value);
const isOptionalTrue = (value: unknown): boolean => value === undefined || value === true;
const isOptionalText = (value: unknown): boolean => value === undefined || isText(value);
const isReason = (value: unknown): boolean => REVOCATION_REASONS.some((reason) => reason === value);
const isListOf = (value: unknown, isMember: (member: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isMember);

const isGrant = (value: unknown): boolean =>
  isObject(value) && (isText(value['level']) || (isListOf(value['doors'], isText) && isText(value['schedule'])));

const isOrigin = (value: unknown): boolean =>
  isObject(value) && isCount(value['revision']) && isText(value['messageId']) && isCount(value['appliedAt']);

const isOptionalCount = (value: unknown): boolean => value === undefined || isCount(value);

const isOrdered = (value: Fields): boolean =>
  isCount(value['revision']) &&
  isOptionalCount(value['era']) &&
  isText(value['fingerprint']) &&
  isOrigin(value['origin']);

const isCardRecord = (value: unknown): value is CardRecord => {
  if (!isObject(value) || !isOrdered(value)) return false;
  if (value['state'] === 'retired') return isReason(value['reason']) && isOptionalText(value['cardholder']);
  return (
    value['state'] === 'live' &&
    isText(value['cardholder']) &&
    isListOf(value['access'], isGrant) &&
    (value['kind'] === 'permanent' || value['kind'] === 'temporary') &&
    (value['activation'] === 'active' || value['activation'] === 'pending') &&
    isTime(value['validFrom']) &&
    isTime(value['validUntil']) &&
    isOptionalTrue(value['overridesLockdown']) &&
    isOptionalTrue(value['extendedRelease'])
  );
};

export const isStoredCard = (value: unknown): value is StoredCard =>
  isObject(value) && isText(value['number']) && isCardRecord(value['record']);

export const isWatermark = (value: unknown): value is Watermark =>
  isObject(value) && isOrdered(value) && isReason(value['reason']);

const isCardholderRecord = (value: unknown): value is CardholderRecord =>
  isObject(value) &&
  isListOf(value['cards'], isText) &&
  (value['watermark'] === undefined || isWatermark(value['watermark']));

const isStoredCardholder = (value: unknown): value is StoredCardholder =>
  isObject(value) && isText(value['id']) && isCardholderRecord(value['record']);

const isAccessEvent = (value: unknown): value is AccessEvent =>
  isObject(value) &&
  value['type'] === 'event' &&
  isCount(value['sequence']) &&
  isText(value['event']) &&
  isText(value['hash']) &&
  isText(value['previousHash']);

export const isLogEntry = (value: unknown): value is LogEntry =>
  isObject(value) && isAccessEvent(value['event']) && isOptionalText(value['receipt']);

/** The buckets have records of their own; `digest` is that of all of them. */
export type StoredRoster = Omit<RosterSummary, 'buckets'> & { readonly digest: string };

/** The key of a card's record does not tell its number. */
export interface StoredCard {
  readonly number: CardNumber;
  readonly record: CardRecord;
}

/** As for cards: without it nobody could find the record's name under a new key. */
export interface StoredCardholder {
  readonly id: CardholderId;
  readonly record: CardholderRecord;
}

const isStoredRoster = (value: unknown): value is StoredRoster =>
  isObject(value) &&
  isCount(value['revision']) &&
  isCount(value['cards']) &&
  isText(value['digest']) &&
  isListOf(value['pastEpochs'], isText) &&
  isCount(value['reconciled']) &&
  isOptionalText(value['epoch']) &&
  isTime(value['reconciledAt']) &&
  (value['restored'] === undefined ||
    (isObject(value['restored']) && isCount(value['restored']['era']) && isCount(value['restored']['revision'])));

const isCommandRecord = (value: unknown): boolean =>
  isObject(value) &&
  isText(value['messageId']) &&
  isText(value['fingerprint']) &&
  Number.isSafeInteger(value['expiresAt']) &&
  (value['outcome'] === undefined || isCommandOutcome(value['outcome'])) &&
  (value['isForgotten'] === undefined || value['isForgotten'] === true);

const isCommandOutcome = (value: unknown): boolean =>
  isObject(value) && isListOf(value['doors'], isText) && (value['code'] === null || isText(value['code']));

const isStandingOrder = (value: unknown): boolean =>
  isObject(value) &&
  isText(value['operator']) &&
  (value['reason'] === null || isText(value['reason'])) &&
  Number.isSafeInteger(value['at']) &&
  isTime(value['until']);

export const isDoorOrders = (value: unknown): value is DoorOrders =>
  isObject(value) &&
  (value['mode'] === undefined ||
    (isStandingOrder(value['mode']) &&
      isObject(value['mode']) &&
      (value['mode']['mode'] === 'blocked' || value['mode']['mode'] === 'held-open'))) &&
  (value['lockdown'] === undefined || isStandingOrder(value['lockdown']));

/** What the definition says is looked at by isUsable(). */
export const isCalendarRecord = (value: unknown): value is CalendarRecord =>
  isObject(value) &&
  isCount(value['revision']) &&
  isText(value['messageId']) &&
  isCount(value['appliedAt']) &&
  isText(value['fingerprint']) &&
  isObject(value['definition']) &&
  ['schedules', 'holidays', 'levels'].every(
    (part) => isObject(value['definition']) && isObject(value['definition'][part]),
  );

const isPassage = (value: unknown): boolean =>
  isObject(value) &&
  (value['place'] === 'inside' || value['place'] === 'outside') &&
  Number.isSafeInteger(value['at']) &&
  isCount(value['era']);

const isPassageEntry = (value: unknown): value is PassageEntry =>
  isObject(value) &&
  isText(value['zone']) &&
  isText(value['cardholder']) &&
  (value['passage'] === undefined || isPassage(value['passage']));

const isCommandList = (value: unknown): value is readonly CommandRecord[] => isListOf(value, isCommandRecord);

/** What the log begins after, and the numbers in it that no event has. */
export type LogBeginning = LogTail & { readonly gap?: SequenceRange };

const isLogBeginning = (value: unknown): value is LogBeginning =>
  isObject(value) &&
  isCount(value['sequence']) &&
  isText(value['hash']) &&
  (value['gap'] === undefined ||
    (isObject(value['gap']) && isCount(value['gap']['from']) && isCount(value['gap']['to'])));

/** The envelope keeps the version apart from the record, so that a record can be handed on without being copied. */
const encode = (record: unknown): string => JSON.stringify({ v: RECORD_VERSION, r: record });

const decode = <T>(text: string, what: string, is: (value: unknown) => value is T): T => {
  const refuse = (detail: string, cause?: unknown): CardeaError =>
    new CardeaError('store-record-unreadable', `a ${what} record does not decode: ${detail}`, { cause });
  let envelope: unknown;
  try {
    envelope = JSON.parse(text);
  } catch (cause) {
    throw refuse('it is not JSON', cause);
  }
  if (!isObject(envelope)) throw refuse('it is not an object');
  if (envelope['v'] !== RECORD_VERSION) throw refuse(`its version is ${String(envelope['v'])}, not ${RECORD_VERSION}`);
  const record = envelope['r'];
  if (!is(record)) throw refuse('a member is missing or of the wrong kind');
  return record;
};

export const encodeCard = (card: StoredCard): string => encode(card);
export const decodeCard = (text: string): StoredCard => decode(text, 'card', isStoredCard);
export const encodeCardholder = (cardholder: StoredCardholder): string => encode(cardholder);
export const decodeCardholder = (text: string): StoredCardholder => decode(text, 'cardholder', isStoredCardholder);
export const encodeEntry = (entry: LogEntry): string => encode(entry);
export const decodeEntry = (text: string): LogEntry => decode(text, 'event', isLogEntry);
export const encodeTrimmed = (beginning: LogBeginning): string => encode(beginning);
export const decodeTrimmed = (text: string): LogBeginning => decode(text, 'beginning of the log', isLogBeginning);
export const encodeRoster = ({ buckets: _, ...roster }: RosterSummary & { readonly digest: string }): string =>
  encode(roster);
export const decodeRoster = (text: string): StoredRoster => decode(text, 'roster', isStoredRoster);
export const encodeCommands = (commands: readonly CommandRecord[]): string => encode(commands);
export const decodeCommands = (text: string): readonly CommandRecord[] => decode(text, 'command', isCommandList);
export const encodeOrders = (orders: DoorOrders): string => encode(orders);
export const encodeCalendar = (calendar: CalendarRecord): string => encode(calendar);
export const encodePassage = (entry: PassageEntry): string => encode(entry);

const isStoreDamage = (value: unknown): value is StoreDamage =>
  isObject(value) &&
  Number.isSafeInteger(value['at']) &&
  isText(value['reason']) &&
  isText(value['setAside']) &&
  isText(value['lost']);

export const encodeDamage = (damage: StoreDamage): string => encode(damage);
export const decodeDamage = (text: string): StoreDamage => decode(text, 'damage', isStoreDamage);

/** Digests of what the store holds as one whole; two that are equal stand for the same content (store-state.ts). */
export interface StateParts {
  readonly roster: string;
  /** Of the roster, what HR calls its history and those before it. */
  readonly epochs: string;
  readonly orders: string;
  readonly calendar: string;
  readonly commands: string;
  readonly passageEra: string;
}

const isStateParts = (value: unknown): value is StateParts =>
  isObject(value) &&
  ['roster', 'epochs', 'orders', 'calendar', 'commands', 'passageEra'].every((part) => isText(value[part]));

export const encodeParts = (parts: StateParts): string => encode(parts);
export const decodeParts = (text: string): StateParts => decode(text, 'parts', isStateParts);

/** For records whose loss opens nothing, and in whose place HR, an operator or the next tap puts another one. */
const orNothing = <T>(decoded: () => T | undefined): T | undefined => {
  try {
    return decoded();
  } catch {
    return undefined;
  }
};

export const calendarOrNothing = (text: string): CalendarRecord | undefined =>
  orNothing(() => {
    const calendar = decode(text, 'calendar', isCalendarRecord);
    return isUsable(calendar) ? calendar : undefined;
  });
export const ordersOrNothing = (text: string): DoorOrders | undefined =>
  orNothing(() => decode(text, 'door orders', isDoorOrders));
export const decodePassage = (text: string): PassageEntry => decode(text, 'passage', isPassageEntry);
export const passageOrNothing = (text: string): PassageEntry | undefined => orNothing(() => decodePassage(text));
