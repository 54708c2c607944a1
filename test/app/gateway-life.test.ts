// What the log says of starts, stops and the configuration.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayLife } from '../../src/app/gateway-life.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import type { EventName } from '../../src/domain/access-event.ts';
import { milliseconds } from '../../src/domain/units.ts';
import { CardeaError } from '../../src/errors.ts';
import { GATEWAY } from '../admin/admin-bench.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { RecordingLog } from '../fixtures/recording-log.ts';
import { signingKey } from '../fixtures/signing-keys.ts';

const ONE = { file: 'cardea.yaml', sha256: '1'.repeat(64) };
const TWO = { file: 'cardea.yaml', sha256: '2'.repeat(64) };

const makeSite = () => {
  const [clock, store, log] = [new VirtualClock(), new MemoryStore(), new RecordingLog()];
  const writer = new SerialWriter({ store, gateway: GATEWAY, clock, log, lowValueDelay: milliseconds(0) });
  const start = async (configuration: typeof ONE | undefined = ONE): Promise<GatewayLife> => {
    const life = new GatewayLife({ writer, eventLog: store, version: '1.2.3', configuration, clock, log });
    await life.lookBack();
    life.started();
    await writer.idle();
    return life;
  };
  const stop = async (life: GatewayLife): Promise<void> => {
    life.stopped('SIGTERM');
    await writer.idle();
  };
  const record = async (event: EventName, count = 1, reason?: string): Promise<void> => {
    for (let n = 0; n < count; n++) {
      writer.record({ event, at: clock.now(), clockSynchronized: true, reason, detail: { configuration: ONE.sha256 } });
    }
    await writer.idle();
  };
  const last = async (event: EventName) => {
    await writer.idle();
    return (await store.entriesAfter(0, 5000)).map((entry) => entry.event).findLast((each) => each.event === event)
      ?.detail;
  };
  return { store, log, start, stop, record, last };
};

test('the first start of all has no life before it', async () => {
  const { start, last } = makeSite();
  await start();
  assert.deepEqual(await last('gateway-started'), { version: '1.2.3', previous: null, configuration: ONE.sha256 });
  assert.equal(await last('configuration-changed'), undefined);
});

test('a start after a stop is clean, with or without the checkpoint of the stop, and whatever came after it', async () => {
  for (const afterwards of [[], ['checkpoint', 'door-closed']] as const) {
    const { start, stop, record, last } = makeSite();
    await stop(await start());
    for (const event of afterwards) await record(event, 1, event === 'checkpoint' ? 'stop' : undefined);
    await start();
    assert.deepEqual(await last('gateway-started'), { version: '1.2.3', previous: 'clean', configuration: ONE.sha256 });
    assert.deepEqual(await last('gateway-stopped'), { reason: 'SIGTERM', version: '1.2.3', configuration: ONE.sha256 });
  }
});

test('a start that finds no stop before it says so, however many events there were since', async () => {
  for (const count of [0, 1, 199, 200, 1500]) {
    const { start, record, last } = makeSite();
    await start();
    await record('door-opened', count);
    await start();
    assert.deepEqual(await last('gateway-started'), {
      version: '1.2.3',
      previous: 'unclean',
      configuration: ONE.sha256,
    });
  }
});

test('a checkpoint of the clock or the count is no stop', async () => {
  const { start, stop, record, last } = makeSite();
  await stop(await start());
  await start();
  await record('checkpoint', 1, 'time');
  await start();
  assert.deepEqual(await last('gateway-started'), { version: '1.2.3', previous: 'unclean', configuration: ONE.sha256 });
});

test('a configuration file that has changed between two starts is an event with both hashes', async () => {
  const { start, last } = makeSite();
  await start(ONE);
  await start(TWO);
  assert.deepEqual(await last('configuration-changed'), { from: ONE.sha256, to: TWO.sha256, file: 'cardea.yaml' });
});

test('a reload is an event that names the keys that are new and those that are gone', async () => {
  const { start, last } = makeSite();
  const [old, kept, renewed] = [signingKey('old').trusted, signingKey('kept').trusted, signingKey('renewed').trusted];
  const life = await start(ONE);
  const changed = { ...renewed, publicKey: signingKey('x').trusted.publicKey };
  life.reloaded({ before: [old, kept, renewed], after: [kept, changed] }, TWO);
  assert.deepEqual(await last('configuration-changed'), {
    from: ONE.sha256,
    to: TWO.sha256,
    file: 'cardea.yaml',
    keysAdded: ['renewed'],
    keysRemoved: ['old', 'renewed'],
  });
  assert.equal(life.configuration(), TWO.sha256);
});

test('a log that cannot be read keeps no gateway from starting', async () => {
  const { store, log, start } = makeSite();
  await start();
  store.entriesAfter = () => Promise.reject(new CardeaError('store-open-failed', 'closed'));
  await start();
  assert.equal(log.at('warn').length, 1);
  assert.ok(log.at('warn')[0]?.message.startsWith('how the gateway ended last'));
  assert.equal(store.tail().sequence, 2);
});

test('a record that cannot be read does not hide how the life before ended', async () => {
  const { store, start, stop, record } = makeSite();
  await stop(await start());
  await record('door-closed');
  store.garbleEntry(store.tail().sequence);
  await start();
  const detail = store.entryAt(store.tail().sequence)?.event.detail;
  assert.deepEqual(detail, { version: '1.2.3', previous: 'clean', configuration: ONE.sha256 });
});
