// Validity to the second, temporary cards and activation, through the real tap path: the moments before, at and after each limit.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Binding } from '../../src/domain/credential.ts';
import { bindingOf, cardNumber, time } from '../domain/samples.ts';
import { makeDoorBench, settle } from './door-bench.ts';

const UID = '04A2B3C4D5E680';
const FROM = time('2026-01-05T08:00:10Z');
const UNTIL = time('2026-01-05T08:00:20Z');
/** When the virtual clock starts. */
const START = time('2026-01-05T08:00:00Z');

const windows: readonly [string, Partial<Binding>, readonly (readonly [string, string])[]][] = [
  [
    'with a begin only',
    { validFrom: FROM },
    [
      ['2026-01-05T08:00:09.999Z', 'not-yet-valid'],
      ['2026-01-05T08:00:10.000Z', 'granted'],
      ['2026-01-05T08:00:20.000Z', 'granted'],
    ],
  ],
  [
    'with an end only',
    { validUntil: UNTIL },
    [
      ['2026-01-05T08:00:00.000Z', 'granted'],
      ['2026-01-05T08:00:19.999Z', 'granted'],
      ['2026-01-05T08:00:20.000Z', 'expired'],
    ],
  ],
  [
    'that is temporary',
    { kind: 'temporary', validFrom: FROM, validUntil: UNTIL },
    [
      ['2026-01-05T08:00:00.000Z', 'not-yet-valid'],
      ['2026-01-05T08:00:09.999Z', 'not-yet-valid'],
      ['2026-01-05T08:00:10.000Z', 'granted'],
      ['2026-01-05T08:00:19.999Z', 'granted'],
      ['2026-01-05T08:00:20.000Z', 'expired'],
      ['2027-01-05T08:00:00.000Z', 'expired'],
    ],
  ],
  [
    'for one millisecond',
    { validFrom: FROM, validUntil: time('2026-01-05T08:00:10.001Z') },
    [
      ['2026-01-05T08:00:09.999Z', 'not-yet-valid'],
      ['2026-01-05T08:00:10.000Z', 'granted'],
      ['2026-01-05T08:00:10.001Z', 'expired'],
    ],
  ],
];

for (const [what, window, moments] of windows) {
  for (const [moment, expected] of moments) {
    test(`a card ${what} is ${expected} at ${moment}`, async () => {
      const bench = await makeDoorBench({ cards: { [UID]: bindingOf(window) } });
      bench.clock.advance(time(moment) - START);
      bench.tap(UID);
      const isGranted = expected === 'granted';
      assert.equal((await bench.eventNames())[0], isGranted ? 'access-granted' : `access-denied: ${expected}`);
      assert.deepEqual(bench.strikes(), isGranted ? ['unlocked'] : []);
    });
  }
}

const pending = (changes: Partial<Binding> = {}) => ({ [UID]: bindingOf({ activation: 'pending', ...changes }) });

const activated = ({ store }: Awaited<ReturnType<typeof makeDoorBench>>): boolean => {
  const found = store.findCard(cardNumber(UID));
  return found.kind === 'live' && found.binding.activation === 'active';
};

test('a pending card is activated in its window only, and once active its window still counts', async () => {
  const bench = await makeDoorBench({
    cards: pending({ kind: 'temporary', validFrom: FROM, validUntil: UNTIL }),
    role: 'activation',
  });
  for (const moment of [9_999, 10_000, 19_999, 20_000]) {
    bench.clock.advance(START + moment - bench.clock.now());
    bench.tap(UID);
    await settle();
  }
  const names = (await bench.eventNames()).filter((name) => name !== 'access-not-taken');
  assert.deepEqual(names, [
    'access-denied: not-yet-valid',
    'card-activated',
    'access-granted',
    'access-denied: expired',
  ]);
});

test('while the clock is untrusted a pending card without a window is activated, one with a window is not', async () => {
  for (const [window, names] of [
    [{}, ['card-activated']],
    [{ validUntil: UNTIL }, ['access-denied: clock-untrusted']],
  ] as const) {
    const bench = await makeDoorBench({ cards: pending(window), role: 'activation', synchronized: false });
    bench.tap(UID);
    assert.deepEqual(await bench.eventNames(), names);
    assert.equal(activated(bench), names[0] === 'card-activated');
    assert.deepEqual(bench.strikes(), []);
  }
});

test('at a door in lockdown a pending card is activated only where it overrides the lockdown', async () => {
  for (const [flags, names] of [
    [{}, ['access-denied: lockdown']],
    [{ overridesLockdown: true }, ['card-activated']],
  ] as const) {
    const bench = await makeDoorBench({ cards: pending(flags), role: 'activation' });
    bench.controller.setMode('lockdown');
    bench.tap(UID);
    await settle();
    const told = (await bench.eventNames()).filter((name) => !name.startsWith('lockdown'));
    assert.deepEqual(told, names);
    assert.equal(activated(bench), names[0] === 'card-activated');
    assert.deepEqual(
      bench.strikes().filter((state) => state === 'unlocked'),
      [],
    );
  }
});
