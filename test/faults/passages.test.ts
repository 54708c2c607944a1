// The process dies at any moment, as often as it likes, while people go in and out and are reset. What is known of a person
// afterwards is what was true of them at some moment since their last reset that was acknowledged.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PassageBook } from '../../src/app/passage-book.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import type { CardholderId } from '../../src/domain/ids.ts';
import { createLog } from '../../src/log.ts';
import { settle } from '../app/door-bench.ts';
import { cardholderId, doorId, gatewayId } from '../domain/samples.ts';
import { MemoryDisk } from '../fakes/memory-store.ts';
import { type Death, MortalStore } from '../fakes/mortal-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { passageBookOf } from '../fixtures/passage-book.ts';

const FRONT = doorId('front');
const PEOPLE = ['E1', 'E2'].map(cardholderId);
const NO_DEATH: Life = { death: 'never', after: 0, acts: [] };

type Place = 'inside' | 'outside' | 'nowhere';
type Act = readonly [person: number, what: 'in' | 'out' | 'reset', isSettled: boolean];

interface Life {
  readonly death: Death;
  readonly after: number;
  readonly acts: readonly Act[];
}

const placeOf = (book: PassageBook, cardholder: CardholderId): Place => {
  if (book.judge({ door: FRONT, direction: 'in', cardholder }) === 'denied') return 'inside';
  return book.judge({ door: FRONT, direction: 'out', cardholder }) === 'denied' ? 'outside' : 'nowhere';
};

/** Where each person may be found to be by the next life; what is acknowledged shortens it. */
type Possible = Map<CardholderId, { readonly place: Place }[]>;

const live = async (disk: MemoryDisk, life: Life, possible: Possible): Promise<void> => {
  const clock = new VirtualClock();
  const store = new MortalStore(disk, life.death, life.after);
  const writer = new SerialWriter({ store, gateway: gatewayId('lobby-1'), clock, log: createLog('silent') });
  const book = passageBookOf({ store, writer, clock });
  await book.load();
  for (const [cardholder, places] of possible) {
    const found = placeOf(book, cardholder);
    const were = places.map(({ place }) => place);
    assert.ok(were.includes(found), `${cardholder} is ${found}, and was ${were}`);
    possible.set(cardholder, [{ place: found }]);
  }
  for (const [person, what, isSettled] of life.acts) {
    const cardholder = PEOPLE[person] ?? assert.fail();
    const places = possible.get(cardholder) ?? assert.fail();
    if (what === 'reset') {
      const nowhere = { place: 'nowhere' } as const;
      places.push(nowhere);
      void book
        .resetPerson(cardholder, () => {})
        .then(() => {
          if (!store.isDead) places.splice(0, places.indexOf(nowhere));
        });
    } else {
      book.record({ door: FRONT, direction: what, cardholder });
      places.push({ place: what === 'in' ? 'inside' : 'outside' });
    }
    if (isSettled) await settle();
    if (store.isDead) break;
  }
  await settle();
  if (!store.isDead) for (const places of possible.values()) places.splice(0, places.length - 1);
  disk.isOpen = false;
};

const LIFE: fc.Arbitrary<Life> = fc.record({
  death: fc.constantFrom<Death>('before commit', 'after commit', 'never'),
  after: fc.nat({ max: 4 }),
  acts: fc.array(
    fc.tuple(fc.constantFrom(0, 1), fc.constantFrom('in' as const, 'out' as const, 'reset' as const), fc.boolean()),
    { maxLength: 8 },
  ),
});

test('whenever the process dies, nobody is where they never were, and no acknowledged reset is undone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(LIFE, { minLength: 1, maxLength: 6 }), async (lives) => {
      const disk = new MemoryDisk();
      const possible: Possible = new Map(PEOPLE.map((person) => [person, [{ place: 'nowhere' }]]));
      for (const life of [...lives, NO_DEATH]) await live(disk, life, possible);
    }),
    { numRuns: 120 },
  );
});
