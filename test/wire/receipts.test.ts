import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyRoster } from '../../src/domain/roster-digest.ts';
import { encodeReceipt } from '../../src/wire/receipts.ts';
import { lastWill } from '../../src/wire/status.ts';
import { subscriptionsOf, topicsOf } from '../../src/wire/topics.ts';
import { cardholderId, cardNumber, doorId, gatewayId, messageId, revision, siteId, time } from '../domain/samples.ts';

const GATEWAY = gatewayId('lobby-1');

test('a receipt has the fields of PROTOCOL.md, all of them, and no others', () => {
  const text = encodeReceipt(
    {
      messageType: 'card-bound',
      messageId: messageId('01JD'),
      revision: revision(1042),
      result: 'applied',
      card: cardNumber('04A2B3C4D5E680'),
      cardholder: cardholderId('E1001'),
      superseded: [cardNumber('DEADBEEF')],
      doors: [doorId('front')],
      code: null,
      detail: null,
      path: null,
      payloadSha256: null,
      warnings: [],
    },
    {
      gateway: GATEWAY,
      appliedAt: time('2026-11-22T01:00:00.123Z'),
      clockSynchronized: true,
      sequence: 88_123,
      roster: { ...emptyRoster(), revision: revision(1042), cards: 812 },
    },
  );
  assert.deepEqual(JSON.parse(text), {
    type: 'receipt',
    gateway: 'lobby-1',
    messageId: '01JD',
    messageType: 'card-bound',
    revision: 1042,
    result: 'applied',
    card: '04A2B3C4D5E680',
    cardholder: 'E1001',
    superseded: ['DEADBEEF'],
    doors: ['front'],
    code: null,
    detail: null,
    path: null,
    payloadSha256: null,
    warnings: [],
    appliedAt: '2026-11-22T01:00:00.123Z',
    clockSynchronized: true,
    sequence: 88_123,
    roster: {
      revision: 1042,
      cards: 812,
      // SHA-256 of 2,048 zero bytes.
      digest: 'e5a00aa9991ac8a5ee3109844d84a55583bd20572ad3ffcd42792f3c36b183ad',
    },
  });
});

test('topics are those of PROTOCOL.md, and the gateway listens to nothing of its own', () => {
  const topics = topicsOf(siteId('hq'), GATEWAY);
  assert.deepEqual(topics, {
    cardBound: 'cardea/hq/hr/card-bound',
    cardRevoked: 'cardea/hq/hr/card-revoked',
    rosterDigest: 'cardea/hq/hr/roster-digest',
    calendar: 'cardea/hq/hr/calendar',
    siteCommand: 'cardea/hq/hr/command',
    rosterPage: 'cardea/hq/gateways/lobby-1/roster-page',
    eventAck: 'cardea/hq/gateways/lobby-1/event-ack',
    command: 'cardea/hq/gateways/lobby-1/command',
    receipt: 'cardea/hq/gateways/lobby-1/receipt',
    event: 'cardea/hq/gateways/lobby-1/event',
    rosterRequest: 'cardea/hq/gateways/lobby-1/roster-request',
    status: 'cardea/hq/gateways/lobby-1/status',
  });
  assert.deepEqual(subscriptionsOf(topics), [
    'cardea/hq/hr/card-bound',
    'cardea/hq/hr/card-revoked',
    'cardea/hq/hr/roster-digest',
    'cardea/hq/hr/calendar',
    'cardea/hq/hr/command',
    'cardea/hq/gateways/lobby-1/roster-page',
    'cardea/hq/gateways/lobby-1/event-ack',
    'cardea/hq/gateways/lobby-1/command',
  ]);
});

test('the last will says that the gateway is gone', () => {
  assert.deepEqual(JSON.parse(lastWill(GATEWAY)), { type: 'status', gateway: 'lobby-1', online: false });
});
