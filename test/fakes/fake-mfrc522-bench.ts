// A fake chip on a bench of its own: time passes only when the driver waits or moves bytes.

import { Mfrc522Chip } from '../../src/drivers/mfrc522/chip.ts';
import type { RxGainDb } from '../../src/drivers/mfrc522/registers.ts';
import { FakeMfrc522, type FakeMfrc522Options } from './fake-mfrc522.ts';
import { FakeCard } from './fake-mfrc522-card.ts';

export interface FakeMfrc522Bench {
  readonly fake: FakeMfrc522;
  readonly chip: Mfrc522Chip;
  /** Milliseconds. */
  now(): number;
  sleep(time: number): void;
  present(uid: string): FakeCard;
  remove(): void;
}

/** One byte at 1 MHz, in microseconds. */
const BYTE = 8;

export const makeFakeMfrc522Bench = (
  options: Omit<FakeMfrc522Options, 'now'> & { readonly rxGainDb?: RxGainDb } = {},
): FakeMfrc522Bench => {
  let microseconds = 1;
  const wire = options.wire ?? ((byte: number) => byte);
  const fake = new FakeMfrc522({ ...options, now: () => microseconds });
  fake.wire = (byte) => {
    microseconds += BYTE / 2; // called for each direction
    return wire(byte);
  };
  const sleep = (time: number): void => {
    microseconds += time * 1000;
  };
  return {
    fake,
    chip: new Mfrc522Chip({ bus: fake, rxGainDb: options.rxGainDb ?? 33, sleep }),
    now: () => microseconds / 1000,
    sleep,
    present: (uid) => {
      const card = new FakeCard(Uint8Array.from(Buffer.from(uid, 'hex')));
      fake.cards.push(card);
      return card;
    },
    remove: () => {
      fake.cards.length = 0;
    },
  };
};
