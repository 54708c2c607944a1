// Four readers in one process, each with a worker thread and a fake chip of its own: what ails one is nothing to the others, and
// taps at those are decided as ever.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TapHandler } from '../../../src/app/handle-tap.ts';
import { makeDoorBench } from '../../app/door-bench.ts';
import { bindingOf } from '../../domain/samples.ts';
import { makeReaderHarness, type ReaderHarness } from './reader-harness.ts';

const UID = '04A2B3C4D5E680';
const TAPS = 5;
/** Turns of a healthy loop beside the faults of the others. */
const TURNS = 50;

interface Place {
  readonly harness: ReaderHarness;
  readonly bench: Awaited<ReturnType<typeof makeDoorBench>>;
}

const makePlace = async (): Promise<Place> => ({
  harness: makeReaderHarness(),
  bench: await makeDoorBench({ cards: { [UID]: bindingOf() } }),
});

const stateOf = (handler: TapHandler): string => handler.view().state;

const isOnline = ({ harness, bench }: Place): Promise<void> => harness.until(() => stateOf(bench.handler) === 'online');

/** Holds the card to the reader and takes it away, so often that no outcome is left to chance. */
const tapAgainAndAgain = async ({ harness, bench }: Place): Promise<void> => {
  for (let tap = 1; tap <= TAPS; tap++) {
    harness.present(UID);
    await harness.until(() => bench.outcomes.length === tap);
    harness.remove();
    await harness.settle();
  }
  assert.deepEqual(
    bench.outcomes.map(({ kind }) => kind),
    Array.from({ length: TAPS }, () => 'granted'),
  );
};

const framesOf = ({ harness }: Place): number => harness.reader.counters.frames;

const keepsTurning = async (place: Place): Promise<void> => {
  const frames = framesOf(place);
  for (let turn = 0; turn < TURNS; turn += 6) await place.harness.settle();
  assert.ok(framesOf(place) > frames);
};

test('a reader that is dead and one that hangs keep the two others from no tap and no look', async (t) => {
  const places = await Promise.all([makePlace(), makePlace(), makePlace(), makePlace()]);
  t.after(() => Promise.all(places.map(({ harness }) => harness.close())));
  await Promise.all(places.map(({ harness, bench }) => harness.reader.start(bench.handler)));
  await Promise.all(places.map(isOnline));
  const [dead, hanging, ...well] = places;
  assert.ok(dead !== undefined && hanging !== undefined);

  dead.harness.fail?.();
  hanging.harness.order('hang');
  await dead.harness.until(() => stateOf(dead.bench.handler) === 'offline');
  await Promise.all(well.map(tapAgainAndAgain));
  await Promise.all(well.map(keepsTurning));

  hanging.harness.clock.advance(11_000);
  assert.equal(stateOf(hanging.bench.handler), 'offline');
  assert.deepEqual(
    well.map(({ bench }) => stateOf(bench.handler)),
    ['online', 'online'],
  );
  for (const { harness } of well)
    assert.equal(harness.workers.length, 1, 'no worker but the one that hung is replaced');

  hanging.harness.clock.advance(500);
  dead.harness.repair?.();
  await Promise.all([dead, hanging].map(isOnline));
  await Promise.all([dead, hanging].map(tapAgainAndAgain));
  await Promise.all([dead, ...well, hanging].map(({ harness }) => harness.reader.stop()));
});

test('a reader that is unplugged and one whose worker crashes are offline alone', async (t) => {
  const places = await Promise.all([makePlace(), makePlace(), makePlace()]);
  t.after(() => Promise.all(places.map(({ harness }) => harness.close())));
  await Promise.all(places.map(({ harness, bench }) => harness.reader.start(bench.handler)));
  await Promise.all(places.map(isOnline));
  const [unplugged, crashing, well] = places;
  assert.ok(unplugged !== undefined && crashing !== undefined && well !== undefined);
  unplugged.harness.order({ unplugged: true });
  crashing.harness.order('crash');
  await unplugged.harness.until(() => stateOf(unplugged.bench.handler) === 'offline');
  await crashing.harness.until(() => stateOf(crashing.bench.handler) === 'offline');
  await tapAgainAndAgain(well);
  const conditions = (await well.bench.eventNames()).filter((event) => event.startsWith('reader-'));
  assert.deepEqual(conditions, []);
  await Promise.all(places.map(({ harness }) => harness.reader.stop()));
});
