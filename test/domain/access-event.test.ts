import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type AccessEvent,
  chainEvent,
  EMPTY_LOG,
  isIntact,
  type LogTail,
  type NewEvent,
} from '../../src/domain/access-event.ts';
import { canonicalJson, type JsonValue } from '../../src/domain/canonical-json.ts';
import { cardholderId, cardNumber, doorId, gatewayId, readerId, revision, time } from './samples.ts';

const GATEWAY = gatewayId('lobby-1');

const GRANTED: NewEvent = {
  event: 'access-granted',
  at: time('2026-01-05T08:00:00.123Z'),
  clockSynchronized: true,
  door: doorId('front'),
  reader: readerId('front-in'),
  direction: 'in',
  card: cardNumber('04A2B3C4D5E680'),
  cardholder: cardholderId('E1001'),
  bindingRevision: revision(1042),
};

const chainOf = (events: readonly NewEvent[]): AccessEvent[] => {
  let tail: LogTail = EMPTY_LOG;
  return events.map((event) => {
    const chained = chainEvent(GATEWAY, tail, event);
    tail = { sequence: chained.sequence, hash: chained.hash };
    return chained;
  });
};

test('an event has the fields of PROTOCOL.md, with null where there is nothing to say', () => {
  const { hash, ...event } = chainEvent(GATEWAY, { sequence: 88_123, hash: 'a'.repeat(64) }, GRANTED);
  assert.deepEqual(event, {
    type: 'event',
    gateway: 'lobby-1',
    sequence: 88_124,
    event: 'access-granted',
    time: '2026-01-05T08:00:00.123Z',
    clockSynchronized: true,
    door: 'front',
    reader: 'front-in',
    direction: 'in',
    card: '04A2B3C4D5E680',
    cardholder: 'E1001',
    bindingRevision: 1042,
    reason: null,
    detail: null,
    previousHash: 'a'.repeat(64),
  });
  assert.match(hash, /^[0-9a-f]{64}$/);
  const bare = chainEvent(GATEWAY, EMPTY_LOG, { event: 'gateway-started', at: GRANTED.at, clockSynchronized: false });
  const { door, reader, direction, card, cardholder, bindingRevision } = bare;
  assert.deepEqual([door, reader, direction, card, cardholder, bindingRevision], Array(6).fill(null));
});

test('the hash can be recomputed by anybody: SHA-256 over sorted keys without hash', () => {
  const event = chainEvent(GATEWAY, EMPTY_LOG, { ...GRANTED, detail: { b: [1, null], a: 'ä' } });
  const { hash, ...rest } = event;
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([k, v]) => [k, sorted(v)]),
    );
  };
  assert.equal(
    createHash('sha256')
      .update(JSON.stringify(sorted(rest)))
      .digest('hex'),
    hash,
  );
});

test('the log begins at 1 and is one chain', () => {
  const events = chainOf([GRANTED, GRANTED, { ...GRANTED, event: 'door-opened' }]);
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    [1, 2, 3],
  );
  assert.equal(events[0]?.previousHash, '0'.repeat(64));
  assert.equal(events[1]?.previousHash, events[0]?.hash);
  assert.notEqual(events[0]?.hash, events[1]?.hash, 'the same thing twice is two records');
  let tail: LogTail = EMPTY_LOG;
  for (const event of events) {
    assert.ok(isIntact(event, tail));
    tail = event;
  }
});

test('a record is still intact after it was stored and read back as JSON', () => {
  const [event] = chainOf([
    { ...GRANTED, reason: 'ä\u2028\ud83d\ude00', detail: { n: [1, { x: undefined, y: -0 }], m: undefined } },
  ]);
  assert.ok(isIntact(JSON.parse(JSON.stringify(event)), EMPTY_LOG));
});

test('a change of any one field is noticed, and so is a field more or less', () => {
  const [event] = chainOf([{ ...GRANTED, reason: 'x', detail: { a: 1 } }]);
  assert.ok(event !== undefined);
  const others: Record<string, unknown> = {
    sequence: 2,
    clockSynchronized: false,
    bindingRevision: 7,
    detail: { a: 2 },
    direction: 'out',
  };
  for (const key of Object.keys(event)) {
    const changed: AccessEvent = JSON.parse(JSON.stringify({ ...event, [key]: others[key] ?? 'changed' }));
    assert.equal(isIntact(changed), false, `${key} changed`);
    const nulled: AccessEvent = JSON.parse(JSON.stringify({ ...event, [key]: null }));
    assert.equal(isIntact(nulled), false, `${key} null`);
    const without: AccessEvent = JSON.parse(JSON.stringify({ ...event, [key]: undefined }));
    assert.equal(isIntact(without), false, `${key} missing`);
  }
  assert.equal(isIntact(JSON.parse(JSON.stringify({ ...event, more: 1 }))), false);
});

test('a record taken out of the chain, doubled or put in another order is noticed', () => {
  const [a, b, c] = chainOf([GRANTED, GRANTED, GRANTED]);
  assert.ok(a && b && c);
  assert.equal(isIntact(c, a), false);
  assert.equal(isIntact(b, b), false);
  assert.equal(isIntact(a, b), false);
  assert.equal(isIntact(b, { sequence: 1, hash: c.hash }), false);
  assert.equal(isIntact(b, { sequence: 5, hash: a.hash }), false);
  assert.equal(isIntact(b), true, 'alone it can only be judged by itself');
});

const JSON_VALUE = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' });
const isJsonValue = (value: unknown): value is JsonValue => value !== undefined;

test('canonical JSON says the same as JSON, whatever the order of the keys', () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, member]) => [key, shuffled(member)]),
    );
  };
  fc.assert(
    fc.property(JSON_VALUE, (value) => {
      const [one, other] = [value, shuffled(value)];
      assert.ok(isJsonValue(one) && isJsonValue(other));
      const text = canonicalJson(one);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      assert.equal(canonicalJson(other), text);
      assert.equal(canonicalJson(JSON.parse(text)), text);
    }),
    { numRuns: 2000 },
  );
});

test('canonical JSON sorts by UTF-16 code unit, leaves out what is undefined and writes no white space', () => {
  assert.equal(
    canonicalJson({ '\u20ac': 1, '\r': 2, '1': 3, '\ud83d\ude02': 4, '\ufb33': 5, a: [], b: {}, c: undefined, ö: 'ö' }),
    '{"\\r":2,"1":3,"a":[],"b":{},"ö":"ö","€":1,"😂":4,"\ufb33":5}',
  );
});
