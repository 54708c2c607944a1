// One side of the power cut: `write` does the steps of steps.ts, many of them under way at a time, and acknowledges each that is
// durable; `check LAST` opens what the cut has left. All that was acknowledged must be there, whole steps and nothing else, in one
// unbroken chain, and the store must take further work. With BOARD_SYNC=0 the writer's batches are not synced: then it must fail.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Level } from 'level';
import { SerialWriter } from '../../../src/app/serial-writer.ts';
import { milliseconds } from '../../../src/domain/units.ts';
import { SystemClock } from '../../../src/drivers/clock/system-clock.ts';
import type { LevelStore } from '../../../src/drivers/level/level-store.ts';
import { openTrustedStore } from '../../../src/drivers/level/trusted-store.ts';
import { CardeaError } from '../../../src/errors.ts';
import { createLog } from '../../../src/log.ts';
import { gatewayId } from '../../domain/samples.ts';
import { LogCheck } from '../../fixtures/log-check.ts';
import { type Random, seededRandom } from '../../fixtures/seeded-random.ts';
import { DOORS, differences, takeStep } from './steps.ts';

const DATA = process.env['BOARD_DISK'] ?? '/nowhere';
/** Steps that are under way at most. */
const TOGETHER = 40;
const GATEWAY = gatewayId('board');

const clock = new SystemClock({ trust: 'always' });
const silent = createLog('silent');
/** As a gateway does: a store that does not fit what is beside it is set aside. */
const open = (): Promise<LevelStore> =>
  openTrustedStore({
    dataDir: DATA,
    gateway: GATEWAY,
    doors: DOORS,
    failurePolicy: 'deny',
    key: { kind: 'file', file: join(DATA, 'store.key') },
    clock,
    log: silent,
  });
const writerOn = (store: LevelStore): SerialWriter => new SerialWriter({ store, gateway: GATEWAY, clock, log: silent });
const pause = (duration: number): Promise<void> =>
  new Promise((resolve) => clock.schedule(milliseconds(duration), resolve));

/** A lie in the place of each sync. */
const withoutSync = async (): Promise<void> => {
  const db = new Level(join('/tmp', `unsynced-${process.pid}`));
  await db.open();
  const batch = Object.getPrototypeOf(db.batch());
  const write = batch._write;
  batch._write = function (this: unknown, options: object): unknown {
    return write.call(this, { ...options, sync: false });
  };
  await db.close();
};

const write = async (): Promise<void> => {
  if (process.env['BOARD_SYNC'] === '0') await withoutSync();
  const store = await open();
  const writer = writerOn(store);
  const random = seededRandom(Date.now() % 1_000_000_007);
  for (let next = store.tail().sequence + 1; ; ) {
    const together = 1 + random.below(TOGETHER);
    const steps = Array.from({ length: together }, async (_, index) => {
      const sequence = await writer.write((tx) => takeStep(tx, next + index));
      process.stdout.write(`ACK ${sequence}\n`);
    });
    await moveCursors(store, random);
    await Promise.all(steps);
    next += together;
    await pause(random.below(4));
  }
};

/** As the outbox and the retention do it, while batches are on their way to the disk. */
const moveCursors = async (store: LevelStore, random: Random): Promise<void> => {
  const between = (low: number, high: number): number => low + random.below(high - low + 1);
  await store.saveSentUpTo(between(store.sentUpTo(), store.tail().sequence));
  await store.saveAcknowledgedUpTo(between(store.acknowledgedUpTo(), store.sentUpTo()));
  if (random.below(5) === 0) await store.trim(between(0, store.acknowledgedUpTo()));
};

const check = async (acknowledged: number): Promise<void> => {
  const store = await open();
  const log = new LogCheck();
  const entries = await log.read(store);
  const faults = [
    ...lossesIn(store, log, acknowledged),
    ...log.faults,
    ...entries
      .filter(({ event }) => stepIn(event.detail) !== event.sequence)
      .map(({ event }) => `${event.sequence} is no step`),
    ...differences(store, log.last),
  ];
  if (faults.length > 0) throw new CardeaError('store-damaged', faults.slice(0, 20).join('\n'));
  const cursors = cursorsOf(store);
  const next = log.last + 1;
  await writerOn(store).write((tx) => takeStep(tx, next));
  await store.close();
  process.stdout.write(`${next - 1} steps in one chain, ${acknowledged} of them told; cursors at ${cursors}\n`);
};

/** What of the acknowledged is gone, and what shows that the store was taken for damaged. */
const lossesIn = (store: LevelStore, log: LogCheck, acknowledged: number): readonly string[] => {
  const first = store.firstSequence();
  const told = Array.from({ length: Math.max(0, acknowledged - first + 1) }, (_, index) => first + index);
  const lost = told.filter((step) => log.hashOf(step) === undefined);
  const cursors = [...cursorsOf(store), log.last];
  const setAside = readdirSync(DATA).filter((name) => name.startsWith('store.damaged'));
  return [
    ...(lost.length > 0 ? [`${lost.length} acknowledged steps are lost`] : []),
    ...(store.damage() === undefined ? [] : ['a power cut was taken for damage']),
    ...setAside.map((name) => `there is a ${name}`),
    ...(cursors.some((cursor, index) => cursor < (cursors[index - 1] ?? 0)) ? [`cursors: ${cursors}`] : []),
  ];
};

/** How far the log was trimmed, acknowledged and sent: in that order they follow each other. */
const cursorsOf = (store: LevelStore): readonly number[] => [
  store.trimmedUpTo().sequence,
  store.acknowledgedUpTo(),
  store.sentUpTo(),
];

const stepIn = (detail: unknown): unknown =>
  typeof detail === 'object' && detail !== null && 'step' in detail ? detail.step : undefined;

const [, , part, last = ''] = process.argv;
await (part === 'write' ? write() : check(Number(last)));
