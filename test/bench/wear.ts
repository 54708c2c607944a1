// Bytes that the gateway's store has the kernel write, for each tap and each change: what wears an SD card out. Counted by the
// kernel for this process (write_bytes of /proc/self/io: pages, each time they are made dirty), LevelDB's compactions included.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import type { EventName } from '../../src/domain/access-event.ts';
import { type Milliseconds, seconds } from '../../src/domain/units.ts';
import { SystemClock } from '../../src/drivers/clock/system-clock.ts';
import type { LevelStore } from '../../src/drivers/level/level-store.ts';
import { encodeEntry } from '../../src/drivers/level/records.ts';
import { createLog } from '../../src/log.ts';
import { cardholderId, cardNumber, doorId, gatewayId, readerId, revision } from '../domain/samples.ts';
import { openTestStore } from '../fixtures/test-store.ts';
import { makeChangeFlow, TOPICS } from '../flows/change-flow.ts';
import { streamMessage } from './stream-messages.ts';

const COUNT = 1_000;
const MANY = 100_000;
/** Of a door that is used a lot. */
export const TAPS_A_DAY = 500;
const LOG = createLog('silent');

const bytesWritten = (): number => Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);

/** Bytes for each of `count`, with what closing the store still writes. */
const wearOf = async (count: number, work: (store: LevelStore) => Promise<void>): Promise<number> => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-bench-'));
  const store = await openTestStore(join(folder, 'store'));
  const before = bytesWritten();
  await work(store);
  await store.close();
  const after = bytesWritten();
  rmSync(folder, { recursive: true });
  return (after - before) / count;
};

const makeTaps = (store: LevelStore, lowValueDelay: Milliseconds) => {
  const clock = new SystemClock({ trust: 'always' });
  const writer = new SerialWriter({ store, gateway: gatewayId('lobby-1'), clock, lowValueDelay, log: LOG });
  const record = (event: EventName): void =>
    writer.record({
      event,
      at: clock.now(),
      clockSynchronized: true,
      door: doorId('front'),
      ...(event === 'access-granted' && {
        reader: readerId('front-in'),
        direction: 'in',
        card: cardNumber('04A2B3C4D5E680'),
        cardholder: cardholderId('E1001'),
        bindingRevision: revision(1042),
      }),
    });
  return { writer, record };
};

/** Everything that is recorded has been handed to the disk; what waits for company goes on waiting. */
const written = (writer: SerialWriter): Promise<void> => writer.write(() => {});

const taps = (together: number, count = COUNT) =>
  wearOf(count, async (store) => {
    const { writer, record } = makeTaps(store, seconds(0));
    for (let tap = 0; tap < count; tap += together) {
      for (let n = 0; n < together; n++) record('access-granted');
      await written(writer);
    }
  });

/** A door with a contact: it opens and closes after each tap. */
const passages = (lowValueDelay: Milliseconds) =>
  wearOf(COUNT, async (store) => {
    const { writer, record } = makeTaps(store, lowValueDelay);
    for (let tap = 0; tap < COUNT; tap++) {
      record('access-granted');
      await written(writer);
      for (const event of ['door-opened', 'door-closed'] as const) {
        record(event);
        if (lowValueDelay === 0) await written(writer);
      }
    }
    await writer.idle();
  });

const changes = (together: number) =>
  wearOf(COUNT, async (store) => {
    const flow = makeChangeFlow(store);
    for (let done = 0; done < COUNT; done += together) {
      const numbers = Array.from({ length: together }, (_, n) => done + n + 1);
      await Promise.all(numbers.map((number) => flow.deliver(TOPICS.cardBound, streamMessage(number))));
    }
  });

/** What the receipt takes in the audit record of a change. */
const receiptBytes = async (): Promise<string> => {
  let shares = '';
  await wearOf(1, async (store) => {
    await makeChangeFlow(store).deliver(TOPICS.cardBound, streamMessage(1));
    const entry = store.entryAt(1);
    if (entry === undefined) throw new TypeError('a change without a record');
    const { receipt, ...event } = entry;
    shares = `${encodeEntry(entry).length} bytes, ${encodeEntry(event).length} without its receipt`;
  });
  return shares;
};

const row = (what: string, bytes: number, perYear?: number): readonly string[] => [
  what,
  `${(bytes / 1000).toFixed(2)} kB`,
  perYear === undefined ? '' : `${((bytes * perYear) / 1e9).toFixed(2)} GB`,
];

export const measureWear = async (): Promise<readonly (readonly string[])[]> => {
  const aYear = TAPS_A_DAY * 365;
  return [
    row('a tap, one at a time', await taps(1), aYear),
    row('a tap, 20 at a time', await taps(20), aYear),
    row('a tap with a door that opens and closes, lowValueDelaySeconds: 0', await passages(seconds(0)), aYear),
    row('the same, delayed until the next tap', await passages(seconds(60)), aYear),
    row(`a tap of ${MANY.toLocaleString('en')}, 100 at a time, with compactions`, await taps(100, MANY)),
    row('a change, one at a time', await changes(1)),
    row('a change, in a stream', await changes(100)),
    ['the record of a change', await receiptBytes(), ''],
  ];
};
