// The reader as the gateway sees it: the contract, with a real worker thread and a fake chip in it, and what becomes of
// workers that die, hang or never start.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Mfrc522Reader, MOST_HANGING } from '../../../src/drivers/mfrc522/mfrc522-reader.ts';
import type { CardReaderListener, ReaderCondition } from '../../../src/ports/card-reader.ts';
import { cardReaderContract } from '../../contracts/card-reader.contract.ts';
import { makeReaderHarness } from './reader-harness.ts';

cardReaderContract('Mfrc522Reader', async () => makeReaderHarness());

const record = () => {
  const conditions: ReaderCondition[] = [];
  let observations = 0;
  const listener: CardReaderListener = {
    onObservation: () => {
      observations += 1;
    },
    onCondition: (condition) => conditions.push(condition),
  };
  return { conditions, listener, observations: () => observations };
};

test('a worker that dies is offline, and another is started after half a second', async (t) => {
  const harness = makeReaderHarness();
  t.after(() => harness.close());
  const { conditions, listener } = record();
  await harness.reader.start(listener);
  await harness.until(() => conditions.at(-1)?.state === 'online');
  harness.order('crash');
  await harness.until(() => conditions.at(-1)?.state === 'offline');
  assert.match(conditions.at(-1)?.detail ?? '', /its worker failed: the fake was told to crash/);
  harness.clock.advance(499);
  assert.equal(harness.workers.length, 1);
  harness.clock.advance(1);
  assert.equal(harness.workers.length, 2);
  await harness.until(() => conditions.at(-1)?.state === 'online');
  await harness.reader.stop();
});

test('a worker that hangs is offline after ten seconds and replaced', async (t) => {
  const harness = makeReaderHarness();
  t.after(() => harness.close());
  const { conditions, listener } = record();
  await harness.reader.start(listener);
  await harness.until(() => conditions.at(-1)?.state === 'online');
  harness.order('hang');
  harness.clock.advance(9999);
  assert.equal(conditions.at(-1)?.state, 'online');
  harness.clock.advance(1000);
  assert.match(conditions.at(-1)?.detail ?? '', /gave no sign of life/);
  harness.clock.advance(500);
  await harness.until(() => conditions.at(-1)?.state === 'online');
  await harness.reader.stop();
});

test('workers that hang in the kernel do not pile up: no more are started until one of them has ended', async (t) => {
  const harness = makeReaderHarness();
  const { terminate } = Worker.prototype;
  t.after(async () => {
    for (const worker of harness.workers) worker.terminate = terminate;
    await harness.close();
  });
  const { conditions, listener } = record();
  await harness.reader.start(listener);
  await harness.until(() => conditions.at(-1)?.state === 'online');
  // Until the transfer returns, the kernel lets no thread go.
  const hold = (): void => {
    const worker = harness.workers.at(-1);
    if (worker !== undefined) worker.terminate = () => new Promise(() => {});
  };
  for (let time = 0; time < 600_000; time += 500) {
    hold();
    harness.clock.advance(500);
  }
  assert.equal(harness.workers.length, MOST_HANGING);
  assert.equal(conditions.at(-1)?.state, 'offline');
  assert.match(conditions.at(-1)?.detail ?? '', /hang in the kernel/);

  const [first] = harness.workers;
  assert.ok(first !== undefined);
  await terminate.call(first);
  for (let time = 0; time < 30_000; time += 500) harness.clock.advance(500);
  assert.equal(harness.workers.length, MOST_HANGING + 1);
  await harness.until(() => conditions.at(-1)?.state === 'online');
  await harness.reader.stop();
});

test('a worker has half a minute to load', async (t) => {
  const harness = makeReaderHarness();
  t.after(() => harness.close());
  const { conditions, listener } = record();
  void harness.reader.start(listener);
  harness.clock.advance(29_999);
  assert.equal(conditions.length, 0);
  harness.clock.advance(1000);
  assert.equal(conditions.at(-1)?.state, 'offline');
  await harness.reader.stop();
});

test('stop does not wait for a worker that hangs', async (t) => {
  const harness = makeReaderHarness();
  t.after(() => harness.close());
  const { conditions, listener } = record();
  await harness.reader.start(listener);
  await harness.until(() => conditions.at(-1)?.state === 'online');
  harness.order('hang');
  const stopped = harness.reader.stop();
  harness.clock.advance(2000);
  await stopped;
  assert.deepEqual(harness.warnings, ['reader worker did not stop in time']);
});

test('workers that cannot be started are tried again, at half a second, one, two and at most thirty', async () => {
  const harness = makeReaderHarness();
  let starts = 0;
  const reader = new Mfrc522Reader({
    options: { device: 'fake', speedHz: 1_000_000, rxGainDb: 33, pollMilliseconds: 2 },
    clock: harness.clock,
    log: { ...console, child: () => assert.fail(), fatal: console.error },
    startWorker: () => {
      starts += 1;
      throw new RangeError('no threads left');
    },
  });
  const { conditions, listener } = record();
  await reader.start(listener);
  assert.match(conditions[0]?.detail ?? '', /no threads left/);
  for (const delay of [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
    const before = starts;
    harness.clock.advance(delay - 1);
    assert.equal(starts, before);
    harness.clock.advance(1);
    assert.equal(starts, before + 1);
  }
  assert.equal(conditions.length, 1, 'said once');
  await reader.stop();
  assert.equal(harness.clock.pendingTimers, 0);
});

test('a second start is refused', async (t) => {
  const harness = makeReaderHarness();
  t.after(() => harness.close());
  await harness.reader.start(record().listener);
  await assert.rejects(harness.reader.start(record().listener), { code: 'reader-failed' });
  await harness.reader.stop();
});

test('the reset line is pulsed when the chip stays dead, and a line that fails is a warning', async (t) => {
  let pulses = 0;
  const harness = makeReaderHarness({
    pulseReset: () => {
      pulses += 1;
      throw new RangeError('line gone');
    },
  });
  t.after(() => harness.close());
  await harness.reader.start(record().listener);
  harness.fail?.();
  await harness.until(() => pulses > 0);
  assert.deepEqual(harness.warnings, ['reset line could not be pulsed: line gone']);
  await harness.reader.stop();
});

test('the bus traffic of the worker can be asked for', async (t) => {
  const harness = makeReaderHarness();
  t.after(() => harness.close());
  await harness.reader.start(record().listener);
  await harness.until(() => harness.reader.counters.frames > 0);
  assert.ok(harness.reader.counters.messages <= harness.reader.counters.frames);
  await harness.reader.stop();
});

test('the real worker starts from the sources and says that a device is missing', async () => {
  const device = '/dev/spidev-that-is-not-there';
  assert.ok(!existsSync(device));
  const harness = makeReaderHarness();
  const reader = new Mfrc522Reader({
    options: { device, speedHz: 1_000_000, rxGainDb: 33, pollMilliseconds: 10 },
    clock: harness.clock,
    log: { ...console, child: () => assert.fail(), fatal: console.error },
  });
  const { listener, observations } = record();
  const condition = await new Promise<ReaderCondition>((resolve) => {
    void reader.start({ ...listener, onCondition: resolve });
  });
  assert.equal(condition.state, 'offline');
  assert.match(condition.detail, /cannot open \/dev\/spidev-that-is-not-there.*check that SPI is enabled/);
  assert.equal(observations(), 0);
  await reader.stop();
});
