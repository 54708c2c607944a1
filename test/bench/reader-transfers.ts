// What reading costs on the SPI bus: the driver beside stock mfrc522-rpi (findCard, getUid, selectCard), which sees cascade
// level 1 only. Runs on the fake chip, where time is modelled, or on any bus, where it is measured.

import MFRC522 from 'mfrc522-rpi';
import { milliseconds } from '../../src/domain/units.ts';
import { readCard } from '../../src/drivers/mfrc522/card-select.ts';
import { Mfrc522Chip } from '../../src/drivers/mfrc522/chip.ts';
import type { SpiBus } from '../../src/drivers/mfrc522/spi-bus.ts';
import { FakeMfrc522 } from '../fakes/fake-mfrc522.ts';
import { FakeCard } from '../fakes/fake-mfrc522-card.ts';

export interface ReaderCost {
  readonly what: 'empty poll' | '4-byte card' | '7-byte card' | '10-byte card';
  readonly driver: 'cardea' | 'stock mfrc522-rpi';
  /** System calls. */
  readonly messages: number;
  /** Chip-select frames, "transfers". */
  readonly frames: number;
  readonly bytes: number;
  /** Median of `runs`, all waiting included. */
  readonly milliseconds: number;
  readonly runs: number;
  /** The UID read whole and right. */
  readonly isRight: boolean;
}

export interface ReaderBench {
  readonly bus: SpiBus;
  /** Milliseconds. */
  readonly now: () => number;
  readonly sleep: (time: number) => void;
  readonly present: (uid: string) => void;
  readonly remove: () => void;
  readonly runs: number;
}

const CARDS = {
  '4-byte card': 'deadbeef',
  '7-byte card': '04a2b3c4d5e680',
  '10-byte card': '04112233445566778899',
} as const;

/** In the fake: what one spidev system call takes beside its bits, a round figure for a Pi. */
const SYSTEM_CALL = 20;
const BYTE_AT_1_MHZ = 8;

export const measureReaderTransfers = (runs = 20): readonly ReaderCost[] => {
  let microseconds = 1;
  const fake = new FakeMfrc522({ now: () => microseconds });
  const bus: SpiBus = {
    open: () => fake.open(),
    close: () => fake.close(),
    exchange: (frames) => {
      microseconds += SYSTEM_CALL;
      return frames.flatMap((frame) => {
        microseconds += frame.length * BYTE_AT_1_MHZ;
        return fake.exchange([frame]);
      });
    },
  };
  return measureReader({
    bus,
    now: () => microseconds / 1000,
    sleep: (time) => {
      microseconds += time * 1000;
    },
    present: (uid) => fake.cards.push(new FakeCard(Uint8Array.from(Buffer.from(uid, 'hex')))),
    remove: () => {
      fake.cards.length = 0;
    },
    runs,
  });
};

export const measureReader = (bench: ReaderBench): readonly ReaderCost[] => {
  const costs: ReaderCost[] = [];
  for (const makeDriver of [makeCardea, makeStock]) {
    const counters = { messages: 0, frames: 0, bytes: 0 };
    const driver = makeDriver(bench, countInto(bench.bus, counters));
    const measure = (what: ReaderCost['what'], expected: string): void => {
      const times: number[] = [];
      let isRight = true;
      driver.prepare();
      driver.read();
      driver.settle();
      const before = { ...counters };
      for (let run = 0; run < bench.runs; run += 1) {
        const began = bench.now();
        isRight = driver.read() === expected && isRight;
        times.push(bench.now() - began);
        const paused = { ...counters };
        driver.settle();
        for (const key of ['messages', 'frames', 'bytes'] as const) before[key] += counters[key] - paused[key];
      }
      times.sort((one, other) => one - other);
      costs.push({
        what,
        driver: driver.name,
        messages: (counters.messages - before.messages) / bench.runs,
        frames: (counters.frames - before.frames) / bench.runs,
        bytes: (counters.bytes - before.bytes) / bench.runs,
        milliseconds: times[times.length >> 1] ?? Number.NaN,
        runs: bench.runs,
        isRight,
      });
    };
    measure('empty poll', '');
    for (const what of ['4-byte card', '7-byte card', '10-byte card'] as const) {
      bench.present(CARDS[what]);
      measure(what, CARDS[what]);
      bench.remove();
    }
  }
  return costs;
};

interface Driver {
  readonly name: ReaderCost['driver'];
  /** Before a series. */
  prepare(): void;
  /** One poll; the UID in hexadecimal digits, empty when nobody is there. */
  read(): string;
  /** Between two polls, not counted. */
  settle(): void;
}

const makeCardea = ({ sleep }: ReaderBench, bus: SpiBus): Driver => {
  const chip = new Mfrc522Chip({ bus, rxGainDb: 33, sleep });
  let wasSilent = true;
  return {
    name: 'cardea',
    prepare: () => {
      chip.reset();
      wasSilent = true;
    },
    read: () => {
      const read = readCard(chip, wasSilent);
      wasSilent = read.kind === 'none';
      return read.kind === 'card' ? Buffer.from(read.uid).toString('hex') : '';
    },
    settle: () => sleep(milliseconds(2)),
  };
};

/** One register at a time, as the library's own SPI objects do it. Its reset has to be waited for. */
const makeStock = ({ sleep }: ReaderBench, bus: SpiBus): Driver => {
  const library = new MFRC522({
    open: () => bus.open(),
    write: (frame) => void bus.exchange([frame]),
    transfer: (frame) => bus.exchange([frame])[0] ?? frame,
  });
  const prepare = (): void => {
    library.reset();
    sleep(milliseconds(1));
    library.reset();
    sleep(milliseconds(6));
  };
  return {
    name: 'stock mfrc522-rpi',
    prepare,
    read: () => {
      if (!library.findCard().status) return '';
      const uid = library.getUid();
      if (!uid.status) return '';
      library.selectCard(uid.data);
      return Buffer.from(uid.data.slice(0, 4)).toString('hex');
    },
    // It does not halt a card: resetting field and chip is the only way to poll the same one again.
    settle: () => {
      library.antennaOff();
      sleep(milliseconds(6));
      prepare();
    },
  };
};

const countInto = (bus: SpiBus, counters: { messages: number; frames: number; bytes: number }): SpiBus => ({
  open: () => bus.open(),
  close: () => bus.close(),
  exchange: (frames) => {
    counters.messages += 1;
    counters.frames += frames.length;
    for (const { length } of frames) counters.bytes += length;
    return bus.exchange(frames);
  },
});
