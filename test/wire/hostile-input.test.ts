// Arbitrary bytes and damaged messages against the decoder and the change flow: nothing throws, nothing changes. That nothing grows
// either is shown in test/storms/garbage-flood.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HR_MESSAGE_TYPES } from '../../src/wire/message-envelope.ts';
import { repeatedKey } from '../../src/wire/unique-keys.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { makeChangeFlow, receiptIn } from '../flows/change-flow.ts';
import {
  CALENDAR,
  CARD_REVOKED,
  CARDHOLDER_REVOKED,
  COMMAND,
  decode,
  FULL_BOUND,
  SHORT_BOUND,
  TOPICS,
} from './messages.ts';

const TOPIC = fc.constantFrom(
  TOPICS.cardBound,
  TOPICS.cardRevoked,
  TOPICS.calendar,
  TOPICS.command,
  TOPICS.event,
  '',
  '#',
);
const VALID = fc.constantFrom(FULL_BOUND, SHORT_BOUND, CARD_REVOKED, CARDHOLDER_REVOKED, CALENDAR, COMMAND);

/** Some bytes of a valid message replaced, taken out or put in. */
const MUTATED = fc
  .tuple(
    VALID,
    fc.array(fc.tuple(fc.nat(), fc.constantFrom('set', 'cut', 'add', 'flip'), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 6,
    }),
  )
  .map(([message, edits]) => {
    const bytes = [...Buffer.from(JSON.stringify(message))];
    for (const [where, how, byte] of edits) {
      const at = where % bytes.length;
      if (how === 'set') bytes[at] = byte;
      else if (how === 'flip') bytes[at] = (bytes[at] ?? 0) ^ (1 << (byte % 8));
      else bytes.splice(at, how === 'cut' ? 1 + (byte % 20) : 0, ...(how === 'add' ? [byte] : []));
    }
    return Uint8Array.from(bytes);
  });

/** Valid messages with one field replaced by anything that JSON can say. */
const MISTYPED = fc.tuple(VALID, fc.nat(), fc.jsonValue()).map(([message, which, value]) => {
  const names = Object.keys(message);
  return Buffer.from(JSON.stringify({ ...message, [names[which % names.length] ?? '']: value }));
});

const ANYTHING = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text)),
  fc.json({ maxDepth: 6 }).map((text) => Buffer.from(text)),
  MUTATED,
  MISTYPED,
);

test('no bytes on any topic make the decoder throw, and a rejection is always complete', () => {
  fc.assert(
    fc.property(ANYTHING, TOPIC, fc.boolean(), (payload, topic, retained) => {
      const decoded = decode(payload, { topic, retained });
      if (decoded.kind === 'change') return HR_MESSAGE_TYPES.includes(decoded.message.messageType) && !retained;
      if (decoded.kind === 'command') return topic === TOPICS.command && !retained;
      if (decoded.kind === 'calendar') return topic === TOPICS.calendar;
      if (decoded.kind !== 'rejected') return [TOPICS.rosterDigest, TOPICS.rosterPage, TOPICS.eventAck].includes(topic);
      const { code, detail, messageId, payloadSha256 } = decoded.rejection;
      return code.length > 0 && detail.length > 0 && (messageId === null) !== (payloadSha256 === null);
    }),
    { numRuns: 5000 },
  );
});

test('bytes that do not decode to a valid message change nothing, and are answered by one rejection', async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(
      ANYTHING,
      fc.constantFrom(TOPICS.cardBound, TOPICS.cardRevoked, TOPICS.calendar),
      async (payload, topic) => {
        if (decode(payload, { topic }).kind !== 'rejected') return;
        refused += 1;
        const store = new MemoryStore();
        await makeChangeFlow(store).deliver(topic, payload);
        assert.deepEqual([store.cards.size, store.cardholders.size, store.roster().revision], [0, 0, 0]);
        assert.equal(store.calendar(), undefined);
        assert.equal(store.entries.length, 1);
        assert.equal(receiptIn(store.entries[0]).result, 'rejected');
      },
    ),
    { numRuns: 1500 },
  );
  assert.ok(refused > 1000, `${refused}`);
});

test('a repeated name is found wherever it is, and never where there is none', () => {
  const named = fc.letrec<{ value: unknown; object: Record<string, unknown> }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      tie('object'),
    ),
    object: fc.dictionary(fc.string(), tie('value'), { maxKeys: 5 }),
  }));
  fc.assert(
    fc.property(named.object, fc.boolean(), (object, isIndented) => {
      const text = JSON.stringify(object, undefined, isIndented ? 1 : undefined);
      assert.equal(repeatedKey(text, JSON.parse(text)), undefined);
      const [first] = Object.keys(object);
      if (first === undefined) return;
      const twice = `${text.trimEnd().slice(0, -1)},${JSON.stringify(first)}:0}`;
      assert.deepEqual(repeatedKey(twice, JSON.parse(twice)), [first]);
      const inList = `[[],{"a":1},${twice}]`;
      assert.deepEqual(repeatedKey(inList, JSON.parse(inList)), [2, first]);
    }),
    { numRuns: 2000 },
  );
});
