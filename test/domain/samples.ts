// Domain values for tests, made by the parsers that production uses.

import assert from 'node:assert/strict';
import { type CardNumber, parseCardNumber } from '../../src/domain/card-number.ts';
import type { Binding, Origin, Tombstone } from '../../src/domain/credential.ts';
import type { DoorOrders } from '../../src/domain/door-mode.ts';
import {
  type CardholderId,
  type DoorId,
  type GatewayId,
  type MessageId,
  parseCardholderId,
  parseDoorId,
  parseGatewayId,
  parseMessageId,
  parseReaderId,
  parseRevision,
  parseScheduleId,
  parseSiteId,
  parseZoneId,
  type ReaderId,
  type Revision,
  type ScheduleId,
  type SiteId,
  type ZoneId,
} from '../../src/domain/ids.ts';
import { type Instant, instant } from '../../src/domain/units.ts';

const parsed = <T>(value: T | undefined): T => {
  assert.ok(value !== undefined, 'a sample value does not parse');
  return value;
};

/** A card number in format `hex`. */
export const cardNumber = (text: string): CardNumber => {
  const result = parseCardNumber(text, 'hex');
  assert.ok('number' in result, text);
  return result.number;
};

export const cardholderId = (text: string): CardholderId => parsed(parseCardholderId(text));
export const doorId = (text: string): DoorId => parsed(parseDoorId(text));
export const gatewayId = (text: string): GatewayId => parsed(parseGatewayId(text));
export const messageId = (text: string): MessageId => parsed(parseMessageId(text));
export const readerId = (text: string): ReaderId => parsed(parseReaderId(text));
export const revision = (value: number): Revision => parsed(parseRevision(value));
export const scheduleId = (text: string): ScheduleId => parsed(parseScheduleId(text));
export const siteId = (text: string): SiteId => parsed(parseSiteId(text));
export const zoneId = (text: string): ZoneId => parsed(parseZoneId(text));
export const time = (text: string): Instant => instant(Date.parse(text));
export const uidOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

export const originOf = (at: number): Origin => ({
  revision: revision(at),
  messageId: messageId(`message-${at}`),
  appliedAt: time('2026-01-05T08:00:00Z'),
});

/** A live binding of E1001 that opens every door at any time, apart from what `changes` says. */
export const bindingOf = (changes: Partial<Binding> = {}): Binding => ({
  state: 'live',
  revision: revision(1),
  fingerprint: 'f'.repeat(64),
  cardholder: cardholderId('E1001'),
  access: [{ doors: ['*'], schedule: scheduleId('always') }],
  kind: 'permanent',
  activation: 'active',
  origin: originOf(1),
  ...changes,
});

export const tombstoneOf = (changes: Partial<Tombstone> = {}): Tombstone => ({
  state: 'retired',
  revision: revision(2),
  fingerprint: 'e'.repeat(64),
  reason: 'lost',
  cardholder: cardholderId('E1001'),
  origin: originOf(2),
  ...changes,
});

/** Orders of a door that an operator has set to that mode. */
export const ordersOf = (mode: 'blocked' | 'held-open'): DoorOrders => ({
  mode: { mode, operator: 'technician', reason: null, at: time('2026-01-05T08:00:00Z') },
});
