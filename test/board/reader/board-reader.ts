// What the reader's board jobs share: the real reader on the board's spidev, and a record of all it reported.

import { execFileSync } from 'node:child_process';
import { instant, monotonicTime } from '../../../src/domain/units.ts';
import { Mfrc522Reader } from '../../../src/drivers/mfrc522/mfrc522-reader.ts';
import { createLog } from '../../../src/log.ts';
import type { CardObservation, ReaderCondition } from '../../../src/ports/card-reader.ts';
import type { Clock } from '../../../src/ports/clock.ts';

export const control = (...words: readonly string[]): string =>
  execFileSync('board-ctl', [...words], { encoding: 'utf8' });

export const pause = (time: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, time));

export const systemClock: Clock = {
  monotonic: () => monotonicTime(performance.now()),
  now: () => instant(Date.now()),
  isSynchronized: () => true,
  schedule: (delay, callback) => {
    const timer = setTimeout(callback, delay);
    return { cancel: () => clearTimeout(timer) };
  },
};

export const describeObservation = (observation: CardObservation): string => {
  switch (observation.kind) {
    case 'card':
      return Buffer.from(observation.uid).toString('hex');
    case 'none':
      return 'none';
    case 'ambiguous':
      return observation.cause;
  }
};

export class BoardReader {
  readonly reader: Mfrc522Reader;
  seen: string[] = [];
  conditions: ReaderCondition[] = [];
  pulses = 0;

  constructor(device = '/dev/spidev0.0') {
    this.reader = new Mfrc522Reader({
      options: {
        device,
        speedHz: 1_000_000,
        rxGainDb: 33,
        pollMilliseconds: 50,
        pulseReset: () => {
          this.pulses += 1;
        },
      },
      clock: systemClock,
      log: createLog('debug'),
    });
  }

  start(): Promise<void> {
    return this.reader.start({
      onObservation: (observation) => this.seen.push(describeObservation(observation)),
      onCondition: (condition) => {
        this.conditions.push(condition);
        console.log('   ', condition.state, condition.detail);
      },
    });
  }

  /** Resolves when `done` holds, or with false after `patience` milliseconds: the board may be slow. */
  async until(done: (reader: BoardReader) => boolean, patience = 30_000): Promise<boolean> {
    for (const end = performance.now() + patience; performance.now() < end; ) {
      if (done(this)) return true;
      await pause(10);
    }
    return false;
  }

  forget(): void {
    this.seen = [];
    this.conditions = [];
  }

  /** What was seen, in order, with repetitions counted. */
  summary(): string {
    const counts = new Map<string, number>();
    for (const what of this.seen) counts.set(what, (counts.get(what) ?? 0) + 1);
    return [...counts].map(([what, count]) => `${what} x${count}`).join(', ');
  }
}
