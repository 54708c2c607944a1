// A clock that is set, or is not, is news once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { ClockWatch } from '../../src/app/watch-clock.ts';
import { createLog } from '../../src/log.ts';
import { gatewayId } from '../domain/samples.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

test('an untrusted clock is an event at start, and another when it is set', async () => {
  const store = new MemoryStore();
  const clock = new VirtualClock();
  clock.setSynchronized(false);
  const log = createLog('silent');
  const writer = new SerialWriter({ store, gateway: gatewayId('lobby-1'), clock, log });
  let changes = 0;
  const watch = new ClockWatch({ clock, writer, log, onChange: () => (changes += 1) });
  watch.start();
  clock.advance(60_000);
  clock.setSynchronized(true);
  clock.advance(60_000);
  watch.stop();
  await writer.idle();
  const entries = await store.entriesAfter(0, 10);
  assert.deepEqual(
    entries.map(({ event }) => [event.event, event.clockSynchronized]),
    [
      ['clock-untrusted', false],
      ['clock-trusted', true],
    ],
  );
  assert.equal(changes, 2);
});
