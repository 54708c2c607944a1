// A long random walk of a door whose strike fails now and then, as its controller runs it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GrantedTap } from '../../src/app/door-controller.ts';
import { DOOR_MODES } from '../../src/domain/door-mode.ts';
import { milliseconds } from '../../src/domain/units.ts';
import { cardholderId, cardNumber, readerId, revision } from '../domain/samples.ts';
import { type Random, seededRandom } from '../fixtures/seeded-random.ts';
import { type BenchOptions, makeDoorBench, settle } from './door-bench.ts';

const STEPS = 20_000;
type Bench = Awaited<ReturnType<typeof makeDoorBench>>;

const grantOf = (random: Random, step: number): GrantedTap => ({
  reader: readerId('front-in'),
  direction: 'in',
  card: cardNumber(step.toString(16).toUpperCase().padStart(8, 'A0000000')),
  cardholder: cardholderId('E1001'),
  bindingRevision: revision(1),
  overridesLockdown: random.below(4) === 0,
  isExtended: random.below(4) === 0,
});

/** Anything but a card. */
const happen = (bench: Bench, random: Random): void => {
  switch (random.below(10)) {
    case 0:
      return bench.breakStrike();
    case 1:
    case 2:
      return bench.mendStrike();
    case 3:
      return bench.pressExit();
    case 4:
      return void bench.controller.releaseByOperator();
    case 5:
      return bench.controller.setMode(random.below(2) === 0 ? 'normal' : random.pick(DOOR_MODES));
    case 6:
      return bench.moveDoor(random.pick(['open', 'closed']));
    case 7:
      return bench.moveDoor('closed');
    default:
      return bench.clock.advance(random.below(4000));
  }
};

const DOORS: readonly (readonly [string, BenchOptions])[] = [
  ['a door', { timings: { grace: milliseconds(500), heldOpenWarning: milliseconds(4000) } }],
  ['a door without a contact', { hasContact: false }],
];

for (const [seed, [what, options]] of DOORS.entries()) {
  test(`on a walk of ${STEPS} steps with failing strikes each grant that released ${what} is taken or not taken, and the strike locks`, async () => {
    const bench = await makeDoorBench(options);
    const random = seededRandom(seed);
    const outcomes = new Map<string, string>();
    for (let step = 0; step < STEPS; step++) {
      if (random.below(3) === 0) {
        const grant = grantOf(random, step);
        outcomes.set(grant.card, bench.controller.releaseFor(grant).kind);
      } else happen(bench, random);
      const isHeld = ['held-open', 'unlocked'].includes(bench.controller.mode);
      assert.ok(
        bench.strike() === 'locked' || isHeld || bench.clock.pendingTimers > 0,
        'something will lock the strike',
      );
      if (step % 100 === 0) await settle();
    }
    bench.mendStrike();
    bench.controller.setMode('blocked');
    bench.clock.advance(60_000);
    assert.equal(bench.strike(), 'locked');
    assert.deepEqual(
      bench.controller.view().alarms.filter((alarm) => alarm === 'strike-failed'),
      [],
    );

    const events = await bench.events();
    const unused = events.filter(({ event }) => event === 'access-not-taken').map(({ card }) => String(card));
    const told = [...bench.taken, ...unused];
    assert.equal(new Set(told).size, told.length, 'no grant is told twice');
    const released = [...outcomes].filter(([, outcome]) => outcome === 'released').map(([card]) => card);
    assert.deepEqual(told.sort(), released.sort());
    assert.deepEqual([...new Set(outcomes.values())].sort(), ['failed', 'refused', 'released']);
  });
}
