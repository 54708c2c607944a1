// From what came over the admin socket to requests in domain types. What is not understood completely is refused with
// CardeaError `invalid-request`, in words that help the person at the other end.

import type { Direction } from '../domain/access-event.ts';
import { DOOR_ACTIONS, type DoorAction } from '../domain/door-command.ts';
import { CARDHOLDER_ID, type CardholderId, parseCardholderId } from '../domain/ids.ts';
import { type Instant, instant, type Milliseconds, seconds } from '../domain/units.ts';
import { CardeaError } from '../errors.ts';
import { LINES, REPORTS, type ReportName } from './protocol.ts';
import type { TimeRange } from './time-index.ts';

/** Query parameters or the members of a JSON object, not looked at yet. */
export type Fields = ReadonlyMap<string, unknown>;

/** Longer than any id, card number or time. */
const MAX_TEXT = 128;
/** More events than any gateway will ever have. */
const MAX_COUNT = Number.MAX_SAFE_INTEGER;

/** Names of events with commas between them, of which there are some forty. */
const EVENT_NAMES = /^[a-z-]{1,64}(,[a-z-]{1,64}){0,63}$/;

/** As long as in a command that comes as a message. */
const REASON = /^\P{Cc}{1,200}$/u;

export interface ParsedExplain {
  readonly card: string;
  readonly door: string;
  readonly direction: Direction;
  readonly at: Instant | undefined;
}

export interface ParsedEvents {
  readonly since: number | undefined;
  readonly limit: number | undefined;
  readonly follow: boolean;
}

export interface ParsedSelection {
  readonly names: ReadonlySet<string>;
  readonly range: TimeRange;
}

export interface ParsedReport {
  readonly report: ReportName;
  readonly operator: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly cardholder: CardholderId | undefined;
}

export interface ParsedOrder {
  readonly operator: string;
  readonly reason?: string | undefined;
  readonly until?: Instant | undefined;
  /** Instead of `until`. */
  readonly duration?: Milliseconds | undefined;
}

export interface ParsedDoorCommand extends ParsedOrder {
  readonly door: string;
  readonly action: DoorAction;
}

export interface ParsedLockdown extends ParsedOrder {
  readonly door?: string | undefined;
  readonly action: 'lockdown' | 'end-lockdown';
}

export interface ParsedAcceptEpoch {
  readonly epoch: string;
  readonly operator: string;
}

export interface ParsedResetPassback {
  readonly cardholder: CardholderId;
  readonly operator: string;
}

export interface ParsedTap {
  readonly reader: string;
  readonly uid: Uint8Array;
  readonly operator: string;
}

export interface ParsedLine {
  readonly door: string;
  readonly line: (typeof LINES)[number];
  readonly isActive: boolean;
  readonly operator: string;
}

export const parseNothing = (fields: Fields): void => allowOnly(fields, []);

export const parseCard = (fields: Fields): { readonly card: string } => {
  allowOnly(fields, ['card']);
  return { card: text(fields, 'card') };
};

export const parseExplain = (fields: Fields): ParsedExplain => {
  allowOnly(fields, ['card', 'door', 'direction', 'at']);
  const at = optional(fields, 'at', text);
  const direction = optional(fields, 'direction', (all, name) => oneOf(all, name, ['in', 'out'] as const)) ?? 'in';
  const card = text(fields, 'card');
  return { card, door: text(fields, 'door'), direction, at: at === undefined ? undefined : parseTime(at) };
};

export const parseEvents = (fields: Fields): ParsedEvents => {
  allowOnly(fields, ['since', 'limit', 'follow']);
  const since = optional(fields, 'since', count);
  const limit = optional(fields, 'limit', count);
  const follow = optional(fields, 'follow', (all, name) => oneOf(all, name, ['true', 'false'] as const)) === 'true';
  return { since, limit, follow };
};

export const parseRecords = (fields: Fields): { readonly from: number } => {
  allowOnly(fields, ['from']);
  return { from: optional(fields, 'from', count) ?? 1 };
};

export const parseSelection = (fields: Fields): ParsedSelection => {
  allowOnly(fields, ['names', 'from', 'to']);
  const names = fields.get('names');
  if (typeof names !== 'string' || !EVENT_NAMES.test(names)) {
    throw refused('names must be names of events with commas between them');
  }
  const from = optional(fields, 'from', text);
  const to = optional(fields, 'to', text);
  const range = {
    from: from === undefined ? instant(Number.NEGATIVE_INFINITY) : parseTime(from),
    to: to === undefined ? instant(Number.POSITIVE_INFINITY) : parseTime(to),
  };
  return { names: new Set(names.split(',')), range };
};

export const parseCards = (fields: Fields): { readonly withRetired: boolean } => {
  allowOnly(fields, ['retired']);
  const retired = optional(fields, 'retired', (all, name) => oneOf(all, name, ['true', 'false'] as const));
  return { withRetired: retired === 'true' };
};

export const parseReport = (fields: Fields): ParsedReport => {
  allowOnly(fields, ['report', 'operator', 'from', 'to', 'cardholder']);
  return {
    report: oneOf(fields, 'report', REPORTS),
    operator: operator(fields),
    from: optional(fields, 'from', text),
    to: optional(fields, 'to', text),
    cardholder: optional(fields, 'cardholder', cardholderId),
  };
};

export const parseDoorCommand = (fields: Fields): ParsedDoorCommand => {
  allowOnly(fields, ['door', 'action', ...ORDER_FIELDS]);
  return { door: text(fields, 'door'), action: oneOf(fields, 'action', DOOR_ACTIONS), ...order(fields) };
};

export const parseLockdown = (fields: Fields): ParsedLockdown => {
  allowOnly(fields, ['door', 'action', ...ORDER_FIELDS]);
  const action = oneOf(fields, 'action', ['lockdown', 'end-lockdown'] as const);
  return { door: optional(fields, 'door', text), action, ...order(fields) };
};

const ORDER_FIELDS = ['operator', 'reason', 'until', 'forSeconds'];

const order = (fields: Fields): ParsedOrder => {
  const until = optional(fields, 'until', text);
  const forSeconds = optional(fields, 'forSeconds', count);
  if (until !== undefined && forSeconds !== undefined) throw refused('give until or forSeconds, not both');
  return {
    operator: operator(fields),
    reason: optional(fields, 'reason', reason),
    until: until === undefined ? undefined : parseTime(until),
    duration: forSeconds === undefined ? undefined : seconds(forSeconds),
  };
};

export const parseAcceptEpoch = (fields: Fields): ParsedAcceptEpoch => {
  allowOnly(fields, ['epoch', 'operator']);
  return { epoch: text(fields, 'epoch'), operator: operator(fields) };
};

export const parseClearAlarms = (fields: Fields): { readonly operator: string } => {
  allowOnly(fields, ['operator']);
  return { operator: operator(fields) };
};

export const parseZone = (fields: Fields): { readonly zone: string | undefined } => {
  allowOnly(fields, ['zone']);
  return { zone: optional(fields, 'zone', text) };
};

export const parseResetPassback = (fields: Fields): ParsedResetPassback => {
  allowOnly(fields, ['cardholder', 'operator']);
  return { cardholder: cardholderId(fields, 'cardholder'), operator: operator(fields) };
};

export interface ParsedRestoreBegin {
  readonly header: unknown;
  readonly oldest: { readonly sequence: number; readonly hash: string } | null;
  readonly operator: string;
  readonly isDryRun: boolean;
}

export interface ParsedRestorePage {
  readonly restore: number;
  readonly records: readonly unknown[];
}

export const parseBackup = (fields: Fields): { readonly operator: string } => {
  allowOnly(fields, ['operator']);
  return { operator: operator(fields) };
};

export const parseRestoreBegin = (fields: Fields): ParsedRestoreBegin => {
  allowOnly(fields, ['header', 'oldest', 'operator', 'dryRun']);
  const isDryRun = oneOf(fields, 'dryRun', ['true', 'false'] as const) === 'true';
  return { header: fields.get('header'), oldest: oldestEvent(fields), operator: operator(fields), isDryRun };
};

const oldestEvent = (fields: Fields): ParsedRestoreBegin['oldest'] => {
  const oldest = fields.get('oldest');
  if (oldest === null) return null;
  if (typeof oldest === 'object' && oldest !== undefined && 'sequence' in oldest && 'hash' in oldest) {
    const { sequence, hash } = oldest;
    if (typeof sequence === 'number' && typeof hash === 'string') return { sequence, hash };
  }
  throw refused('oldest must be null or have sequence and hash');
};

export const parseRestorePage = (fields: Fields): ParsedRestorePage => {
  allowOnly(fields, ['restore', 'records']);
  const records: unknown = fields.get('records');
  if (!Array.isArray(records)) throw refused('records must be a list');
  return { restore: count(fields, 'restore'), records };
};

export const parseRestoreEnd = (fields: Fields): { readonly restore: number } => {
  allowOnly(fields, ['restore']);
  return { restore: count(fields, 'restore') };
};

export const parseTap = (fields: Fields): ParsedTap => {
  allowOnly(fields, ['reader', 'uid', 'operator']);
  const uid = parseUid(text(fields, 'uid'));
  if (uid === undefined) {
    throw refused('the UID does not read as 8, 14 or 20 hex digits, such as 04A2B3C4D5E680');
  }
  return { reader: text(fields, 'reader'), uid, operator: operator(fields) };
};

export const parseLine = (fields: Fields): ParsedLine => {
  allowOnly(fields, ['door', 'line', 'state', 'operator']);
  const isActive = oneOf(fields, 'state', ['on', 'off'] as const) === 'on';
  return { door: text(fields, 'door'), line: oneOf(fields, 'line', LINES), isActive, operator: operator(fields) };
};

/** 4, 7 or 10 bytes in hex, separators allowed; undefined for anything else. */
export const parseUid = (value: string): Uint8Array | undefined => {
  const digits = value.replaceAll(/[ :-]/g, '');
  return /^(?:[0-9a-f]{8}|[0-9a-f]{14}|[0-9a-f]{20})$/i.test(digits)
    ? Uint8Array.from(Buffer.from(digits, 'hex'))
    : undefined;
};

const TIME = /^(\d{4}-\d\d-\d\d)[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)$/;

const parseTime = (value: string): Instant => {
  const date = TIME.exec(value)?.[1];
  const time = Date.parse(value.replace(' ', 'T').toUpperCase());
  // Date.parse takes 30 February for 2 March.
  const isRealDay = date !== undefined && new Date(`${date}T00:00:00Z`).toJSON()?.startsWith(date);
  if (Number.isNaN(time) || !isRealDay) {
    throw refused(`"${shown(value)}" is not a time with an offset, such as 2026-11-22T09:00:00+08:00`);
  }
  return instant(time);
};

const refused = (message: string): CardeaError => new CardeaError('invalid-request', message);

const allowOnly = (fields: Fields, names: readonly string[]): void => {
  for (const name of fields.keys()) {
    if (names.includes(name)) continue;
    const allowed = names.length === 0 ? 'nothing' : names.join(', ');
    throw refused(`"${shown(name)}" is not part of this request; allowed: ${allowed}`);
  }
};

const text = (fields: Fields, name: string): string => {
  const value = fields.get(name);
  if (typeof value !== 'string') throw refused(`${name} is missing or not a text`);
  if (value === '' || value.length > MAX_TEXT) throw refused(`${name} must have 1 to ${MAX_TEXT} characters`);
  return value;
};

const optional = <Value>(
  fields: Fields,
  name: string,
  read: (fields: Fields, name: string) => Value,
): Value | undefined => (fields.has(name) ? read(fields, name) : undefined);

const count = (fields: Fields, name: string): number => {
  const value = text(fields, name);
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > MAX_COUNT) throw refused(`${name} must be a whole number from 0 on`);
  return number;
};

const oneOf = <Value extends string>(fields: Fields, name: string, values: readonly Value[]): Value => {
  const given = text(fields, name);
  const value = values.find((candidate) => candidate === given);
  if (value === undefined) throw refused(`${name} is "${shown(given)}"; allowed: ${values.join(', ')}`);
  return value;
};

const cardholderId = (fields: Fields, name: string): CardholderId => {
  const id = parseCardholderId(text(fields, name));
  if (id === undefined) throw refused(`${name} must have 1 to 64 characters and no control characters`);
  return id;
};

const reason = (fields: Fields, name: string): string => {
  const value = fields.get(name);
  if (typeof value === 'string' && REASON.test(value)) return value;
  throw refused(`${name} must be a text of 1 to 200 characters, without control characters`);
};

const operator = (fields: Fields): string => {
  const value = text(fields, 'operator');
  if (!CARDHOLDER_ID.test(value)) throw refused('operator must have 1 to 64 characters and no control characters');
  return value;
};

const shown = (value: string): string => value.slice(0, 40).replaceAll(/\p{Cc}/gu, '?');
