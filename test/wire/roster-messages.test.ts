// What a page of the roster may not say, so that no card comes by a page that no message could have bound.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketOf } from '../../src/domain/roster-digest.ts';
import { cardNumber } from '../domain/samples.ts';
import { decode, SHORT_BOUND, TOPICS } from './messages.ts';

const BUCKET = bucketOf(cardNumber('DEADBEEF'));

const decodePage = (card: object, page: object = {}) =>
  decode(
    {
      type: 'roster-page',
      site: 'hq',
      requestId: 'request-1',
      revision: 7,
      page: 1,
      pages: 1,
      buckets: [BUCKET],
      cards: [{ card: 'DEADBEEF', revision: 7, cardholder: 'E1001', access: SHORT_BOUND.access, ...card }],
      ...page,
    },
    { topic: TOPICS.rosterPage },
  );

test('a page is taken with windows that are null, left out or given', () => {
  const until = '2027-01-01T00:00:00Z';
  for (const card of [
    {},
    { validFrom: null, validUntil: null },
    { kind: 'temporary', validFrom: null, validUntil: until },
  ]) {
    assert.equal(decodePage(card).kind, 'page', JSON.stringify(card));
  }
});

test('the flags of a card on a page are taken where they are true; false is as good as nothing', () => {
  const cardOn = (changes: object) => {
    const decoded = decodePage(changes);
    assert.ok(decoded.kind === 'page', decoded.kind);
    return decoded.page.cards[0];
  };
  const plain = cardOn({});
  assert.deepEqual(cardOn({ overridesLockdown: false, extendedRelease: false }), plain);
  assert.deepEqual(cardOn({ overridesLockdown: true }), { ...plain, overridesLockdown: true });
  assert.deepEqual(cardOn({ extendedRelease: true }), { ...plain, extendedRelease: true });
});

for (const [what, card, page, code, path] of [
  ['a temporary card for ever', { kind: 'temporary' }, {}, 'invalid-window', 'cards[0].validUntil'],
  ['a temporary card until null', { kind: 'temporary', validUntil: null }, {}, 'invalid-window', 'cards[0].validUntil'],
  [
    'a window that is empty',
    { validFrom: '2027-01-01T00:00:00Z', validUntil: '2027-01-01T08:00:00+08:00' },
    {},
    'invalid-window',
    'cards[0].validUntil',
  ],
  ['a card that is newer than its page', { revision: 8 }, {}, 'invalid-message', 'cards[0].revision'],
  ['a card of another bucket', {}, { buckets: [(BUCKET + 1) % 256] }, 'invalid-message', 'cards[0].card'],
  ['a number beyond the last', {}, { page: 2 }, 'invalid-message', 'page'],
  ['a flag that is none', { extendedRelease: null }, {}, 'invalid-message', 'cards[0].extendedRelease'],
  ['a random UID', { card: '08A1B2C3' }, {}, 'random-uid', 'cards[0].card'],
] as const) {
  test(`a page with ${what} is refused`, () => {
    const decoded = decodePage(card, page);
    assert.ok(decoded.kind === 'rejected', decoded.kind);
    assert.deepEqual([decoded.rejection.code, decoded.rejection.path], [code, path]);
  });
}
