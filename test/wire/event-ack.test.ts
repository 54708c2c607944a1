import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeEventAck, encodeEventAck } from '../../src/wire/event-ack.ts';
import { gatewayId, siteId } from '../domain/samples.ts';

const GATEWAY = gatewayId('lobby-1');
const ACK = { type: 'event-ack', site: 'hq', upTo: 88_124 };

test('an acknowledgement of events comes out as it was put in', () => {
  const text = encodeEventAck(siteId('hq'), GATEWAY, { upTo: 7 });
  assert.deepEqual(decodeEventAck(JSON.parse(text), GATEWAY), { upTo: 7 });
});

test('an acknowledgement may leave the gateway out, and one for another gateway is refused', () => {
  assert.deepEqual(decodeEventAck(ACK, GATEWAY), { upTo: 88_124 });
  const other = decodeEventAck({ ...ACK, gateway: 'lobby-2' }, GATEWAY);
  assert.ok('fault' in other);
  assert.deepEqual([other.fault.code, other.fault.path], ['wrong-topic', 'gateway']);
});

test('what is no whole number from 0 on, or has unknown fields, acknowledges nothing', () => {
  for (const wrong of [{ upTo: -1 }, { upTo: 1.5 }, { upTo: '7' }, { upTo: 2 ** 53 }, { upto: 7 }]) {
    assert.ok('fault' in decodeEventAck({ ...ACK, ...wrong }, GATEWAY), JSON.stringify(wrong));
  }
});
