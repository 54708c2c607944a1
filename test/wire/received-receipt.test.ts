import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyRoster } from '../../src/domain/roster-digest.ts';
import { encodeReceipt } from '../../src/wire/receipts.ts';
import { decodeReceipt, type ReceiptOpener } from '../../src/wire/received-receipt.ts';
import { cardholderId, cardNumber, doorId, gatewayId, messageId, revision, time } from '../domain/samples.ts';

const TEXT = encodeReceipt(
  {
    messageType: 'card-bound',
    messageId: messageId('message-1'),
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
    gateway: gatewayId('lobby-1'),
    appliedAt: time('2026-11-22T01:00:00.123Z'),
    clockSynchronized: true,
    sequence: 88123,
    roster: emptyRoster(),
  },
);
const unsigned: ReceiptOpener = (payload) => ({ kind: 'opened', json: payload });

test('a gateway’s receipt reads as it was written', async () => {
  assert.deepEqual(await decodeReceipt(Buffer.from(TEXT), unsigned), { receipt: JSON.parse(TEXT) });
});

test('a signed receipt is read from what the verifier has opened', async () => {
  const opener: ReceiptOpener = async (payload) => ({ kind: 'opened', json: payload.subarray('signed:'.length) });
  assert.deepEqual(await decodeReceipt(Buffer.from(`signed:${TEXT}`), opener), { receipt: JSON.parse(TEXT) });
});

test('what the verifier refuses is no receipt', async () => {
  const refused = { kind: 'refused', code: 'bad-signature', detail: 'the signature does not fit' } as const;
  assert.deepEqual(await decodeReceipt(Buffer.from(TEXT), () => refused), { fault: refused });
});

test('what is no receipt is told with its place', async () => {
  const decode = async (payload: string) => {
    const decoded = await decodeReceipt(Buffer.from(payload), unsigned);
    return 'fault' in decoded ? [decoded.fault.code, decoded.fault.path] : decoded;
  };
  assert.deepEqual(await decode('{'), ['invalid-message', undefined]);
  assert.deepEqual(await decode(TEXT.replace('"applied"', '"perhaps"')), ['invalid-message', 'result']);
});
