// The reader's worker thread with a fake chip in it, in real time. What a test wants of the chip comes as messages beside
// the reader's own.

import { parentPort, workerData } from 'node:worker_threads';
import type { ReaderWorkerData } from '../../src/drivers/mfrc522/reader-messages.ts';
import { runReader } from '../../src/drivers/mfrc522/run-reader.ts';
import { FakeMfrc522 } from './fake-mfrc522.ts';
import { FakeCard } from './fake-mfrc522-card.ts';

export type FakeChipOrder =
  | { readonly present: string }
  | { readonly stuckAt: 0x00 | 0xff | undefined }
  | { readonly unplugged: boolean }
  | 'remove'
  /** Throws in the thread. */
  | 'crash'
  /** Blocks the thread as a transfer that never returns would. */
  | 'hang';

const obey = (fake: FakeMfrc522, order: FakeChipOrder | 'stop'): void => {
  if (order === 'stop') return;
  if (order === 'remove') fake.cards.length = 0;
  else if (order === 'crash') throw new RangeError('the fake was told to crash');
  else if (order === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  else if ('present' in order) fake.cards.push(new FakeCard(Uint8Array.from(Buffer.from(order.present, 'hex'))));
  else if ('stuckAt' in order) fake.stuckAt = order.stuckAt;
  else fake.isUnplugged = order.unplugged;
};

if (parentPort !== null) {
  const options: ReaderWorkerData = workerData;
  const fake = new FakeMfrc522({ now: () => performance.now() * 1000 });
  parentPort.on('message', (order: FakeChipOrder | 'stop') => obey(fake, order));
  runReader({ port: parentPort, bus: fake, options });
}
