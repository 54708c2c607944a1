// Board job: what reading costs through the kernel's spidev, as JSON. On the board CPU time is emulated: compare, don't quote.

import { execFileSync } from 'node:child_process';
import { milliseconds } from '../../src/domain/units.ts';
import { blockThread } from '../../src/drivers/mfrc522/run-reader.ts';
import { Spidev } from '../../src/drivers/mfrc522/spidev.ts';
import { measureReader } from '../bench/reader-transfers.ts';

const card = (...words: readonly string[]): void => void execFileSync('board-ctl', ['card', ...words]);

const costs = measureReader({
  bus: new Spidev({ device: '/dev/spidev0.0', speedHz: 1_000_000 }),
  now: () => performance.now(),
  sleep: (time) => blockThread(milliseconds(time)),
  present: (uid) => card('present', uid),
  remove: () => card('remove', 'all'),
  runs: 20,
});
console.log(JSON.stringify(costs, null, 1));
