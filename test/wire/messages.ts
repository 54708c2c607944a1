// Messages as PROTOCOL.md shows them, whole, and the decoder set up for one gateway.

import assert from 'node:assert/strict';
import type { CardNumberFormat } from '../../src/domain/card-number.ts';
import type { HrMessage } from '../../src/wire/change-messages.ts';
import { type DecodedMessage, decodeHrMessage, type Rejection } from '../../src/wire/hr-messages.ts';
import { type MessageEnvelope, unsignedEnvelope } from '../../src/wire/message-envelope.ts';
import { topicsOf } from '../../src/wire/topics.ts';
import { gatewayId, siteId } from '../domain/samples.ts';

export const TOPICS = topicsOf(siteId('hq'), gatewayId('lobby-1'));

export const FULL_BOUND = {
  type: 'card-bound',
  site: 'hq',
  messageId: '01JD8Z3V6K4Q',
  revision: 1042,
  issuedAt: '2026-11-22T09:00:00+08:00',
  operator: 'hr.desk-2',
  card: '04A2B3C4D5E680',
  cardholder: { id: 'E1001', name: 'Ada Person', department: 'Works' },
  access: [
    { doors: ['front', 'lab'], schedule: 'office-hours' },
    { doors: ['*'], schedule: 'always' },
    { level: 'staff' },
  ],
  kind: 'permanent',
  state: 'active',
  validFrom: '2026-11-23T00:00:00+08:00',
  validUntil: '2027-11-23T00:00:00+08:00',
  supersedes: 'all',
  transferFrom: 'E0999',
};

export const SHORT_BOUND = {
  type: 'card-bound',
  site: 'hq',
  messageId: 'm-1',
  revision: 1,
  issuedAt: '2026-11-22T01:00:00Z',
  operator: 'hr',
  card: 'DEADBEEF',
  cardholder: { id: 'E1001' },
  access: [{ doors: ['front'] }],
};

const revoked = {
  type: 'card-revoked',
  site: 'hq',
  messageId: 'm-2',
  revision: 1043,
  issuedAt: '2026-11-22T09:00:00+08:00',
  operator: 'hr.desk-2',
};

export const CARD_REVOKED = { ...revoked, card: '04A2B3C4D5E680', reason: 'lost' };
export const CARDHOLDER_REVOKED = { ...revoked, cardholder: 'E1001', reason: 'left' };

export const COMMAND = {
  type: 'command',
  site: 'hq',
  messageId: 'c-1',
  issuedAt: '2026-11-22T09:00:00+08:00',
  expiresAt: '2026-11-22T09:05:00+08:00',
  operator: 'guard.3',
  reason: 'parcel service',
  action: 'unlock',
  door: 'front',
};

export const CALENDAR = {
  type: 'calendar',
  site: 'hq',
  messageId: 'cal-7',
  revision: 7,
  issuedAt: '2026-11-22T09:00:00+08:00',
  operator: 'hr.desk-2',
  schedules: {
    'office-hours': [
      { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00' },
      { holidays: ['*'], from: '10:00', to: '12:00' },
    ],
    'night-shift': [{ days: ['fri'], holidays: ['public'], from: '22:00', to: '06:00' }],
  },
  holidays: { public: ['12-25', '2026-04-03', '12-24..01-02', '2026-08-03..2026-08-21'] },
  levels: { staff: [{ doors: ['front', 'lab'], schedule: 'office-hours' }, { doors: ['*'] }] },
};

export interface DecodeOptions {
  readonly topic?: string;
  readonly retained?: boolean;
  readonly format?: CardNumberFormat;
  readonly envelope?: MessageEnvelope;
}

/** Decodes bytes, text as it stands, or a value as JSON; on the topic of its type unless told otherwise. */
export const decode = (content: unknown, options: DecodeOptions = {}): DecodedMessage => {
  const isRevocation =
    typeof content === 'object' && content !== null && 'type' in content && content.type === 'card-revoked';
  const payload =
    content instanceof Uint8Array
      ? content
      : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  const decoded = decodeHrMessage(
    {
      topic: options.topic ?? (isRevocation ? TOPICS.cardRevoked : TOPICS.cardBound),
      payload,
      retained: options.retained ?? false,
    },
    {
      site: siteId('hq'),
      gateway: gatewayId('lobby-1'),
      topics: TOPICS,
      cardNumberFormat: options.format ?? 'hex',
      envelope: options.envelope ?? unsignedEnvelope,
    },
  );
  assert.ok(!(decoded instanceof Promise), 'the envelope takes its time');
  return decoded;
};

export const accepted = (content: unknown, options?: DecodeOptions): HrMessage => {
  const decoded = decode(content, options);
  assert.ok(decoded.kind === 'change', decoded.kind === 'rejected' ? JSON.stringify(decoded.rejection) : decoded.kind);
  return decoded.message;
};

export const rejected = (content: unknown, options?: DecodeOptions): Rejection => {
  const decoded = decode(content, options);
  assert.ok(decoded.kind === 'rejected', `accepted: ${JSON.stringify(content)}`);
  return decoded.rejection;
};
