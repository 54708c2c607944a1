import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CardBinding, Roster } from '../../src/desk/roster.ts';
import { bucketOf } from '../../src/domain/roster-digest.ts';
import { MAX_PAGE_BYTES } from '../../src/wire/hr-messages.ts';
import { parseJsonObject } from '../../src/wire/message-json.ts';
import { decodeRosterPage, encodeRosterPage, type RosterPage } from '../../src/wire/roster-messages.ts';
import { cardNumber } from '../domain/samples.ts';
import {
  ALL_BUCKETS,
  binding,
  cardsOf,
  cardText,
  changed,
  newRoster,
  note,
  rosterOf,
  SETTINGS,
} from './desk-samples.ts';

/** The pages as a gateway decodes them. */
const received = (roster: Roster, buckets: readonly number[]): readonly RosterPage[] =>
  [...roster.pagesFor({ requestId: 'request-1', buckets })].map((page) => {
    const parsed = parseJsonObject(Buffer.from(encodeRosterPage(SETTINGS.site, page)));
    assert.ok('content' in parsed);
    const decoded = decodeRosterPage(parsed.content, 'hex');
    assert.ok(!('fault' in decoded), JSON.stringify(decoded));
    return decoded;
  });

const DOORS = Array.from({ length: 256 }, (_, index) => `door-${String(index).padStart(50, '0')}`);
const WIDE: CardBinding['access'] = [{ doors: DOORS }, { doors: DOORS, schedule: 'office-hours' }];

test('pages are numbered, name the request and its buckets, and hold at most 200 cards', () => {
  const pages = received(rosterOf(450), ALL_BUCKETS);
  assert.deepEqual(
    pages.map(({ page, pages, cards, requestId, revision }) => [page, pages, cards.length, requestId, revision]),
    [
      [1, 3, 200, 'request-1', 450],
      [2, 3, 200, 'request-1', 450],
      [3, 3, 50, 'request-1', 450],
    ],
  );
  for (const { buckets } of pages) assert.deepEqual(buckets, ALL_BUCKETS);
});

test('only the cards of the buckets that were asked for are in the pages', () => {
  const roster = rosterOf(300);
  const asked = [bucketOf(cardNumber(cardText(0))), bucketOf(cardNumber(cardText(1)))];
  const [page, ...others] = received(roster, asked);
  const expected = cardsOf(roster).filter(({ card }) => asked.includes(bucketOf(card)));
  assert.deepEqual(others, []);
  assert.deepEqual(
    [...(page?.cards ?? [])].sort((a, b) => (a.card < b.card ? -1 : 1)),
    expected,
  );
});

test('buckets without a card are answered by one page without cards', () => {
  const [page, ...others] = received(newRoster(), [3, 201]);
  assert.deepEqual(others, []);
  assert.deepEqual(page, { requestId: 'request-1', revision: 0, page: 1, pages: 1, buckets: [3, 201], cards: [] });
});

test('a page fits the contract’s limit also when it is signed, however wide the rights of its cards are', () => {
  const pages = received(rosterOf(40, WIDE), ALL_BUCKETS);
  assert.equal(pages.flatMap(({ cards }) => cards).length, 40);
  assert.ok(pages.length > 2);
  for (const page of pages) {
    const json = Buffer.from(encodeRosterPage(SETTINGS.site, page));
    const signed = 512 + json.toString('base64url').length + 86 + 2;
    assert.ok(signed <= MAX_PAGE_BYTES, `${signed} bytes`);
    assert.ok(page.page === page.pages || signed > MAX_PAGE_BYTES * 0.8, `a page of only ${signed} bytes`);
  }
});

test('the longest ids do not make a page too large', () => {
  const roster = newRoster();
  const wide: CardBinding['access'] = [{ doors: DOORS.slice(0, 25) }];
  for (let index = 0; index < 250; index++) {
    const person = `${'𝄞'.repeat(60)}${String(index).padStart(4, '0')}`;
    const window = { validFrom: '2026-11-22T00:00:00Z', validUntil: '2027-11-22T00:00:00Z' };
    const flags = { overridesLockdown: true, extendedRelease: true };
    const changes: Partial<CardBinding> = { access: wide, kind: 'temporary', ...window, ...flags };
    changed(roster.bind(binding(cardText(index), person, changes), note()));
  }
  for (const page of roster.pagesFor({ requestId: '𝄞'.repeat(64), buckets: ALL_BUCKETS })) {
    const json = Buffer.from(encodeRosterPage(SETTINGS.site, page));
    assert.ok(512 + json.toString('base64url').length + 88 <= MAX_PAGE_BYTES);
  }
});

test('pages are those of the roster at the call, whatever changes before the last one is taken', () => {
  const roster = rosterOf(450);
  const before = cardsOf(roster);
  const pages = roster.pagesFor({ requestId: 'request-1', buckets: ALL_BUCKETS });
  changed(roster.revokeCard(cardText(7), 'lost', note()));
  const seen: RosterPage[] = [];
  for (const page of pages) {
    seen.push(page);
    changed(
      roster.bind(binding(cardText(7 + 100 * page.page), 'E9', { transferFrom: `E${7 + 100 * page.page}` }), note()),
    );
  }
  const cards = seen.flatMap((page) => page.cards).sort((a, b) => (a.card < b.card ? -1 : 1));
  assert.deepEqual(cards, before);
  assert.deepEqual(new Set(seen.map(({ revision }) => revision)), new Set([450]));
});

test('the pages of all buckets are the roster: loaded from them it is the same', () => {
  const someCard = fc.record({
    state: fc.constantFrom<'active' | 'pending'>('active', 'pending'),
    kind: fc.constantFrom<'permanent' | 'temporary'>('permanent', 'temporary'),
    access: fc.constantFrom<CardBinding['access']>([{ level: 'staff' }], [{ doors: ['*'] }], WIDE),
    validUntil: fc.date({ min: new Date(0), max: new Date('2099-01-01'), noInvalidDate: true }),
    overridesLockdown: fc.boolean(),
    extendedRelease: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(someCard, { maxLength: 300 }), (list) => {
      const roster = newRoster();
      for (const [index, { validUntil, ...changes }] of list.entries()) {
        const text = validUntil.toISOString();
        changed(
          roster.bind(
            binding(cardText(index), `E${index % 50}`, { ...changes, validUntil: text, supersedes: 'none' }),
            note(),
          ),
        );
      }
      const cards = received(roster, ALL_BUCKETS).flatMap((page) => page.cards);
      const { epoch, revision } = roster.save();
      const loaded = new Roster(SETTINGS, { epoch, revision, cards });
      assert.deepEqual([loaded.digest(), cardsOf(loaded)], [roster.digest(), cardsOf(roster)]);
    }),
    { numRuns: 20 },
  );
});
