// Reads into observations: two alike, two silences, no card behind another.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CardRead, readCard } from '../../../src/drivers/mfrc522/card-select.ts';
import { FieldWatch } from '../../../src/drivers/mfrc522/field-watch.ts';
import { type FakeMfrc522Bench, makeFakeMfrc522Bench } from '../../fakes/fake-mfrc522-bench.ts';
import { FakeCard } from '../../fakes/fake-mfrc522-card.ts';

const hex = (uid: Uint8Array): string => Buffer.from(uid).toString('hex');
const A = 'aaaaaaaa';
const B = 'bbbbbbbb';

const toRead = (word: string): CardRead => {
  switch (word) {
    case 'none':
    case 'chip-fault':
      return { kind: word };
    case 'noise':
    case 'collision':
    case 'short-read':
      return { kind: 'ambiguous', cause: word };
    default:
      return { kind: 'card', uid: Uint8Array.from(Buffer.from(word, 'hex')) };
  }
};

const describe = (look: ReturnType<FieldWatch['look']>): string =>
  look.kind === 'card' ? hex(look.uid) : look.kind === 'ambiguous' ? look.cause : look.kind;

/** Looks until the script is used up. */
const lookThrough = (...script: string[]): string[] => {
  const watch = new FieldWatch(() => toRead(script.shift() ?? 'script too short'));
  const seen: string[] = [];
  while (script.length > 0) seen.push(describe(watch.look()));
  return seen;
};

test('an empty field costs one read a look', () => {
  assert.deepEqual(lookThrough('none', 'none', 'none'), ['none', 'none', 'none']);
});

test('a new card is observed after two reads alike, a known one after each', () => {
  assert.deepEqual(lookThrough('none', A, A, A, A), ['none', A, A, A]);
});

test('another UID than before is read once more before it counts', () => {
  assert.deepEqual(lookThrough(A, A, B, B), [A, B]);
});

test('UIDs that change with every read are ambiguous', () => {
  assert.deepEqual(lookThrough(A, B, A, B, A), ['short-read']);
});

test('a removed card is gone after two silences', () => {
  assert.deepEqual(lookThrough(A, A, 'none', 'none', 'none'), [A, 'none', 'none']);
});

test('after a failed read one silence proves nothing, and another may be a bad moment', () => {
  assert.deepEqual(lookThrough(A, A, 'noise', 'none', 'none', A, A), [A, A]);
});

test('a card that was silent once is still there', () => {
  assert.deepEqual(lookThrough(A, A, 'none', A, A), [A, A]);
});

test('a failed read is made up for in the same look', () => {
  assert.deepEqual(lookThrough('noise', 'none', A, A), [A]);
  assert.deepEqual(lookThrough(A, 'noise', 'none', A, A, A), [A, A]);
});

test('a known card that left in the middle of a read is gone; a stranger that did was not read', () => {
  assert.deepEqual(lookThrough(A, A, 'short-read', 'none', 'none', 'none'), [A, 'none']);
  assert.deepEqual(lookThrough('short-read', 'none', 'none', 'none', 'none'), ['short-read', 'none']);
  assert.deepEqual(lookThrough(A, 'none', 'none', 'none'), ['short-read', 'none']);
});

test('a collision ends the look at once, whatever was read before', () => {
  assert.deepEqual(lookThrough('collision', A, 'collision', A, A), ['collision', 'collision', A]);
});

test('five failed reads are ambiguous, with the last cause', () => {
  assert.deepEqual(lookThrough('noise', 'noise', 'noise', 'noise', 'short-read'), ['short-read']);
});

test('a doubtful chip ends the look, and what was known with it', () => {
  assert.deepEqual(lookThrough(A, A, 'chip-fault', A, A), [A, 'chip-fault', A]);
});

const anyUid = fc.constantFrom(4, 7, 10).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));

/** Puts exactly these cards into the field, takes the power from all others, and lets the new ones gain theirs. */
const place = ({ fake, chip, sleep }: FakeMfrc522Bench, cards: readonly FakeCard[]): void => {
  for (const card of fake.cards) if (!cards.includes(card)) card.field(false, 0);
  fake.cards.splice(0, fake.cards.length, ...cards);
  chip.check();
  sleep(6);
  chip.check();
};

test('property: of two different cards in the field no UID is ever observed, whatever state each was left in', () => {
  let awake = 0;
  fc.assert(
    fc.property(
      anyUid,
      anyUid,
      fc.array(
        fc.tuple(fc.constantFrom<readonly number[]>([0], [1], [0, 1]), fc.array(fc.boolean(), { maxLength: 12 })),
        {
          maxLength: 4,
        },
      ),
      (one, other, history) => {
        fc.pre(hex(one) !== hex(other));
        const bench = makeFakeMfrc522Bench();
        bench.chip.reset();
        const cards = [new FakeCard(one), new FakeCard(other)] as const;
        const watch = new FieldWatch((likelySilent) => readCard(bench.chip, likelySilent));
        // Cards come and go, and are left wherever reads leave them whose replies are partly lost.
        for (const [present, script] of history) {
          const losses = [...script];
          bench.fake.air = (reply) => (losses.shift() === true ? { bits: [], error: 0 } : reply);
          place(
            bench,
            cards.filter((_, index) => present.includes(index)),
          );
          watch.look();
        }
        bench.fake.air = (reply) => reply;
        place(bench, cards);
        if (cards.some(({ state }) => state === 'ready' || state === 'active')) awake += 1;
        const looks = Array.from({ length: 5 }, () => describe(watch.look()));
        // A card whose reply was lost and taken for silence may cost one look.
        assert.deepEqual(looks.slice(1), ['collision', 'collision', 'collision', 'collision']);
        assert.ok(looks[0] === 'collision' || looks[0] === 'none');
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(awake > 10, `only ${awake} runs began with a card awake`);
});

test('property: bits that flip on the wires never make a UID of no card', () => {
  let cards = 0;
  fc.assert(
    fc.property(
      fc.array(anyUid, { minLength: 0, maxLength: 2 }),
      fc.integer({ min: 1, max: 0x7fffffff }),
      fc.constantFrom(20, 60, 200, 600),
      (uids, seed, oneIn) => {
        let state = seed;
        const random = (below: number): number => {
          state ^= state << 13;
          state ^= state >>> 17;
          state ^= state << 5;
          return (state >>> 0) % below;
        };
        const bench = makeFakeMfrc522Bench({ wire: (byte) => (random(oneIn) === 0 ? byte ^ (1 << random(8)) : byte) });
        bench.chip.reset();
        for (const uid of uids) bench.fake.cards.push(new FakeCard(uid));
        const watch = new FieldWatch((likelySilent) => readCard(bench.chip, likelySilent));
        for (let looks = 0; looks < 10; looks += 1) {
          bench.sleep(10);
          const look = watch.look();
          if (look.kind !== 'card') continue;
          cards += 1;
          assert.ok(
            uids.some((uid) => hex(uid) === hex(look.uid)),
            `${hex(look.uid)} was never there`,
          );
        }
      },
    ),
    { numRuns: 400 },
  );
  assert.ok(cards > 200, `only ${cards} cards were read at all`);
});
