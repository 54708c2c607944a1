// A clock that is set, or is not, is news once; what was written before can be corrected.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { ClockWatch } from '../../src/app/watch-clock.ts';
import { createLog } from '../../src/log.ts';
import { gatewayId } from '../domain/samples.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const makeWatch = (synchronized: boolean, now = '2026-01-05T08:00:00Z') => {
  const store = new MemoryStore();
  const clock = new VirtualClock({ synchronized, now });
  const log = createLog('silent');
  const writer = new SerialWriter({ store, gateway: gatewayId('lobby-1'), clock, log });
  let changes = 0;
  const watch = new ClockWatch({
    clock,
    untrustedPolicy: 'deny-windowed',
    writer,
    log,
    onChange: () => (changes += 1),
  });
  watch.start();
  const events = async () => {
    await writer.idle();
    return (await store.entriesAfter(0, 10)).map(({ event }) => event);
  };
  return { clock, watch, writer, events, changes: () => changes };
};

test('an untrusted clock is an event at start, and another when it is set', async () => {
  const { clock, watch, events, changes } = makeWatch(false);
  clock.advance(60_000);
  clock.setSynchronized(true);
  clock.advance(60_000);
  watch.stop();
  assert.deepEqual(
    (await events()).map(({ event, clockSynchronized }) => [event, clockSynchronized]),
    [
      ['clock-untrusted', false],
      ['clock-trusted', true],
    ],
  );
  assert.equal(changes(), 2);
});

test('a clock that is trusted from the start is no news', async () => {
  const { clock, events, changes } = makeWatch(true);
  clock.advance(60_000);
  assert.deepEqual(await events(), []);
  assert.equal(changes(), 0);
});

test('an event of before the clock was set keeps its time, and clock-trusted says by how much to correct it', async () => {
  const { clock, writer, events } = makeWatch(false, '2020-01-01T00:00:00Z');
  clock.advance(7_000);
  writer.record({ event: 'exit-requested', at: clock.now(), clockSynchronized: clock.isSynchronized() });
  clock.advance(53_000);
  clock.setNow('2026-01-05T09:00:00Z');
  clock.setSynchronized(true);
  clock.advance(5_000);
  const [, pressed, trusted] = await events();
  assert.deepEqual([pressed?.time, pressed?.clockSynchronized], ['2020-01-01T00:00:07.000Z', false]);
  const setByMilliseconds = Date.parse('2026-01-05T08:59:07Z') - Date.parse('2020-01-01T00:00:07Z');
  assert.deepEqual(trusted?.detail, { setByMilliseconds });
});

test('the correction counts from when the clock was last found not to be set', async () => {
  const { clock, events } = makeWatch(false);
  clock.setNow('2026-01-05T10:00:00Z');
  clock.setSynchronized(true);
  clock.advance(5_000);
  clock.setSynchronized(false);
  clock.advance(5_000);
  clock.setNow(clock.now() - 250);
  clock.setSynchronized(true);
  clock.advance(5_000);
  assert.deepEqual(
    (await events()).map(({ event, detail }) => [event, detail]),
    [
      ['clock-untrusted', null],
      ['clock-trusted', { setByMilliseconds: 7_200_000 }],
      ['clock-untrusted', null],
      ['clock-trusted', { setByMilliseconds: -250 }],
    ],
  );
});
