// A hundred thousand steps of people through the doors of zones, with restarts, resets and repairs of the roster, beside a model that
// remembers nothing but what each person did last.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import type { Direction } from '../../src/domain/access-event.ts';
import type { AntiPassback, PassbackVerdict } from '../../src/domain/anti-passback.ts';
import type { CardholderId, DoorId, ZoneId } from '../../src/domain/ids.ts';
import { milliseconds } from '../../src/domain/units.ts';
import { CardeaError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { cardholderId, doorId, gatewayId, zoneId } from '../domain/samples.ts';
import { MemoryDisk, MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { passageBookOf } from '../fixtures/passage-book.ts';
import { seededRandom } from '../fixtures/seeded-random.ts';
import { settle } from './door-bench.ts';

const STEPS = 40_000;
const MINUTES = 10;
const RULES: readonly (readonly [ZoneId, AntiPassback])[] = [
  [zoneId('building'), { mode: 'hard' }],
  [zoneId('canteen'), { mode: 'soft' }],
  [zoneId('lab'), { mode: 'timed', within: milliseconds(MINUTES * 60_000) }],
  [zoneId('yard'), { mode: 'off' }],
];
const DOORS: readonly (readonly [DoorId, ZoneId])[] = [
  [doorId('front'), zoneId('building')],
  [doorId('rear'), zoneId('building')],
  [doorId('canteen'), zoneId('canteen')],
  [doorId('lab'), zoneId('lab')],
  [doorId('gate'), zoneId('yard')],
];
const PEOPLE = ['E1', 'E2', 'E3', 'E4', 'E5', 'E6'].map(cardholderId);

/** What a person did last at a zone. */
interface Last {
  readonly direction: Direction;
  readonly at: number;
  readonly isForgiven: boolean;
}

class Model {
  readonly #last = new Map<ZoneId, Map<CardholderId, Last>>(RULES.map(([zone]) => [zone, new Map()]));

  verdict(
    zone: ZoneId,
    person: CardholderId,
    going: { readonly direction: Direction; readonly now: number },
  ): PassbackVerdict {
    const last = this.#last.get(zone)?.get(person);
    if (last === undefined || last.isForgiven || last.direction !== going.direction) return 'clear';
    switch (zone) {
      case 'building':
        return 'denied';
      case 'canteen':
        return 'noted';
      case 'lab':
        return going.direction === 'in' && going.now - last.at < MINUTES * 60_000 ? 'denied' : 'clear';
      default:
        return 'clear';
    }
  }

  went(
    zone: ZoneId,
    person: CardholderId,
    { direction, now }: { readonly direction: Direction; readonly now: number },
  ): void {
    this.#last.get(zone)?.set(person, { direction, at: now, isForgiven: false });
  }

  forget(person: CardholderId): void {
    for (const people of this.#last.values()) people.delete(person);
  }

  forgive(): void {
    for (const people of this.#last.values()) {
      for (const [person, last] of people) people.set(person, { ...last, isForgiven: true });
    }
  }

  occupancy(): Record<string, number> {
    const counts = [...this.#last].map(([zone, people]) => {
      const inside = [...people.values()].filter(({ direction }) => direction === 'in');
      return [zone, inside.length] as const;
    });
    return Object.fromEntries(counts);
  }
}

const start = async (disk: MemoryDisk, clock: VirtualClock) => {
  const store = new MemoryStore(disk);
  const writer = new SerialWriter({ store, gateway: gatewayId('lobby-1'), clock, log: createLog('silent') });
  const book = passageBookOf({ store, writer, clock, zones: new Map(RULES), zoneOfDoor: new Map(DOORS) });
  await book.load();
  return { store, writer, book };
};

test(`${STEPS} steps: every verdict and every count is the model's, and hard lets nobody in twice`, async () => {
  const chance = seededRandom(20260105);
  const clock = new VirtualClock();
  const disk = new MemoryDisk();
  const model = new Model();
  let life = await start(disk, clock);
  /** Who is inside the hard zone by having entered since they were last seen to leave, forgotten or forgiven. */
  const entered = new Set<CardholderId>();
  const counts = { passed: 0, denied: 0, noted: 0, restarts: 0, resets: 0, eras: 0, refusals: 0 };

  const tap = (): void => {
    const [door, zone] = chance.pick(DOORS);
    const cardholder = chance.pick(PEOPLE);
    const direction = chance.pick(['in', 'out'] as const);
    const now = clock.monotonic();
    const verdict = life.book.judge({ door, direction, cardholder });
    assert.equal(verdict, model.verdict(zone, cardholder, { direction, now }));
    if (verdict === 'denied') counts.denied += 1;
    if (verdict === 'noted') counts.noted += 1;
    // Not everybody takes a grant.
    if (verdict === 'denied' || chance.below(4) === 0) return;
    if (zone === 'building' && direction === 'in') {
      assert.ok(!entered.has(cardholder), `${cardholder} is let in twice`);
      entered.add(cardholder);
    }
    if (zone === 'building' && direction === 'out') entered.delete(cardholder);
    life.book.record({ door, direction, cardholder });
    model.went(zone, cardholder, { direction, now });
    counts.passed += 1;
  };
  /** The store works again, and has been told everything. */
  const heal = async (): Promise<void> => {
    life.store.commitFailure = undefined;
    clock.advance(60_000);
    await settle();
    await life.writer.idle();
  };
  const restart = async (): Promise<void> => {
    await heal();
    life.book.stop();
    await life.store.close();
    life = await start(disk, clock);
    counts.restarts += 1;
  };
  const reset = async (): Promise<void> => {
    const cardholder = chance.pick(PEOPLE);
    try {
      await life.book.resetPerson(cardholder, () => {});
    } catch {
      counts.refusals += 1;
      return;
    }
    model.forget(cardholder);
    entered.delete(cardholder);
    counts.resets += 1;
  };
  const forgive = async (): Promise<void> => {
    await heal();
    await life.writer.write((tx) => {
      tx.putPassageEra(life.store.passageEra() + 1);
      tx.append({ event: 'roster-reconciled', at: clock.now(), clockSynchronized: true });
    });
    model.forgive();
    entered.clear();
    counts.eras += 1;
  };

  for (let step = 0; step < STEPS; step++) {
    const what = chance.below(1000);
    if (what < 900) tap();
    else if (what < 980) clock.advance(chance.below(4 * 60_000));
    else if (what < 984) await restart();
    else if (what < 992) await reset();
    else if (what < 994) await forgive();
    else if (what < 996) life.store.commitFailure = new CardeaError('store-write-failed', 'disk full');
    else await heal();
    const occupancy = Object.entries(life.book.view()).map(([zone, view]) => [zone, view.occupancy]);
    assert.deepEqual(Object.fromEntries(occupancy), model.occupancy());
  }
  for (const [what, count] of Object.entries(counts)) assert.ok(count > 50, `${what}: ${count}`);
});
