// Entry of the worker thread that polls one reader. Started by Mfrc522Reader, bundled as an entry point of its own.

import { parentPort, workerData } from 'node:worker_threads';
import type { ReaderWorkerData } from './reader-messages.ts';
import { runReader } from './run-reader.ts';
import { Spidev } from './spidev.ts';

if (parentPort !== null) {
  const options: ReaderWorkerData = workerData;
  runReader({ port: parentPort, bus: new Spidev(options), options });
}
