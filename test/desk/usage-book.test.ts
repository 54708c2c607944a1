// What a card was seen doing, from events that may come twice and late.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { KEPT_TAPS, type Usage, usageRecord } from '../../src/desk/records.ts';
import { type CardEvent, usageAfter } from '../../src/desk/usage-book.ts';

const CARD = '04A2B3C4D5E680';

const event = (sequence: number, fields: Partial<CardEvent> = {}): CardEvent => ({
  gateway: 'lobby-1',
  sequence,
  event: 'access-granted',
  time: new Date(Date.UTC(2026, 0, 5, 8, 0, sequence)).toISOString(),
  isTimeKnown: true,
  door: 'front',
  reader: 'front-in',
  card: CARD,
  bindingRevision: 1,
  reason: null,
  ...fields,
});

const after = (events: readonly CardEvent[]): Usage | undefined =>
  events.reduce<Usage | undefined>((usage, each) => usageAfter(usage, each), undefined);

describe('a card', () => {
  test('was first granted at a door when it was, since it was bound', () => {
    const usage = after([
      event(1),
      event(2, { door: 'lab' }),
      event(3),
      event(4, { event: 'access-denied', door: 'store' }),
    ]);
    assert.deepEqual(
      Object.entries(usage?.granted ?? {}).map(([door, tap]) => [door, tap.sequence]),
      [
        ['lobby-1/front', 1],
        ['lobby-1/lab', 2],
      ],
    );
    assert.equal(usage?.lastGranted?.sequence, 3);
    assert.deepEqual(
      usage?.taps.map(({ sequence }) => sequence),
      [4, 3, 2, 1],
    );
  });

  test('begins anew with a binding, and a tap of the one before that comes late does not count for it', () => {
    const usage = after([event(1), event(3, { bindingRevision: 7, door: 'lab' }), event(2, { door: 'side' })]);
    assert.equal(usage?.bindingRevision, 7);
    assert.deepEqual(Object.keys(usage?.granted ?? {}), ['lobby-1/lab']);
    const doorless = after([event(1), event(2, { bindingRevision: 7, door: null })]);
    assert.deepEqual([doorless?.bindingRevision, doorless?.granted], [7, {}]);
  });

  test('has no use by events that are no taps, and keeps the last taps alone', () => {
    assert.equal(after([event(1, { event: 'door-opened' }), event(2, { card: null })]), undefined);
    const usage = after(Array.from({ length: KEPT_TAPS + 5 }, (_, index) => event(index + 1)));
    assert.deepEqual([usage?.taps.length, usage?.taps.at(-1)?.sequence], [KEPT_TAPS, 6]);
    assert.deepEqual(usageRecord.parse(usage), usage);
  });
});

test('what comes twice, however late, changes nothing', () => {
  const tap = fc.record({
    gateway: fc.constantFrom('lobby-1', 'lab-1'),
    // Taps of one second, too, and more of them than are kept.
    second: fc.integer({ min: 0, max: 5 }),
    event: fc.constantFrom('access-granted', 'access-denied', 'access-not-taken'),
    door: fc.constantFrom('front', 'lab', null),
    bindingRevision: fc.constantFrom(null, 1, 2, 3),
  });
  const history = fc.array(tap, { minLength: 1, maxLength: 60, size: 'max' });
  const again = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 20, size: 'max' });
  fc.assert(
    fc.property(history, again, (taps, repeats) => {
      const once = taps.map(({ second, ...fields }, index) =>
        event(index + 1, { ...fields, time: new Date(Date.UTC(2026, 0, 5, 8, 0, second)).toISOString() }),
      );
      const twice: CardEvent[] = [...once];
      for (const [which, where] of repeats) {
        const repeated = twice[which % twice.length];
        if (repeated !== undefined) twice.splice((which % twice.length) + 1 + (where % twice.length), 0, repeated);
      }
      assert.deepEqual(after(twice), after(once));
    }),
  );
});
