import assert from 'node:assert/strict';
import { it } from 'node:test';
import { IDLE_FILTER, stepTapFilter, type Tap } from '../../../src/domain/tap-filter.ts';
import { SimulatedCardReader } from '../../../src/drivers/simulated/simulated-card-reader.ts';
import { CardeaError } from '../../../src/errors.ts';
import { cardReaderContract } from '../../contracts/card-reader.contract.ts';
import { VirtualClock } from '../../fakes/virtual-clock.ts';

cardReaderContract('SimulatedCardReader', async () => {
  const reader = new SimulatedCardReader({ clock: new VirtualClock() });
  return {
    reader,
    present: (uid) => reader.present(Buffer.from(uid, 'hex')),
    remove: () => reader.remove(),
    until: async (condition) => assert.ok(condition()),
    settle: async () => {},
    close: async () => {},
  };
});

const startedReader = async (): Promise<{ reader: SimulatedCardReader; taps: Tap[]; clock: VirtualClock }> => {
  const clock = new VirtualClock();
  const reader = new SimulatedCardReader({ clock });
  const taps: Tap[] = [];
  let state = IDLE_FILTER;
  await reader.start({
    onObservation: (observation) => {
      const step = stepTapFilter(state, observation);
      state = step.state;
      if (step.tap !== undefined) taps.push(step.tap);
    },
    onCondition: () => {},
  });
  return { reader, taps, clock };
};

it('each presentation at a simulated reader makes one tap, also of the same card', async () => {
  const { reader, taps } = await startedReader();
  const uid = Buffer.from('04a2b3c4d5e680', 'hex');
  for (let time = 0; time < 3; time++) {
    reader.present(uid);
    reader.present(uid);
    reader.remove();
  }
  assert.deepEqual(
    taps.map((tap) => tap.kind),
    ['card', 'card', 'card'],
  );
});

it('two cards held to a simulated reader at once make an ambiguous tap', async () => {
  const { reader, taps } = await startedReader();
  reader.present(Buffer.from('11223344', 'hex'));
  reader.present(Buffer.from('55667788', 'hex'));
  assert.deepEqual(taps.at(-1), { kind: 'ambiguous', cause: 'collision' });
});

it('a UID of a length that no card has is refused', async () => {
  const { reader, taps } = await startedReader();
  for (const length of [0, 1, 3, 5, 8, 11]) {
    assert.throws(
      () => reader.present(new Uint8Array(length)),
      (error) => error instanceof CardeaError && error.code === 'reader-failed',
    );
  }
  assert.deepEqual(taps, []);
});

it('the loop of a simulated reader always turns, until it is stopped', async () => {
  const { reader, clock } = await startedReader();
  clock.advance(60_000);
  assert.equal(reader.lastTurnAt(), clock.monotonic());
  await reader.stop();
  const stoppedAt = clock.monotonic();
  clock.advance(60_000);
  assert.equal(reader.lastTurnAt(), stoppedAt);
});
